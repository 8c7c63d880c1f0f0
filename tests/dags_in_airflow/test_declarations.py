"""What every DAG declares: ids, times, retries, time-outs, owners, and that no task holds a worker while it waits."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import FOLDER

from contracts.jobs import JOBS

TIMES = {
    "hourly": "10 * * * *",
    "daily": "40 0 * * *",
    "maintenance": "20 3 * * *",
    "batch": "Asset or 50 1 * * *",
    "canary": "50 * * * *",
    "data_sets": "30 4 * * TUE",
    "backfill": None,
}
DAG_IDS = tuple(TIMES)


def test_all_dags_load_without_error_network_or_call(no_network: None) -> None:
    from airflow.models.dagbag import DagBag

    bag = DagBag(dag_folder=str(FOLDER), include_examples=False)
    assert bag.import_errors == {}
    assert set(bag.dag_ids) == set(DAG_IDS)
    assert {Path(dag.fileloc).stem for dag in bag.dags.values()} == set(DAG_IDS), "one file a DAG, of its name"


@pytest.mark.parametrize("engine", ["emr", "glue"])
def test_all_dags_load_on_either_engine(engine: str, option: Any) -> None:
    from airflow.models.dagbag import DagBag

    option("engine", engine)
    bag = DagBag(dag_folder=str(FOLDER), include_examples=False)
    assert bag.import_errors == {}
    kinds = {task.task_type for dag in bag.dags.values() for task in dag.tasks if task.task_id in _JOB_NAMES}
    assert kinds == {{"emr": "EmrLakeJob", "glue": "GlueLakeJob"}[engine]}


def test_a_wrong_engine_is_refused_with_what_is_allowed(option: Any) -> None:
    from orchestration.settings import WrongSetting, engine

    option("engine", "spark")
    with pytest.raises(WrongSetting, match="allowed: emr or glue"):
        engine()


def test_dags_begin_at_their_times(dagbag: Any) -> None:
    found = {dag.dag_id: dag.timetable.summary for dag in dagbag.dags.values()}
    assert found == {name: str(time) for name, time in TIMES.items()}


def test_no_dag_begins_by_itself_where_schedules_are_off(option: Any) -> None:
    from airflow.models.dagbag import DagBag

    option("schedules", "off")
    bag = DagBag(dag_folder=str(FOLDER), include_examples=False)
    assert bag.import_errors == {}
    assert {dag.timetable.can_be_scheduled for dag in bag.dags.values()} == {False}
    assert not [dag.dag_id for dag in bag.dags.values() if dag.timetable.asset_condition]


def test_only_a_message_starts_a_dag_where_schedules_are_of_events(option: Any) -> None:
    from airflow.models.dagbag import DagBag

    option("schedules", "events")
    bag = DagBag(dag_folder=str(FOLDER), include_examples=False)
    assert bag.import_errors == {}
    assert [dag.dag_id for dag in bag.dags.values() if dag.timetable.asset_condition] == ["batch"]
    assert {dag.timetable.periodic for dag in bag.dags.values()} == {False}


def test_hours_that_were_missed_are_made_up_for_where_a_first_day_is_named(option: Any) -> None:
    from airflow.models.dagbag import DagBag

    assert {dag.catchup for dag in DagBag(dag_folder=str(FOLDER), include_examples=False).dags.values()} == {False}
    option("schedule_from", "2026-11-01")
    dags = DagBag(dag_folder=str(FOLDER), include_examples=False).dags
    assert {name for name, dag in dags.items() if dag.catchup} == {"hourly", "daily"}
    assert dags["hourly"].start_date == datetime(2026, 11, 1, tzinfo=UTC)


def test_one_run_of_a_dag_at_a_time(dagbag: Any) -> None:
    assert {dag.max_active_runs for dag in dagbag.dags.values()} == {1}


def test_every_dag_says_what_it_is_for_and_what_to_do(dagbag: Any) -> None:
    for dag in dagbag.dags.values():
        assert dag.description
        assert "docs/runbooks/" in dag.doc_md, dag.dag_id
        assert dag.tags, dag.dag_id


def test_every_task_is_retried_with_backoff_ends_and_tells(dagbag: Any) -> None:
    tasks = [task for dag in dagbag.dags.values() for task in dag.tasks]
    assert len(tasks) > 15
    for task in tasks:
        assert task.owner == "data-platform", task
        assert task.retries == 3, task
        assert task.retry_exponential_backoff is True, task
        assert timedelta(0) < task.retry_delay <= timedelta(minutes=5), task
        assert task.max_retry_delay == timedelta(minutes=30), task
        assert timedelta(0) < task.execution_timeout <= timedelta(hours=12), task
        assert _callbacks(task), task
        assert task.partial_kwargs["on_retry_callback"] if task.is_mapped else task.on_retry_callback, task


def test_no_task_holds_a_worker_while_it_waits(dagbag: Any) -> None:
    waiting = [task for dag in dagbag.dags.values() for task in dag.tasks if task.task_id in _JOB_NAMES]
    assert {task.task_id for task in waiting} == _JOB_NAMES
    for task in waiting:
        deferrable = task.partial_kwargs.get("deferrable", True) if task.is_mapped else task.deferrable
        assert deferrable is True, task
        assert task.operator_class.__name__ == "EmrLakeJob" if task.is_mapped else task.task_type == "EmrLakeJob"
    others = [task for dag in dagbag.dags.values() for task in dag.tasks if task.task_id not in _JOB_NAMES]
    # They ask once and answer; a sensor, or a task that sleeps, is none of these.
    assert {task.task_id.removesuffix("_windows") for task in others} <= {"fix_code", "prove_path"} | _JOB_NAMES
    assert max(task.execution_timeout for task in others) == timedelta(minutes=10)


def test_every_job_is_of_one_dag_besides_backfill(dagbag: Any) -> None:
    homes = [task.task_id for name, dag in dagbag.dags.items() if name != "backfill" for task in dag.tasks]
    assert sorted(name for name in homes if name in _JOB_NAMES) == sorted(_JOB_NAMES)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_jobs_run_in_the_order_of_what_they_read(dagbag: Any, dag_id: str) -> None:
    dag = dagbag.dags[dag_id]
    jobs = [job for job in JOBS if job.name in dag.task_dict]
    for job in jobs:
        above = {task.task_id for task in dag.task_dict[job.name].get_flat_relatives(upstream=True)}
        assert "fix_code" in above, f"{job.name} runs without a code that is fixed"
        for maker in jobs:
            if maker is not job and set(maker.writes) & set(job.reads):
                assert maker.name in above, f"{job.name} reads what {maker.name} makes"


def test_windows_reach_as_far_as_schedules_are_apart(dagbag: Any) -> None:
    apart = {"hourly": 1, "daily": 24}
    for job in JOBS:
        for dag_id, hours in apart.items():
            if job.name in dagbag.dags[dag_id].task_dict:
                assert job.window_hours >= hours, f"{job.name}: an hour would be in no window"


def test_a_drop_that_was_catalogued_starts_batch(dagbag: Any) -> None:
    from airflow.sdk import Asset

    condition = dagbag.dags["batch"].timetable.asset_condition
    (drop,) = [asset for _, asset in condition.iter_assets() if isinstance(asset, Asset)]
    (watcher,) = drop.watchers
    name, given = watcher.trigger.serialize()
    assert name.endswith("SqsSensorTrigger")
    assert given["sqs_queue"] == "https://sqs.eu-west-1.amazonaws.com/123456789012/catalogued"
    assert given["delete_message_on_reception"] is True


def test_loading_takes_less_than_a_second_beyond_airflow_and_its_providers() -> None:
    """CPU seconds of one process, after all that the DAGs import of others is there: the clock's noise is not in it."""
    script = f"""
import json, sys, time
sys.path.insert(0, {str(FOLDER)!r})
import boto3
import airflow.sdk.definitions.asset, airflow.sdk.definitions.param, airflow.sdk.definitions.decorators
from airflow.sdk import DAG, Asset, AssetWatcher, Param, get_current_context, task
from airflow.providers.amazon.aws.operators.emr import EmrContainerOperator
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.triggers.emr import EmrContainerTrigger
from airflow.providers.amazon.aws.triggers.glue import GlueJobCompleteTrigger
from airflow.providers.amazon.aws.triggers.sqs import SqsSensorTrigger
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable
with DAG(dag_id="warm", schedule=None):
    task(lambda: None, task_id="warm")()
before = set(sys.modules)
began = time.process_time()
for name in {DAG_IDS!r}:
    __import__(name)
spent = time.process_time() - began
print(json.dumps([spent, sorted(set(sys.modules) - before)]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    spent, modules = json.loads(done.stdout.splitlines()[-1])
    assert spent < 1, f"{spent:.2f} s of CPU"
    heavy = {name.partition(".")[0] for name in modules} & {"pyspark", "pandas", "numpy", "pyarrow", "aws_cdk", "moto"}
    assert heavy == set()


_JOB_NAMES = {job.name for job in JOBS}


def _callbacks(task: Any) -> Any:
    return task.partial_kwargs.get("on_failure_callback") if task.is_mapped else task.on_failure_callback
