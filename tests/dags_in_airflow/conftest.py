"""The DAGs as MWAA has them: their folder with `contracts` beside them, options in Airflow's configuration, no network.

Airflow reads its environment when it is imported, so that it is set here, before any test module is.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = Path(tempfile.mkdtemp(prefix="amp-dags-"))
FOLDER = SCRATCH / "dags"
CODE_BUCKET, TEMPLATES = "amp-dev-code", "/amp/dev/emr-on-eks/job-templates"
OLD, NEW = "0" * 15 + "a", "0" * 15 + "b"

OPTIONS = {
    "stage": "dev",
    "environment_name": "amp-dev",
    "code_bucket": CODE_BUCKET,
    "raw_bucket": "amp-dev-raw",
    "canary_bucket": CODE_BUCKET,
    "canary_prefix": "canary/",
    "metrics_namespace": "Amp",
    "notices_topic_arn": "arn:aws:sns:eu-west-1:123456789012:notices",
    "runbook_url": "https://example.com/docs/runbooks/",
    "catalogued_queue_url": "https://sqs.eu-west-1.amazonaws.com/123456789012/catalogued",
    "zones": "eu-west-1a, eu-west-1b,eu-west-1c",
    "job_templates_parameter": TEMPLATES,
    "virtual_cluster_id": "not-yet-known",
    "engine": "emr",
}

shutil.copytree(ROOT / "dags", FOLDER, ignore=shutil.ignore_patterns("__pycache__"))
shutil.copytree(ROOT / "contracts", FOLDER / "contracts", ignore=shutil.ignore_patterns("__pycache__"))
sys.path.insert(0, str(FOLDER))
sys.dont_write_bytecode = True

from contracts.jobs import JOBS  # noqa: E402 - found in the folder above

OPTIONS["glue_job_names"] = ",".join(f"{job.name}=amp-dev-{job.name.replace('_', '-')}" for job in JOBS)
os.environ.update({f"AIRFLOW__AMP__{name.upper()}": value for name, value in OPTIONS.items()})
os.environ.update(
    {
        "AIRFLOW_HOME": str(SCRATCH / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(FOLDER),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AWS_ACCESS_KEY_ID": "AKIA0000000000000000",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "eu-west-1",
        # An address that answers nobody: what escapes moto fails at once.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
)


def pytest_sessionfinish() -> None:
    """Leave nothing behind."""
    shutil.rmtree(SCRATCH, ignore_errors=True)


class NetworkUsed(AssertionError):
    """Something reached for the network."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look-up of a name and every connection fails, and fails the test even where the error is caught."""

    def refuse(*given: object, **_: object) -> None:
        raise NetworkUsed(f"the network is used: {given}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="session")
def dagbag() -> Any:
    """All DAGs, on EMR."""
    from airflow.models.dagbag import DagBag

    return DagBag(dag_folder=str(FOLDER), include_examples=False, collect_dags=True)


@pytest.fixture
def option(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets an option of the section `amp`."""

    def to(name: str, value: str) -> None:
        monkeypatch.setenv(f"AIRFLOW__AMP__{name.upper()}", value)

    return to


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty account in this process, with the code bucket and two versions of code in it."""
    import boto3
    from airflow.sdk.bases.operator import ExecutorSafeguard
    from moto import mock_aws

    ExecutorSafeguard.test_mode = True  # operators are called as a worker calls them
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for code in (OLD, NEW):
            s3.put_object(Bucket=CODE_BUCKET, Key=f"jobs/{code}/packages.zip", Body=b"")
        point_to(OLD)
        yield
    ExecutorSafeguard.test_mode = False


def point_to(code: str) -> None:
    """Move the pointer as a deployment does."""
    import boto3

    boto3.client("s3").put_object(Bucket=CODE_BUCKET, Key="jobs/current.json", Body=json.dumps({"hash": code}).encode())


def context_of(
    *,
    dag_id: str = "hourly",
    task_id: str = "events",
    run_id: str = "scheduled__2026-11-18T08:10:00+00:00",
    attempt: int = 1,
    retries: int = 3,
    at: datetime | None = datetime(2026, 11, 18, 8, 10, tzinfo=UTC),
    interval_end: datetime | None = None,
    due: datetime = datetime(2026, 11, 18, 8, 10, tzinfo=UTC),
    params: dict[str, Any] | None = None,
    xcoms: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What a task finds around it, as far as ours look; ``xcoms`` are what its attempts before left."""
    kept: dict[str, Any] = {} if xcoms is None else xcoms
    ti = SimpleNamespace(
        id=uuid4(),  # Airflow gives each try one of its own
        dag_id=dag_id,
        task_id=task_id,
        run_id=run_id,
        map_index=-1,
        try_number=attempt,
        max_tries=retries,
        log_url=f"https://airflow.example/dags/{dag_id}/runs/{run_id}/tasks/{task_id}?try_number={attempt}",
        xcom_push=lambda key, value: kept.update({key: value}),
        xcom_pull=lambda key, **_: kept.get(key),
    )
    return {
        "ti": ti,
        "task_instance": ti,
        "dag_run": SimpleNamespace(logical_date=at, data_interval_end=interval_end or at, run_after=due, run_id=run_id),
        "params": {} if params is None else params,
    }
