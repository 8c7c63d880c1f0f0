"""Tells people that a task gave up: one notice, with the links to its log and to what to do; judges nothing.

It also counts attempts that failed, which Airflow 3.0.6 does next to never (github.com/apache/airflow/issues/52254).
"""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import Any
from urllib.parse import quote

import boto3
from airflow.configuration import conf

from orchestration import settings

_SUBJECT_LIMIT = 100
"""Characters that SNS takes ("Publish" page)."""

_log = logging.getLogger(__name__)


class Runbook(StrEnum):
    """Pages of docs/runbooks that a notice leads to."""

    DAG_LATE = "a-dag-is-late.md"
    JOB_FAILED = "a-job-failed.md"
    EVENTS_LATE = "events-are-late.md"


def count_failed(context: Any) -> None:
    """Count an attempt that failed (`on_retry_callback`, `on_failure_callback`). Calls: cloudwatch PutMetricData.

    What cannot be counted is an error in the task's log: the attempt has failed already.
    """
    try:
        boto3.client("cloudwatch").put_metric_data(
            Namespace=settings.setting("metrics_namespace"),
            MetricData=[
                {
                    "MetricName": "AttemptsFailed",
                    "Dimensions": [{"Name": "Stage", "Value": settings.setting("stage")}],
                    "Value": 1.0,
                    "Unit": "Count",
                }
            ],
        )
    except Exception:
        _log.exception("an attempt of task %s failed, which could not be counted", context["ti"].task_id)


def tell(context: Any, *, runbook: Runbook | None = None) -> None:
    """Publish that the task of ``context`` failed for good (`on_failure_callback`). Calls: sns Publish.

    It leads to ``runbook``, or to that of the task's operator, or to the one on DAGs.

    A notice that cannot be sent is an error in the task's log: the task has failed already.

    Of an attempt whose worker was lost Airflow 3.0.6 tells as of the last, whatever attempts are left
    (`SchedulerJobRunner`, requests of callbacks): then there is no exception, and no notice while attempts are left.
    """
    ti = context["ti"]
    if context.get("exception") is None and ti.try_number <= ti.max_tries:
        _log.info("attempt %s of task %s was lost; others are left", ti.try_number, ti.task_id)
        return
    try:
        page: Runbook = runbook or getattr(context.get("task"), "runbook", None) or Runbook.DAG_LATE
        subject, text = notice(context, runbook=page, region=boto3.session.Session().region_name or "")
        topic = settings.setting("notices_topic_arn")
        boto3.client("sns").publish(TopicArn=topic, Subject=subject, Message=text)
    except Exception:
        _log.exception("the notice of a failed task could not be sent")


def notice(context: Any, *, runbook: Runbook, region: str) -> tuple[str, str]:
    """Subject and text of the notice. The text quotes no error: one may hold a person's value."""
    ti = context["ti"]
    stage = settings.setting("stage")
    mapped = f" [{ti.map_index}]" if ti.map_index >= 0 else ""
    subject = f"Amp {stage}: {ti.dag_id}.{ti.task_id} failed"
    error = type(context["exception"]).__name__ if context.get("exception") is not None else "no exception"
    lines = (
        f"Task {ti.task_id}{mapped} of DAG {ti.dag_id} failed in stage {stage}, after {ti.try_number} attempts.",
        f"Run: {ti.run_id}",
        f"Error: {error}; the log says more.",
        f"Log: {_airflow(ti)}",
        f"Log in CloudWatch: {_cloudwatch(ti, region=region)}",
        f"What to do: {settings.setting('runbook_url').rstrip('/')}/{runbook}",
    )
    return subject[:_SUBJECT_LIMIT], "\n".join(lines)


def _airflow(ti: Any) -> str:
    """The address of the attempt's log in Airflow's web server.

    A task knows it while it runs; who speaks for one whose worker was lost (the DAG processor) does not.
    """
    if ti.log_url:
        return str(ti.log_url)
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    mapped = f"/mapped/{ti.map_index}" if ti.map_index >= 0 else ""
    return f"{base}/dags/{ti.dag_id}/runs/{quote(ti.run_id)}/tasks/{ti.task_id}{mapped}?try_number={ti.try_number}"


def _cloudwatch(ti: Any, *, region: str) -> str:
    """The console's address of the stream in which MWAA keeps the log of this attempt (group `airflow-<name>-Task`).

    The stream is Airflow's file of the log with `_` for `:`; the console escapes twice, with `$` for `%`.
    """
    parts = [f"dag_id={ti.dag_id}", f"run_id={ti.run_id}", f"task_id={ti.task_id}"]
    if ti.map_index >= 0:
        parts.append(f"map_index={ti.map_index}")
    stream = "/".join([*parts, f"attempt={ti.try_number}.log"]).replace(":", "_")
    group = f"airflow-{settings.setting('environment_name')}-Task"

    def escaped(text: str) -> str:
        return quote(quote(text, safe=""), safe="").replace("%", "$")

    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{escaped(group)}/log-events/{escaped(stream)}"
    )
