"""What a task submits on each engine, whose run it waits for, and that no second run of one window is started."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from airflow.exceptions import AirflowException, TaskDeferralError, TaskDeferralTimeout, TaskDeferred
from botocore.exceptions import ClientError
from conftest import CODE_BUCKET, NEW, OLD, TEMPLATES, context_of
from moto.moto_api import state_manager

from contracts.jobs import EVENTS, JOBS, LISTENING_SESSIONS

ROLE = "arn:aws:iam::123456789012:role/amp-dev-events"


def template_of(job: str) -> dict[str, Any]:
    """What DescribeJobTemplate answers of a template, in the form that stack EmrOnEks gives them."""
    return {
        "executionRoleArn": ROLE,
        "releaseLabel": "emr-7.13.0-latest",
        "jobDriver": {
            "sparkSubmitJobDriver": {
                "entryPoint": f"s3://{CODE_BUCKET}/jobs/{NEW}/__main__.py",
                "entryPointArguments": [
                    *("--job", job, "--raw-bucket", "amp-dev-raw"),
                    *("--window-start", "${WindowStart}", "--window-end", "${WindowEnd}", "--run-id", "${RunId}"),
                ],
                "sparkSubmitParameters": f"--py-files s3://{CODE_BUCKET}/jobs/{NEW}/packages.zip --jars local:///i.jar "
                "--conf spark.kubernetes.node.selector.topology.kubernetes.io/zone=${Zone}",
            }
        },
        "configurationOverrides": {
            "applicationConfiguration": [
                {"classification": "emr-job-submitter", "properties": {"jobsubmitter.node.selector.zone": "${Zone}"}}
            ],
            "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": f"s3://logs/jobs/{job}/"}},
        },
        "parameterConfiguration": {name: {"type": "STRING"} for name in ("WindowStart", "WindowEnd", "RunId", "Zone")},
        "jobTags": {"stage": "dev"},
    }


def _as_emr_lists(answer: dict[str, Any]) -> dict[str, Any]:
    """What moto answers to ListJobRuns without the members that EMR leaves out."""
    left_out = ("jobDriver", "configurationOverrides")
    runs = [{key: value for key, value in run.items() if key not in left_out} for run in answer["jobRuns"]]
    return {**answer, "jobRuns": runs}


class Cluster:
    """A virtual cluster in moto, with the job templates that moto does not have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from airflow.providers.amazon.aws.hooks.emr import EmrContainerHook

        self.client: Any = boto3.client("emr-containers")
        self.id = self.client.create_virtual_cluster(
            name="amp-dev",
            containerProvider={"type": "EKS", "id": "amp-dev", "info": {"eksInfo": {"namespace": "jobs"}}},
        )["id"]
        ids = ",".join(f"{job.name}=t-{job.name}" for job in JOBS)
        boto3.client("ssm").put_parameter(Name=TEMPLATES, Value=ids, Type="String")
        answered = lambda id: {"jobTemplate": {"jobTemplateData": template_of(id.removeprefix("t-"))}}  # noqa: E731
        self.client.describe_job_template = answered
        full = self.client.list_job_runs
        self.client.list_job_runs = lambda **asked: _as_emr_lists(full(**asked))
        monkeypatch.setattr(EmrContainerHook, "conn", self.client)

    @property
    def runs(self) -> list[dict[str, Any]]:
        """All runs, the first started first, as DescribeJobRun tells them."""
        listed = self.client.list_job_runs(virtualClusterId=self.id)["jobRuns"]
        return [self.client.describe_job_run(id=run["id"], virtualClusterId=self.id)["jobRun"] for run in listed]


