"""What a run did, counted while it runs and kept as one row of transformed.job_runs; judges nothing."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from contracts.jobs import RUN_RECORDS
from contracts.views.spark import literal, schema_ddl
from spark_jobs.lake import aligned
from spark_jobs.publishing import Outcome

if TYPE_CHECKING:
    from spark_jobs.job import Run

_ERROR_LIMIT = 2_000


@dataclass(kw_only=True)
class RunRecord:
    """Counts of one run; safe to add to from several threads."""

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    files_in: int = 0
    bytes_in: int = 0
    rows_in: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    tables: list[Outcome] = field(default_factory=list)
    _clock: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, *, files: int = 0, bytes: int = 0, rows: int = 0) -> None:
        """Count what was read of the raw zone (files, their stored bytes) and rows of any input."""
        with self._lock:
            self.files_in += files
            self.bytes_in += bytes
            self.rows_in += rows

    def refused(self, by_reason: dict[str, int]) -> None:
        """Count refused rows by reason code."""
        with self._lock:
            self.rejected.update(by_reason)

    def published(self, outcome: Outcome) -> None:
        """Keep what became of one table."""
        with self._lock:
            self.tables.append(outcome)

    def summary(self, job: str) -> str:
        """What was done, as one line for the log."""
        added = sum(outcome.rows_added for outcome in self.tables)
        removed = sum(outcome.rows_removed for outcome in self.tables)
        return (
            f"{job}: {self.rows_in} rows of {self.files_in} files read, {added} added, {removed} removed, "
            f"{self.rejected.total()} refused in {len(self.tables)} tables"
        )

    def keep(self, run: Run, *, status: str, error: str | None) -> None:
        """Write the row; a run that is repeated under its id replaces its row."""
        row = {
            "run_id": run.arguments.run_id,
            "job": run.job.name,
            "status": status,
            "window_start": _text(run.window.start),
            "window_end": _text(run.window.end),
            "started_at": _text(self.started_at),
            "duration_ms": int((time.monotonic() - self._clock) * 1000),
            "files_in": self.files_in,
            "bytes_in": self.bytes_in,
            "rows_in": self.rows_in,
            "rows_out": sum(outcome.rows_added + outcome.rows_removed for outcome in self.tables),
            "rows_rejected": self.rejected.total(),
            "rejected": dict(self.rejected),
            "tables": [asdict(outcome) for outcome in self.tables],
            "error": error[:_ERROR_LIMIT] if error else None,
            "types": list(run.arguments.types) or None,
        }
        frame = run.spark.sql(
            "SELECT r.* FROM (SELECT from_json(:row, :ddl) AS r)",
            args={"row": json.dumps(row), "ddl": schema_ddl(RUN_RECORDS)},
        )
        columns = run.lake.ensure(RUN_RECORDS, frame.schema)
        name = run.lake.name(RUN_RECORDS)
        same = f"run_id = {literal(run.arguments.run_id)}"
        if not run.spark.table(name).where(same).isEmpty():
            run.spark.sql(f"DELETE FROM {name} WHERE {same}")  # noqa: S608 - the id's form was checked
        # One row is one commit, which may stand beside those of other jobs; there is nothing to hold back.
        aligned(frame, columns).writeTo(name).append()


def _text(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
