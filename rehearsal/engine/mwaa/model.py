"""What an MWAA environment is, and what its Airflow says of runs: plain values, shared by who starts and shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rehearsal.engine.errors import RehearsalError

ENDED_RUNS = frozenset({"success", "failed"})
"""States of a DAG run in which Airflow does nothing more."""


class AirflowUnavailable(RehearsalError):
    """No Airflow is installed here that could play an environment; says what is missing."""


class AirflowFailed(RehearsalError):
    """Airflow did not start, ended by itself or refused a request; says why and shows the log's end."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentDefinition:
    """An environment as its template declares it.

    ``options`` are its ``AirflowConfigurationOptions`` (``core.parallelism`` → ``"8"``); ``dags_prefix`` is the folder
    of DAGs in ``bucket``, ending in a slash; ``requirements_key`` is empty when it installs no packages of its own,
    ``task_log_group`` when logs of tasks are kept nowhere.
    """

    name: str
    arn: str
    airflow_version: str
    role_arn: str
    bucket: str
    dags_prefix: str
    requirements_key: str = ""
    requirements_version: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    task_log_group: str = ""
    task_log_level: str = "INFO"


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A setting of Airflow that a rehearsal has otherwise than MWAA. ``option`` is ``section.name``."""

    option: str
    value: str
    why: str


@dataclass(frozen=True, kw_only=True)
class TaskTry:
    """One try of a task. Times are the machine's; ``started`` and ``ended`` are absent until then.

    ``state`` is Airflow's: ``success``, ``failed``, ``up_for_retry``, ``running``, ``deferred``, ``skipped`` …
    """

    task: str
    number: int
    state: str
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    map_index: int = -1
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class DagRun:
    """A run of a DAG with all tries of its tasks, the earliest first. Times are the machine's, but the interval's."""

    dag: str
    run_id: str
    state: str
    kind: str
    interval_start: datetime | None
    interval_end: datetime | None
    queued: datetime | None
    started: datetime | None
    ended: datetime | None
    conf: Mapping[str, object] = field(default_factory=dict)
    tries: Sequence[TaskTry] = ()

    @property
    def finished(self) -> bool:
        """Whether Airflow does nothing more in it."""
        return self.state in ENDED_RUNS


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A virtual environment with Airflow. ``cache`` is a folder that outlives rehearsals, for its prepared database."""

    python: Path
    cache: Path
