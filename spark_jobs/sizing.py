"""How large a job should be for its input: from bytes to executors, cores, memory and shuffle partitions."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.views.spark import TARGET_FILE_BYTES

SMALL_BYTES = 2 * 2**20
"""Input below which a query is over before its compiled code would have paid."""
ROWS_PER_GZIP = 4
"""Bytes of rows in a shuffle for a byte of gzip."""
SHUFFLE_PARTITION_BYTES = 128 * 2**20
"""Rows of one shuffle partition; a core sorts them in memory."""
CORES_PER_EXECUTOR = 4
"""More share one Java heap and its pauses; fewer repeat what each executor holds once."""
MEMORY_PER_CORE_GB = 4
"""As in the G worker types of AWS Glue (Worker types page: 4 vCPU and 16 GB) and m instances of EC2."""
PARTITIONS_PER_CORE = 4
"""Waves of shuffle partitions: slow ones are evened out, and no executor waits long for the last."""
MOST_EXECUTORS = 50


@dataclass(frozen=True, kw_only=True)
class Size:
    """A job's size; `memory_gb` is for each executor."""

    input_bytes: int
    executors: int
    cores: int
    memory_gb: int
    shuffle_partitions: int


def size(input_bytes: int, *, executors: int | None = None, shuffle_partitions: int | None = None) -> Size:
    """The size for so many bytes of gzip files; what is given is taken as it is.

    Raises:
        ValueError: bytes below zero, or executors or partitions below one.
    """
    if input_bytes < 0:
        raise ValueError(f"{input_bytes} bytes of input; allowed: 0 and more")
    for name, given in (("executors", executors), ("shuffle partitions", shuffle_partitions)):
        if given is not None and given < 1:
            raise ValueError(f"{given} {name}; allowed: 1 and more")
    partitions = shuffle_partitions or max(1, math.ceil(input_bytes * ROWS_PER_GZIP / SHUFFLE_PARTITION_BYTES))
    wanted = math.ceil(partitions / (CORES_PER_EXECUTOR * PARTITIONS_PER_CORE))
    return Size(
        input_bytes=input_bytes,
        executors=executors or min(max(1, wanted), MOST_EXECUTORS),
        cores=CORES_PER_EXECUTOR,
        memory_gb=CORES_PER_EXECUTOR * MEMORY_PER_CORE_GB,
        shuffle_partitions=partitions,
    )


def files_per_day(input_bytes: int, *, days: int) -> int:
    """Over how many files a day's rows of one table are spread, for so many bytes of gzip files of so many days.

    Typed columns in zstd are smaller than the same rows as gzip JSON, so that no file passes the target size.
    """
    return max(1, math.ceil(input_bytes / max(1, days) / TARGET_FILE_BYTES))


def read(argv: Sequence[str]) -> Size:
    """The size that a command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs size", description="Say how large a job should be.")
    parser.add_argument("--bytes", type=int, required=True, help="bytes of the input files, as they are stored")
    parser.add_argument("--executors", type=int, help="in place of the number that follows")
    parser.add_argument("--shuffle-partitions", type=int, help="in place of the number that follows")
    given = parser.parse_args(argv)
    try:
        return size(given.bytes, executors=given.executors, shuffle_partitions=given.shuffle_partitions)
    except ValueError as error:
        parser.error(str(error))


def explained(found: Size) -> str:
    """The size for people, and as settings of Spark."""
    return (
        f"{found.input_bytes:,} bytes of gzip: {found.executors} executors of {found.cores} cores and "
        f"{found.memory_gb} GB, {found.shuffle_partitions} shuffle partitions\n"
        f"spark.executor.instances={found.executors}\n"
        f"spark.executor.cores={found.cores}\n"
        f"spark.executor.memory={found.memory_gb * 1024 * 9 // 10}m\n"
        f"spark.sql.shuffle.partitions={found.shuffle_partitions}"
    )
