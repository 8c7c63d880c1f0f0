"""What is submitted, whatever runs it, and which of the runs that are under way stand in its way; calls nothing."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from contracts.jobs import Job
from orchestration.windows import Hours

_HASH = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One attempt of a task to have ``job`` run over ``window`` with the code ``code``.

    ``identity`` tells the task of the DAG run apart from all others; ``attempt`` counts its tries from 1. ``arguments``
    are further arguments of spark_jobs, such as `--accept-stale`. ``alone``: it is to be the job's only run.
    """

    job: Job
    window: Hours
    code: str
    identity: tuple[str, ...]
    attempt: int
    arguments: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False

    def __post_init__(self) -> None:
        if not _HASH.fullmatch(self.code):
            raise ValueError(f"{self.code!r} is no hash of job code; allowed: 16 to 64 hexadecimal digits")

    @property
    def name(self) -> str:
        """What all attempts of the task have in common, at most 55 characters; another code is another name."""
        told = "\n".join(
            (*self.identity, self.code, *(f"{key}={self.arguments[key]}" for key in sorted(self.arguments)))
        )
        digest = sha256(told.encode()).hexdigest()[:8]
        return f"{self.job.name}-{self.window.start:%Y%m%dT%H}-{self.window.end:%Y%m%dT%H}-{digest}"

    @property
    def run_id(self) -> str:
        """The id of this attempt in the run records."""
        return f"{self.name}-{self.attempt}"

    def token(self, *, try_id: str, turn: int) -> str:
        """What makes a request that is sent again the same request to EMR: 64 characters, all that it takes.

        EMR knows a token for good, and answers with its run though that has ended. ``try_id`` is Airflow's id of the
        try: attempts are counted from 1 again where a DAG run is deleted and made anew, or a new environment has runs
        of the same names. ``turn`` tells what a try submits once it gave way from what it submitted before.
        """
        return sha256(f"{self.run_id}\n{try_id}\n{turn}".encode()).hexdigest()

    @property
    def given(self) -> dict[str, str]:
        """Window, id and further arguments, as spark_jobs takes them."""
        window = self.window.texts
        return {
            "--window-start": window["start"],
            "--window-end": window["end"],
            "--run-id": self.run_id,
            **self.arguments,
        }

    def zone(self, zones: Sequence[str]) -> str:
        """The zone that the attempt stays in: another one at each attempt, as one may have no room."""
        return zones[(zlib.crc32(self.name.encode()) + self.attempt) % len(zones)]


@dataclass(frozen=True, kw_only=True)
class Running:
    """A run that an engine has under way: the engine's id, when it was started, its arguments, whether it is ended."""

    id: str
    started_at: datetime
    arguments: Mapping[str, str]
    cancelled: bool = False

    def is_of(self, submission: Submission) -> bool:
        """Whether an earlier attempt of the same task started it, and it goes on without that attempt's worker."""
        return not self.cancelled and self.arguments.get("--run-id", "").rpartition("-")[0] == submission.name

    def bars(self, submission: Submission) -> bool:
        """Whether the submission has to wait for it: runs that may be at once still share no hour.

        A run that a person started without a window counts as one that shares an hour.
        """
        if submission.alone or not submission.job.overlaps:
            return True
        start, end = self.arguments.get("--window-start"), self.arguments.get("--window-end")
        return not (start and end) or Hours.read(start, end).meets(submission.window)


def own(submission: Submission, running: Iterable[Running]) -> Running | None:
    """The run that an earlier attempt started, if it is still under way."""
    return next((run for run in running if run.is_of(submission)), None)


def barring(submission: Submission, running: Iterable[Running], *, mine: str | None = None) -> list[Running]:
    """The runs of others that the submission has to wait for, oldest first.

    With ``mine``, the id of the run that the submission has become, those alone that were started no later: of two that
    were started at the same moment each gives way, as neither can tell who looked first.
    """
    known = list(running)
    others = [run for run in known if run.id != mine and not run.is_of(submission) and run.bars(submission)]
    started_at = next((run.started_at for run in known if run.id == mine), None)
    no_later = [run for run in others if started_at is None or run.started_at <= started_at]
    return sorted(no_later, key=lambda run: run.started_at)
