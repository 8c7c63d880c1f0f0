"""Publishing: a change is written where no reader looks, held against its expectations, and shown in one commit.

It knows no job; what a change is stands in changes.py. Each attempt writes to a branch of its own that starts from
what readers see. Readers see it only while it still starts there (Iceberg documentation, Branching and Tagging: fast
forward); when another run has committed meanwhile, the whole attempt is made again.
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

from contracts.lake import LakeTable
from spark_jobs import expectations
from spark_jobs.changes import AddNew, Change
from spark_jobs.planning import Plan, Seen, plan

if TYPE_CHECKING:
    from spark_jobs.job import Run

MAIN = "main"
ATTEMPTS = 5
BRANCH_KEPT_MS = 24 * 3600 * 1000
"""For how long the branch of a killed or refused run can be looked at; then expiring snapshots removes it."""
_CONFLICTS = ("not an ancestor", "CommitFailedException", "ConcurrentModification")


class Conflict(RuntimeError):
    """Another run committed while a change was worked out; the attempt is made again."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did to one table: an entry of `tables` in transformed.job_runs.

    `rows_in` were given, `rows_added` of them added or put in another's place, `rows_removed` taken out without one.
    """

    table: str
    snapshot_id: int | None
    rows_in: int
    rows_added: int
    rows_removed: int
    files_added: int
    files_removed: int
    bytes_added: int
    rows_now: int
    files_now: int


def publish(run: Run, table: LakeTable, change: Change) -> Outcome:
    """Carry a change out; see `Run.publish`."""
    attempt = 1
    while True:
        try:
            with run.lake.turn(table):
                outcome = _attempt(run, table, change)
        except (Conflict, Py4JJavaError, PySparkException) as error:
            if attempt == ATTEMPTS or not (
                isinstance(error, Conflict) or any(sign in str(error) for sign in _CONFLICTS)
            ):
                raise
            time.sleep(random.uniform(0.5, 1.5) * attempt)  # noqa: S311 - it only keeps runs from meeting again
            attempt += 1
            continue
        run.record.published(outcome)
        return outcome


def branch_name(run_id: str) -> str:
    """The branch on which a run works."""
    return f"audit_{re.sub('[^A-Za-z0-9]', '_', run_id)}"


def _attempt(run: Run, table: LakeTable, change: Change) -> Outcome:
    columns = run.lake.ensure(table, change.rows.schema)
    iceberg = run.lake.iceberg(table)
    before = iceberg.currentSnapshot()
    seen = Seen(
        spark=run.spark,
        table=table,
        name=run.lake.name(table),
        columns=columns,
        snapshot_id=before.snapshotId() if _count(before, "total-records") else None,
    )
    made = plan(seen, change)
    try:
        expectations.expect_of_rows(table, made)
        if made.commit is None:
            return _outcome(table, made, before, written=False)
        branch = branch_name(run.arguments.run_id)
        _start_branch(iceberg, branch, before)
        on_branch = f"{seen.name}.branch_{branch}"
        made.commit(on_branch)
        iceberg.refresh()
        snapshot = iceberg.snapshot(iceberg.refs().get(branch).snapshotId())
        _expect(run, table, change, made, before, snapshot, on_branch)
        iceberg.manageSnapshots().fastForwardBranch(MAIN, branch).removeBranch(branch).commit()
        # The catalog forgets a table after 30 seconds (Iceberg documentation, Spark configuration: cache) and may have
        # loaded another copy since, by which this run would not see what it has published.
        run.spark.catalog.refreshTable(seen.name)
        return _outcome(table, made, snapshot, written=True)
    finally:
        made.release()


def _start_branch(iceberg: Any, branch: str, before: Any) -> None:
    """A branch at the snapshot that the change was worked out against, whatever readers see by now.

    One that a killed run left under this name is dropped.
    """
    if branch in iceberg.refs():
        iceberg.manageSnapshots().removeBranch(branch).commit()
    if before:
        started = iceberg.manageSnapshots().createBranch(branch, before.snapshotId())
    else:
        iceberg.refresh()
        if iceberg.currentSnapshot():
            raise Conflict("another run wrote the table's first rows meanwhile")
        started = iceberg.manageSnapshots().createBranch(branch)
    started.setMaxRefAgeMs(branch, BRANCH_KEPT_MS).commit()


def _expect(
    run: Run,
    table: LakeTable,
    change: Change,
    made: Plan,
    before: Any,
    snapshot: Any,
    on_branch: str,
) -> None:
    counts = expectations.Counts(
        records_added=_count(snapshot, "added-records"),
        rows_before=_count(before, "total-records"),
        rows_after=_count(snapshot, "total-records"),
    )
    expectations.expect_of_counts(table, made, counts, accept_fewer_rows=run.arguments.accept_fewer_rows)
    if not isinstance(change, AddNew):
        # What is added alone was held against what is there, key by key, when it was worked out.
        written = run.spark.table(on_branch)
        expectations.expect_of_written(table, written.where(made.scope) if made.scope else written)


def _outcome(table: LakeTable, made: Plan, snapshot: Any, *, written: bool) -> Outcome:
    return Outcome(
        table=table.full_name,
        snapshot_id=snapshot.snapshotId() if snapshot else None,
        rows_in=made.given.rows,
        rows_added=made.rows_added,
        rows_removed=made.rows_removed,
        files_added=_count(snapshot, "added-data-files") if written else 0,
        files_removed=_count(snapshot, "deleted-data-files") if written else 0,
        bytes_added=_count(snapshot, "added-files-size") if written else 0,
        rows_now=_count(snapshot, "total-records"),
        files_now=_count(snapshot, "total-data-files"),
    )


def _count(snapshot: Any, name: str) -> int:
    return int(snapshot.summary().get(name) or 0) if snapshot else 0
