"""The development stage: streaming and lake, small, short-lived; it must not hold what only production needs."""

from config.catalog import Catalog, ReadGrant
from config.lake_jobs import JobSize, LakeJobs
from config.model import DataLake, EventStream, Operations, Part, ShowCatalog, Stage

DEV = Stage(
    name="dev",
    parts=frozenset({Part.DATA_LAKE, Part.EVENT_STREAM, Part.SHOW_CATALOG, Part.CATALOG, Part.LAKE_JOBS}),
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
    operations=Operations(log_retention_days=14),
    tags={"system": "amp", "stage": "dev"},
)
