"""Starts, watches and ends the process of one job run; knows nothing of policies or of Glue's API."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rehearsal.engine.function_logs import LogLine

WORKER_SCRIPT = Path(__file__).with_name("worker.py")
_LAST_LINES_S = 5.0


class JobProcess:
    """One run of a script. Whatever it started (Java, Python workers) ends with it.

    Args:
        folder: an empty folder for this run, removed by `close`.
        script: the file to run.
        argv: ``sys.argv`` of the script.
        libraries: folders and archives on the script's path, before all else.
        environment: the whole environment of the process.
        reachable: hosts besides this machine that the script may connect to.
        no_spark: why Spark cannot be used, empty when it can.
        now: virtual seconds since the epoch, at which the script's Python starts.
    """

    def __init__(
        self,
        *,
        folder: Path,
        script: Path,
        argv: Sequence[str],
        libraries: Sequence[Path],
        environment: Mapping[str, str],
        reachable: Iterable[str],
        no_spark: str,
        now: float,
    ) -> None:
        self.folder = folder
        self.lines: list[LogLine] = []
        self._started = time.monotonic()
        paths = [str(path) for path in libraries]
        config = {
            "script": str(script),
            "argv": list(argv),
            "libraries": paths,
            "packages": _package_folders(),
            "reachable": sorted(set(reachable)),
            "no_spark": no_spark,
            "now": now,
        }
        (folder / "run.json").write_text(json.dumps(config), "utf-8")
        temporary = folder / "tmp"
        temporary.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-u", str(WORKER_SCRIPT), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Python workers that Spark starts take the libraries from PYTHONPATH.
            env={**environment, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(paths)},
            cwd=folder,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def seconds(self) -> float:
        """Machine seconds since the start."""
        return time.monotonic() - self._started

    def wait(self, timeout_s: float) -> int | None:
        """The exit status, or None when it still runs after ``timeout_s``."""
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        self._end_group()
        self._reader.join(_LAST_LINES_S)
        return status

    def kill(self) -> None:
        """End it and all that it started, at once, as a lost machine would."""
        self._end_group()
        self._process.wait()

    def failure(self) -> str:
        """Why the script failed, as far as it could tell; empty when it could not."""
        file = self.folder / "failure"
        return file.read_text("utf-8") if file.is_file() else ""

    def spark_lines(self) -> list[str]:
        """What Spark itself logged."""
        file = self.folder / "spark.log"
        return file.read_text("utf-8", "replace").splitlines() if file.is_file() else []

    def close(self) -> None:
        """End it and remove its folder."""
        self.kill()
        self._reader.join(_LAST_LINES_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self) -> None:
        output = self._process.stdout
        if output is not None:
            for line in output:
                self.lines.append(LogLine(time.time(), line.decode("utf-8", "replace").rstrip("\n")))


def _package_folders() -> list[str]:
    names = ("boto3", "time-machine", "pyspark")
    return sorted({str(Path(str(importlib.metadata.distribution(name).locate_file("")))) for name in names})
