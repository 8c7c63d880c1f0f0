"""How large a job is for its input."""

from __future__ import annotations

import pytest

from spark_jobs.sizing import MOST_EXECUTORS, explained, files_per_day, read, size

GB = 10**9


def test_a_small_input_is_one_partition_on_one_executor() -> None:
    found = size(1_000)
    assert (found.executors, found.shuffle_partitions) == (1, 1)


def test_size_grows_with_the_input_and_never_shrinks() -> None:
    sizes = [size(n * GB) for n in (0, 1, 5, 20, 100, 1_000, 10_000)]
    assert [one.shuffle_partitions for one in sizes] == sorted(one.shuffle_partitions for one in sizes)
    assert [one.executors for one in sizes] == sorted(one.executors for one in sizes)
    assert sizes[2].executors > sizes[1].executors
    assert sizes[-1].executors == MOST_EXECUTORS


def test_a_partition_fits_into_the_memory_of_a_core() -> None:
    for gigabytes in (1, 50, 5_000):
        found = size(gigabytes * GB)
        rows_in_partition = gigabytes * GB * 4 / found.shuffle_partitions
        assert rows_in_partition <= 0.1 * found.memory_gb / found.cores * GB


def test_what_is_given_is_taken() -> None:
    found = size(5 * GB, executors=3, shuffle_partitions=17)
    assert (found.executors, found.shuffle_partitions) == (3, 17)


@pytest.mark.parametrize(("wrong", "says"), [({"executors": 0}, "0 executors"), ({"shuffle_partitions": 0}, "0 shuf")])
def test_nonsense_is_refused(wrong: dict[str, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        size(1, **wrong)
    with pytest.raises(ValueError, match="-1 bytes"):
        size(-1)


@pytest.mark.parametrize(
    ("gigabytes", "days", "files"), [(0, 1, 1), (0.128, 1, 1), (1, 1, 8), (1, 8, 1), (30, 30, 8), (1, 0, 8)]
)
def test_a_days_files_follow_its_share_of_the_input(gigabytes: float, days: int, files: int) -> None:
    assert files_per_day(int(gigabytes * GB), days=days) == files


def test_the_command_shows_the_settings() -> None:
    shown = explained(read(["--bytes", "5000000000", "--executors", "2"]))
    assert "spark.executor.instances=2" in shown
    assert "spark.sql.shuffle.partitions=150" in shown