@pytest.fixture
def cluster(aws: None, option: Any, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster(monkeypatch)
    option("virtual_cluster_id", made.id)
    return made


@pytest.fixture
def glue(aws: None) -> Any:
    """Glue with all jobs; a run that is started stays under way, where moto would have it end at the third look."""
    state_manager.set_transition("glue::job_run", {"progression": "manual", "times": 1_000})
    client: Any = boto3.client("glue")
    for job in JOBS:
        client.create_job(
            Name=f"amp-dev-{job.name.replace('_', '-')}",
            Role=ROLE,
            Command={"Name": "glueetl", "ScriptLocation": f"s3://{CODE_BUCKET}/jobs/{NEW}/run_job.py"},
            ExecutionProperty={"MaxConcurrentRuns": 1},
        )
    yield client
    state_manager.unset_transition("glue::job_run")


def emr_task(job: Any = EVENTS, **given: Any) -> Any:
    from orchestration.lake_job import EmrLakeJob

    return EmrLakeJob(
        **{"task_id": job.name, "job_name": job.name, "code": OLD, "execution_timeout": timedelta(hours=1), **given}
    )


def glue_task(job: Any = EVENTS, **given: Any) -> Any:
    from orchestration.lake_job import GlueLakeJob

    return GlueLakeJob(
        **{"task_id": job.name, "job_name": job.name, "code": OLD, "execution_timeout": timedelta(hours=1), **given}
    )


def deferred(task: Any, context: dict[str, Any]) -> TaskDeferred:
    """Run the task until it waits."""
    with pytest.raises(TaskDeferred) as raised:
        task.execute(context)
    return raised.value


def arguments_of(run: dict[str, Any]) -> dict[str, str]:
    found = run["jobDriver"]["sparkSubmitJobDriver"]["entryPointArguments"]
    return dict(zip(found[::2], found[1::2], strict=True))


def test_emr_is_asked_what_the_template_says_with_the_window_id_zone_and_code_of_the_run(cluster: Cluster) -> None:
    waits = deferred(emr_task(), context_of())
    (run,) = cluster.runs
    submit = run["jobDriver"]["sparkSubmitJobDriver"]
    assert arguments_of(run) == {
        "--job": "events",
        "--raw-bucket": "amp-dev-raw",
        "--window-start": "2026-11-18T06",
        "--window-end": "2026-11-18T08",
        "--run-id": f"{run['name']}-1",
    }
    assert run["name"].startswith("events-20261118T06-20261118T08-")
    assert submit["entryPoint"] == f"s3://{CODE_BUCKET}/jobs/{OLD}/__main__.py"
    assert f"--py-files s3://{CODE_BUCKET}/jobs/{OLD}/packages.zip --jars" in submit["sparkSubmitParameters"]
    assert (run["executionRoleArn"], run["releaseLabel"], run["tags"]) == (ROLE, "emr-7.13.0-latest", {"stage": "dev"})
    assert len(run["clientToken"]) == 64, "EMR takes no more"
    assert "${" not in json.dumps(run, default=str)
    zone = run["configurationOverrides"]["applicationConfiguration"][0]["properties"]["jobsubmitter.node.selector.zone"]
    assert zone in ("eu-west-1a", "eu-west-1b", "eu-west-1c")
    assert submit["sparkSubmitParameters"].endswith(f"/zone={zone}"), "driver, submitter and executors are in one zone"
    assert waits.timeout == timedelta(hours=1)
    name, given = waits.trigger.serialize()
    assert name.endswith("EmrContainerTrigger")
    assert (given["job_id"], given["virtual_cluster_id"]) == (run["id"], cluster.id)
    assert given["aws_conn_id"] is None, "the environment's own role, not a connection"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_both_engines_are_given_one_window_and_id(cluster: Cluster, glue: Any, job: Any) -> None:
    context = context_of(task_id=job.name)
    deferred(emr_task(job), context)
    deferred(glue_task(job), context)
    (on_emr,) = (arguments_of(run) for run in cluster.runs)
    (on_glue,) = (
        run["Arguments"] for run in glue.get_job_runs(JobName=f"amp-dev-{job.name.replace('_', '-')}")["JobRuns"]
    )
    start = datetime(2026, 11, 18, 8, tzinfo=UTC) - timedelta(hours=job.window_hours)
    assert on_emr["--job"] == job.name
    for name in ("--window-start", "--window-end", "--run-id"):
        assert on_emr[name] == on_glue[name]
    assert on_emr["--window-start"] == f"{start:%Y-%m-%dT%H}"


def test_glue_is_given_the_code_of_the_run_and_its_standing_arguments_stay_its_own(glue: Any) -> None:
    waits = deferred(glue_task(), context_of())
    (run,) = glue.get_job_runs(JobName="amp-dev-events")["JobRuns"]
    assert run["Arguments"] == {
        "--window-start": "2026-11-18T06",
        "--window-end": "2026-11-18T08",
        "--run-id": run["Arguments"]["--run-id"],
        "--scriptLocation": f"s3://{CODE_BUCKET}/jobs/{OLD}/run_job.py",
        "--extra-py-files": f"s3://{CODE_BUCKET}/jobs/{OLD}/packages.zip",
    }
    name, given = waits.trigger.serialize()
    assert name.endswith("GlueJobCompleteTrigger")
    assert (given["job_name"], given["run_id"]) == ("amp-dev-events", run["Id"])
    assert given["waiter_delay"] * given["waiter_max_attempts"] >= 3600
    assert waits.timeout == timedelta(hours=1)


def test_another_attempt_goes_to_another_zone_under_another_id() -> None:
    from orchestration.submission import Submission
    from orchestration.windows import Hours

    window = Hours.read("2026-11-18T06", "2026-11-18T08")
    first, second = (
        Submission(job=EVENTS, window=window, code=OLD, identity=("hourly", "r", "events", "-1"), attempt=attempt)
        for attempt in (1, 2)
    )
    assert first.name == second.name
    assert first.run_id != second.run_id
    assert first.zone(["a", "b"]) != second.zone(["a", "b"])
    assert len(second.run_id) <= 64


def test_names_of_all_jobs_are_short_enough_for_emr() -> None:
    from orchestration.submission import Submission
    from orchestration.windows import Hours

    window = Hours.read("2026-11-18T06", "2026-11-18T08")
    for job in JOBS:
        made = Submission(job=job, window=window, code=OLD, identity=("d" * 250, "r" * 250), attempt=99)
        assert len(made.name) <= 64


def test_an_attempt_whose_worker_was_lost_is_found_again_on_emr(cluster: Cluster) -> None:
    first = deferred(emr_task(), context_of(attempt=1))
    second = deferred(emr_task(), context_of(attempt=2))
    assert len(cluster.runs) == 1
    assert second.trigger.serialize()[1]["job_id"] == first.trigger.serialize()[1]["job_id"]
    assert second.method_name == "execute_complete"


def test_an_attempt_whose_worker_was_lost_is_found_again_on_glue(glue: Any) -> None:
    first = deferred(glue_task(), context_of(attempt=1))
    second = deferred(glue_task(), context_of(attempt=2))
    assert len(glue.get_job_runs(JobName="amp-dev-events")["JobRuns"]) == 1
    assert second.trigger.serialize()[1]["run_id"] == first.trigger.serialize()[1]["run_id"]


def test_after_a_run_that_ended_the_next_attempt_starts_one(cluster: Cluster) -> None:
    deferred(emr_task(), context_of(attempt=1))
    cluster.client.cancel_job_run(id=cluster.runs[0]["id"], virtualClusterId=cluster.id)
    deferred(emr_task(), context_of(attempt=2))
    assert [arguments_of(run)["--run-id"][-2:] for run in cluster.runs] == ["-1", "-2"]


def test_a_dag_run_that_is_made_anew_is_no_repetition_of_its_first_request(cluster: Cluster) -> None:
    """Its id and attempts are those of the one before; EMR would answer with the run of that one, which has ended."""
    deferred(emr_task(), context_of())
    cluster.client.cancel_job_run(id=cluster.runs[0]["id"], virtualClusterId=cluster.id)
    deferred(emr_task(), context_of())
    first, second = cluster.runs
    assert first["name"] == second["name"]
    assert first["clientToken"] != second["clientToken"]


def test_a_try_repeats_its_request_until_it_gave_way() -> None:
    from orchestration.submission import Submission
    from orchestration.windows import Hours

    window = Hours.read("2026-11-18T06", "2026-11-18T08")
    made = Submission(job=EVENTS, window=window, code=OLD, identity=("hourly",), attempt=1)
    assert made.token(try_id="a", turn=0) == made.token(try_id="a", turn=0)
    assert len({made.token(try_id=try_id, turn=turn) for try_id in "ab" for turn in (0, 1)}) == 4


def test_other_code_is_another_run(cluster: Cluster) -> None:
    deferred(emr_task(), context_of(attempt=1))
    waits = deferred(emr_task(code=NEW), context_of(attempt=2))
    assert len(cluster.runs) == 1, "the window is taken by the run with the code before"
    assert waits.method_name == "take_turn"


@pytest.mark.parametrize(("end", "starts"), [(8, False), (9, False), (10, True)])
def test_runs_that_may_be_at_once_still_share_no_hour(cluster: Cluster, end: int, starts: bool) -> None:
    deferred(emr_task(), context_of())
    other = context_of(dag_id="backfill", run_id="manual__1")
    window = {"start": f"2026-11-18T{end - 2:02}", "end": f"2026-11-18T{end:02}"}
    waits = deferred(emr_task(window=window), other)
    assert len(cluster.runs) == (2 if starts else 1)
    assert waits.method_name == ("execute_complete" if starts else "take_turn")


def test_a_run_that_a_person_named_is_waited_for_and_one_of_another_job_is_not(cluster: Cluster) -> None:
    request = {"virtualClusterId": cluster.id, "executionRoleArn": ROLE, "releaseLabel": "emr-7.13.0-latest"}
    for job in (EVENTS, LISTENING_SESSIONS):
        driver = {"entryPoint": "s3://b/__main__.py", "entryPointArguments": ["--job", job.name]}
        cluster.client.start_job_run(**request, name="by-hand", jobDriver={"sparkSubmitJobDriver": driver})
    by_hand, _ = cluster.runs
    task = emr_task()
    assert [run.id for run in task.under_way()] == [by_hand["id"]]
    assert deferred(task, context_of()).method_name == "take_turn"


@pytest.mark.parametrize("gone", ["deleted", "ended"])
def test_a_run_that_is_gone_once_it_is_described_stands_in_nobodys_way(cluster: Cluster, gone: str) -> None:
    deferred(emr_task(), context_of())
    listed = cluster.client.list_job_runs(virtualClusterId=cluster.id)
    cluster.client.list_job_runs = lambda **_: listed
    if gone == "deleted":
        missing = ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "DescribeJobRun")
        cluster.client.describe_job_run = Mock(side_effect=missing)
    else:
        cluster.client.cancel_job_run(id=listed["jobRuns"][0]["id"], virtualClusterId=cluster.id)
    assert emr_task().under_way() == []


