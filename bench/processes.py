"""Runs a program pinned to some cores and measures it with all the processes it starts; knows no contender."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EVERY_S = 0.05
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class ContenderFailed(RuntimeError):
    """A measured program ended with an error; the text ends with what it wrote last."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One run: seconds, and bytes of memory held at once at most by the program and all that it started.

    `start_s` runs from the start of the process to the beginning of its work (imports, session), `work_s` is the work,
    `cpu_s` the time of all its processes on any core, start-up and end included. `told` is what the program said.
    """

    wall_s: float
    start_s: float
    work_s: float
    cpu_s: float
    peak_bytes: int
    told: Any


def measure(argv: Sequence[str], *, cores: Sequence[int], folder: Path) -> Measured:
    """Run `python argv… --told FILE` on the given cores.

    Raises:
        ContenderFailed: it ended with an error.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told, log = folder / "told.json", folder / "log.txt"
    told.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JDK_JAVA", "SPARK_"))}
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *argv, "--told", str(told)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**environment, "POLARS_MAX_THREADS": str(len(cores))},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        cpu_s, peak = _watch(process)
    wall_s = time.monotonic() - began
    if process.returncode or not told.exists():
        last = log.read_text("utf-8", "replace")[-3_000:]
        raise ContenderFailed(f"{' '.join(argv)} ended with status {process.returncode}:\n{last}")
    said = json.loads(told.read_text("utf-8"))
    return Measured(
        wall_s=wall_s,
        start_s=said["began"] - began,
        work_s=said["ended"] - said["began"],
        cpu_s=cpu_s,
        peak_bytes=peak,
        told=said["told"],
    )


def _watch(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Look at the session's processes until the program has ended; CPU seconds and the most memory at once."""
    ticks: dict[int, int] = {}
    peak = 0
    while True:
        ended = process.poll() is not None
        memory = set()
        for pid, used, virtual, pages in _session(process.pid):
            ticks[pid] = used
            # A process between vfork and exec has its parent's memory (vfork(2)), to the byte; it counts once.
            memory.add((virtual, pages))
        peak = max(peak, sum(pages for _, pages in memory) * _PAGE)
        if ended:
            return sum(ticks.values()) * _TICK_S, peak
        time.sleep(_EVERY_S)


def _session(leader: int) -> Iterator[tuple[int, int, int, int]]:
    """Id, ticks of CPU, virtual bytes and resident pages of each process in the session (proc(5), /proc/pid/stat)."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            stat = Path(entry.path, "stat").read_text("utf-8", "replace")
        except OSError:
            continue
        fields = stat.rpartition(")")[2].split()
        if int(fields[3]) == leader:
            yield int(entry.name), int(fields[11]) + int(fields[12]), int(fields[20]), int(fields[21])
