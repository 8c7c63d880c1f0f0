"""Refused rows and files into personal.rejected_rows, each once however often it is met; refuses nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from contracts.lake_tables.operations import REJECTED_ROWS
from spark_jobs.changes import AddNew
from spark_jobs.lake import aligned, schema

if TYPE_CHECKING:
    from spark_jobs.job import Run

_OF_THE_ROW = ("source", "file", "reason_code", "reason", "column_name", "event_id", "original")


def reject(run: Run, rows: DataFrame) -> dict[str, int]:
    """Keep `rows` (see `Run.reject`), count them in the run record, and give the counts by reason code."""
    given = rows.select(*(name for name in _OF_THE_ROW if name in rows.columns)).persist()
    try:
        counts = {found["reason_code"]: found["count"] for found in given.groupBy("reason_code").count().collect()}
        if counts:
            run.publish(REJECTED_ROWS, AddNew(rows=_identified(run, given)))
            run.record.refused(counts)
        return counts
    finally:
        given.unpersist()


def _identified(run: Run, given: DataFrame) -> DataFrame:
    rows = aligned(given, schema(REJECTED_ROWS))
    held = [F.coalesce(F.col(name), F.lit("")) for name in ("source", "file", "original", "column_name")]
    # Equal lines of one file are told apart by their number among their equals, which is the same in every run.
    equals = Window.partitionBy(*held).orderBy("reason_code")
    number = F.row_number().over(equals)
    identity = F.concat_ws("\x1f", F.lit(run.job.name), *held, number.cast("string"))
    return rows.withColumns(
        {
            "rejected_id": F.sha2(identity, 256),
            "job": F.lit(run.job.name),
            # Not the window's time: what a backfill of old hours refuses is kept as long as any other.
            "rejected_at": F.lit(run.record.started_at).cast("timestamp"),
        }
    )
