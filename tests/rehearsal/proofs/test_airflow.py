"""Airflow on the platform as deployed: what fails is tried again and told, windows do not meet, nothing is lost.

Jobs whose code is a line of Python take no Spark: what is proved is how they are run.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.engine.engine import Engine
from rehearsal.engine.mwaa.model import DagRun, TaskTry
from rehearsal.engine.mwaa.rest import AirflowApi
from rehearsal.engine.records import FinishedJobRun
from rehearsal.scenario.orchestration import INSTALLATION, Orchestration, left_out
from tests.rehearsal.proofs.played import NOW, Played, like

pytestmark = [
    pytest.mark.xdist_group("airflow"),
    pytest.mark.skipif(not INSTALLATION.python.exists(), reason=left_out()),
]

END = NOW + timedelta(hours=1)
AS_OF = f"{END:%Y-%m-%dT%H}"
TIMEOUT_S = 300.0
A_WHILE = "import time; time.sleep(10)"
"""A job that is over before Airflow's scheduler has heard that its task waits costs an attempt, and on a busy machine
it hears seconds late (github.com/apache/airflow/issues/66374)."""


class Orchestrated:
    """The platform with its Airflow up."""

    def __init__(self, played: Played) -> None:
        self.played, self.engine = played, played.engine
        self.airflow = Orchestration(played.deployed, stage="dev").airflow
        self.airflow.wait_ready(["hourly", "daily", "backfill"])
        self.code_bucket = played.deployed.outputs["Amp-dev-Code"]["BucketName"]

    @property
    def api(self) -> AirflowApi:
        """Airflow's, which answers elsewhere after another start."""
        return self.airflow.api

    def publish(self, code: str, script: str) -> None:
        """Make a script the current code of all jobs, under the hash ``code``."""
        s3 = self.engine.client("s3")
        current = self.current()
        packages = s3.get_object(Bucket=self.code_bucket, Key=f"jobs/{current}/packages.zip")["Body"].read()
        s3.put_object(Bucket=self.code_bucket, Key=f"jobs/{code}/packages.zip", Body=packages)
        s3.put_object(Bucket=self.code_bucket, Key=f"jobs/{code}/__main__.py", Body=script.encode())
        self.point_to(code)

    def current(self) -> str:
        """The hash that the pointer names."""
        body = self.engine.client("s3").get_object(Bucket=self.code_bucket, Key="jobs/current.json")["Body"].read()
        return str(json.loads(body)["hash"])

    def point_to(self, code: str) -> None:
        """Move the pointer."""
        body = json.dumps({"hash": code}).encode()
        self.engine.client("s3").put_object(Bucket=self.code_bucket, Key="jobs/current.json", Body=body)

    def code_of(self, run: FinishedJobRun) -> str:
        """The hash below which a job run's entry point lies."""
        cluster = self.played.deployed.outputs["Amp-dev-EmrOnEks"]["VirtualClusterId"]
        shown = self.engine.client("emr-containers").describe_job_run(virtualClusterId=cluster, id=run.run_id)
        return str(shown["jobRun"]["jobDriver"]["sparkSubmitJobDriver"]["entryPoint"]).split("/")[-2]

    def until(self, done: Callable[[], bool]) -> None:
        """Let everything go on until ``done``."""
        self.airflow.wait_until(done, timeout_s=TIMEOUT_S)

    def ended(self, *runs: tuple[str, str]) -> list[DagRun]:
        """The runs, once all have ended."""
        self.until(lambda: all(self.api.run(*run).finished for run in runs))
        return [self.airflow.told(*run) for run in runs]

    def jobs(self, name: str) -> list[FinishedJobRun]:
        """Job runs of a job that have ended, by when they were asked for."""
        found = [run for run in self.engine.job_runs if run.arguments.get("--job") == name]
        return sorted(found, key=lambda run: run.asked or datetime.max.replace(tzinfo=UTC))


@pytest.fixture(scope="module")
def orchestrated(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchestrated]:
    with Played(assembly, workspace=tmp_path_factory.mktemp("airflow"), orchestration=True) as played:
        yield Orchestrated(played)


