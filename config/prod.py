"""The production stage: every part, data kept; it must not be where something is tried first."""

from config.emr_on_eks import EmrOnEks
from config.lake_jobs import JobSize, LakeJobs
from config.model import DataLake, EventStream, Operations, Part, ShowCatalog, Stage
from config.network import Network
from config.orchestration import Orchestration
from config.warehouse import Cluster, Warehouse

PROD = Stage(
    name="prod",
    parts=frozenset(Part),
    data_lake=DataLake(raw_retention_days=400),
    event_stream=EventStream(retention_hours=168, flatten_memory_mebibytes=1024),
    show_catalog=ShowCatalog(api_base_url="https://catalog.amp.example", max_concurrency=10),
    lake_jobs=LakeJobs(
        sizes={
            "events": JobSize(max_workers=10),
            "batch_files": JobSize(max_workers=10, timeout_minutes=120),
            "maintenance": JobSize(max_workers=10, timeout_minutes=240, flexible=True),
        }
    ),
    network=Network(zones=3, endpoint_zones=2),
    warehouse=Warehouse(
        clusters=(Cluster(name="analytics", node_type="ra3.xlplus", nodes=2, snapshot_retention_days=35),),
        athena_scan_limit_gigabytes=500,
    ),
    emr_on_eks=EmrOnEks(
        nat_gateways=3, controller_replicas=2, driver_cpus=64, executor_cpus=512, log_retention_days=90
    ),
    orchestration=Orchestration(max_workers=5, nat_gateways=2, schedule_from="2026-12-01"),
    operations=Operations(log_retention_days=180),
    tags={"system": "amp", "stage": "prod"},
)
