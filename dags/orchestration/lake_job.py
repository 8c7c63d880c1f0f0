"""The task that has a job of the lake run: on EMR on EKS or as a Glue job, one declaration for both.

A task waits without a worker, in the triggerer. It has one run under way at a time, whatever becomes of its worker: an
attempt that finds the run of an earlier one waits for that. Runs that may not be at once wait for each other across
DAGs: each looks at what the engine has under way, because pools would have to be made by hand in every environment.

Calls, beside those of Airflow's operators (StartJobRun, DescribeJobRun, CancelJobRun; glue StartJobRun, GetJob,
GetJobRun, BatchStopJobRun): ssm GetParameter, emr-containers DescribeJobTemplate and ListJobRuns, glue GetJobRuns.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import boto3
from airflow.exceptions import AirflowException, TaskDeferralTimeout, TaskDeferred
from airflow.providers.amazon.aws.operators.emr import EmrContainerOperator
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.triggers.emr import EmrContainerTrigger
from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import BaseOperator
from botocore.exceptions import ClientError

from contracts.jobs import Job, by_name
from orchestration import requests, settings
from orchestration.alerts import Runbook
from orchestration.submission import Running, Submission, barring, own
from orchestration.windows import Hours, moment_of, window_before, window_through

POLL_SECONDS = 30
"""How often a run is looked at, and how soon one that waits for others looks again, unless `amp.poll_seconds` says."""

LONGEST_WAIT_SECONDS = 300

ATTEMPT = "attempt"
"""XCom of the attempt that waits in the triggerer."""

_EMR_UNDER_WAY = ("PENDING", "SUBMITTED", "RUNNING", "CANCEL_PENDING")
_GLUE_UNDER_WAY = frozenset({"STARTING", "RUNNING", "WAITING", "STOPPING"})
_GLUE_NEWEST = 50
"""Runs of a job that are looked at: Glue lists the newest first, and more are never under way."""


class _LakeJob(BaseOperator):
    """What both engines' tasks share, before Airflow's operator of the engine in the order of their classes.

    `job_name` is a job of the contracts, `code` the hash that the run's first task fixed. `window` is
    `{"start": "2026-11-18T06", "end": "2026-11-18T08"}`; without one it is the job's own window before the moment that
    the DAG run is for, with `through_current_hour` the hour of that moment too. `arguments` are further arguments of
    spark_jobs. With `alone` it waits for every other run of the job, also where runs may be at once. An attempt that
    has waited for others as long as `longest_wait` says, or else `execution_timeout`, fails.
    """

    lake_fields: Sequence[str] = ("code", "window", "arguments")
    runbook = Runbook.JOB_FAILED

    def __init__(
        self,
        *,
        job_name: str,
        code: Any,
        window: Any = None,
        through_current_hour: bool = False,
        arguments: Mapping[str, str] | None = None,
        alone: bool = False,
        longest_wait: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        if by_name(job_name) is None:
            raise ValueError(f"there is no job {job_name!r} in contracts/jobs.py")
        self.lake_job_name = job_name
        self.code, self.window = code, window
        self.through_current_hour = through_current_hour
        self.arguments = {**settings.job_arguments(), **(arguments or {})}
        self.alone, self.longest_wait = alone, longest_wait
        self.poll_seconds = settings.number("poll_seconds", default=POLL_SECONDS)
        operator: dict[str, Any] = {"aws_conn_id": None, "deferrable": True, **self.engine_arguments(), **kwargs}
        super().__init__(**operator)

    @abstractmethod
    def engine_arguments(self) -> dict[str, Any]:
        """Arguments of the engine's operator. Making a task asks AWS nothing: they come from settings alone."""

    @abstractmethod
    def under_way(self) -> list[Running]:
        """The runs of the job that the engine has under way."""

    @abstractmethod
    def cancel(self, run: Running) -> None:
        """Have the engine end a run."""

    @abstractmethod
    def trigger(self, run_id: str) -> Any:
        """What waits for a run."""

    @abstractmethod
    def submit(self, context: Any, submission: Submission, turn: int, since: str) -> Any:
        """Start a run and wait for it.

        ``turn`` counts how often the attempt waited for others, ``since`` is when it looked first (ISO 8601).
        """

    def submission(self, context: Any) -> Submission:
        """What this attempt submits."""
        job, ti = self._job, context["ti"]
        return Submission(
            job=job,
            window=self._window(context, job),
            code=str(self.code),
            identity=(ti.dag_id, ti.run_id, ti.task_id, str(ti.map_index)),
            attempt=ti.try_number,
            arguments={name: str(value) for name, value in self.arguments.items()},
            alone=self.alone,
        )

    def run(self, context: Any, *, turn: int = 0, since: str = "") -> Any:
        """Wait for the run of an earlier attempt, for others that stand in the way, or submit one."""
        since = since or datetime.now(UTC).isoformat()
        context["ti"].xcom_push(key=ATTEMPT, value=context["ti"].try_number)
        submission = self.submission(context)
        running = self.under_way()
        if earlier := own(submission, running):
            self.log.info("run %s of an earlier attempt goes on; waiting for it", earlier.id)
            self.wait_for(earlier.id)
        if others := barring(submission, running):
            self.wait_for_turn(others, turn, since)
        self.log.info("submitting %s: %s", submission.run_id, submission.given)
        return self.submit(context, submission, turn, since)

    def take_turn(self, context: Any, event: Any = None, turn: int = 0, since: str = "") -> Any:
        """Look again, after others were waited for."""
        del event
        return self.run(context, turn=turn, since=since)

    def wait_for(self, run_id: str) -> NoReturn:
        """Wait for a run in the triggerer, as long as the task may take."""
        self.defer(
            trigger=self.trigger(run_id),
            method_name="execute_complete",
            timeout=self.execution_timeout,
        )
        raise AssertionError("a deferral does not return")

    def wait_for_turn(self, others: Sequence[Running], turn: int, since: str) -> NoReturn:
        """Look again in a while, ever less often: each look takes a worker for some seconds, and many may wait.

        Airflow begins `execution_timeout` anew at each look, so that the wait is held to its end here.
        """
        allowed: timedelta = self.longest_wait or self.execution_timeout
        if datetime.now(UTC) - datetime.fromisoformat(since) >= allowed:
            named = ", ".join(f"{run.id} ({run.arguments.get('--run-id', 'without an id of ours')})" for run in others)
            raise AirflowException(
                f"{self.lake_job_name} has waited for its turn since {since}; allowed: {allowed}; in the way: "
                f"{named or 'a run that is not listed'}; fix: end what hangs, then clear the task"
            )
        seconds = min(self.poll_seconds * 2**turn, LONGEST_WAIT_SECONDS)
        self.log.info("looking again in %s s: %s", seconds, ", ".join(run.id for run in others))
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=seconds)),
            method_name="take_turn",
            kwargs={"turn": turn + 1, "since": since},
        )
        raise AssertionError("a deferral does not return")

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """Go on after a deferral; a run that took too long is ended, or the next attempt would wait for it again.

        Airflow 3.0.6 has an attempt go on where the one before was deferred, with the news of that one's run
        (github.com/apache/airflow/issues/56704, mended in 3.1): such an attempt begins anew.
        """
        ti = context["ti"]
        if ti.xcom_pull(key=ATTEMPT, map_indexes=ti.map_index) not in (None, ti.try_number):
            return self.run(context)
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            if late := own(self.submission(context), self.under_way()):
                self.log.error("ending run %s: it took longer than %s", late.id, self.execution_timeout)
                self.cancel(late)
            raise

    @property
    def _job(self) -> Job:
        job = by_name(self.lake_job_name)
        assert job is not None  # noqa: S101 - seen when the task was made
        return job

    def _window(self, context: Any, job: Job) -> Hours:
        if self.window:
            return Hours.read(self.window["start"], self.window["end"])
        choose = window_through if self.through_current_hour else window_before
        return choose(moment_of(context), hours=job.window_hours)


