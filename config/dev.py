"""The development stage: every part, small, short-lived; it must not hold what only production needs."""

from config.catalog import Catalog, ReadGrant
from config.emr_on_eks import EmrOnEks
from config.lake_jobs import JobSize, LakeJobs
from config.model import DataLake, EventStream, Operations, Part, ShowCatalog, Stage
from config.orchestration import Orchestration
from config.warehouse import Cluster, Warehouse

DEV = Stage(
    name="dev",
    parts=frozenset(Part),
    data_lake=DataLake(
        keep_data=False,
        raw_retention_days=60,
        raw_infrequent_access_after_days=None,
        noncurrent_retention_days=7,
        access_log_retention_days=30,
    ),
    event_stream=EventStream(),
    catalog=Catalog(
        grants=(
            ReadGrant(name="analysts", principals=("role/analyst",), databases=("transformed",)),
            ReadGrant(
                name="recommendations",
                principals=("role/recommendations",),
                tables=("transformed.sessions", "transformed.shows"),
            ),
        )
    ),
    show_catalog=ShowCatalog(api_base_url="https://catalog.dev.amp.example"),
    lake_jobs=LakeJobs(size=JobSize(max_workers=2, timeout_minutes=30)),
    warehouse=Warehouse(
        clusters=(
            Cluster(
                name="analytics",
                pause_at="cron(0 19 ? * MON-FRI *)",
                resume_at="cron(0 6 ? * MON-FRI *)",
                snapshot_retention_days=1,
            ),
        ),
        athena_scan_limit_gigabytes=10,
    ),
    emr_on_eks=EmrOnEks(driver_cpus=16, executor_cpus=32, log_retention_days=7),
    orchestration=Orchestration(max_workers=2),
    operations=Operations(log_retention_days=14),
    tags={"system": "amp", "stage": "dev"},
)
