"""What a Glue job is and what its runs are: plain values, shared by those who declare, run and show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# AWS Glue Developer Guide, "AWS Glue job run statuses".
ACTIVE_STATES = frozenset({"STARTING", "RUNNING", "STOPPING"})


@dataclass(frozen=True, kw_only=True)
class SecurityConfiguration:
    """As far as it shows: the key of the log groups (empty: they are not encrypted with one)."""

    name: str
    log_key_arn: str = ""


@dataclass(frozen=True, kw_only=True)
class JobDefinition:
    """A job as its template declares it. ``timeout_minutes`` is Glue's unit; ``script`` an ``s3://`` address."""

    name: str
    arn: str
    role_arn: str
    script: str
    default_arguments: Mapping[str, str] = field(default_factory=dict)
    fixed_arguments: Mapping[str, str] = field(default_factory=dict)
    glue_version: str
    worker_type: str
    workers: int
    timeout_minutes: int
    retries: int
    concurrent_runs: int
    security: SecurityConfiguration | None = None


@dataclass(kw_only=True)
class JobRun:
    """One attempt of one start of a job; ``started`` and ``completed`` are virtual time."""

    id: str
    job: JobDefinition
    arguments: Mapping[str, str]
    timeout_minutes: int
    worker_type: str
    workers: int
    started: datetime
    attempt: int = 0
    previous: str = ""
    state: str = "STARTING"
    completed: datetime | None = None
    error: str = ""
    execution_s: int = 0

    @property
    def active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ACTIVE_STATES

    def shown(self) -> dict[str, Any]:
        """As the API's GetJobRun shows it."""
        shown: dict[str, Any] = {
            "Id": self.id,
            "Attempt": self.attempt,
            "JobName": self.job.name,
            "StartedOn": self.started,
            "LastModifiedOn": self.completed or self.started,
            "JobRunState": self.state,
            "Arguments": dict(self.arguments),
            "PredecessorRuns": [],
            "ExecutionTime": self.execution_s,
            "Timeout": self.timeout_minutes,
            "WorkerType": self.worker_type,
            "NumberOfWorkers": self.workers,
            "GlueVersion": self.job.glue_version,
            "LogGroupName": "/aws-glue/jobs",
            "ExecutionClass": "STANDARD",
        }
        if self.previous:
            shown["PreviousRunId"] = self.previous
        if self.completed is not None:
            shown["CompletedOn"] = self.completed
        if self.error:
            shown["ErrorMessage"] = self.error
        if self.job.security is not None:
            shown["SecurityConfiguration"] = self.job.security.name
        return shown
