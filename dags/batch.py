"""Batch files into tables, as soon as a crawler has catalogued what was dropped.

A crawler that succeeds becomes a message (EventBridge, SQS). Airflow's triggerer waits for it and starts a run;
messages that come together are one run. The job compares what lies in the raw zone with what the tables hold, so that
a run too many does nothing, and one that was missed is made up for by the next: one starts each night whether or not
a message came.

**When it fails:** clear the failed task; it takes whatever was dropped meanwhile. docs/runbooks/a-dag-is-late.md
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.triggers.sqs import SqsSensorTrigger
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow.timetables.assets import AssetOrTimeSchedule

from contracts.jobs import BATCH_FILES
from orchestration import settings
from orchestration.defaults import clock, since, task_defaults
from orchestration.job_code import fix_code
from orchestration.lake_job import POLL_SECONDS, lake_job_class

nightly = clock("50 1 * * *")
queue = settings.setting("catalogued_queue_url", default="")
schedule: Any = nightly
if queue and settings.starts() != "off":
    drop = Asset(
        name="catalogued_drop",
        uri=queue,
        group="batch",
        watchers=[
            AssetWatcher(
                name="catalogued_queue",
                # A message is taken off the queue before the run that it starts is kept: one lost in between is why
                # there is a run each night.
                trigger=SqsSensorTrigger(
                    sqs_queue=queue,
                    aws_conn_id=None,
                    max_messages=10,
                    wait_time_seconds=10,
                    waiter_delay=settings.number("poll_seconds", default=POLL_SECONDS),
                ),
            )
        ],
    )
    schedule = [drop] if nightly is None else AssetOrTimeSchedule(timetable=nightly, assets=[drop])

with DAG(
    dag_id="batch",
    description="Dropped files into tables, by the schema that crawlers found.",
    doc_md=__doc__,
    schedule=schedule,
    **{**since(), "catchup": False},
    max_active_runs=1,
    default_args=task_defaults(),
    tags={"lake", "event"},
):
    code = fix_code()
    lake_job_class()(
        task_id=BATCH_FILES.name,
        job_name=BATCH_FILES.name,
        code=code,
        # What was dropped this hour is what it is started for.
        through_current_hour=True,
        execution_timeout=timedelta(hours=3),
    )
