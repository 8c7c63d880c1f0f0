"""What a rehearsal of Airflow found, as its page shows it; it asks nobody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rehearsal.engine.mwaa.model import DagRun, Departure, TaskTry

WELL = frozenset({"success", "skipped"})
_UNFIT = re.compile(r"[^A-Za-z0-9._+-]+")


@dataclass(frozen=True, kw_only=True)
class Share:
    """A part of a bar: what the try did from `begin_s` to `end_s`, in seconds since its run was asked for.

    `kind` is `queued` (Airflow had no process for it yet), `running`, or `pending` (its job waited for room).
    """

    kind: str
    begin_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One try of a task. `logs` pairs what a log is of with its file, relative to the folder of logs."""

    task: str
    number: int
    state: str
    shares: Sequence[Share]
    logs: Sequence[tuple[str, str]] = ()

    @property
    def bad(self) -> bool:
        """Whether it did not end well."""
        return self.state not in WELL

    @property
    def seconds(self) -> float:
        """From its first share to the end of its last."""
        return self.shares[-1].end_s - self.shares[0].begin_s if self.shares else 0.0


@dataclass(frozen=True, kw_only=True)
class RunChart:
    """A DAG run as a Gantt chart. `about` is what it was asked for; `asked` the machine's time."""

    dag: str
    run_id: str
    about: str
    state: str
    asked: datetime | None
    seconds: float
    bars: Sequence[Bar]
    expected: str = "success"

    @property
    def well(self) -> bool:
        """Whether it ended as it was to."""
        return self.state == self.expected

    @property
    def retried(self) -> int:
        """Tries beyond the first of each task."""
        return sum(bar.number > 1 for bar in self.bars)


@dataclass(frozen=True, kw_only=True)
class OrchestrationFindings:
    """What became of the DAG runs of a rehearsal.

    `logs` are texts by their file's name. `waited_s` is how long the first run waited for Airflow to be up, in the
    machine's seconds. `left_out` says why no Airflow ran, and is empty when one did.
    """

    environment: str
    version: str = ""
    runs: Sequence[RunChart] = ()
    logs: Mapping[str, str] = field(default_factory=dict)
    departures: Sequence[Departure] = ()
    waited_s: float = 0.0
    left_out: str = ""

    @property
    def problems(self) -> list[str]:
        """What makes the rehearsal fail, a sentence each."""
        found = []
        for run in self.runs:
            if not run.well:
                failed = [f"{bar.task} (try {bar.number}) {bar.state}" for bar in run.bars if bar.bad]
                found.append(f"DAG run {run.dag} {run.about} is {run.state}: {', '.join(failed) or 'no task failed'}")
        return found


@dataclass(frozen=True, kw_only=True)
class Job:
    """The job run that a try of a task submitted: when it `asked` for room, how long it waited for it, its log.

    `asked` is on the machine's clock, as the try's times are.
    """

    asked: datetime
    waited_s: float
    log: str = ""


def chart(
    run: DagRun, *, about: str, job_of: Callable[[TaskTry], Job | None] = lambda _: None
) -> tuple[RunChart, dict[str, str]]:
    """The chart of a run that was told with its tries, and their logs by file name.

    Args:
        run: the run.
        about: what it was asked for, such as its window.
        job_of: the job run that a try submitted, None if it submitted none.
    """
    moments = [m for one in run.tries for m in (one.queued, one.started, one.ended) if m is not None]
    moments += [m for m in (run.queued, run.started, run.ended) if m is not None]
    begin, end = (min(moments), max(moments)) if moments else (None, None)
    logs: dict[str, str] = {}
    bars = []
    for one in run.tries:
        if begin is None or end is None or one.started is None:
            bars.append(Bar(task=_name(one), number=one.number, state=one.state, shares=()))
            continue
        job = job_of(one)
        texts = {"task": one.log, "job": job.log if job is not None else ""}
        files = {kind: log_file(run, one, kind) for kind, text in texts.items() if text}
        logs |= {file: texts[kind] for kind, file in files.items()}
        bars.append(
            Bar(
                task=_name(one),
                number=one.number,
                state=one.state,
                shares=_shares(one, begin=begin, end=end, job=job),
                logs=tuple(files.items()),
            )
        )
    drawn = RunChart(
        dag=run.dag,
        run_id=run.run_id,
        about=about,
        state=run.state,
        asked=begin,
        seconds=(end - begin).total_seconds() if begin is not None and end is not None else 0.0,
        bars=bars,
    )
    return drawn, logs


def log_file(run: DagRun, one: TaskTry, kind: str) -> str:
    """The name of a file with a try's log: a path of its own for each run, in characters that every system takes."""
    task = one.task if one.map_index < 0 else f"{one.task}-{one.map_index}"
    return "/".join(_UNFIT.sub("_", part) for part in (run.dag, run.run_id, f"{task}-{one.number}-{kind}.txt"))


def _name(one: TaskTry) -> str:
    return one.task if one.map_index < 0 else f"{one.task} [{one.map_index}]"


def _shares(one: TaskTry, *, begin: datetime, end: datetime, job: Job | None) -> list[Share]:
    """The parts of a try that has started, none of them empty."""

    def at(moment: datetime) -> float:
        return (moment - begin).total_seconds()

    started, ended = one.started or begin, one.ended or end
    cuts = [("queued", one.queued or started, started)]
    if job is None:
        cuts.append(("running", started, ended))
    else:
        moments = (job.asked, job.asked + timedelta(seconds=job.waited_s))
        first, last = (min(max(moment, started), ended) for moment in moments)
        cuts += [("running", started, first), ("pending", first, last), ("running", last, ended)]
    return [Share(kind=kind, begin_s=at(a), end_s=at(b)) for kind, a, b in cuts if b > a]
