"""Airflow in a rehearsal: its DAGs are asked for with the rehearsal's hours, and submit the jobs; reads no table."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from contracts.jobs import EVENTS, TRENDING
from rehearsal.engine.mwaa.installation import installed
from rehearsal.engine.mwaa.model import AirflowUnavailable, DagRun, Departure, Installation, TaskTry
from rehearsal.engine.records import FinishedJobRun
from rehearsal.scenario.assembly import ROOT
from rehearsal.scenario.batch import Ran, Window
from rehearsal.scenario.deployment import Deployed, stack_name
from rehearsal.scenario.orchestration_findings import Job, OrchestrationFindings, chart

INSTALLATION = Installation(python=ROOT / ".venv-airflow" / "bin" / "python", cache=ROOT / ".cache" / "airflow")
TIMEOUT_S = 1800.0
HOUR = timedelta(hours=1)
# EMR on EKS guide, "Configure a job run to use S3 logs".
_DRIVER_LOG = re.compile(r"/jobs/(?P<run>[0-9a-z]+)/containers/.+-driver/std(err|out)\.gz$")

Progress = Callable[[str, str], None]

# A wait that is over before the scheduler has heard of it has Airflow take the task for lost: not below two seconds.
_WAITING = (
    Departure(option="amp.poll_seconds", value="2", why="between looks at a job run; a second is the machine's"),
    Departure(option="amp.retry_seconds", value="1", why="to the second attempt; a second is the machine's"),
)
_BY_HAND = (Departure(option="amp.schedules", value="off", why="runs are asked for; nobody waits for the clock"),)
_BY_MESSAGE = (
    Departure(option="amp.schedules", value="events", why="messages start runs; nobody waits for the clock"),
    Departure(option="scheduler.use_job_schedule", value="True", why="messages start runs; no DAG has a clock"),
    Departure(
        option="dag_processor.min_file_process_interval",
        value="15",
        why="seconds; Airflow watches a queue once it has read the DAG a second time",
    ),
)


def _late(days: int) -> tuple[Departure, ...]:
    why = "history comes over the stream; jobs would take it for events of a wrong clock"
    return (Departure(option="amp.max_days_late", value=str(days), why=why),)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A DAG run that is asked for once the runs of the DAGs in `after` have ended.

    `about` says for what, `window` is its data interval, `conf` are its parameters. With `awaited` nobody asks for it:
    an event starts it.
    """

    dag: str
    about: str
    window: Window | None = None
    conf: dict[str, object] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    awaited: bool = False


def day_of(window: Window, *, all_dags: bool = False, by_message: bool = False, days_late: int = 0) -> list[Step]:
    """The DAG runs of a day whose last hours are the window: those of each rehearsal, or of every DAG.

    One hourly run takes two hours; a longer window has one for each of its hours from the second on, as in production.
    With `by_message` the run for batch files is that of a message.
    """
    told, until = f"{window.start:%H:%M} to {window.end:%H:%M}", f"up to {window.end:%H:%M}"
    hours = int((window.end - window.start) / HOUR)
    ends = [window.start + HOUR * count for count in range(min(2, hours), hours + 1)]
    batch = Step(dag="batch", about="drops that were catalogued", awaited=True) if by_message else None
    steps = [
        *(Step(dag="hourly", about=f"up to {end:%H:%M}", window=Window(start=end - HOUR, end=end)) for end in ends),
        batch or Step(dag="batch", about=told, window=window),
        Step(dag="daily", about=until, window=window, after=("hourly",)),
        Step(dag="canary", about=until, window=window, after=("hourly",)),
    ]
    if all_dags:
        # The first hour alone: the last may be one that the machine's clock has not reached.
        hour = Window(start=window.start, end=window.start + HOUR)
        steps += [
            Step(dag="maintenance", about="the lake as it is", window=window, after=("batch", "daily")),
            Step(
                dag="backfill",
                about=f"{hour.start:%H:%M} to {hour.end:%H:%M} again",
                conf={
                    "start": f"{hour.start:%Y-%m-%dT%H}",
                    "end": f"{hour.end:%Y-%m-%dT%H}",
                    "jobs": [EVENTS.name, TRENDING.name],
                    **({"max_days_late": days_late} if days_late else {}),
                },
                after=("maintenance",),
            ),
        ]
    return steps


def left_out() -> str:
    """Why no Airflow can run here; empty when one can."""
    try:
        installed(INSTALLATION.python)
    except AirflowUnavailable as missing:
        return str(missing)
    return ""


