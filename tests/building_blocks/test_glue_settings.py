"""How settings of Spark and sizes of jobs are written down for Glue."""

from collections.abc import Callable

import pytest

from building_blocks.glue_job import conf_argument
from building_blocks.spark_settings import CATALOG, lake_catalog
from config.lake_jobs import JobSize, LakeJobs
from config.model import ConfigurationError

NONSENSE: dict[str, Callable[[], object]] = {
    "a_job_without_an_executor": lambda: JobSize(max_workers=1),
    "a_run_longer_than_a_week": lambda: JobSize(timeout_minutes=10_081),
    "more_retries_than_glue_takes": lambda: JobSize(retries=11),
    "a_job_that_never_may_run": lambda: JobSize(max_concurrent_runs=0),
    "a_worker_that_runs_no_batch": lambda: JobSize(worker_type="G.025X"),
    "large_workers_on_spare_capacity": lambda: JobSize(worker_type="G.4X", flexible=True),
    "a_shuffle_into_nothing": lambda: JobSize(shuffle_partitions=0),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_nonsense_is_refused_and_explained(case: str) -> None:
    with pytest.raises(ConfigurationError, match=r"given: .*allowed: .*fix: "):
        NONSENSE[case]()


def test_several_settings_are_one_argument() -> None:
    assert conf_argument({"a.b": "1"}) == "a.b=1"
    assert conf_argument({"a.b": "1", "c": "x=y"}) == "a.b=1 --conf c=x=y"


def test_the_settings_name_the_catalog_that_jobs_are_told() -> None:
    settings = lake_catalog(warehouse="s3://bucket")
    assert settings[f"spark.sql.catalog.{CATALOG}.warehouse"] == "s3://bucket"
    assert {name for name in settings if not name.startswith(f"spark.sql.catalog.{CATALOG}")} == {
        "spark.sql.extensions"
    }


def test_a_job_without_a_size_of_its_own_has_that_of_all() -> None:
    own = JobSize(max_workers=10)
    settings = LakeJobs(sizes={"events": own})
    assert settings.size_of("events") is own
    assert settings.size_of("shows") is settings.size
