"""The whole platform of one stage: which stacks there are and what each hands to the next.

It must not hold a resource or a value: those are in stacks and in configuration.
"""

from aws_cdk import App

from config.model import Part, Stage
from stacks.catalog import CatalogStack
from stacks.code import CodeStack
from stacks.data_lake import DataLakeStack
from stacks.emr_on_eks import EmrOnEksStack
from stacks.event_stream import EventStreamStack
from stacks.lake_jobs import LakeJobsStack
from stacks.network import NetworkStack
from stacks.orchestration import OrchestrationStack
from stacks.show_catalog import ShowCatalogStack
from stacks.warehouse import WarehouseStack


class Platform:
    """The stacks of ``stage``; reads as the architecture diagram."""

    def __init__(self, app: App, *, stage: Stage, destroy_data: bool = False) -> None:
        """Wire the stage's parts; data go with their stack only if the stage and ``destroy_data`` both say so."""
        keep_data = stage.data_lake.keep_data or not destroy_data
        lake = DataLakeStack(app, Part.DATA_LAKE.value, stage=stage, keep_data=keep_data)
        if Part.CATALOG in stage.parts:
            CatalogStack(app, Part.CATALOG.value, stage=stage, keep_data=keep_data, data_lake=lake.seam)
        if Part.CODE in stage.parts:
            self._jobs(app, stage=stage, keep_data=keep_data, lake=lake)
        if Part.NETWORK in stage.parts:
            network = NetworkStack(app, Part.NETWORK.value, stage=stage, keep_data=keep_data)
            if Part.WAREHOUSE in stage.parts:
                WarehouseStack(
                    app,
                    Part.WAREHOUSE.value,
                    stage=stage,
                    keep_data=keep_data,
                    data_lake=lake.seam,
                    network=network.seam,
                )
        if Part.EVENT_STREAM not in stage.parts:
            return
        events = EventStreamStack(app, Part.EVENT_STREAM.value, stage=stage, keep_data=keep_data, data_lake=lake.seam)
        if Part.SHOW_CATALOG not in stage.parts:
            return
        ShowCatalogStack(
            app,
            Part.SHOW_CATALOG.value,
            stage=stage,
            keep_data=keep_data,
            data_lake=lake.seam,
            event_stream=events.seam,
        )

    def _jobs(self, app: App, *, stage: Stage, keep_data: bool, lake: DataLakeStack) -> None:
        """The jobs' code, what runs them, and what starts them."""
        code = CodeStack(app, Part.CODE.value, stage=stage, keep_data=keep_data, data_lake=lake.seam)
        emr = None
        if Part.EMR_ON_EKS in stage.parts:
            emr = EmrOnEksStack(
                app, Part.EMR_ON_EKS.value, stage=stage, keep_data=keep_data, data_lake=lake.seam, code=code.seam
            )
        if Part.LAKE_JOBS not in stage.parts:
            return
        jobs = LakeJobsStack(
            app, Part.LAKE_JOBS.value, stage=stage, keep_data=keep_data, data_lake=lake.seam, code=code.seam
        )
        if Part.ORCHESTRATION in stage.parts:
            OrchestrationStack(
                app,
                Part.ORCHESTRATION.value,
                stage=stage,
                keep_data=keep_data,
                data_lake=lake.seam,
                code=code.seam,
                lake_jobs=jobs.seam,
                emr_on_eks=None if emr is None else emr.seam,
            )
