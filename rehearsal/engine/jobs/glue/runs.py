"""The runs of Glue jobs: started by the API, executed as every service's are, tried again as the job says.

It must not read templates or requests, nor know who is told when a run ends.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.function_logs import LogLine
from rehearsal.engine.jobs.executions import Ending, Executions, Program, Refused
from rehearsal.engine.jobs.glue import arguments as job_arguments
from rehearsal.engine.jobs.glue import logs
from rehearsal.engine.jobs.glue.model import JobDefinition, JobRun
from rehearsal.engine.records import FinishedJobRun

SECONDS_PER_MINUTE = 60
_STATES = {"succeeded": "SUCCEEDED", "failed": "FAILED", "stopped": "STOPPED", "timed out": "TIMEOUT"}


class TooManyRuns(RehearsalError):
    """A job has as many active runs as it may have at once."""


class JobRuns:
    """Every Glue job of the account, by name, and every run of each; ``on_end`` is told of each that ended."""

    def __init__(self, account: Account, on_end: Callable[[JobRun], None]) -> None:
        self._account, self._on_end = account, on_end
        self._jobs: dict[str, JobDefinition] = {}
        self._runs: dict[str, JobRun] = {}
        self._lock = threading.RLock()

    def put(self, job: JobDefinition) -> None:
        """Make a job known."""
        self._jobs[job.name] = job
        self._account.service(Executions).jobs.add(job.name)

    def job(self, name: str) -> JobDefinition:
        """The job of that name.

        Raises:
            KeyError: there is none.
        """
        return self._jobs[name]

    def start(self, name: str, arguments: Mapping[str, str], **changed: str | int) -> JobRun:
        """Start a job; ``changed`` are ``timeout_minutes``, ``worker_type`` or ``workers`` of this run.

        Raises:
            KeyError: there is no such job.
            TooManyRuns: it has as many runs as it may have.
        """
        job = self._jobs[name]
        with self._lock:
            active = [run.id for run in self.of(name) if run.active]
            if len(active) >= job.concurrent_runs:
                raise TooManyRuns(f"Concurrent runs exceeded for {name}: {len(active)} of {job.concurrent_runs} active")
            run = JobRun(
                id=f"jr_{secrets.token_hex(32)}",
                job=job,
                # AWS Glue Developer Guide, "Using job parameters": the run's win over the job's, but not over these.
                arguments={**job.default_arguments, **arguments, **job.fixed_arguments},
                timeout_minutes=int(changed.get("timeout_minutes", job.timeout_minutes)),
                worker_type=str(changed.get("worker_type", job.worker_type)),
                workers=int(changed.get("workers", job.workers)),
                started=self._account.clock.now(),
            )
        self._add(run)
        return run

    def stop(self, name: str, run_id: str) -> bool:
        """End a run; False when it has ended before.

        Raises:
            KeyError: there is no such run of the job.
        """
        with self._lock:
            run = self.run(name, run_id)
            if not run.active:
                return False
            run.state = "STOPPING"
        self._account.service(Executions).kill(run_id)
        return True

    def run(self, name: str, run_id: str) -> JobRun:
        """One run of a job.

        Raises:
            KeyError: there is none.
        """
        run = self._runs[run_id]
        if run.job.name != name:
            raise KeyError(run_id)
        return run

    def of(self, name: str) -> Sequence[JobRun]:
        """The runs of a job, the newest first."""
        with self._lock:
            return [run for run in reversed(self._runs.values()) if run.job.name == name]

    def end(self, run: JobRun, ending: Ending) -> FinishedJobRun:
        """Note how a run ended, write its logs, tell of it, and start the next attempt if there is one."""
        now = self._account.clock
        with self._lock:
            run.completed, run.execution_s = now.now(), round(ending.seconds)
            run.state, run.error = _STATES[ending.outcome], ending.error
            if ending.outcome == "timed out":
                run.error = f"Job run timed out after {run.timeout_minutes} minutes"
        errors = [LogLine(now.time(), line) for line in [*ending.spark, *([run.error] if run.error else [])]]
        logs.write(self._account, run, output=ending.printed, error=errors)
        # AWS Glue Developer Guide, "Configuring job properties": a job that reached its time-out is not restarted.
        if run.state == "FAILED" and run.attempt < run.job.retries:
            self._retry(run)
        self._on_end(run)
        return FinishedJobRun(
            time=run.started,
            job=run.job.name,
            run_id=run.id,
            attempt=run.attempt,
            state=run.state,
            error=run.error,
            seconds=ending.seconds,
            arguments=run.arguments,
        )

    def _add(self, run: JobRun) -> None:
        with self._lock:
            self._runs[run.id] = run
        self._account.service(Executions).add(_Execution(self._account, self, run))

    def _retry(self, run: JobRun) -> None:
        attempt = run.attempt + 1
        first = run.id.split("_attempt_")[0]
        self._add(
            replace(
                run,
                id=f"{first}_attempt_{attempt}",
                attempt=attempt,
                previous=run.id,
                state="STARTING",
                started=self._account.clock.now(),
                completed=None,
                error="",
                execution_s=0,
            )
        )


class _Execution:
    """A run of a Glue job as `Executions` sees it."""

    def __init__(self, account: Account, runs: JobRuns, run: JobRun) -> None:
        self.id, self.job = run.id, run.job.name
        self._account, self._runs, self._run = account, runs, run

    @property
    def limit_s(self) -> float:
        return self._run.timeout_minutes * SECONDS_PER_MINUTE

    @property
    def active(self) -> bool:
        return self._run.active

    @property
    def stopping(self) -> bool:
        return self._run.state == "STOPPING"

    def credentials(self) -> iam.Credentials:
        job = self._run.job
        try:
            return self._account.authorizer.credentials(
                job.role_arn,
                service=logs.ACTING,
                session=self.id,
                context={"aws:SourceArn": job.arn, "aws:SourceAccount": self._account.id},
            )
        except iam.AccessDenied as refused:
            said = f"Role {job.role_arn} should be given assume role permissions for Glue Service: {refused}"
            raise Refused(said) from refused

    def program(self) -> Program:
        arguments = self._run.arguments
        return Program(
            # AWS Glue Developer Guide, "Using job parameters": a run may name another script than its job's.
            script=arguments.get("--scriptLocation", self._run.job.script),
            arguments=job_arguments.script_arguments(self._run),
            python_files=job_arguments.python_files(arguments),
            spark=job_arguments.spark_settings(arguments),
            iceberg=job_arguments.has_iceberg(arguments),
        )

    def begun(self) -> None:
        if self._run.state == "STARTING":
            self._run.state = "RUNNING"

    def ended(self, ending: Ending) -> FinishedJobRun:
        return self._runs.end(self._run, ending)
