"""Airflow in a rehearsal: its DAGs are asked for with the rehearsal's hours, and submit the jobs; reads no table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rehearsal.engine.mwaa.installation import installed
from rehearsal.engine.mwaa.model import AirflowUnavailable, DagRun, Departure, Installation
from rehearsal.engine.records import FinishedJobRun
from rehearsal.scenario.assembly import ROOT
from rehearsal.scenario.batch import Ran, Window
from rehearsal.scenario.deployment import Deployed, stack_name
from rehearsal.scenario.orchestration_findings import OrchestrationFindings, chart

INSTALLATION = Installation(python=ROOT / ".venv-airflow" / "bin" / "python", cache=ROOT / ".cache" / "airflow")
TIMEOUT_S = 1800.0

Progress = Callable[[str, str], None]

_WAITING = (
    Departure(option="amp.poll_seconds", value="1", why="between looks at a job run; a second is the machine's"),
    Departure(option="amp.retry_seconds", value="1", why="to the second attempt; a second is the machine's"),
)
_BY_HAND = (Departure(option="amp.schedules", value="off", why="runs are asked for; nobody waits for the clock"),)


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


def day_of(window: Window) -> list[Step]:
    """The DAG runs that a rehearsal has always: those of a day whose last hours are the window."""
    told = f"{window.start:%H:%M} to {window.end:%H:%M}"
    return [
        Step(dag="hourly", about=told, window=window),
        Step(dag="batch", about=told, window=window),
        Step(dag="daily", about=f"up to {window.end:%H:%M}", window=window, after=("hourly",)),
        Step(dag="canary", about=f"up to {window.end:%H:%M}", window=window, after=("hourly",)),
    ]


def left_out() -> str:
    """Why no Airflow can run here; empty when one can."""
    try:
        installed(INSTALLATION.python)
    except AirflowUnavailable as missing:
        return str(missing)
    return ""


class Orchestration:
    """A deployed stage's Airflow, from its start until the DAGs of a rehearsal have run."""

    def __init__(self, deployed: Deployed, *, stage: str) -> None:
        """Begin to start Airflow, which goes on beside whatever else is rehearsed.

        Raises:
            AirflowUnavailable: no Airflow is installed here that could play the environment.
        """
        self._engine = deployed.engine
        self._environment = deployed.outputs[stack_name(stage, "Orchestration")]["EnvironmentName"]
        self.airflow = self._engine.airflow(self._environment, INSTALLATION, departures=(*_WAITING, *_BY_HAND))
        self._runs: list[tuple[DagRun, str]] = []
        self._started = time.perf_counter()
        self._start_s = 0.0
        self.airflow.start()

    def run(self, steps: Sequence[Step], *, progress: Progress = lambda *_: None) -> list[Ran]:
        """Ask for the DAG runs, each in its turn, and wait for all; a failed one does not keep others from running.

        Gives the job runs that they submitted.

        Raises:
            AirflowFailed: Airflow ended, could not read a DAG, or is not done in `TIMEOUT_S`.
        """
        api = self.airflow.api
        self.airflow.wait_ready([step.dag for step in steps])
        self._start_s = self._start_s or time.perf_counter() - self._started
        before = len(self._engine.job_runs)
        known = {(run.dag, run.run_id) for run in api.runs()}
        asked: dict[str, str] = {}

        def done() -> bool:
            runs = {run.dag: run for run in api.runs() if (run.dag, run.run_id) not in known}
            ended = {dag for dag, run in runs.items() if run.finished}
            for step in steps:
                if step.dag not in asked and not step.awaited and ended.issuperset(step.after):
                    interval = (step.window.start, step.window.end) if step.window is not None else None
                    asked[step.dag] = api.trigger(step.dag, interval=interval, conf=step.conf)
            progress("jobs", ", ".join(f"{dag} {run.state}" for dag, run in runs.items()) or "begin")
            return ended.issuperset(step.dag for step in steps)

        self.airflow.wait_until(done, timeout_s=TIMEOUT_S)
        about = {step.dag: step.about for step in steps}
        new = [run for run in api.runs() if (run.dag, run.run_id) not in known]
        self._runs += [(self.airflow.told(run.dag, run.run_id), about.get(run.dag, "")) for run in new]
        return [_ran(run) for run in self._engine.job_runs[before:]]

    def findings(self) -> OrchestrationFindings:
        """What became of the runs."""
        charts = [chart(run, about=about) for run, about in self._runs]
        return OrchestrationFindings(
            environment=self._environment,
            version=self.airflow.definition.airflow_version,
            runs=[drawn for drawn, _ in charts],
            logs={name: text for _, logs in charts for name, text in logs.items()},
            departures=self.airflow.departures,
            start_s=self._start_s,
        )


def _ran(run: FinishedJobRun) -> Ran:
    """A job run of EMR or Glue, in Glue's words."""
    return Ran(
        job=run.arguments.get("--job", run.job),
        run_id=run.arguments.get("--run-id", run.run_id),
        state="SUCCEEDED" if run.state == "COMPLETED" else run.state,
        seconds=run.seconds,
        error=run.error,
    )
