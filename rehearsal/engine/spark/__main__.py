"""Fetches what Spark needs once, so that everything works offline afterwards, and has Spark start in half the time."""

from __future__ import annotations

import sys

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import fetch
from rehearsal.engine.spark.training import make_archive


def main() -> int:
    """0 when the jars are there, 1 with the reason on stderr when they cannot be had."""
    try:
        fetched = fetch()
        archived = make_archive()
    except RehearsalError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{fetched} jars fetched" if fetched else "all jars are there")
    if not archived:
        print("no archive of Spark's classes could be written: each Spark takes some seconds more", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
