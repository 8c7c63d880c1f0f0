"""The jobs that make lake tables: what each reads and writes; how it is done is in transforms and spark_jobs.

Permissions follow from here: a job's role may touch what its entry names and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts.data_sets import DataSet
from contracts.datasets import BATCH_PREFIX, DATASETS
from contracts.lake import LakeTable
from contracts.lake_tables import LAKE_TABLES
from contracts.lake_tables.data_sets import DATA_SETS
from contracts.lake_tables.datasets import DATASET_TABLES
from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS, SHOW_STATISTICS_DAILY, TRENDING_SHOWS
from contracts.lake_tables.operations import JOB_RUNS, REJECTED_ROWS
from contracts.lake_tables.shows import CREATOR_PROFILES, CREATORS, SHOW_HISTORY, SHOWS


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """One job. Every job also writes `transformed.job_runs`.

    `raw_prefixes` are what it reads in the raw bucket, `reads` and `writes` lake tables. `open_tables` are patterns
    (`personal.batch_uploads_*`) of tables that are found as they come. `raw_catalog`: it reads the tables that crawlers
    keep in the raw database. `keys_persons`: it makes persons' keys, and so reads the secret. `tells_readers`: it
    publishes notices for readers of tables. `lists_files`: it looks for files of its tables that no table names.
    `data_sets`: of these it writes versions, beside their tables.
    `overlaps`: two runs of it may go on at once, because all it does is to add rows by key; any other job works out
    from what is there what takes its place, and a second run would not see the first's.
    `window_hours` is the window that it takes when run on schedule.
    """

    name: str
    description: str
    window_hours: int
    raw_prefixes: tuple[str, ...] = ()
    reads: tuple[LakeTable, ...] = ()
    writes: tuple[LakeTable, ...] = ()
    open_tables: tuple[str, ...] = ()
    data_sets: tuple[DataSet, ...] = ()
    raw_catalog: bool = False
    keys_persons: bool = False
    tells_readers: bool = False
    lists_files: bool = False
    overlaps: bool = False


EVENTS = Job(
    name="events",
    description="Raw events of an arrival window into typed tables, each event once.",
    window_hours=2,
    raw_prefixes=tuple(f"events/type={name}/" for name in EVENT_TABLES),
    writes=(*EVENT_TABLES.values(), EVENT_DETAILS, REJECTED_ROWS),
    keys_persons=True,
    overlaps=True,
)

SHOW_TABLES = Job(
    name="shows",
    description="Catalog entries into current shows, their history, and creators.",
    window_hours=24,
    reads=(EVENT_TABLES["show_catalog_entry"], EVENT_DETAILS),
    writes=(SHOW_HISTORY, SHOWS, CREATORS, CREATOR_PROFILES),
)

LISTENING_SESSIONS = Job(
    name="sessions",
    description="Playback intervals into listening sessions.",
    window_hours=48,
    reads=(EVENT_TABLES["playback_metric"],),
    writes=(SESSIONS,),
)

SHOW_STATISTICS = Job(
    name="show_statistics",
    description="What happened in each show on each day of the window, each day written again whole.",
    window_hours=48,
    reads=(
        SESSIONS,
        *(EVENT_TABLES[name] for name in ("playback_metric", "like", "call_in", "chat_message", "follow", "poll_vote")),
    ),
    writes=(SHOW_STATISTICS_DAILY,),
)

TRENDING = Job(
    name="trending_shows",
    description="Shows ranked by activity over the last hours and days, as of each full hour of the window.",
    window_hours=1,
    reads=tuple(EVENT_TABLES[name] for name in ("playback_metric", "like", "call_in", "chat_message", "follow")),
    writes=(TRENDING_SHOWS,),
)

BATCH_FILES = Job(
    name="batch_files",
    description="Batch files that arrived or went, by the schema that the crawlers found, into tables.",
    window_hours=24,
    raw_prefixes=(BATCH_PREFIX,),
    raw_catalog=True,
    writes=(*DATASET_TABLES, REJECTED_ROWS),
    open_tables=tuple(f"personal.{dataset.table_name}_*" for dataset in DATASETS if dataset.by_folder),
    keys_persons=True,
    tells_readers=True,
)

MODEL_DATA_SETS = Job(
    name="data_sets",
    description="Data sets for models, of the moments in the window whose labels are settled, as tables and versions.",
    window_hours=70 * 24,
    reads=tuple(dict.fromkeys(table for data_set in DATA_SETS for table in data_set.reads)),
    writes=DATA_SETS,
    data_sets=DATA_SETS,
)

MAINTENANCE = Job(
    name="maintenance",
    description="Compacts small files, expires old snapshots and rows, removes orphan files.",
    window_hours=24,
    writes=LAKE_TABLES,
    lists_files=True,
    open_tables=BATCH_FILES.open_tables,
)

JOBS: tuple[Job, ...] = (
    EVENTS,
    SHOW_TABLES,
    LISTENING_SESSIONS,
    SHOW_STATISTICS,
    TRENDING,
    BATCH_FILES,
    MODEL_DATA_SETS,
    MAINTENANCE,
)
"""The registry: all jobs, in the order in which a day runs them."""

RUN_RECORDS = JOB_RUNS
"""The table in which every job leaves a row for each of its runs."""

_BY_NAME = {job.name: job for job in JOBS}


def by_name(name: str) -> Job | None:
    """The job called `name`, or None when none is."""
    return _BY_NAME.get(name)
