"""The Airflow of a rehearsal: it runs DAGs, retries, keeps its runs over a stop, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="Airflow's environment is set up beside requirements-dev.txt")

from rehearsal.engine.mwaa.installation import installed
from rehearsal.engine.mwaa.model import AirflowFailed, AirflowUnavailable, DagRun
from rehearsal.engine.mwaa.process import AirflowProcess

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"
CACHE = ROOT / ".cache" / "airflow"
needs_airflow = pytest.mark.skipif(not PYTHON.exists(), reason="Airflow is not installed: it needs Python 3.11 or 3.12")
pytestmark = pytest.mark.xdist_group("airflow")

HOUR = timedelta(hours=1)
DAGS = """
from datetime import datetime, timedelta
import socket, time
from airflow.sdk import dag, task

ONE_AT_A_TIME = {"schedule": "@hourly", "start_date": datetime(2020, 1, 1), "catchup": False, "max_active_runs": 1}
BACKOFF = {"retries": 2, "retry_delay": timedelta(hours=1), "retry_exponential_backoff": True}

@dag(**ONE_AT_A_TIME, default_args=BACKOFF)
def flaky():
    @task
    def first(data_interval_start=None, data_interval_end=None):
        print("from", data_interval_start.isoformat(), "to", data_interval_end.isoformat())
    @task
    def second(ti=None):
        if ti.try_number == 1:
            raise RuntimeError("not at once")
    first() >> second()

@dag(**ONE_AT_A_TIME)
def slow():
    @task
    def nap(params=None, dag_run=None):
        time.sleep(float(dag_run.conf.get("seconds", 0)))
    nap()

@dag(schedule=None)
def curious():
    @task
    def look():
        socket.create_connection(("192.0.2.1", 80), timeout=5)
    look()

flaky(), slow(), curious()
"""
START_AND_WAIT = """
import pathlib, sys, time
from rehearsal.engine.mwaa.installation import installed
from rehearsal.engine.mwaa.process import AirflowProcess
python, cache, home = map(pathlib.Path, sys.argv[1:])
airflow = AirflowProcess(installed(python), cache=cache, home=home)
airflow.start()
airflow.wait_ready()
print(airflow._process.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowProcess]:
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    (home / "dags" / "some.py").write_text(DAGS)
    process = AirflowProcess(installed(PYTHON), cache=CACHE, home=home)
    process.start()
    process.wait_ready(["curious", "flaky", "slow"])
    yield process
    process.close()
    assert not home.exists()


def _ended(airflow: AirflowProcess, dag: str, run_id: str, *, timeout_s: float = 60.0) -> DagRun:
    until = time.monotonic() + timeout_s
    while not (run := airflow.api.run(dag, run_id)).finished:
        airflow.check()
        assert time.monotonic() < until, airflow.api.told(run, logs=True)
        time.sleep(0.3)
    return airflow.api.told(run, logs=True)


@needs_airflow
def test_a_run_has_the_interval_it_was_asked_for_and_retries_what_failed(airflow: AirflowProcess) -> None:
    airflow.api.pause("flaky", paused=False)
    start = datetime(2026, 1, 5, 7, tzinfo=UTC)
    run = _ended(airflow, "flaky", airflow.api.trigger("flaky", interval=(start, start + HOUR)))
    assert run.state == "success"
    assert (run.interval_start, run.interval_end) == (start, start + HOUR)
    assert [(t.task, t.number, t.state) for t in run.tries] == [
        ("first", 1, "success"),
        ("second", 1, "failed"),
        ("second", 2, "success"),
    ]
    assert "from 2026-01-05T07:00:00+00:00 to 2026-01-05T08:00:00+00:00" in run.tries[0].log
    assert "RuntimeError: not at once" in run.tries[1].log
    assert all(t.started and t.ended and t.started <= t.ended for t in run.tries)


@needs_airflow
def test_a_second_run_of_an_interval_is_refused(airflow: AirflowProcess) -> None:
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    airflow.api.trigger("slow", interval=(start, start + HOUR))
    with pytest.raises(AirflowFailed, match="409"):
        airflow.api.trigger("slow", interval=(start, start + HOUR))


