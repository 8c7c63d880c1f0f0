"""The runs of Glue jobs: started by the API, carried on by the scheduler, each a process under the job's role.

It must not read templates or requests, nor know who is told when a run ends.
"""

from __future__ import annotations

import fnmatch
import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.function_logs import LogLine
from rehearsal.engine.jobs import arguments as job_arguments
from rehearsal.engine.jobs import logs
from rehearsal.engine.jobs.model import JobDefinition, JobRun
from rehearsal.engine.jobs.process import JobProcess
from rehearsal.engine.records import FinishedJobRun
from rehearsal.engine.spark.settings import write_configuration

_POLL_S = 0.05
SECONDS_PER_MINUTE = 60
# Each run is a Spark with all cores; more at once than that would only slow one another down.
PARALLEL_PROCESSES = max(1, (os.cpu_count() or 2) // 2)


class TooManyRuns(RehearsalError):
    """A job has as many active runs as it may have at once."""


@dataclass(kw_only=True)
class _KillPoint:
    job: str
    action: str
    resource: str
    remaining: int


class JobRuns:
    """Activity: every job of the account, by name, and every run of each."""

    def __init__(self, account: Account, on_end: Callable[[JobRun], None]) -> None:
        self.name = "Glue job runs"
        self.refusals = 0
        self._account, self._on_end = account, on_end
        self._jobs: dict[str, JobDefinition] = {}
        self._runs: dict[str, JobRun] = {}
        self._processes: dict[str, JobProcess] = {}
        self._kill_points: list[_KillPoint] = []
        self._lock = threading.RLock()

    # --- what the API asks ----------------------------------------------------------------------------

    def put(self, job: JobDefinition) -> None:
        """Make a job known."""
        self._jobs[job.name] = job

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
            self._runs[run.id] = run
        self._account.records.happened("job-run-started", name, run.id)
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
            process = self._processes.get(run_id)
        if process is not None:
            process.kill()
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

    # --- faults ---------------------------------------------------------------------------------------

    def kill_at(self, name: str, action: str, *, nth: int, resource: str) -> None:
        """End a run's process before its ``nth`` request of ``action`` on a matching resource is done.

        Raises:
            RehearsalError: there is no such job.
        """
        if name not in self._jobs:
            raise RehearsalError(f"Job {name!r} does not exist; there are {sorted(self._jobs)}")
        self._kill_points.append(_KillPoint(job=name, action=action, resource=resource, remaining=nth))

    def watch(self, principal: iam.Principal, needs: Sequence[iam.Need]) -> None:
        """See a request that was allowed (`iam.Authorizer.watchers`).

        Raises:
            rehearsal.engine.iam.AccessDenied: its process was ended for a fault, so that nobody waits for it.
        """
        with self._lock:
            process = self._processes.get(principal.session)
            if process is None:
                return
            job = self._runs[principal.session].job.name
            hit = next((point for point in self._kill_points if point.job == job and _matches(point, needs)), None)
            if hit is None:
                return
            hit.remaining -= 1
            if hit.remaining:
                return
            self._kill_points.remove(hit)
        process.kill()
        raise iam.AccessDenied(
            principal=principal, need=needs[0], reason="because its process was killed, as asked for"
        )

    # --- moving ---------------------------------------------------------------------------------------

    def due(self) -> float | None:
        """Now, as long as a run is active: runs take the machine's time."""
        return self._account.clock.time() if self._active() else None

    def waiting(self) -> str:
        """The active runs."""
        return ", ".join(f"{run.job.name} {run.id[:11]} {run.state}" for run in self._active())

    def step(self) -> None:
        """Start what can start, and look once after each process."""
        for run in self._active():
            process = self._processes.get(run.id)
            if process is not None:
                self._look_after(run, process)
            elif run.state == "STOPPING":
                self._end(run, "STOPPED", "")
            elif len(self._processes) < PARALLEL_PROCESSES:
                self._launch(run)

    def close(self) -> None:
        """End every process."""
        for process in list(self._processes.values()):
            process.close()
        self._processes.clear()

    def _active(self) -> list[JobRun]:
        with self._lock:
            return [run for run in self._runs.values() if run.active]

    def _look_after(self, run: JobRun, process: JobProcess) -> None:
        status = process.wait(_POLL_S)
        if status is None:
            if process.seconds > run.timeout_minutes * SECONDS_PER_MINUTE:
                process.kill()
                self._end(run, "TIMEOUT", f"Job run timed out after {run.timeout_minutes} minutes")
        elif run.state == "STOPPING":
            self._end(run, "STOPPED", "")
        elif status == 0:
            self._end(run, "SUCCEEDED", "")
        else:
            self._end(run, "FAILED", process.failure() or f"Command failed with exit code {_exit_code(status)}")

    def _launch(self, run: JobRun) -> None:
        folder = self._account.workspace / run.id
        folder.mkdir()
        try:
            environment = self._credentials(run)
        except iam.AccessDenied as refused:
            role = run.job.role_arn
            said = f"Role {role} should be given assume role permissions for Glue Service: {refused}"
            self._end(run, "FAILED", said)
            return
        try:
            script = self._fetch(run, run.job.script, folder)
            libraries = [self._fetch(run, file, folder) for file in job_arguments.python_files(run.arguments)]
        except (iam.AccessDenied, ClientError) as refused:
            self._end(run, "FAILED", str(refused))
            return
        no_spark = ""
        try:
            environment |= write_configuration(
                folder,
                job_arguments.spark_settings(run.arguments),
                endpoint_url=self._account.endpoint_url,
                region=self._account.region,
                iceberg=job_arguments.has_iceberg(run.arguments),
            )
        except RehearsalError as error:
            no_spark = str(error)
        process = JobProcess(
            folder=folder,
            script=script,
            argv=job_arguments.script_arguments(run, str(script)),
            libraries=libraries,
            environment=environment,
            reachable=[host for host, _ in self._account.reachable],
            no_spark=no_spark,
            now=self._account.clock.time(),
        )
        with self._lock:
            self._processes[run.id] = process
            if run.state == "STARTING":
                run.state = "RUNNING"

    def _credentials(self, run: JobRun) -> dict[str, str]:
        """The environment of the process, with credentials of the job's role; the session is named for the run."""
        account = self._account
        credentials = account.authorizer.credentials(
            run.job.role_arn,
            service=logs.ACTING,
            session=run.id,
            context={"aws:SourceArn": run.job.arn, "aws:SourceAccount": account.id},
        )
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(account.workspace / run.id),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "AWS_REGION": account.region,
            "AWS_DEFAULT_REGION": account.region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_ENDPOINT_URL": account.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _fetch(self, run: JobRun, address: str, folder: Path) -> Path:
        """The file or folder that an ``s3://`` address stands for, as the job's role may read it."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        asset = self._account.assets.get(key)
        if asset is not None:
            principal = iam.Principal(arn=run.job.role_arn, kind="role", session=run.id)
            parameters = {"Bucket": bucket, "Key": key}
            self._account.authorizer.authorize(
                principal, self._account.authorizer.needs_of("s3", "GetObject", parameters)
            )
            return asset
        client = self._account.client_as(
            "s3", run.job.role_arn, acting=logs.ACTING, session=run.job.name, source_arn=run.job.arn
        )
        file = folder / Path(key).name
        file.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        return file

    def _end(self, run: JobRun, state: str, error: str) -> None:
        account = self._account
        with self._lock:
            process = self._processes.pop(run.id, None)
            run.completed = account.clock.now()
            run.execution_s = round(process.seconds) if process is not None else 0
            run.state, run.error = state, error
        said = process.spark_lines() if process is not None else []
        errors = [LogLine(account.clock.time(), line) for line in [*said, *([error] if error else [])]]
        logs.write(account, run, output=process.lines if process is not None else (), error=errors)
        account.records.add(
            FinishedJobRun(
                time=run.started,
                job=run.job.name,
                run_id=run.id,
                attempt=run.attempt,
                state=state,
                error=error,
                seconds=process.seconds if process is not None else 0.0,
                arguments=run.arguments,
            )
        )
        account.records.happened("job-run-ended", run.job.name, f"{run.id} {state} {error}".rstrip())
        if process is not None:
            process.close()
        # AWS Glue Developer Guide, "Configuring job properties": a job that reached its time-out is not restarted.
        if state == "FAILED" and run.attempt < run.job.retries:
            self._retry(run)
        self._on_end(run)

    def _retry(self, run: JobRun) -> None:
        attempt = run.attempt + 1
        first = run.id.split("_attempt_")[0]
        following = replace(
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
        with self._lock:
            self._runs[following.id] = following


def _matches(point: _KillPoint, needs: Sequence[iam.Need]) -> bool:
    return any(need.action == point.action and fnmatch.fnmatchcase(need.resource, point.resource) for need in needs)


def _exit_code(status: int) -> int:
    """As a shell tells it: 137 for a process that was killed."""
    return 128 - status if status < 0 else status
