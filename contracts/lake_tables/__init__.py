"""Every table that jobs make, one module per subject; a new table goes into its subject and into LAKE_TABLES."""

from __future__ import annotations

from contracts.lake import LakeTable
from contracts.lake_tables.data_sets import DATA_SETS
from contracts.lake_tables.datasets import DATASET_TABLES
from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS, SHOW_STATISTICS_DAILY, TRENDING_SHOWS
from contracts.lake_tables.operations import JOB_RUNS, REJECTED_ROWS
from contracts.lake_tables.shows import CREATOR_PROFILES, CREATORS, SHOW_HISTORY, SHOWS

LAKE_TABLES: tuple[LakeTable, ...] = (
    *EVENT_TABLES.values(),
    EVENT_DETAILS,
    SHOWS,
    SHOW_HISTORY,
    CREATORS,
    CREATOR_PROFILES,
    SESSIONS,
    SHOW_STATISTICS_DAILY,
    TRENDING_SHOWS,
    *DATA_SETS,
    *DATASET_TABLES,
    JOB_RUNS,
    REJECTED_ROWS,
)
"""The registry: all lake tables, in the order in which documents list them."""

_BY_NAME = {table.full_name: table for table in LAKE_TABLES}


def by_name(full_name: str) -> LakeTable:
    """The table called `full_name`, such as `transformed.sessions`; KeyError when none is."""
    return _BY_NAME[full_name]
