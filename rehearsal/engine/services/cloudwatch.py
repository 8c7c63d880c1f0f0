"""CloudWatch alarms, which are only modelled: metrics of a rehearsal are compressed in time, so none is evaluated."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType

_WHY = "an alarm's periods mean nothing when waiting is compressed; alarms are not evaluated"


def _alarm(account: Account, declaration: Declaration) -> Created:
    name = declaration.name(declaration.properties.get("AlarmName"), longest=255)
    arn = account.arn("cloudwatch", f"alarm:{name}")
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::CloudWatch::Alarm",
        create=_alarm,
        honoured=("AlarmName",),
        ignored=dict.fromkeys(
            (
                "ActionsEnabled",
                "AlarmActions",
                "AlarmDescription",
                "ComparisonOperator",
                "DatapointsToAlarm",
                "Dimensions",
                "EvaluateLowSampleCountPercentile",
                "EvaluationPeriods",
                "ExtendedStatistic",
                "InsufficientDataActions",
                "MetricName",
                "Metrics",
                "Namespace",
                "OKActions",
                "Period",
                "Statistic",
                "Tags",
                "Threshold",
                "ThresholdMetricId",
                "TreatMissingData",
                "Unit",
            ),
            _WHY,
        ),
        modelled_only=_WHY,
    ),
    ResourceType(
        name="AWS::CloudWatch::CompositeAlarm",
        create=_alarm,
        honoured=("AlarmName",),
        ignored=dict.fromkeys(
            (
                "ActionsEnabled",
                "ActionsSuppressor",
                "ActionsSuppressorExtensionPeriod",
                "ActionsSuppressorWaitPeriod",
                "AlarmActions",
                "AlarmDescription",
                "AlarmRule",
                "InsufficientDataActions",
                "OKActions",
                "Tags",
            ),
            _WHY,
        ),
        modelled_only=_WHY,
    ),
)
