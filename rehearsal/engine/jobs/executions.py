"""Executes job runs, whatever service they belong to: each is a process under the run's own role.

It must not read templates or requests, nor know what a service calls the states of its runs.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.function_logs import LogLine
from rehearsal.engine.jobs.process import JobProcess
from rehearsal.engine.records import FinishedJobRun
from rehearsal.engine.spark.settings import write_configuration

_POLL_S = 0.05
# Half of a Spark's time is its driver's, which takes one core: a second fills the other.
PARALLEL_PROCESSES = max(1, min(4, os.cpu_count() or 1))


class Refused(RehearsalError):
    """A run cannot begin; the message is what its service says of it."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a run executes.

    Args:
        script: ``s3://`` address of a Python file.
        arguments: ``sys.argv`` after the script.
        python_files: ``s3://`` addresses of files and archives that the script may import, in their order.
        spark: the settings that the run declares.
        iceberg: whether Iceberg is on Spark's class path.
        environment: variables beside those that every run has.
        read: ``s3://`` addresses that the service reads under the run's role, and that change nothing here.
    """

    script: str
    arguments: Sequence[str]
    python_files: Sequence[str]
    spark: Mapping[str, str]
    iceberg: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    read: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a run ended: ``error`` says why it failed, ``seconds`` are the machine's, ``printed`` is the script's.

    ``spark`` are the lines of Spark's own log. ``credentials`` are those that the run had, None if it got none.
    """

    outcome: Literal["succeeded", "failed", "stopped", "timed out"]
    error: str = ""
    seconds: float = 0.0
    printed: Sequence[LogLine] = ()
    spark: Sequence[str] = ()
    credentials: iam.Credentials | None = None


class Run(Protocol):
    """A run, as its service keeps it.

    ``id`` is also the name of its role's session; by ``job`` faults and reports know it. ``limit_s`` is how many of the
    machine's seconds it may take. ``stopping`` is set when somebody asked for its end.
    """

    @property
    def id(self) -> str: ...
    @property
    def job(self) -> str: ...
    @property
    def limit_s(self) -> float: ...
    @property
    def active(self) -> bool: ...
    @property
    def stopping(self) -> bool: ...

    def credentials(self) -> iam.Credentials:
        """Those of its role, as its service takes it on.

        Raises:
            Refused: the role cannot be taken on.
        """

    def program(self) -> Program:
        """What to execute; asked for once, before the process starts."""

    def begun(self) -> None:
        """Its process runs."""

    def ended(self, ending: Ending) -> FinishedJobRun:
        """It is over: set its state, write its logs, tell whoever wants to know; gives the record of it."""


@dataclass(kw_only=True)
class _KillPoint:
    job: str
    action: str
    resource: str
    remaining: int


