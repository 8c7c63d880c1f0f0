"""Starts and ends the processes of one Airflow; knows nothing of AWS.

They are one group, which ends with this process however it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from rehearsal.engine.mwaa import settings
from rehearsal.engine.mwaa.installation import Installed, bare_environment
from rehearsal.engine.mwaa.model import AirflowFailed, Departure
from rehearsal.engine.mwaa.rest import AirflowApi

LAUNCHER = Path(__file__).with_name("launcher.py")
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 20.0
_POLL_S = 0.2
_LOG_END = 3000
# Imported once, before the components part. What a task needs is among them: a worker is forked from the scheduler.
_IMPORTED_FIRST = (
    "airflow.jobs.scheduler_job_runner",
    "airflow.jobs.triggerer_job_runner",
    "airflow.jobs.dag_processor_job_runner",
    "airflow.executors.local_executor",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "airflow.api_fastapi.execution_api.app",
    "airflow.providers.standard.operators.python",
)


class AirflowProcess:
    """Airflow's server, scheduler, DAG processor and triggerer, with their database and DAGs in ``home``.

    Args:
        installed: the virtual environment.
        cache: where a prepared database is kept between rehearsals.
        home: an empty folder; it stays when Airflow stops, so that a later start goes on.
        options: the environment's own settings (``section.name``).
        departures: what is otherwise here; the last of those for one option wins over all.
        variables: further variables of every process, such as credentials.
        reachable: hosts besides this machine that Airflow and its tasks may connect to.

    Example:
        >>> airflow = AirflowProcess(installed(python), cache=cache, home=home)
        >>> airflow.start()
        >>> airflow.wait_ready()
        >>> airflow.api.dags()
        {'hourly': True}
        >>> airflow.stop()
    """

    def __init__(
        self,
        installed: Installed,
        *,
        cache: Path,
        home: Path,
        options: Mapping[str, str] | None = None,
        departures: Sequence[Departure] = settings.DEPARTURES,
        variables: Mapping[str, str] | None = None,
        reachable: Iterable[str] = (),
    ) -> None:
        self.home = home
        self._installed, self._cache, self._departures = installed, cache, tuple(departures)
        self._options, self._variables = dict(options or {}), dict(variables or {})
        self._reachable = sorted(set(reachable))
        self._keys = settings.new_keys()
        self._process: subprocess.Popen[bytes] | None = None
        self._api: AirflowApi | None = None

    @property
    def api(self) -> AirflowApi:
        """Requests to the Airflow that runs.

        Raises:
            AirflowFailed: it was not started.
        """
        if self._api is None:
            raise AirflowFailed("Airflow does not run; start it")
        return self._api

    def start(self) -> None:
        """Begin to start, and do not wait. What an earlier start left in ``home`` is gone on with.

        Raises:
            AirflowFailed: it runs already, or its database could not be made.
        """
        if self._process is not None:
            raise AirflowFailed("Airflow runs already; stop it first")
        for folder in ("dags", "plugins", "logs"):
            (self.home / folder).mkdir(exist_ok=True)
        if not (self.home / "airflow.db").exists():
            self._installed.database(self._cache, self.home / "airflow.db")
        port = _free_port()
        components = {
            "api-server": ["api-server", "--apps", "core,execution", "--host", "127.0.0.1", "--port", str(port)],
            "scheduler": ["scheduler", "--skip-serve-logs"],
            "dag-processor": ["dag-processor"],
            "triggerer": ["triggerer", "--skip-serve-logs"],
        }
        config = {"components": components, "reachable": self._reachable, "imported_first": _IMPORTED_FIRST}
        (self.home / "launch.json").write_text(json.dumps(config), "utf-8")
        (self.home / "ended").unlink(missing_ok=True)
        own = settings.environment(
            home=self.home, port=port, options=self._options, departures=self._departures, keys=self._keys
        )
        with (self.home / "launcher.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._installed.python), "-I", str(LAUNCHER), str(self.home)],
                # A pipe that nobody writes to: it ends when this process does, however it ends.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**bare_environment(self.home), **self._variables, **own},
                cwd=self.home,
                start_new_session=True,
            )
        self._api = AirflowApi(f"http://127.0.0.1:{port}")

    def wait_ready(self, dags: Collection[str] = (), *, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until every component is up and ``dags`` have been read.

        Raises:
            AirflowFailed: one ended, a DAG file cannot be imported, or it takes longer than ``timeout_s``.
        """
        until = time.monotonic() + timeout_s
        while True:
            self.check()
            missing = self.api.unhealthy()
            if not missing:
                if errors := self.api.import_errors():
                    told = "\n".join(f"{file}: {text}" for file, text in errors.items())
                    raise AirflowFailed(f"{len(errors)} DAG files cannot be imported:\n{told}")
                missing = sorted({*dags} - {*self.api.dags()})
            if not missing:
                return
            if time.monotonic() > until:
                raise AirflowFailed(f"Airflow is not up after {timeout_s:g} s; missing: {missing}\n{self._log_ends()}")
            time.sleep(_POLL_S)

    def check(self) -> None:
        """See that it runs.

        Raises:
            AirflowFailed: a component ended by itself; with the end of its log.
        """
        if self._process is not None and self._process.poll() is None and not (self.home / "ended").exists():
            return
        ended = self.home / "ended"
        name = json.loads(ended.read_text("utf-8"))["component"] if ended.exists() else "launcher"
        raise AirflowFailed(f"Airflow's {name} ended by itself:\n{self._log_end(name)}")

    def stop(self, *, kill: bool = False) -> None:
        """End it: tasks that run here are let finish; with ``kill`` all dies at once, as with a lost machine."""
        process, self._process, self._api = self._process, None, None
        if process is None:
            return
        if not kill and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def close(self) -> None:
        """End it at once and remove its folder."""
        self.stop(kill=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def _log_end(self, name: str) -> str:
        file = self.home / f"{name}.log"
        return file.read_text("utf-8", "replace")[-_LOG_END:] if file.is_file() else "(no log)"

    def _log_ends(self) -> str:
        return "\n".join(f"--- {file.name}\n{self._log_end(file.stem)}" for file in sorted(self.home.glob("*.log")))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
