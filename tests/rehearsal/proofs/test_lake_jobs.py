"""A job that is killed midway and run again, or run twice, leaves the same tables: every event once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")
pytest.importorskip("duckdb_extension_iceberg", reason="DuckDB's extensions are in requirements-dev.txt alone")

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import jars
from rehearsal.scenario import batch, tables_findings
from tests.rehearsal.proofs.played import NOW, Played, like

try:
    jars()
except RehearsalError as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = [pytest.mark.xdist_group("spark"), pytest.mark.campaign]

DAY_MS = 86_400_000
NOW_MS = int(NOW.timestamp() * 1000)


class Lake:
    """A platform whose events job takes one type, and what its tables hold."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.sent: set[str] = set()

    def send(self, name: str) -> None:
        """Five events, one of them three days late, one twice; and the first of those that were sent before, again."""
        ids = [f"{name}-{number}" for number in range(5)]
        lines = [like(one, occurred_at=NOW_MS - (3 * DAY_MS if one.endswith("-0") else 0)) for one in ids]
        repeated = [like(one) for one in sorted(self.sent) if not one.endswith("-0")][:1]
        self.played.put(*lines, lines[1], *repeated)
        self.played.settle()
        self.sent |= set(ids)

    def run(self) -> batch.Ran:
        """The events job, until Glue says that it ended."""
        window = batch.Window.around(NOW, self.played.engine.clock.now())
        (ran,) = batch.run_jobs(
            self.played.deployed, window, jobs=["events"], arguments={"events": {"--types": "like"}}
        )
        return ran

    def rows(self, table: str) -> list[str]:
        """Ids of the events in a table as its readers see it."""
        with closing(tables_findings.read_tables(self.played.deployed)) as tables:
            if not tables.has(*table.split(".")):
                return []
            rows = tables.connection.execute(f"SELECT event_id FROM {table} ORDER BY event_id").fetchall()  # noqa: S608
        return [event_id for (event_id,) in rows]

    def attempts(self) -> Sequence[str]:
        """How each attempt of each run ended."""
        return [run.state for run in self.played.engine.job_runs]


@pytest.fixture(scope="module")
def lake(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with Played(assembly, workspace=tmp_path_factory.mktemp("lake-jobs")) as played:
        yield Lake(played)


@pytest.mark.parametrize(
    ("name", "action", "resource"),
    [
        ("while it writes rows", "s3:PutObject", "*/transformed/like/data/*"),
        ("before it shows what it wrote", "glue:UpdateTable", "*:table/amp_dev_transformed/like"),
        ("between the shared and the personal table", "s3:PutObject", "*/personal/event_details/data/*"),
    ],
)
def test_a_job_that_is_killed_and_tried_again_leaves_every_event_once(
    lake: Lake, name: str, action: str, resource: str
) -> None:
    lake.send(name.split()[0])
    before = len(lake.attempts())
    lake.played.engine.faults.kill_job_at(lake.played.deployed.job_names["events"], action, resource=resource)
    assert lake.run().state == "SUCCEEDED"
    assert lake.attempts()[before:] == ["FAILED", "SUCCEEDED"], "Glue tries a failed run again"
    assert lake.rows("transformed.like") == sorted(lake.sent)
    assert lake.rows("personal.event_details") == sorted(lake.sent)


def test_a_second_run_over_the_same_window_adds_nothing(lake: Lake) -> None:
    lake.send("twice")
    assert lake.run().state == "SUCCEEDED"
    once = lake.rows("transformed.like")
    assert lake.run().state == "SUCCEEDED"
    assert lake.rows("transformed.like") == once == sorted(lake.sent)
    with closing(tables_findings.read_tables(lake.played.deployed)) as tables:
        runs = tables.connection.execute(
            "SELECT status, rows_in, rows_out FROM transformed.job_runs ORDER BY started_at"
        )
        assert [(status, out) for status, _, out in runs.fetchall()][-1] == ("succeeded", 0)