def test_a_run_that_may_not_be_described_is_not_passed_over(cluster: Cluster) -> None:
    deferred(emr_task(), context_of())
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeJobRun")
    cluster.client.describe_job_run = Mock(side_effect=denied)
    with pytest.raises(ClientError, match="AccessDenied"):
        emr_task().under_way()


def test_a_job_that_is_to_be_alone_waits_for_the_one_that_runs_whatever_its_window(cluster: Cluster) -> None:
    deferred(emr_task(LISTENING_SESSIONS), context_of(task_id="sessions"))
    other = context_of(dag_id="backfill", task_id="sessions", run_id="manual__1")
    waits = deferred(emr_task(LISTENING_SESSIONS, window={"start": "2026-01-01T00", "end": "2026-01-02T00"}), other)
    assert len(cluster.runs) == 1
    assert waits.method_name == "take_turn"
    cluster.client.cancel_job_run(id=cluster.runs[0]["id"], virtualClusterId=cluster.id)
    task = emr_task(LISTENING_SESSIONS, window={"start": "2026-01-01T00", "end": "2026-01-02T00"})
    with pytest.raises(TaskDeferred):
        task.resume_execution("take_turn", dict(waits.kwargs or {}), other)
    assert len(cluster.runs) == 2


def test_an_attempt_after_one_that_was_deferred_begins_anew(cluster: Cluster) -> None:
    kept: dict[str, Any] = {}
    waits = deferred(emr_task(), context_of(attempt=1, xcoms=kept))
    cluster.client.cancel_job_run(id=cluster.runs[0]["id"], virtualClusterId=cluster.id)
    # Airflow 3.0.6 brings the second attempt to where the first was deferred, with the end of the first one's run.
    told = {**(waits.kwargs or {}), "event": {"status": "error", "job_id": cluster.runs[0]["id"]}}
    with pytest.raises(TaskDeferred):
        emr_task().resume_execution(waits.method_name, told, context_of(attempt=2, xcoms=kept))
    assert [arguments_of(run)["--run-id"][-2:] for run in cluster.runs] == ["-1", "-2"]


