"""Fetches what Spark needs once, so that everything works offline afterwards; runs no Spark job."""

from __future__ import annotations

import sys

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import fetch


def main() -> int:
    """0 when the jars are there, 1 with the reason on stderr when they cannot be had."""
    try:
        fetched = fetch()
    except RehearsalError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{fetched} jars fetched" if fetched else "all jars are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
