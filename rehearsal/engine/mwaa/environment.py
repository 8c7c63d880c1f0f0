"""Plays MWAA: an environment as deployed, run by a real Airflow under its execution role.

It must not know what the DAGs are for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.function_logs import LogLine, write_lines
from rehearsal.engine.mwaa import files
from rehearsal.engine.mwaa.installation import installed
from rehearsal.engine.mwaa.model import (
    AirflowFailed,
    DagRun,
    Departure,
    EnvironmentDefinition,
    Installation,
    TaskTry,
)
from rehearsal.engine.mwaa.process import START_TIMEOUT_S, AirflowProcess
from rehearsal.engine.mwaa.rest import AirflowApi
from rehearsal.engine.mwaa.settings import DEPARTURES

_POLL_S = 0.5


class ManagedAirflow:
    """One environment with the Airflow that plays it.

    Example:
        >>> airflow = engine.airflow("amp-dev", Installation(python=python, cache=cache))
        >>> airflow.start()
        >>> airflow.wait_ready(["hourly"])
        >>> run_id = airflow.api.trigger("hourly", conf={"as_of": "2026-11-18T09"})
        >>> airflow.wait("hourly", run_id, timeout_s=600).state
        'success'
    """

    def __init__(
        self,
        account: Account,
        definition: EnvironmentDefinition,
        installation: Installation,
        departures: Sequence[Departure] = (),
    ) -> None:
        """Have it ready to start; ``departures`` are settings that this rehearsal has otherwise, beside the usual.

        Raises:
            AirflowUnavailable: no Airflow is installed, or not what the environment would run on.
            botocore.exceptions.ClientError: the execution role may not read the DAGs or the requirements.
        """
        self.definition = definition
        # Of two for one option the last counts.
        self.departures = tuple({one.option: one for one in (*DEPARTURES, *departures)}.values())
        self._account = account
        found = installed(installation.python)
        files.check_installed(account, definition, found)
        home = account.workspace / f"airflow-{definition.name}"
        (home / "dags").mkdir(parents=True)
        self.files = files.fetch_dags(account, definition, home / "dags")
        self._process = AirflowProcess(
            found,
            cache=installation.cache,
            home=home,
            options=definition.options,
            departures=self.departures,
            variables=self._variables(),
            reachable=[host for host, _ in account.reachable],
        )
        self._logged: set[tuple[str, str, str, int, int]] = set()

    # --- life -----------------------------------------------------------------------------------------

    @property
    def api(self) -> AirflowApi:
        """Requests to Airflow.

        Raises:
            AirflowFailed: it does not run.
        """
        return self._process.api

    def start(self) -> None:
        """Begin to start, and do not wait; after `stop` it goes on where it was.

        Raises:
            AirflowFailed: it runs already, or its database could not be made.
        """
        self._process.start()
        self._account.records.happened("airflow-started", self.definition.name, f"{self.files} files of DAGs")

    def wait_ready(self, dags: Collection[str] = (), *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until it is up and has read ``dags``.

        Raises:
            AirflowFailed: it ended, a DAG file cannot be imported, or it takes longer than ``timeout_s``.
        """
        self._process.wait_ready(dags, timeout_s=timeout_s)

    def stop(self, *, kill: bool = False) -> None:
        """End it, with ``kill`` as a lost machine would."""
        self._process.stop(kill=kill)
        self._account.records.happened("airflow-stopped", self.definition.name, "killed" if kill else "")

    def close(self) -> None:
        """End it and remove its files."""
        self._process.close()

    # --- runs -----------------------------------------------------------------------------------------

    def wait_until(
        self, done: Callable[[], bool], *, timeout_s: float, on_progress: Callable[[], None] = lambda: None
    ) -> None:
        """Let the account go on until ``done``; machine seconds.

        Raises:
            AirflowFailed: Airflow ended, or it takes longer.
        """
        until = time.monotonic() + timeout_s
        while not done():
            self._process.check()
            left = until - time.monotonic()
            if left < 0:
                raise AirflowFailed(f"Airflow is not done after {timeout_s:g} s: {self._going()}")
            self._account.scheduler.settle(timeout_s=left, horizon_s=float("inf"), on_progress=on_progress)
            on_progress()
            time.sleep(_POLL_S)

    def wait(
        self, dag: str, run_id: str, *, timeout_s: float, on_progress: Callable[[], None] = lambda: None
    ) -> DagRun:
        """Let the account go on until a run has ended; gives it with its tries and their logs.

        The logs go to the environment's log group as well, as its role.

        Raises:
            AirflowFailed: there is no such run, Airflow ended, or it takes longer than ``timeout_s``.
        """
        self.wait_until(lambda: self.api.run(dag, run_id).finished, timeout_s=timeout_s, on_progress=on_progress)
        return self.told(dag, run_id)

    def told(self, dag: str, run_id: str) -> DagRun:
        """A run as it is now, with its tries and their logs; those of ended tries are put to the log group.

        Raises:
            AirflowFailed: there is no such run.
        """
        run = self.api.told(self.api.run(dag, run_id), logs=True)
        for one in run.tries:
            self._write_log(run, one)
        return run

    def _going(self) -> str:
        return ", ".join(f"{run.dag} {run.run_id} {run.state}" for run in self.api.runs() if not run.finished) or "idle"

    def _variables(self) -> dict[str, str]:
        """The variables of a worker: the endpoint, and credentials of the execution role."""
        account = self._account
        credentials = account.authorizer.credentials(
            self.definition.role_arn,
            service=files.ACTING,
            session="AmazonMWAA-airflow",
            context={"aws:SourceArn": self.definition.arn, "aws:SourceAccount": account.id},
        )
        return {
            "AWS_REGION": account.region,
            "AWS_DEFAULT_REGION": account.region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_ENDPOINT_URL": account.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "MWAA_AIRFLOW_ENVIRONMENT_NAME": self.definition.name,
        }

    def _write_log(self, run: DagRun, one: TaskTry) -> None:
        """Put the log of an ended try where MWAA does; what the role may not do is recorded, and the lines are lost."""
        key = (run.dag, run.run_id, one.task, one.map_index, one.number)
        if not (self.definition.task_log_group and one.ended and one.log) or key in self._logged:
            return
        self._logged.add(key)
        stream = log_stream(run, one)
        lines = [LogLine(self._account.clock.time(), line) for line in one.log.splitlines()]
        try:
            logs = self._account.client_as(
                "logs",
                self.definition.role_arn,
                acting=files.ACTING,
                session="AmazonMWAA-airflow",
                source_arn=self.definition.arn,
            )
            logs.create_log_stream(logGroupName=self.definition.task_log_group, logStreamName=stream)
            write_lines(logs, self.definition.task_log_group, stream, lines)
        except (ClientError, iam.AccessDenied) as refused:
            self._account.records.happened("log-lines-lost", self.definition.name, str(refused), count=len(lines))