def test_a_piece_of_a_backfill_is_alone_where_runs_may_be_at_once(cluster: Cluster) -> None:
    deferred(emr_task(), context_of())
    other = context_of(dag_id="backfill", run_id="manual__1")
    window = {"start": "2026-01-01T00", "end": "2026-01-02T00"}
    assert deferred(emr_task(window=window, alone=True), other).method_name == "take_turn"


def test_of_two_that_did_not_see_each_other_the_later_gives_way(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration import lake_job

    deferred(emr_task(LISTENING_SESSIONS), context_of(task_id="sessions"))
    first = cluster.runs[0]["id"]
    real, looks = lake_job.EmrLakeJob.under_way, []

    def blind_at_first(self: Any) -> Any:
        looks.append(1)
        return [] if len(looks) == 1 else real(self)

    monkeypatch.setattr(lake_job.EmrLakeJob, "under_way", blind_at_first)
    other = context_of(dag_id="backfill", task_id="sessions", run_id="manual__1")
    waits = deferred(emr_task(LISTENING_SESSIONS), other)
    assert waits.method_name == "take_turn"
    assert (waits.kwargs or {})["turn"] == 1
    assert {run["id"] == first: run["state"] for run in cluster.runs} == {True: "RUNNING", False: "CANCELLED"}


def test_who_was_started_no_later_is_waited_for() -> None:
    from orchestration.submission import Running, Submission, barring
    from orchestration.windows import Hours

    window = Hours.read("2026-11-18T06", "2026-11-18T08")
    mine = Submission(job=LISTENING_SESSIONS, window=window, code=OLD, identity=("daily",), attempt=1)
    at = datetime(2026, 11, 18, 8, tzinfo=UTC)

    def run(id: str, seconds: int, run_id: str = "by-hand") -> Running:
        return Running(id=id, started_at=at + timedelta(seconds=seconds), arguments={"--run-id": run_id})

    runs = [run("later", 1), run("mine", 0, mine.run_id), run("at once", 0), run("earlier", -1)]
    assert [one.id for one in barring(mine, runs, mine="mine")] == ["earlier", "at once"]
    assert [one.id for one in barring(mine, runs)] == ["earlier", "at once", "later"]
    unlisted = [one for one in runs if one.id != "mine"]
    assert len(barring(mine, unlisted, mine="mine")) == 3, "a list that lags behind: give way to all"


def test_glue_refusing_one_too_many_makes_the_task_wait_its_turn(glue: Any) -> None:
    glue.start_job_run(
        JobName="amp-dev-events", Arguments={"--window-start": "2026-01-01T00", "--window-end": "2026-01-01T01"}
    )
    waits = deferred(glue_task(), context_of())
    assert waits.method_name == "take_turn"
    assert len(glue.get_job_runs(JobName="amp-dev-events")["JobRuns"]) == 1


def test_a_run_that_a_person_started_without_a_window_is_waited_for(glue: Any) -> None:
    glue.start_job_run(JobName="amp-dev-events")
    assert deferred(glue_task(), context_of()).method_name == "take_turn"


def test_waiting_for_a_turn_looks_ever_less_often(cluster: Cluster) -> None:
    deferred(emr_task(), context_of())
    task, other = emr_task(), context_of(dag_id="backfill", run_id="manual__1")
    seconds = []
    for turn in (0, 1, 9):
        with pytest.raises(TaskDeferred) as raised:
            task.take_turn(other, turn=turn)
        moment = raised.value.trigger.moment
        seconds.append(round((moment - datetime.now(UTC)).total_seconds()))
    assert seconds == [30, 60, 300]


def test_waiting_for_a_turn_ends_and_names_who_stands_in_the_way(cluster: Cluster) -> None:
    deferred(emr_task(), context_of())
    (run,) = cluster.runs
    task, other = emr_task(), context_of(dag_id="backfill", run_id="manual__1")
    looked_first = dict(deferred(task, other).kwargs or {})
    with pytest.raises(TaskDeferred) as again:
        task.resume_execution("take_turn", looked_first, other)
    assert again.value.kwargs == {"turn": 2, "since": looked_first["since"]}, "the wait does not begin anew"
    long_ago = {"turn": 20, "since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    with pytest.raises(AirflowException, match=f"allowed: 1:00:00; in the way: {run['id']} .{run['name']}-1.;"):
        task.resume_execution("take_turn", long_ago, other)
    with pytest.raises(TaskDeferred):
        emr_task(longest_wait=timedelta(hours=2)).resume_execution("take_turn", long_ago, other)
    cluster.client.cancel_job_run(id=run["id"], virtualClusterId=cluster.id)
    with pytest.raises(TaskDeferred) as turn_came:
        task.resume_execution("take_turn", long_ago, other)
    assert turn_came.value.method_name == "execute_complete", "at its turn it submits, however late"


def test_a_run_that_takes_too_long_on_emr_is_ended(cluster: Cluster) -> None:
    context, task = context_of(), emr_task()
    deferred(task, context)
    with pytest.raises(TaskDeferralTimeout):
        task.resume_execution("__fail__", {"error": "Trigger timeout"}, context)
    assert [run["state"] for run in cluster.runs] == ["CANCELLED"]


def test_a_run_that_takes_too_long_on_glue_is_ended(glue: Any) -> None:
    context, task = context_of(), glue_task()
    deferred(task, context)
    ended: list[dict[str, Any]] = []
    task.hook.conn.batch_stop_job_run = lambda **asked: ended.append(asked)  # moto has no such call
    with pytest.raises(TaskDeferralTimeout):
        task.resume_execution("__fail__", {"error": "Trigger timeout"}, context)
    (run,) = glue.get_job_runs(JobName="amp-dev-events")["JobRuns"]
    assert ended == [{"JobName": "amp-dev-events", "JobRunIds": [run["Id"]]}]


def test_a_run_that_failed_is_not_ended_again(cluster: Cluster) -> None:
    context, task = context_of(), emr_task()
    deferred(task, context)
    with pytest.raises(TaskDeferralError):
        task.resume_execution("__fail__", {"error": "Trigger failure"}, context)
    assert [run["state"] for run in cluster.runs] == ["RUNNING"]


def test_a_person_chooses_the_hour_at_which_windows_end(cluster: Cluster) -> None:
    deferred(emr_task(), context_of(params={"as_of": "2026-11-01T05"}))
    assert arguments_of(cluster.runs[0])["--window-end"] == "2026-11-01T05"


def test_a_run_that_was_started_for_an_interval_ends_its_windows_there(cluster: Cluster) -> None:
    deferred(emr_task(), context_of(interval_end=datetime(2026, 11, 18, 9, tzinfo=UTC)))
    assert arguments_of(cluster.runs[0])["--window-end"] == "2026-11-18T09"


@pytest.mark.parametrize(("minute", "end"), [(0, 8), (1, 9), (59, 9)])
def test_the_current_hour_is_the_one_that_a_moment_is_in(minute: int, end: int) -> None:
    from orchestration.windows import window_through

    assert window_through(datetime(2026, 11, 18, 8, minute, tzinfo=UTC), hours=2).end.hour == end


def test_a_run_that_a_message_started_takes_the_hour_of_the_message_too(cluster: Cluster) -> None:
    due = datetime(2026, 11, 18, 8, 25, tzinfo=UTC)
    deferred(emr_task(through_current_hour=True), context_of(at=None, due=due))
    found = arguments_of(cluster.runs[0])
    assert (found["--window-start"], found["--window-end"]) == ("2026-11-18T07", "2026-11-18T09")


def test_a_template_of_other_code_or_parameters_is_refused() -> None:
    from orchestration.code_bucket import CodeBucket
    from orchestration.requests import WrongTemplate, of_template
    from orchestration.submission import Submission
    from orchestration.windows import Hours

    made = Submission(
        job=EVENTS, window=Hours.read("2026-11-18T06", "2026-11-18T08"), code=OLD, identity=("x",), attempt=1
    )
    template = template_of("events")
    with pytest.raises(WrongTemplate, match="names no code"):
        of_template(template, made, code=CodeBucket(name="another"), zones=["a"])
    template["parameterConfiguration"]["Colour"] = {"type": "STRING"}
    with pytest.raises(WrongTemplate, match="Colour"):
        of_template(template, made, code=CodeBucket(name=CODE_BUCKET), zones=["a"])
