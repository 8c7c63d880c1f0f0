"""What every contender is told and tells: where to read and write, and when its start-up was over; measures no more.

It must import nothing that a contender does not need itself, because imports count as its start-up.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

PERSON_SECRET = "bench-0123456789abcdef0123456789abcdef"  # noqa: S105 - it guards generated persons alone
HOUR = "%Y-%m-%dT%H"


@dataclass(frozen=True, kw_only=True)
class Task:
    """Read the raw zone in `raw` of the arrival hours from `start` to `end` and write below `out`.

    A contender writes `transformed/<type>/` and `personal/event_details/`; ours an Iceberg catalog of those tables.
    """

    raw: Path
    out: Path
    start: datetime
    end: datetime
    types: tuple[str, ...]
    cores: int

    def files(self, event_type: str) -> list[str]:
        """The type's files in the window, in order."""
        hours = round((self.end - self.start) / timedelta(hours=1))
        names = {f"arrival={self.start + timedelta(hours=hour):%Y-%m-%d-%H}" for hour in range(hours)}
        folder = self.raw / f"events/type={event_type}"
        return sorted(str(path) for path in folder.glob("arrival=*/*.json.gz") if path.parent.name in names)


def serve(prepare: Callable[[Task], Callable[[], object]]) -> None:
    """Follow this process's command line: prepare, which is start-up, then do what that gave, which is work."""
    parser = argparse.ArgumentParser()
    for name in ("raw", "out", "start", "end", "types", "told"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--cores", type=int, required=True)
    given = parser.parse_args()
    task = Task(
        raw=Path(given.raw),
        out=Path(given.out),
        start=datetime.fromisoformat(given.start),
        end=datetime.fromisoformat(given.end),
        types=tuple(given.types.split(",")),
        cores=given.cores,
    )
    work = prepare(task)
    began = time.monotonic()
    told = work()
    ended = time.monotonic()
    Path(given.told).write_text(json.dumps({"began": began, "ended": ended, "told": told}), "utf-8")