@needs_airflow
def test_an_interval_ahead_of_the_machines_time_runs_at_once(airflow: AirflowProcess) -> None:
    airflow.api.pause("slow", paused=False)
    start = datetime(2099, 1, 1, tzinfo=UTC)
    run = _ended(airflow, "slow", airflow.api.trigger("slow", interval=(start, start + HOUR)))
    assert (run.state, run.interval_start) == ("success", start)


@needs_airflow
def test_nothing_starts_by_the_clock(airflow: AirflowProcess) -> None:
    airflow.api.pause("flaky", paused=False)
    time.sleep(2)
    assert {run.kind for run in airflow.api.runs()} <= {"manual"}


@needs_airflow
def test_a_task_reaches_this_machine_alone(airflow: AirflowProcess) -> None:
    airflow.api.pause("curious", paused=False)
    run = _ended(airflow, "curious", airflow.api.trigger("curious"))
    assert run.state == "failed"
    assert "Name or service not known: 192.0.2.1" in run.tries[0].log


@needs_airflow
# Who takes over from a scheduler that was killed waits until its heartbeat is old enough.
@pytest.mark.parametrize("kill", [False, pytest.param(True, marks=pytest.mark.campaign)], ids=["stopped", "killed"])
def test_airflow_stopped_and_started_again_loses_no_run(airflow: AirflowProcess, kill: bool) -> None:
    airflow.api.pause("slow", paused=False)
    first, second = (datetime(2026, 2, 1 + kill, hour, tzinfo=UTC) for hour in (0, 1))
    going = airflow.api.trigger("slow", interval=(first, first + HOUR), conf={"seconds": 3})
    waiting = airflow.api.trigger("slow", interval=(second, second + HOUR))
    until = time.monotonic() + 30
    while not any(t.state == "running" for t in airflow.api.told(airflow.api.run("slow", going)).tries):
        assert time.monotonic() < until
        time.sleep(0.2)
    airflow.stop(kill=kill)
    airflow.start()
    airflow.wait_ready()
    runs = [_ended(airflow, "slow", one, timeout_s=90) for one in (going, waiting)]
    assert [run.state for run in runs] == ["success", "success"]
    assert runs[0].ended is not None
    assert runs[1].started is not None
    assert runs[0].ended <= runs[1].started


@needs_airflow
def test_a_file_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "broken.py").write_text("from airflow.sdk import dag, nothing_of_the_kind\n")
    process = AirflowProcess(installed(PYTHON), cache=CACHE, home=tmp_path)
    try:
        process.start()
        with pytest.raises(AirflowFailed, match="nothing_of_the_kind"):
            process.wait_ready(["broken"])
    finally:
        process.close()


@needs_airflow
def test_a_component_that_ends_is_told_with_its_log(tmp_path: Path) -> None:
    process = AirflowProcess(installed(PYTHON), cache=CACHE, home=tmp_path, options={"triggerer.capacity": "many"})
    try:
        process.start()
        with pytest.raises(AirflowFailed, match=r"(?s)triggerer ended by itself.*many"):
            process.wait_ready()
    finally:
        process.close()


@needs_airflow
def test_airflow_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", START_AND_WAIT, str(PYTHON), str(CACHE), str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        group = int(starter.stdout.readline())
        assert len(_alive(group)) >= 5
        os.kill(starter.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while left := _alive(group):
        assert time.monotonic() < until, left
        time.sleep(0.1)


def _alive(group: int) -> list[str]:
    """Processes of a group; those that only nobody has asked for yet are not alive."""
    ps = shutil.which("ps")
    assert ps is not None
    told = subprocess.run(  # noqa: S603
        [ps, "axww", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in told.stdout.splitlines()]
    return [row[2] for row in rows if row[0] == str(group) and not row[1].startswith("Z")]


def test_a_python_without_airflow_is_told() -> None:
    with pytest.raises(AirflowUnavailable, match="make setup"):
        installed(Path("/nowhere/bin/python"))
