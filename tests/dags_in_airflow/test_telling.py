"""What people and metrics are told: notices of failed tasks, and the canary's result."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from airflow.exceptions import AirflowException
from conftest import CODE_BUCKET, context_of


@pytest.fixture
def notices(aws: None) -> Any:
    """Reads the notices that were published."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    queue = sqs.create_queue(QueueName="read")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read() -> list[dict[str, str]]:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    read.topic = topic  # type: ignore[attr-defined]
    return read


def gives_up(task: Any, context: dict[str, Any]) -> None:
    """Do what Airflow does when a task fails for good."""
    for callback in task.on_failure_callback:
        callback(context)


def test_a_failed_task_tells_people_where_the_log_is_and_what_to_do(notices: Any, dagbag: Any, option: Any) -> None:
    option("notices_topic_arn", notices.topic)
    task = dagbag.dags["hourly"].task_dict["events"]
    secret = "alice@example.com"
    context = {**context_of(attempt=4), "task": task, "exception": ValueError(f"row of {secret}")}
    gives_up(task, context)
    (notice,) = notices()
    text = notice["Message"]
    assert notice["Subject"] == "Amp dev: hourly.events failed"
    assert f"Log: {context['ti'].log_url}" in text
    assert "What to do: https://example.com/docs/runbooks/a-job-failed.md" in text
    assert "after 4 attempts" in text
    assert "ValueError" in text
    assert secret not in text, "an error can hold a person's value"
    address = next(line for line in text.splitlines() if line.startswith("Log in CloudWatch: "))
    stream = "dag_id=hourly/run_id=scheduled__2026-11-18T08_10_00+00_00/task_id=events/attempt=4.log"
    assert unquote(unquote(address.replace("$", "%"))).endswith(f"log-group/airflow-amp-dev-Task/log-events/{stream}")


@pytest.mark.parametrize(
    ("dag_id", "task_id", "page"),
    [("hourly", "fix_code", "a-dag-is-late.md"), ("canary", "prove_path", "events-are-late.md")],
)
def test_each_task_leads_to_its_runbook(
    notices: Any, dagbag: Any, option: Any, dag_id: str, task_id: str, page: str
) -> None:
    option("notices_topic_arn", notices.topic)
    task = dagbag.dags[dag_id].task_dict[task_id]
    gives_up(task, {**context_of(dag_id=dag_id, task_id=task_id, attempt=4), "task": task, "exception": None})
    assert notices()[0]["Message"].endswith(f"/docs/runbooks/{page}")


