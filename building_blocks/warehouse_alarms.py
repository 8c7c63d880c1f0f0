"""The alarms over what the functions of the warehouse count: configurations that fail, drift, rotations that fail.

It must not count anything itself; the names of the metrics are the functions' own.
"""

from aws_cdk import aws_cloudwatch, aws_sns
from constructs import Construct

from building_blocks.alarms import Alarm, Runbook, metric
from lambdas.configure_warehouse import settings as configuring
from lambdas.rotate_password import settings as rotating


class WarehouseAlarms(Construct):
    """Alarms of both functions; a cluster that is paused is no failure, and raises none."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        metrics_namespace: str,
        configuration_service: str,
        rotation_service: str,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        super().__init__(scope, id)

        def counted(name: str, dimension: str, service: str) -> aws_cloudwatch.Metric:
            return metric(namespace=metrics_namespace, name=name, dimensions={dimension: service}, statistic="Sum")

        Alarm(
            self,
            "ConfigurationsFailed",
            metric=counted(configuring.METRIC_FAILED, configuring.METRIC_DIMENSION, configuration_service),
            threshold=0,
            meaning="A cluster could not be made what is declared: rights are as they were before.",
            runbook=Runbook.WAREHOUSE_IS_NOT_CONFIGURED,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "DriftFound",
            metric=counted(configuring.METRIC_DRIFT, configuring.METRIC_DIMENSION, configuration_service),
            threshold=0,
            meaning="Somebody changed a cluster by hand: it has rights that are not declared, or lacks some that are.",
            runbook=Runbook.DRIFT_WAS_FOUND,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "RowPoliciesWaiting",
            metric=counted(configuring.METRIC_OPEN, configuring.METRIC_DIMENSION, configuration_service),
            threshold=0,
            meaning="A row policy is declared for a table that is not there: it hides nothing.",
            runbook=Runbook.WAREHOUSE_IS_NOT_CONFIGURED,
            topic=alarm_topic,
        )
        Alarm(
            self,
            "StepsFailed",
            metric=counted(rotating.METRIC_STEPS_FAILED, rotating.METRIC_DIMENSION, rotation_service),
            threshold=0,
            meaning="A step of a password's rotation failed; until the next attempt a person may be locked out.",
            runbook=Runbook.ROTATION_FAILED,
            topic=alarm_topic,
        )
