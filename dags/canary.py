"""Canary: proves each hour that events get from the stream into tables, and writes down what it found.

It looks at the last full hour of arrival, forty minutes after the hourly run took it: which event types landed in the
raw zone, and whether their tables were committed to since. An hour without events proves nothing and is told apart.
The result is an object for each hour and the metrics `PathProven`, `PathQuiet` and `PathBroken`, each 0 or 1; a
broken path fails the task too. It publishes no event of its own: one in the tables each hour would be one that nobody
sent.

**When it fails:** docs/runbooks/events-are-late.md
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import boto3
from airflow.exceptions import AirflowException
from airflow.sdk import DAG, get_current_context, task

from contracts.lake import Zone
from orchestration import settings
from orchestration.alerts import Runbook, count_failed, tell
from orchestration.defaults import as_of, clock, since, task_defaults
from orchestration.path_proof import Proof, Verdict, prove
from orchestration.windows import moment_of, window_before


def keep(proof: Proof, *, s3: Any, cloudwatch: Any) -> None:
    """Write the result down. Calls: s3 PutObject below the canary's prefix, cloudwatch PutMetricData."""
    prefix = settings.setting("canary_prefix").strip("/")
    s3.put_object(
        Bucket=settings.setting("canary_bucket"),
        Key=f"{prefix}/{proof.hour.texts['start']}.json",
        Body=json.dumps(proof.result, indent=2).encode(),
        ContentType="application/json",
    )
    cloudwatch.put_metric_data(
        Namespace=settings.setting("metrics_namespace"),
        MetricData=[
            {
                "MetricName": f"Path{verdict.title()}",
                "Dimensions": [{"Name": "Stage", "Value": settings.setting("stage")}],
                "Value": float(proof.verdict is verdict),
                "Unit": "Count",
            }
            for verdict in Verdict
        ],
    )


@task(on_failure_callback=[count_failed, partial(tell, runbook=Runbook.EVENTS_LATE)])
def prove_path() -> str:
    """Prove the last full hour; fails if events landed that no table has."""
    s3 = boto3.client("s3")
    stage = settings.setting("stage")
    proof = prove(
        window_before(moment_of(get_current_context()), hours=1),
        s3=s3,
        glue=boto3.client("glue"),
        raw_bucket=settings.setting("raw_bucket"),
        database=f"{settings.setting('database_prefix', default=f'amp_{stage}')}_{Zone.TRANSFORMED}",
    )
    keep(proof, s3=s3, cloudwatch=boto3.client("cloudwatch"))
    if proof.verdict is Verdict.BROKEN:
        raise AirflowException(
            f"events of {proof.hour.texts['start']} are in the raw zone, not in tables: {proof.result}"
        )
    return str(proof.verdict)


with DAG(
    dag_id="canary",
    description="Proves that events get into tables.",
    doc_md=__doc__,
    schedule=clock("50 * * * *"),
    # An hour that was missed is past proving.
    **{**since(), "catchup": False},
    max_active_runs=1,
    default_args=task_defaults(),
    params=as_of(),
    tags={"lake", "schedule"},
):
    prove_path()
