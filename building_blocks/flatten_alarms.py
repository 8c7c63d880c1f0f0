"""Alarms over what the flattening function counts: the share in quarantine, records put back and records failed.

It must not count anything itself; the names of the metrics are the function's own.
"""

from aws_cdk import Duration, aws_cloudwatch, aws_sns
from constructs import Construct

from building_blocks.alarms import Alarm, Runbook, metric
from lambdas.flatten_events.settings import (
    METRIC_DIMENSION,
    METRIC_DROPPED,
    METRIC_EVENTS,
    METRIC_FAILED,
    METRIC_QUARANTINED,
)


class FlattenAlarms(Construct):
    """Raised above ``quarantined_percent`` of events, or above ``dropped_records`` put back in five minutes."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        metrics_namespace: str,
        service: str,
        quarantined_percent: float,
        dropped_records: int,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        dimensions = {METRIC_DIMENSION: service}

        def counted(name: str) -> aws_cloudwatch.Metric:
            return metric(namespace=metrics_namespace, name=name, dimensions=dimensions, statistic="Sum")

        Alarm(
            self,
            "QuarantineRate",
            metric=aws_cloudwatch.MathExpression(
                expression="IF(events > 0, 100 * FILL(quarantined, 0) / events, 0)",
                using_metrics={"events": counted(METRIC_EVENTS), "quarantined": counted(METRIC_QUARANTINED)},
                label="Quarantined events (%)",
                period=Duration.minutes(15),
            ),
            threshold=quarantined_percent,
            meaning="Too many events break their contract or cannot be read; they wait in quarantine with a reason.",
            runbook=Runbook.EVENTS_ARE_QUARANTINED,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "Dropped",
            metric=counted(METRIC_DROPPED),
            threshold=dropped_records,
            meaning="Many records go round again because answers would be over 6 MB: events are late and cost twice.",
            runbook=Runbook.EVENTS_ARE_LATE,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "Failed",
            metric=counted(METRIC_FAILED),
            threshold=0,
            meaning="Records could be neither landed nor quarantined; they wait in firehose-errors/processing-failed/.",
            runbook=Runbook.EVENTS_ARE_QUARANTINED,
            topic=alarm_topic,
        )
