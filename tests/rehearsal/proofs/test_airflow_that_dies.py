"""Airflow that dies under a run, whose platform is one of its own: another cannot be up at the same time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.scenario.orchestration import INSTALLATION, left_out
from tests.rehearsal.proofs.orchestrated import AS_OF, Orchestrated, deferred, tries, wait
from tests.rehearsal.proofs.played import Played, like

pytestmark = [
    pytest.mark.xdist_group("airflow"),
    pytest.mark.skipif(not INSTALLATION.python.exists(), reason=left_out()),
]


@pytest.mark.campaign
def test_airflow_that_dies_under_a_run_is_started_again_and_makes_the_same_tables(
    assembly: Path, tmp_path: Path
) -> None:
    pytest.importorskip("duckdb_extension_iceberg", reason="DuckDB's extensions are in requirements-dev.txt alone")

    undisturbed = _tables(assembly, tmp_path / "undisturbed", disturb=False)
    disturbed = _tables(assembly, tmp_path / "disturbed", disturb=True)

    assert len(undisturbed["like"]) == 20
    assert disturbed == undisturbed


def _tables(assembly: Path, workspace: Path, *, disturb: bool) -> dict[str, list[Any]]:
    """What the hourly run makes of twenty events; with ``disturb`` all of Airflow dies as its first job has begun.

    The run is then marked as failed, which ends nothing that EMR runs, and cleared.
    """
    from rehearsal.scenario import tables_findings

    with Played(assembly, workspace=workspace, orchestration=True) as played:
        orchestrated = Orchestrated(played)
        played.put(*(like(f"airflow-{number}") for number in range(20)))
        played.settle()
        run_id = orchestrated.api.trigger("hourly", conf={"as_of": AS_OF})
        if disturb:
            wait(lambda: any(deferred(one) for one in tries(orchestrated, run_id)))
            orchestrated.airflow.stop(kill=True)
            orchestrated.airflow.start()
            orchestrated.airflow.wait_ready(["hourly"])
            orchestrated.api.end_run("hourly", run_id)
            orchestrated.api.clear("hourly", run_id)
        (run,) = orchestrated.ended(("hourly", run_id))
        assert run.state == "success", [(one.task, one.state, one.log) for one in run.tries]
        with closing(tables_findings.read_tables(played.deployed)) as tables:
            return {
                name: tables.connection.execute(
                    f"SELECT {columns} FROM transformed.{name} ORDER BY ALL"  # noqa: S608 - our own tables
                ).fetchall()
                for name, columns in (("like", "event_id, show_id, occurred_at"), ("trending_shows", "show_id, score"))
            }
