"""How well the data are: fresh, whole, in time and accepted; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable
from contracts.report_tables.comparing import DAYS_COMPARED, compared

_OWNER = "data platform"

DATA_HEALTH = ReportTable(
    name="data_health",
    version=1,
    owner=_OWNER,
    description="Freshness, volume, late and rejected shares and schema changes of the lake's tables.",
    grain="one row for each event type's table and each table made from them by day",
    columns=(
        DAY,
        Column(path="table_name", type="string", description="The table, of the transformed database."),
        *compared("row_count", "Rows about the day."),
        DAYS_COMPARED,
        Column(
            path="hours_since_newest",
            type="double",
            description="Hours from the newest row up to the day's end to that end; null without one in 29 days.",
        ),
        Column(path="freshness_hours", type="bigint", description="How old the newest row may be, by its contract."),
        Column(
            path="rows_late",
            type="bigint",
            description="Rows of the day that arrived over an hour after they occurred; null where none are events.",
        ),
        Column(path="late_share", type="double", description="Share of the day's rows that were late."),
        Column(path="rows_rejected", type="bigint", description="Rows of this type that jobs first refused that day."),
        Column(
            path="rejected_share", type="double", description="Share of the refused in the day's rows and the refused."
        ),
        Column(path="schema_version", type="int", description="Greatest contract version of the day's events."),
        Column(path="schema_version_before", type="int", description="Greatest one of the 28 days before."),
        Column(
            path="schema_changed",
            type="boolean",
            description="Whether these differ: a producer moved to another version; null without events to compare.",
        ),
    ),
    key=("day", "table_name"),
)

HEALTH_JOBS = ReportTable(
    name="health_jobs",
    version=1,
    owner=_OWNER,
    description="What the jobs that make the lake's tables did on the day.",
    grain="one row for each job that ran",
    columns=(
        DAY,
        Column(path="job", type="string", description="Name of the job."),
        Column(path="runs", type="bigint", description="Runs that began on the day and ended by themselves."),
        Column(path="runs_succeeded", type="bigint", description="Of these, runs that did what they should."),
        Column(path="runs_failed", type="bigint", description="Of these, runs that failed."),
        Column(path="runs_refused", type="bigint", description="Of these, runs of which an expectation did not hold."),
        Column(path="rows_in", type="bigint", description="Rows read, repeated deliveries included."),
        Column(path="rows_out", type="bigint", description="Rows added, changed or removed."),
        Column(path="rows_rejected", type="bigint", description="Rows refused."),
        Column(
            path="rejected_share",
            type="double",
            description="Share of the rows read that were refused; a file refused whole counts as one row read.",
        ),
        Column(path="longest_ms", type="bigint", description="How long the longest run took, in milliseconds."),
    ),
    key=("day", "job"),
)

HEALTH_QUARANTINE = ReportTable(
    name="health_quarantine",
    version=1,
    owner=_OWNER,
    description="Records that were refused as they arrived, by what they said they were and why; not on Redshift.",
    grain="one row for each event type and reason",
    columns=(
        DAY,
        Column(path="event_type", type="string", description="The type that the records named, or unknown."),
        Column(path="reason_code", type="string", description="Why; contracts/reasons.py lists the codes."),
        Column(path="records", type="bigint", description="Records that arrived on the day and were refused."),
    ),
    key=("day", "event_type", "reason_code"),
)

HEALTH_TABLES = (DATA_HEALTH, HEALTH_JOBS, HEALTH_QUARANTINE)