class Orchestration:
    """A deployed stage's Airflow, from its start until the DAGs of a rehearsal have run."""

    def __init__(self, deployed: Deployed, *, stage: str, all_dags: bool = False, days_late: int = 0) -> None:
        """Begin to start Airflow, which goes on beside whatever else is rehearsed; with `all_dags` messages start runs.

        Events may be `days_late` days old, where history is sent; 0: as old as jobs take them by themselves.

        Raises:
            AirflowUnavailable: no Airflow is installed here that could play the environment.
        """
        self._engine = deployed.engine
        self._environment = deployed.outputs[stack_name(stage, "Orchestration")]["EnvironmentName"]
        self._logs_bucket = deployed.outputs.get(stack_name(stage, "EmrOnEks"), {}).get("LogBucketName", "")
        departures = (*_WAITING, *(_BY_MESSAGE if all_dags else _BY_HAND), *(_late(days_late) if days_late else ()))
        self.airflow = self._engine.airflow(self._environment, INSTALLATION, departures=departures)
        self._runs: list[tuple[DagRun, str]] = []
        self._waited_s = 0.0
        self.airflow.start()

    def run(self, steps: Sequence[Step], *, progress: Progress = lambda *_: None) -> list[Ran]:
        """Ask for the DAG runs, each in its turn, and wait for all; a failed one does not keep others from running.

        Gives the job runs that they submitted.

        Raises:
            AirflowFailed: Airflow ended, could not read a DAG, or is not done in `TIMEOUT_S`.
        """
        api = self.airflow.api
        begun = time.perf_counter()
        self.airflow.wait_ready([step.dag for step in steps])
        self._waited_s = time.perf_counter() - begun
        waiting = [step for step in steps if not step.awaited]
        abouts: dict[tuple[str, str], str] = {}
        said = ""

        def done() -> bool:
            nonlocal said
            runs = api.runs()
            going = {run.dag for run in runs if not run.finished}
            ended = {run.dag for run in runs} - going
            for step in [step for step in waiting if ended.issuperset(step.after)]:
                interval = (step.window.start, step.window.end) if step.window is not None else None
                abouts[step.dag, api.trigger(step.dag, interval=interval, conf=step.conf)] = step.about
                waiting.remove(step)
                going.add(step.dag)
            states = ", ".join(f"{run.dag} {run.state}" for run in runs) or "begin"
            if states != said:
                progress("jobs", states)
            said = states
            return not going and ended.issuperset(step.dag for step in steps)  # and so nothing is waiting

        self.airflow.wait_until(done, timeout_s=TIMEOUT_S)
        awaited = {step.dag: step.about for step in steps if step.awaited}
        for run in api.runs():
            about = abouts.get((run.dag, run.run_id)) or awaited.get(run.dag, "")
            self._runs.append((self.airflow.told(run.dag, run.run_id), about))
        return [_ran(run) for run in self._engine.job_runs]

    def findings(self) -> OrchestrationFindings:
        """What became of the runs."""
        jobs = self._jobs()

        def job_of(one: TaskTry) -> Job | None:
            return next((job for run_id, job in jobs.items() if f"submitting {run_id}:" in one.log), None)

        charts = [chart(run, about=about, job_of=job_of) for run, about in self._runs]
        return OrchestrationFindings(
            environment=self._environment,
            version=self.airflow.definition.airflow_version,
            runs=[drawn for drawn, _ in charts],
            logs={name: text for _, logs in charts for name, text in logs.items()},
            departures=self.airflow.departures,
            waited_s=self._waited_s,
        )

    def _jobs(self) -> dict[str, Job]:
        """The job runs of EMR, by the id that the task gave them, with what their drivers wrote."""
        s3, texts = self._engine.client("s3"), dict[str, str]()
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._logs_bucket) if self._logs_bucket else ()
        for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
            if found := _DRIVER_LOG.search(key):
                body = s3.get_object(Bucket=self._logs_bucket, Key=key)["Body"].read()
                texts[found["run"]] = texts.get(found["run"], "") + gzip.decompress(body).decode("utf-8", "replace")
        return {
            run.arguments.get("--run-id", run.run_id): Job(
                asked=run.asked, waited_s=run.waited_s, log=texts.get(run.run_id, "")
            )
            for run in self._engine.job_runs
            if run.asked is not None
        }


def _ran(run: FinishedJobRun) -> Ran:
    """A job run of EMR or Glue, in Glue's words."""
    return Ran(
        job=run.arguments.get("--job", run.job),
        run_id=run.arguments.get("--run-id", run.run_id),
        state="SUCCEEDED" if run.state == "COMPLETED" else run.state,
        seconds=run.seconds,
        error=run.error,
    )
