"""Every result table of reports, one module per subject; a new table goes into its subject's module and TABLES."""

from __future__ import annotations

from contracts.report import ReportTable
from contracts.report_tables.categories import CATEGORY_TABLES
from contracts.report_tables.creators import CREATOR_TABLES
from contracts.report_tables.engagement import ENGAGEMENT_TABLES
from contracts.report_tables.experiments import EXPERIMENT_TABLES
from contracts.report_tables.flash import FLASH_TABLES
from contracts.report_tables.health import HEALTH_TABLES
from contracts.report_tables.review import REVIEW_TABLES
from contracts.report_tables.trending import TRENDING_TABLES

SUBJECTS: dict[str, tuple[ReportTable, ...]] = {
    "flash": FLASH_TABLES,
    "review": REVIEW_TABLES,
    "creators": CREATOR_TABLES,
    "categories": CATEGORY_TABLES,
    "engagement": ENGAGEMENT_TABLES,
    "trending": TRENDING_TABLES,
    "experiments": EXPERIMENT_TABLES,
    "health": HEALTH_TABLES,
}
"""The registry: tables by subject, which is the folder of their models in `reports/models`."""

REPORT_TABLES: tuple[ReportTable, ...] = tuple(table for tables in SUBJECTS.values() for table in tables)
"""All result tables, in the order in which documents list them."""

_BY_NAME = {table.name: table for table in REPORT_TABLES}


def by_name(name: str) -> ReportTable:
    """The table called `name`, such as `flash_report`; KeyError when none is."""
    return _BY_NAME[name]