@pytest.mark.campaign
def test_a_job_that_fails_is_tried_again_and_then_told_with_the_way_to_its_log(orchestrated: Orchestrated) -> None:
    before = orchestrated.current()
    heard = _hear(orchestrated.engine, orchestrated.engine.outputs("Amp-dev-DataLake")["AlarmTopicArn"])
    orchestrated.publish("bad0" * 4, f"{A_WHILE}; raise SystemExit('the new code is broken')")

    (run,) = orchestrated.ended(("hourly", orchestrated.api.trigger("hourly", conf={"as_of": AS_OF})))

    assert run.state == "failed"
    tries = [one for one in run.tries if one.task == "events"]
    assert [(one.number, one.state) for one in tries] == [(number, "failed") for number in (1, 2, 3, 4)]
    # Each attempt is a job run of its own.
    assert [one.error for one in orchestrated.jobs("events")] == ["the new code is broken"] * 4, tries[1].log
    notices = [text for text in heard() if "Task events of DAG hourly failed in stage dev" in text]
    # All lead to the last attempt: people are told once the task has given up, not before.
    assert len({_console_link(notice) for notice in notices}) == 1, notices
    assert "a-job-failed.md" in notices[0]
    group, stream = _console_link(notices[0])
    events = orchestrated.engine.client("logs").get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert stream.endswith("/task_id=events/attempt=4.log")
    assert any("submitting events-" in event["message"] for event in events)

    # Back to the code of before: who clears the run from its first task on has it run with that.
    orchestrated.publish("600d" * 4, A_WHILE)
    orchestrated.api.clear("hourly", run.run_id)
    (again,) = orchestrated.ended(("hourly", run.run_id))
    assert again.state == "success"
    orchestrated.point_to(before)


@pytest.mark.campaign
def test_a_run_in_flight_keeps_its_code_the_next_takes_the_new_and_a_pointer_moved_back_the_old(
    orchestrated: Orchestrated,
) -> None:
    old, new, before = "01d0" * 4, "2e30" * 4, orchestrated.current()

    def run(code: str, meanwhile: Callable[[], None] = lambda: None) -> set[str]:
        """The code of the jobs of an hourly run that begins while ``code`` is current."""
        orchestrated.point_to(code)
        seen = len(orchestrated.engine.job_runs)
        asked = ("hourly", orchestrated.api.trigger("hourly", conf={"as_of": AS_OF}))
        _wait(lambda: any(_deferred(one) for one in _tries(orchestrated, asked[1])))
        meanwhile()
        assert [run.state for run in orchestrated.ended(asked)] == ["success"]
        return {orchestrated.code_of(run) for run in orchestrated.engine.job_runs[seen:]}

    orchestrated.publish(old, f"{A_WHILE}; print('the old code')")
    assert run(old, lambda: orchestrated.publish(new, f"{A_WHILE}; print('the new code')")) == {old}
    assert run(new) == {new}
    assert run(old) == {old}
    orchestrated.point_to(before)


@pytest.mark.campaign
def test_two_runs_of_one_window_are_never_at_once(orchestrated: Orchestrated) -> None:
    before = orchestrated.current()
    orchestrated.publish("510e" * 4, A_WHILE)
    api = orchestrated.api
    # An hour that has passed on every machine's clock; runs of this job must not meet whatever their hours are.
    backfill = {"start": "2025-01-01T00", "end": "2025-01-01T01", "jobs": ["shows"]}

    orchestrated.ended(
        *(("hourly", api.trigger("hourly", conf={"as_of": AS_OF})) for _ in range(2)),
        ("daily", api.trigger("daily", conf={"as_of": f"{NOW:%Y-%m-%dT%H}"})),
        ("backfill", api.trigger("backfill", conf=backfill)),
    )

    for job, times in (("events", 2), ("shows", 2)):
        spans = [_span(run) for run in orchestrated.jobs(job) if run.state == "COMPLETED"][-times:]
        assert len(spans) == times, job
        assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans)), (job, spans)
    orchestrated.point_to(before)


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
            _wait(lambda: any(_deferred(one) for one in _tries(orchestrated, run_id)))
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


def _tries(orchestrated: Orchestrated, run_id: str) -> list[TaskTry]:
    return list(orchestrated.api.told(orchestrated.api.run("hourly", run_id)).tries)


def _deferred(one: TaskTry) -> bool:
    return one.task == "events" and one.state == "deferred"


def _wait(done: Callable[[], bool]) -> None:
    """Until ``done``, while nothing of the account moves: a job run stays where it is."""
    until = time.monotonic() + TIMEOUT_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.2)


def _span(run: FinishedJobRun) -> tuple[datetime, datetime]:
    """From when a job run was asked for to its end."""
    assert run.asked is not None
    return run.asked, run.asked + timedelta(seconds=run.waited_s + run.seconds)


def _hear(engine: Engine, topic_arn: str) -> Callable[[], list[str]]:
    """Subscribe a queue to a topic; gives what tells all that has been said since."""
    sqs = engine.client("sqs")
    url = sqs.create_queue(QueueName="ear")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sent = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    engine.authorizer.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": [sent]})
    raw = {"RawMessageDelivery": "true"}
    engine.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=raw)

    def told() -> list[str]:
        engine.settle(timeout_s=60)
        found: list[str] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in messages]
        return found

    return told


def _console_link(notice: str) -> tuple[str, str]:
    """Log group and stream of the notice's address of CloudWatch's console, which escapes twice."""
    found = re.search(r"log-groups/log-group/(\S+)/log-events/(\S+)", notice)
    assert found is not None, notice
    group, stream = (unquote(unquote(part.replace("$", "%"))) for part in found.groups())
    return group, stream
