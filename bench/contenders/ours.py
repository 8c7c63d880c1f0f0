"""The platform's own job `events`, with all that it does in production, on a local Iceberg catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pyspark.sql import SparkSession

from bench.contenders.entry import HOUR, PERSON_SECRET, Task, serve
from bench.contenders.spark import session
from spark_jobs import arguments
from spark_jobs.run import Services, run_job

DATABASES = "amp_bench"
_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:person-key"  # noqa: S105 - a name, no secret


def prepare(task: Task) -> Callable[[], object]:
    """Start Spark; the work is the whole job, its run record included."""
    spark = session(task.out, cores=task.cores, iceberg=True)
    argv = ["--job", "events", "--raw-bucket", str(task.raw), "--database-prefix", DATABASES]
    argv += ["--window-start", f"{task.start:{HOUR}}", "--window-end", f"{task.end:{HOUR}}"]
    argv += ["--person-key-secret", _SECRET_ARN, "--types", ",".join(task.types)]
    given = arguments.read(argv, now=task.end)
    services = Services(secret=lambda _: PERSON_SECRET, notify=lambda *_: None)

    def work() -> object:
        before = _storage(spark)
        record = run_job(given, spark=spark, services=services)
        read, written = (after - earlier for after, earlier in zip(_storage(spark), before, strict=True))
        tables = {outcome.table: asdict(outcome) for outcome in record.tables}
        return {"bytes_read": read, "bytes_written": written, "tables": tables}

    return work


def _storage(spark: SparkSession) -> tuple[int, int]:
    """Bytes read and written so far through Hadoop's file systems: raw files, data files and metadata."""
    jvm: Any = spark._jvm
    all_systems = list(jvm.org.apache.hadoop.fs.FileSystem.getAllStatistics())
    return sum(one.getBytesRead() for one in all_systems), sum(one.getBytesWritten() for one in all_systems)


if __name__ == "__main__":
    serve(prepare)
