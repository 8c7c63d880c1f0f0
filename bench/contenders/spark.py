"""Spark as both Spark contenders start it: the same memory, cores and Java options."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from rehearsal.engine.spark.session import local_session
from spark_jobs.sizing import MEMORY_PER_CORE_GB

_HEAP = 0.9
"""Share of a core's memory that is Java's heap."""
_LATER = 30
"""How many times Java's own thresholds (OpenJDK, compiler_globals.hpp) a method must be called before it is optimised.

At Java's own, its compilers were at work for 75 s of the platform's job at 1 GB, here for 32 s.
"""
_JAVA_OPTIONS = " ".join(
    (
        "-Duser.timezone=UTC",
        "-XX:+UseParallelGC",
        f"-XX:Tier4InvocationThreshold={5_000 * _LATER}",
        f"-XX:Tier4MinInvocationThreshold={600 * _LATER}",
        f"-XX:Tier4CompileThreshold={15_000 * _LATER}",
        f"-XX:Tier4BackEdgeThreshold={40_000 * _LATER}",
    )
)


def session(folder: Path, *, cores: int, iceberg: bool) -> SparkSession:
    """A local session whose catalog `lake` lies in the folder, with the memory that the platform plans for a core."""
    conf = {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": f"{int(cores * MEMORY_PER_CORE_GB * _HEAP * 1024)}m",
        "spark.driver.defaultJavaOptions": _JAVA_OPTIONS,
        "spark.log.level": "ERROR",
        "spark.local.dir": str(folder / "scratch"),
    }
    if not iceberg:
        # What the local session sets for small checks, put back to what Spark does by itself.
        conf |= {"spark.sql.extensions": "", "spark.sql.shuffle.partitions": "200"}
        conf |= {"spark.sql.parquet.compression.codec": "zstd"}  # as all others write
    return local_session(folder, conf)
