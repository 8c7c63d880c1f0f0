"""Of what kind listening is; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable

SHOW_CATEGORIES = ReportTable(
    name="show_categories",
    version=1,
    owner="data platform",
    description="How the day's listening spreads over topics, languages and hours (UTC).",
    grain="one row for each dimension and category in which anything was heard",
    columns=(
        DAY,
        Column(path="dimension", type="string", description="topic, language or hour."),
        Column(
            path="category",
            type="string",
            description="The show's main topic or language at the day's end, unknown without; or the hour, 00 to 23.",
        ),
        Column(path="shows", type="bigint", description="Shows of which anything was heard."),
        Column(path="listeners", type="bigint", description="Distinct listeners."),
        Column(
            path="listeners_share",
            type="double",
            description="Share of the day's listeners; these overlap, so that shares of a dimension add up to more.",
        ),
        Column(path="minutes_listened", type="decimal(18,3)", description="Time heard, in minutes."),
        Column(
            path="minutes_listened_share",
            type="double",
            description="Share of the day's time heard; those of a dimension add up to 1.",
        ),
    ),
    key=("day", "dimension", "category"),
)

CATEGORY_TABLES = (SHOW_CATEGORIES,)