class EmrLakeJob(_LakeJob, EmrContainerOperator):
    """Submits to the virtual cluster what the job's template says: the operator itself takes no template."""

    template_fields: Sequence[str] = (*EmrContainerOperator.template_fields, *_LakeJob.lake_fields)

    def engine_arguments(self) -> dict[str, Any]:
        """What the template says comes when the task runs."""
        return {
            "name": "",
            "virtual_cluster_id": settings.setting("virtual_cluster_id"),
            "execution_role_arn": "",
            "release_label": "",
            "job_driver": {},
            "poll_interval": self.poll_seconds,
        }

    def execute(self, context: Any) -> Any:
        """Have the job run."""
        return self.run(context)

    def submit(self, context: Any, submission: Submission, turn: int, since: str) -> Any:
        """Start the run, and give way if another was started at the same moment, or a little earlier."""
        asked = requests.of_template(
            self._template(),
            submission,
            code=settings.code_bucket(),
            zones=[zone.strip() for zone in settings.setting("zones").split(",")],
        )
        self.name = submission.name
        self.client_request_token = submission.token(try_id=str(context["ti"].id), turn=turn)
        for field, value in asked.items():
            setattr(self, field, value)
        try:
            return super().execute(context)
        except TaskDeferred:
            running = self.under_way()
            if older := barring(submission, running, mine=self.job_id):
                self.hook.stop_query(self.job_id)
                self.wait_for_turn(older, turn, since)
            raise

    def under_way(self) -> list[Running]:
        """Runs of the job on the virtual cluster, by the arguments that they were started with.

        ListJobRuns leaves `jobDriver` out, and the name of a run that a person started tells nothing: each run that is
        listed is described. Few are under way at a time.
        """
        found = []
        pages = self.hook.conn.get_paginator("list_job_runs").paginate(
            virtualClusterId=self.virtual_cluster_id, states=list(_EMR_UNDER_WAY)
        )
        for page in pages:
            for listed in page["jobRuns"]:
                run = self._described(listed["id"])
                driver = run.get("jobDriver", {}).get("sparkSubmitJobDriver", {})
                arguments = requests.paired(driver.get("entryPointArguments", []))
                if run.get("state") in _EMR_UNDER_WAY and arguments.get("--job") == self.lake_job_name:
                    found.append(
                        Running(
                            id=run["id"],
                            started_at=run["createdAt"],
                            arguments=arguments,
                            cancelled=run["state"] == "CANCEL_PENDING",
                        )
                    )
        return found

    def _described(self, run_id: str) -> dict[str, Any]:
        """What DescribeJobRun tells of a run; nothing if it is gone."""
        try:
            run: dict[str, Any] = self.hook.conn.describe_job_run(id=run_id, virtualClusterId=self.virtual_cluster_id)[
                "jobRun"
            ]
        except ClientError as problem:
            if problem.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return {}
        return run

    def cancel(self, run: Running) -> None:
        """Ask EMR to end the run."""
        self.hook.stop_query(run.id)

    def trigger(self, run_id: str) -> EmrContainerTrigger:
        """Asks for the run's state."""
        return EmrContainerTrigger(
            virtual_cluster_id=self.virtual_cluster_id,
            job_id=run_id,
            aws_conn_id=None,
            waiter_delay=self.poll_seconds,
        )

    def _template(self) -> dict[str, Any]:
        """What the job's template says. Its id changes with what it says, and so is looked up at each run."""
        parameter = settings.setting("job_templates_parameter")
        ids = settings.read_pairs(
            boto3.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"], of=f"the parameter {parameter}"
        )
        if self.lake_job_name not in ids:
            raise AirflowException(f"the parameter {parameter} has no template of {self.lake_job_name}; it has {ids}")
        described: dict[str, Any] = self.hook.conn.describe_job_template(id=ids[self.lake_job_name])
        data: dict[str, Any] = described["jobTemplate"]["jobTemplateData"]
        return data


