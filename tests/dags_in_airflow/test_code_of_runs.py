"""A run's first task fixes its code: a change under way leaves it alone, the next run has it, and it goes back."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from airflow.exceptions import AirflowFailException
from conftest import CODE_BUCKET, NEW, OLD, context_of, point_to


def fixed(dagbag: Any) -> Any:
    """What the first task of a run gives its others."""
    return dagbag.dags["hourly"].task_dict["fix_code"].python_callable()


def test_a_run_keeps_its_code_when_the_pointer_moves(aws: None, dagbag: Any) -> None:
    run = fixed(dagbag)
    point_to(NEW)
    assert run == OLD
    assert fixed(dagbag) == NEW, "the next run"
    point_to(OLD)
    assert fixed(dagbag) == OLD, "gone back"


@pytest.mark.parametrize("dag_id", ["hourly", "daily", "maintenance", "batch", "backfill"])
def test_every_task_of_a_job_uses_what_the_first_task_fixed(dagbag: Any, dag_id: str) -> None:
    tasks = dagbag.dags[dag_id].task_dict
    with_code = [task for task in tasks.values() if "LakeJob" in task.task_type]
    assert with_code
    for task in with_code:
        code = task.partial_kwargs["code"] if task.is_mapped else task.code
        assert (code.operator.task_id, code.key) == ("fix_code", "return_value")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is not"),
        (b'{"code": 1}', "is not"),
        (b'{"hash": "../../x"}', "no hash"),
        (b'{"hash": "ffffffffffffffff"}', "no packages"),
    ],
)
def test_a_pointer_to_nothing_fails_at_once_and_says_how_to_mend_it(
    aws: None, dagbag: Any, body: bytes, said: str
) -> None:
    boto3.client("s3").put_object(Bucket=CODE_BUCKET, Key="jobs/current.json", Body=body)
    with pytest.raises(AirflowFailException, match=said) as raised:
        fixed(dagbag)
    assert "python -m operations code" in str(raised.value)


def test_backfill_gives_its_switches_to_the_job(dagbag: Any) -> None:
    dag = dagbag.dags["backfill"]
    given = dag.task_dict["sessions"].partial_kwargs["arguments"]
    params = {"accept_stale": True, "accept_fewer_rows": False, "max_days_late": 400}
    told = {name: dag.get_template_env().from_string(text).render(params=params) for name, text in given.items()}
    assert told == {"--accept-stale": "true", "--accept-fewer-rows": "false", "--max-days-late": "400"}


def test_the_context_of_these_tests_has_what_tasks_look_at() -> None:
    assert {"ti", "dag_run", "params"} <= set(context_of())
