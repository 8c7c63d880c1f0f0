"""The virtual environment that Airflow is installed in: which it is, and a database that is ready for it.

It must not install anything, nor start a component.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rehearsal.engine.mwaa import settings
from rehearsal.engine.mwaa.model import AirflowFailed, AirflowUnavailable

# Airflow 3.0, "Prerequisites".
SUPPORTED_PYTHON = ((3, 9), (3, 12))
_MIGRATE_TIMEOUT_S = 300.0
_TELL = """
import importlib.metadata, json, sys
packages = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in importlib.metadata.distributions()}
print(json.dumps({"python": sys.version_info[:2], "packages": packages}))
"""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A virtual environment with Airflow: its Python, and the version of each package by its normalised name."""

    python: Path
    packages: dict[str, str]

    @property
    def version(self) -> str:
        """Airflow's."""
        return self.packages["apache-airflow"]

    def database(self, cache: Path, target: Path) -> None:
        """Put an empty database of this Airflow at ``target``.

        Making one takes seconds, so that it is kept in ``cache`` under a name made of all packages' versions.

        Raises:
            AirflowFailed: Airflow could not make it.
        """
        said = json.dumps(self.packages, sort_keys=True).encode()
        kept = cache / f"airflow-{self.version}-{hashlib.sha256(said).hexdigest()[:16]}.db"
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            self._prepare(kept)
        shutil.copyfile(kept, target)

    def _prepare(self, kept: Path) -> None:
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            home = Path(folder)
            own = settings.environment(
                home=home, port=0, options={}, departures=settings.DEPARTURES, keys=settings.new_keys()
            )
            command = [str(self.python), "-I", "-m", "airflow", "db", "migrate"]
            ran = subprocess.run(
                command,
                env={**bare_environment(home), **own},
                cwd=home,
                capture_output=True,
                text=True,
                timeout=_MIGRATE_TIMEOUT_S,
                check=False,
            )
            if ran.returncode:
                raise AirflowFailed(f"Airflow's database could not be made: {(ran.stderr or ran.stdout)[-2000:]}")
            with closing(sqlite3.connect(home / "airflow.db")) as connection:
                # Stays with the file: a reader does not wait for a writer, of which Airflow has several.
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            os.replace(home / "airflow.db", kept)


@functools.cache
def installed(python: Path) -> Installed:
    """What is installed beside a Python.

    Raises:
        AirflowUnavailable: it is not there, or has no Airflow, or Airflow does not support it.
    """
    if not python.is_file():
        raise AirflowUnavailable(
            f"Airflow is not installed: there is no {python}. make setup installs it where Python 3.11 or 3.12 is found"
        )
    try:
        told = subprocess.run([str(python), "-I", "-c", _TELL], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise AirflowUnavailable(f"{python} does not run ({error}); remove its folder and run make setup") from error
    said = json.loads(told.stdout)
    version = tuple(said["python"])
    if not SUPPORTED_PYTHON[0] <= version <= SUPPORTED_PYTHON[1]:
        raise AirflowUnavailable(f"{python} is Python {version[0]}.{version[1]}; Airflow 3.0 runs on 3.9 to 3.12")
    if "apache-airflow" not in said["packages"]:
        raise AirflowUnavailable(f"{python} has no Airflow; remove its folder and run make setup")
    return Installed(python=python, packages=said["packages"])


def bare_environment(home: Path) -> dict[str, str]:
    """The variables of a process that sees nothing of the user's own."""
    return {
        "AIRFLOW_HOME": str(home),
        "HOME": str(home),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