class Executions:
    """Activity: every run of the account that has not ended, and the processes of those that have begun."""

    def __init__(self, account: Account) -> None:
        self.name = "job runs"
        self.refusals = 0
        self.jobs: set[str] = set()
        """The names that a job may have; services add to it."""
        self._account = account
        self._runs: dict[str, Run] = {}
        self._asked: dict[str, datetime] = {}
        self._processes: dict[str, tuple[JobProcess, iam.Credentials]] = {}
        self._kill_points: list[_KillPoint] = []
        self._lock = threading.RLock()

    def add(self, run: Run) -> None:
        """Have a run executed, after those that were added before it."""
        with self._lock:
            self._runs[run.id] = run
            self._asked[run.id] = self._account.clock.machine_now()
        self._account.records.happened("job-run-started", run.job, run.id)

    def kill(self, run_id: str) -> None:
        """End a run's process, if it has one; the run is then looked after as one that was stopped or failed."""
        with self._lock:
            found = self._processes.get(run_id)
        if found is not None:
            found[0].kill()

    # --- faults ---------------------------------------------------------------------------------------

    def kill_at(self, job: str, action: str, *, nth: int, resource: str) -> None:
        """End a run's process before its ``nth`` request of ``action`` on a matching resource is done.

        Raises:
            RehearsalError: there is no such job.
        """
        if job not in self.jobs:
            raise RehearsalError(f"Job {job!r} does not exist; there are {sorted(self.jobs)}")
        self._kill_points.append(_KillPoint(job=job, action=action, resource=resource, remaining=nth))

    def watch(self, principal: iam.Principal, needs: Sequence[iam.Need]) -> None:
        """See a request that was allowed (`iam.Authorizer.watchers`).

        Raises:
            rehearsal.engine.iam.AccessDenied: its process was ended for a fault, so that nobody waits for it.
        """
        with self._lock:
            found = self._processes.get(principal.session)
            if found is None:
                return
            job = self._runs[principal.session].job
            hit = next((point for point in self._kill_points if point.job == job and _matches(point, needs)), None)
            if hit is None:
                return
            hit.remaining -= 1
            if hit.remaining:
                return
            self._kill_points.remove(hit)
        found[0].kill()
        raise iam.AccessDenied(
            principal=principal, need=needs[0], reason="because its process was killed, as asked for"
        )

    # --- moving ---------------------------------------------------------------------------------------

    def due(self) -> float | None:
        """Now, as long as a run is active: runs take the machine's time."""
        return self._account.clock.time() if self._active() else None

    def waiting(self) -> str:
        """The active runs."""
        return ", ".join(f"{run.job} {run.id[:11]}" for run in self._active())

    def step(self) -> None:
        """Start what can start, and look once after each process."""
        for run in self._active():
            found = self._processes.get(run.id)
            if found is not None:
                self._look_after(run, found[0])
            elif run.stopping:
                self._end(run, Ending(outcome="stopped"))
            elif len(self._processes) < PARALLEL_PROCESSES:
                self._launch(run)

    def close(self) -> None:
        """End every process."""
        for process, _ in list(self._processes.values()):
            process.close()
        self._processes.clear()

    def _active(self) -> list[Run]:
        with self._lock:
            return [run for run in self._runs.values() if run.active]

    def _look_after(self, run: Run, process: JobProcess) -> None:
        status = process.wait(_POLL_S)
        if status is None:
            if run.stopping:
                process.kill()  # its end was asked for while it started
            elif process.seconds > run.limit_s:
                process.kill()
                self._end(run, Ending(outcome="timed out"))
        elif run.stopping:
            self._end(run, Ending(outcome="stopped"))
        elif status == 0:
            self._end(run, Ending(outcome="succeeded"))
        else:
            error = process.failure() or f"Command failed with exit code {_exit_code(status)}"
            self._end(run, Ending(outcome="failed", error=error))

    def _launch(self, run: Run) -> None:
        account, folder = self._account, self._account.workspace / run.id
        folder.mkdir()
        credentials: iam.Credentials | None = None
        try:
            credentials = run.credentials()
            program = run.program()
            script = self._fetch(credentials, program.script, folder)
            libraries = [self._fetch(credentials, file, folder) for file in program.python_files]
            for address in program.read:
                self._fetch(credentials, address, folder)
        except (Refused, iam.AccessDenied, ClientError) as refused:
            self._end(run, Ending(outcome="failed", error=str(refused), credentials=credentials))
            return
        environment = {**program.environment, **self._environment(credentials, folder)}
        no_spark = ""
        try:
            environment |= write_configuration(
                folder,
                program.spark,
                endpoint_url=account.endpoint_url,
                region=account.region,
                iceberg=program.iceberg,
            )
        except RehearsalError as error:
            no_spark = str(error)
        process = JobProcess(
            folder=folder,
            script=script,
            argv=[str(script), *program.arguments],
            libraries=libraries,
            environment=environment,
            reachable=[host for host, _ in account.reachable],
            no_spark=no_spark,
            now=account.clock.time(),
        )
        with self._lock:
            self._processes[run.id] = (process, credentials)
        run.begun()

    def _environment(self, credentials: iam.Credentials, folder: Path) -> dict[str, str]:
        account = self._account
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
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

    def _fetch(self, credentials: iam.Credentials, address: str, folder: Path) -> Path:
        """The file or folder that an ``s3://`` address stands for, as the run's role may read it."""
        account = self._account
        bucket, _, key = address.removeprefix("s3://").partition("/")
        asset = account.assets.get(key)
        if asset is not None:
            principal = account.authorizer.principal_of(credentials.access_key_id)
            parameters = {"Bucket": bucket, "Key": key}
            account.authorizer.authorize(principal, account.authorizer.needs_of("s3", "GetObject", parameters))
            return asset
        with contextlib.closing(account.client_of("s3", credentials)) as client:
            file = folder / Path(key).name
            file.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
        return file

    def _end(self, run: Run, ending: Ending) -> None:
        with self._lock:
            process, credentials = self._processes.pop(run.id, (None, ending.credentials))
        if process is not None:
            ending = Ending(
                outcome=ending.outcome,
                error=ending.error,
                seconds=process.seconds,
                printed=process.lines,
                spark=process.spark_lines(),
                credentials=credentials,
            )
        asked = self._asked.pop(run.id)
        whole_s = (self._account.clock.machine_now() - asked).total_seconds()
        record = replace(run.ended(ending), asked=asked, waited_s=max(0.0, whole_s - ending.seconds))
        self._account.records.add(record)
        self._account.records.happened("job-run-ended", run.job, f"{run.id} {record.state} {record.error}".rstrip())
        if process is not None:
            process.close()


def _matches(point: _KillPoint, needs: Sequence[iam.Need]) -> bool:
    return any(need.action == point.action and fnmatch.fnmatchcase(need.resource, point.resource) for need in needs)


def _exit_code(status: int) -> int:
    """As a shell tells it: 137 for a process that was killed."""
    return 128 - status if status < 0 else status
