"""An alarm that tells its topic what it means and which runbook to open.

It must not be made without either, nor choose a threshold: configuration does.
"""

from enum import Enum

from aws_cdk import Duration, aws_cloudwatch, aws_cloudwatch_actions, aws_sns
from constructs import Construct


class Runbook(Enum):
    """Files under docs/runbooks that alarms point at."""

    CLUSTER_DOES_NOT_SCALE = "a-job-is-stuck-pending.md"
    CRAWLER_IS_STUCK = "a-crawler-is-stuck.md"
    DAG_IS_BROKEN = "a-dag-is-broken.md"
    DEAD_LETTERS = "dead-letter-queue-is-not-empty.md"
    DRIFT_WAS_FOUND = "drift-was-found.md"
    EVENTS_ARE_LATE = "events-are-late.md"
    EVENTS_ARE_QUARANTINED = "events-are-quarantined.md"
    FUNCTION_FAILS = "a-function-fails.md"
    JOB_FAILED = "a-job-failed.md"
    ROTATION_FAILED = "a-rotation-failed.md"
    SCHEDULER_IS_SILENT = "the-scheduler-is-silent.md"
    STREAM_IS_THROTTLED = "stream-is-throttled.md"
    TASKS_WAIT = "tasks-wait.md"
    TASK_FAILED = "a-task-failed.md"
    WAREHOUSE_IS_NOT_CONFIGURED = "a-warehouse-is-not-configured.md"
    WAREHOUSE_IS_UNWELL = "a-warehouse-is-unwell.md"


class Alarm(aws_cloudwatch.Alarm):
    """Raises when ``metric`` stays above ``threshold`` for ``periods`` of the metric's own period.

    A gap in the metric is no breach unless it is said: most metrics are not sent while nothing happens.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        metric: aws_cloudwatch.Metric | aws_cloudwatch.MathExpression,
        threshold: float,
        meaning: str,
        runbook: Runbook,
        topic: aws_sns.ITopic,
        periods: int = 1,
        below: bool = False,
        silence_breaches: bool = False,
    ) -> None:
        """Make the alarm; ``below`` turns it round, for shares of success and for beats.

        With ``silence_breaches`` a gap in the metric is what is wrong: nothing runs that would send it.
        """
        operators = aws_cloudwatch.ComparisonOperator
        super().__init__(
            scope,
            id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=operators.LESS_THAN_THRESHOLD if below else operators.GREATER_THAN_THRESHOLD,
            treat_missing_data=aws_cloudwatch.TreatMissingData.BREACHING
            if silence_breaches
            else aws_cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{meaning} Runbook: docs/runbooks/{runbook.value}",
        )
        self.add_alarm_action(aws_cloudwatch_actions.SnsAction(topic))


def metric(
    *,
    namespace: str,
    name: str,
    dimensions: dict[str, str],
    statistic: str,
    period_seconds: int = 300,
) -> aws_cloudwatch.Metric:
    """A metric by its CloudWatch names; ``statistic`` is `Sum`, `Maximum`, `Average` …"""
    return aws_cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=Duration.seconds(period_seconds),
    )
