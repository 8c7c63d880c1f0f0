"""Makes the tables of our job hold a longer history: copies of all rows, each moved further into the past.

It is no contender: it prepares tables on which the cost of late data is measured.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pyspark.sql import functions as F  # noqa: N812

from bench.contenders.spark import session

DAYS_APART = 31
"""Days between copies: no month holds rows of two."""


def main() -> None:
    """Follow this process's command line."""
    parser = argparse.ArgumentParser()
    for name in ("out", "told"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    parser.add_argument("--tables", required=True, help="database.table, with commas between")
    parser.add_argument("--from-copy", required=True, type=int)
    parser.add_argument("--to-copy", required=True, type=int)
    parser.add_argument("--cores", required=True, type=int)
    given = parser.parse_args()
    spark = session(given.out, cores=given.cores, iceberg=True)
    copies = spark.range(given.from_copy, given.to_copy + 1).withColumnRenamed("id", "_copy")
    for name in given.tables.split(","):
        table = f"lake.{name}"
        # The rows of the first copy alone, which all others are made of.
        rows = spark.table(table).where(~F.col("event_id").contains("/"))
        moved = rows.crossJoin(F.broadcast(copies)).withColumns(
            {
                "event_id": F.concat_ws("/", "event_id", "_copy"),
                "occurred_at": F.col("occurred_at") - F.make_interval(days=F.col("_copy").cast("int") * DAYS_APART),
            }
        )
        moved.drop("_copy").writeTo(table).append()
    given.told.write_text(json.dumps({"began": 0, "ended": 0, "told": None}), "utf-8")


if __name__ == "__main__":
    main()
