"""Airflow on the platform as deployed: what fails is tried again and told, windows do not meet, nothing is lost.

Jobs whose code is a line of Python take no Spark: what is proved is how they are run.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.engine.engine import Engine
from rehearsal.engine.records import FinishedJobRun
from rehearsal.scenario.orchestration import INSTALLATION, left_out
from tests.rehearsal.proofs.orchestrated import A_WHILE, AS_OF, Orchestrated, deferred, tries, wait
from tests.rehearsal.proofs.played import NOW, Played

pytestmark = [
    pytest.mark.xdist_group("airflow"),
    pytest.mark.skipif(not INSTALLATION.python.exists(), reason=left_out()),
]


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
        wait(lambda: any(deferred(one) for one in tries(orchestrated, asked[1])))
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
