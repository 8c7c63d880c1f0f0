"""Spark as both Spark contenders start it: the same memory, cores and Java options; neither is tuned here."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from rehearsal.engine.spark.session import local_session

DRIVER_MEMORY = "3g"


def session(folder: Path, *, cores: int, iceberg: bool) -> SparkSession:
    """A local session whose catalog `lake` lies in the folder; compiler and garbage collector are Java's own choice."""
    conf = {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": DRIVER_MEMORY,
        "spark.driver.defaultJavaOptions": "-Duser.timezone=UTC",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(folder / "scratch"),
    }
    if not iceberg:
        # What the local session sets for small checks, put back to what Spark does by itself.
        conf |= {"spark.sql.extensions": "", "spark.sql.shuffle.partitions": "200"}
    return local_session(folder, conf)