class Environments:
    """The environments of an account, by name, and what plays them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._declared: dict[str, EnvironmentDefinition] = {}
        self._playing: list[ManagedAirflow] = []

    def put(self, definition: EnvironmentDefinition) -> None:
        """Make an environment known."""
        self._declared[definition.name] = definition

    def play(self, name: str, installation: Installation, departures: Sequence[Departure] = ()) -> ManagedAirflow:
        """Have an Airflow ready for an environment.

        Raises:
            RehearsalError: there is no such environment, or no Airflow for it (`AirflowUnavailable`).
        """
        if name not in self._declared:
            raise RehearsalError(f"There is no MWAA environment {name!r}; deployed are {sorted(self._declared)}")
        played = ManagedAirflow(self._account, self._declared[name], installation, departures)
        self._playing.append(played)
        return played

    def close(self) -> None:
        """End what runs."""
        while self._playing:
            self._playing.pop().close()


def log_stream(run: DagRun, one: TaskTry) -> str:
    """The name of the log stream in which MWAA keeps a try's log: Airflow's file, with ``_`` for ``:``."""
    parts = [f"dag_id={run.dag}", f"run_id={run.run_id}", f"task_id={one.task}"]
    if one.map_index >= 0:
        parts.append(f"map_index={one.map_index}")
    return "/".join([*parts, f"attempt={one.number}.log"]).replace(":", "_")
