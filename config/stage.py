"""The staging stage: as production is, at a smaller size; it must not hold data that production lacks."""

from config.emr_on_eks import EmrOnEks
from config.model import DataLake, EventStream, Operations, Part, ShowCatalog, Stage
from config.orchestration import Orchestration
from config.warehouse import Cluster, Warehouse

STAGE = Stage(
    name="stage",
    parts=frozenset(Part),
    data_lake=DataLake(raw_retention_days=180),
    event_stream=EventStream(retention_hours=48),
    show_catalog=ShowCatalog(api_base_url="https://catalog.stage.amp.example"),
    warehouse=Warehouse(
        clusters=(
            Cluster(
                name="analytics",
                nodes=2,
                pause_at="cron(0 20 ? * MON-FRI *)",
                resume_at="cron(0 5 ? * MON-FRI *)",
            ),
        ),
    ),
    emr_on_eks=EmrOnEks(),
    orchestration=Orchestration(),
    operations=Operations(log_retention_days=30),
    tags={"system": "amp", "stage": "stage"},
)
