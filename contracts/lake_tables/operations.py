"""Tables in which jobs tell of themselves: what each run did, and which rows were refused."""

from __future__ import annotations

from contracts.lake import LakeTable, Zone
from contracts.model import Column

_OWNER = "data platform"

JOB_RUNS = LakeTable(
    name="job_runs",
    version=1,
    owner=_OWNER,
    description="What each run of each job read, wrote and refused.",
    grain="one row for each run that ended by itself, well or not",
    columns=(
        Column(path="run_id", type="string", description="The run; a Glue run id, an EMR job run id, or a random one."),
        Column(path="job", type="string", description="Name of the job."),
        Column(
            path="status", type="string", description="succeeded, failed, or refused (an expectation did not hold)."
        ),
        Column(path="window_start", type="timestamp", description="Start of the window that it was asked for."),
        Column(path="window_end", type="timestamp", description="End of that window, not part of it."),
        Column(path="started_at", type="timestamp", description="When the run began."),
        Column(path="duration_ms", type="bigint", description="How long it took, start-up of Spark not included."),
        Column(path="files_in", type="bigint", description="Files read from the raw zone."),
        Column(path="bytes_in", type="bigint", description="Their bytes, as stored."),
        Column(path="rows_in", type="bigint", description="Rows read, repeated deliveries included."),
        Column(path="rows_out", type="bigint", description="Rows added, changed or removed in the tables it makes."),
        Column(path="rows_rejected", type="bigint", description="Rows refused; personal.rejected_rows holds them."),
        Column(path="rejected", type="map<string,bigint>", description="Refused rows by reason code."),
        Column(
            path="tables",
            type=(
                "array<struct<table:string,snapshot_id:bigint,rows_in:bigint,rows_added:bigint,rows_removed:bigint,"
                "files_added:bigint,files_removed:bigint,bytes_added:bigint,rows_now:bigint,files_now:bigint,"
                "files_before:bigint,bytes_before:bigint,bytes_now:bigint,snapshots_before:bigint,snapshots_now:bigint,"
                "orphans_removed:bigint>>"
            ),
            description="What the run did to each table; what begins with files_before is of maintenance.",
        ),
        Column(path="error", type="string", description="Why it did not succeed; quotes no value."),
        Column(path="types", type="array<string>", description="Event types it was restricted to; null for all."),
    ),
    key=("run_id",),
    partition=("months(started_at)",),
    freshness_hours=2,
    retention_days=400,
)

REJECTED_ROWS = LakeTable(
    name="rejected_rows",
    version=1,
    owner=_OWNER,
    description="Rows and files that a job could not take, with the reason and what they held.",
    grain="one row for each refused row or file, however often a job meets it",
    zone=Zone.PERSONAL,
    columns=(
        Column(path="rejected_id", type="string", description="SHA-256 of job, source, file and row; tells repeats."),
        Column(path="job", type="string", description="Name of the job."),
        Column(path="source", type="string", description="Event type or dataset."),
        Column(path="file", type="string", description="The file that held it."),
        Column(path="reason_code", type="string", description="Why, as a code to group by: contracts/reasons.py."),
        Column(path="reason", type="string", description="Why, as a sentence; it quotes no value."),
        Column(path="column_name", type="string", description="The column at fault, where there is one."),
        Column(path="event_id", type="string", description="The event, where it is one."),
        Column(path="original", type="string", description="The row as JSON, or null for a whole file.", personal=True),
        Column(path="rejected_at", type="timestamp", description="When the run began that first met it."),
    ),
    key=("rejected_id",),
    partition=("months(rejected_at)",),
    freshness_hours=24,
    retention_days=90,
)
