"""The alarm over what the function that starts crawlers counts: crawlers that it could not start.

It must not count anything itself; the names of the metrics are the function's own.
"""

from aws_cdk import aws_sns
from constructs import Construct

from building_blocks.alarms import Alarm, Runbook, metric
from lambdas.start_crawlers.settings import METRIC_DIMENSION, METRIC_STARTS_FAILED


class CrawlAlarms(Construct):
    """Raised when starts fail for a quarter of an hour: a passing refusal by Glue is tried again by itself."""

    def __init__(
        self, scope: Construct, id: str, *, metrics_namespace: str, service: str, alarm_topic: aws_sns.ITopic
    ) -> None:
        super().__init__(scope, id)
        Alarm(
            self,
            "StartsFailed",
            metric=metric(
                namespace=metrics_namespace,
                name=METRIC_STARTS_FAILED,
                dimensions={METRIC_DIMENSION: service},
                statistic="Sum",
            ),
            threshold=0,
            periods=3,
            meaning="Crawlers cannot be asked about or started: files that landed do not show in the catalog.",
            runbook=Runbook.CRAWLER_IS_STUCK,
            topic=alarm_topic,
        )