def test_a_task_whose_worker_was_lost_leads_to_its_log_too(
    notices: Any, dagbag: Any, option: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the DAG processor speaks for it, which does not know the log's address."""
    option("notices_topic_arn", notices.topic)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/")
    task = dagbag.dags["hourly"].task_dict["events"]
    context = {**context_of(attempt=4), "task": task}
    context["ti"].log_url = None
    gives_up(task, context)
    run = "scheduled__2026-11-18T08%3A10%3A00%2B00%3A00"
    address = f"https://airflow.example/dags/hourly/runs/{run}/tasks/events?try_number=4"
    assert f"Log: {address}\n" in notices()[0]["Message"]


@pytest.mark.parametrize(
    ("attempt", "error", "told"),
    [(1, None, 0), (3, None, 0), (4, None, 1), (1, AirflowException("it is of no use to try again"), 1)],
)
def test_people_are_told_of_a_lost_worker_after_the_last_attempt_alone(
    notices: Any, dagbag: Any, option: Any, attempt: int, error: Exception | None, told: int
) -> None:
    """Airflow calls for a lost worker as for a last failure; an error that forbids further attempts is one."""
    option("notices_topic_arn", notices.topic)
    task = dagbag.dags["hourly"].task_dict["events"]
    gives_up(task, {**context_of(attempt=attempt), "task": task, "exception": error})
    assert len(notices()) == told


def test_a_notice_that_cannot_be_sent_does_not_hide_the_failure(aws: None, dagbag: Any, option: Any) -> None:
    option("notices_topic_arn", "arn:aws:sns:eu-west-1:123456789012:none")
    task = dagbag.dags["hourly"].task_dict["events"]
    gives_up(task, {**context_of(attempt=4), "task": task, "exception": None})


def test_a_mapped_task_tells_too(notices: Any, dagbag: Any, option: Any) -> None:
    option("notices_topic_arn", notices.topic)
    task = dagbag.dags["backfill"].task_dict["sessions"]
    context = context_of(dag_id="backfill", task_id="sessions", attempt=4)
    context["ti"].map_index = 3
    for callback in task.partial_kwargs["on_failure_callback"]:
        callback({**context, "task": SimpleNamespace(runbook="a-job-failed.md"), "exception": None})
    (notice,) = notices()
    assert "Task sessions [3] of DAG backfill" in notice["Message"]
    assert "map_index$253D3" in notice["Message"]


@pytest.mark.parametrize(("dag_id", "task_id"), [("hourly", "events"), ("canary", "prove_path")])
def test_each_attempt_that_fails_is_counted_once(
    notices: Any, dagbag: Any, option: Any, dag_id: str, task_id: str
) -> None:
    option("notices_topic_arn", notices.topic)
    task = dagbag.dags[dag_id].task_dict[task_id]
    for attempt in (1, 2, 3):
        for callback in task.on_retry_callback:
            callback({**context_of(attempt=attempt), "task": task, "exception": ValueError()})
    assert counted("AttemptsFailed") == 3
    assert notices() == []
    gives_up(task, {**context_of(attempt=4), "task": task, "exception": ValueError()})
    assert counted("AttemptsFailed") == 4


def test_a_worker_that_was_lost_is_counted_without_a_notice(notices: Any, dagbag: Any, option: Any) -> None:
    option("notices_topic_arn", notices.topic)
    task = dagbag.dags["hourly"].task_dict["events"]
    gives_up(task, {**context_of(attempt=1), "task": task})
    assert counted("AttemptsFailed") == 1
    assert notices() == []


def test_a_count_that_fails_keeps_no_notice_back(notices: Any, dagbag: Any, option: Any) -> None:
    option("notices_topic_arn", notices.topic)
    option("metrics_namespace", "")
    task = dagbag.dags["hourly"].task_dict["events"]
    gives_up(task, {**context_of(attempt=4), "task": task, "exception": ValueError()})
    assert len(notices()) == 1


HOUR = "2026-11-18T07"


@pytest.fixture
def path(aws: None) -> Any:
    """The raw bucket and the database of tables, empty."""
    place = {"LocationConstraint": "eu-west-1"}
    boto3.client("s3").create_bucket(Bucket="amp-dev-raw", CreateBucketConfiguration=place)
    boto3.client("glue").create_database(DatabaseInput={"Name": "amp_dev_transformed"})
    return SimpleNamespace(land=_land, commit=_commit)


def _land(event_type: str, hour: str = "2026-11-18-07") -> None:
    key = f"events/type={event_type}/arrival={hour}/part.gz"
    boto3.client("s3").put_object(Bucket="amp-dev-raw", Key=key, Body=b"x")


def _commit(event_type: str) -> None:
    boto3.client("glue").create_table(DatabaseName="amp_dev_transformed", TableInput={"Name": event_type})


def canary(dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the canary's task at ten to nine."""
    task = dagbag.dags["canary"].task_dict["prove_path"]
    at = datetime(2026, 11, 18, 8, 50, tzinfo=UTC)
    monkeypatch.setitem(task.python_callable.__globals__, "get_current_context", lambda: context_of(at=at))
    return task.python_callable()


def kept() -> Any:
    s3 = boto3.client("s3")
    return json.loads(s3.get_object(Bucket=CODE_BUCKET, Key=f"canary/{HOUR}.json")["Body"].read())


def counted(name: str) -> float:
    cloudwatch: Any = boto3.client("cloudwatch")
    now = datetime.now(UTC)
    (found,) = cloudwatch.get_metric_statistics(
        Namespace="Amp",
        MetricName=name,
        Dimensions=[{"Name": "Stage", "Value": "dev"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    return float(found["Sum"])


def metrics() -> dict[str, float]:
    return {name: counted(name) for name in ("PathProven", "PathQuiet", "PathBroken")}


def test_events_that_got_into_a_table_prove_the_path(path: Any, dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path.land("like")
    path.land("follow")
    path.commit("like")
    _later(monkeypatch, "like")
    assert canary(dagbag, monkeypatch) == "proven"
    assert kept()["hour"] == HOUR
    assert set(kept()["landed"]) == {"like", "follow"}
    assert metrics() == {"PathProven": 1, "PathQuiet": 0, "PathBroken": 0}


def test_events_that_no_table_has_break_it_and_the_result_is_kept(
    path: Any, dagbag: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.land("like")
    with pytest.raises(AirflowException, match="not in tables"):
        canary(dagbag, monkeypatch)
    assert kept()["verdict"] == "broken"
    assert metrics() == {"PathProven": 0, "PathQuiet": 0, "PathBroken": 1}


def test_an_hour_without_events_is_told_apart(path: Any, dagbag: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path.land("like", hour="2026-11-18-08")  # the hour that has not ended
    assert canary(dagbag, monkeypatch) == "quiet"
    assert metrics() == {"PathProven": 0, "PathQuiet": 1, "PathBroken": 0}


def test_a_commit_before_the_events_landed_proves_nothing() -> None:
    from orchestration.path_proof import Proof, Verdict
    from orchestration.windows import Hours

    hour = Hours.read("2026-11-18T07", "2026-11-18T08")
    landed = datetime(2026, 11, 18, 8, 1, tzinfo=UTC)
    proof = Proof(hour=hour, landed={"like": landed}, committed={"like": landed - timedelta(hours=1)})
    assert proof.verdict is Verdict.BROKEN


def _later(monkeypatch: pytest.MonkeyPatch, event_type: str) -> None:
    """Have the table committed to a while after the files landed: moto's clock is too coarse to tell them apart."""
    from moto.glue.models import FakeTable

    real = FakeTable.as_dict
    later = datetime.now(UTC) + timedelta(minutes=5)
    monkeypatch.setattr(FakeTable, "as_dict", lambda self, *given: {**real(self, *given), "UpdateTime": later})