class GlueLakeJob(_LakeJob, GlueJobOperator):
    """Starts the Glue job of the job: where a stage has no cluster."""

    template_fields: Sequence[str] = (*GlueJobOperator.template_fields, *_LakeJob.lake_fields)

    def engine_arguments(self) -> dict[str, Any]:
        """The Glue job of the job."""
        names = settings.pairs("glue_job_names")
        if self.lake_job_name not in names:
            raise settings.WrongSetting(
                f"Airflow's option amp.glue_job_names has no {self.lake_job_name}; it has {names}"
            )
        return {
            "job_name": names[self.lake_job_name],
            "waiter_delay": self.poll_seconds,
            "stop_job_run_on_kill": True,
        }

    def execute(self, context: Any) -> Any:
        """Have the job run."""
        return self.run(context)

    def submit(self, context: Any, submission: Submission, turn: int, since: str) -> Any:
        """Start the run; Glue refuses one too many, which then waits its turn."""
        self.script_args = requests.glue_arguments(submission, code=settings.code_bucket())
        try:
            return super().execute(context)
        except TaskDeferred:
            assert self._job_run_id is not None  # noqa: S101 - the operator defers with the run that it started
            self.wait_for(self._job_run_id)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ConcurrentRunsExceededException":
                raise
            self.wait_for_turn(self.under_way(), turn, since)

    def under_way(self) -> list[Running]:
        """Runs of the Glue job."""
        newest = self.hook.conn.get_job_runs(JobName=self.job_name, MaxResults=_GLUE_NEWEST)["JobRuns"]
        return [
            Running(
                id=run["Id"],
                started_at=run["StartedOn"],
                arguments=run.get("Arguments", {}),
                cancelled=run["JobRunState"] == "STOPPING",
            )
            for run in newest
            if run["JobRunState"] in _GLUE_UNDER_WAY
        ]

    def cancel(self, run: Running) -> None:
        """Ask Glue to end the run."""
        self.hook.conn.batch_stop_job_run(JobName=self.job_name, JobRunIds=[run.id])

    def trigger(self, run_id: str) -> GlueJobCompleteTrigger:
        """Asks for the run's state, until the task's time is up."""
        allowed: timedelta = self.execution_timeout
        return GlueJobCompleteTrigger(
            job_name=self.job_name,
            run_id=run_id,
            aws_conn_id=None,
            waiter_delay=self.poll_seconds,
            waiter_max_attempts=int(allowed.total_seconds() // self.poll_seconds) + 1,
        )


def lake_job_class() -> type[EmrLakeJob] | type[GlueLakeJob]:
    """The operator of the stage's engine (`amp.engine`)."""
    return EmrLakeJob if settings.engine() == "emr" else GlueLakeJob
