"""Needs of requests to Lambda, CloudWatch Logs, CloudWatch metrics and X-Ray.

It must not tell how a function is invoked: that a service does it for a resource is its caller's context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearsal.engine.iam.model import Need
from rehearsal.engine.iam.scope import Parameters, Rule, Scope, anywhere, on, rules


def _function(parameters: Parameters, scope: Scope) -> str:
    """Lambda guide, "Resources and conditions for Lambda actions": a qualifier is part of the ARN."""
    name, qualifier = str(parameters["FunctionName"]), parameters.get("Qualifier")
    if name.startswith("arn:"):
        arn = name
    elif name.count(":") >= 2:  # 123456789012:function:name
        arn = f"arn:{scope.partition}:lambda:{scope.region}:{name}"
    else:
        arn = scope.arn("lambda", f"function:{name}")
    return f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn


def _mapping(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("lambda", f"event-source-mapping:{parameters['UUID']}")


def _invoke(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    return [Need(action="lambda:InvokeFunction", resource=_function(parameters, scope))]


def _log_group(parameters: Parameters, scope: Scope) -> str:
    """Logs guide, "Resources and operations": every action but tagging is decided on `…:<group>:*`."""
    identifier = parameters.get("logGroupIdentifier") or parameters.get("resourceArn")
    if identifier and str(identifier).startswith("arn:"):
        return f"{str(identifier).removesuffix(':*')}:log-stream:"
    name = parameters.get("logGroupName") or identifier or ""
    return scope.arn("logs", f"log-group:{name}:log-stream:{parameters.get('logStreamName') or ''}")


def _tagged_log_group(parameters: Parameters, _scope: Scope) -> str:
    return str(parameters["resourceArn"]).removesuffix(":*")


def _metric_data(parameters: Parameters, _scope: Scope) -> Sequence[Need]:
    context = {"cloudwatch:namespace": str(parameters["Namespace"])}
    return [Need(action="cloudwatch:PutMetricData", resource="*", context=context)]


def _alarm(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("cloudwatch", f"alarm:{parameters['AlarmName']}")


def _alarms(action: str) -> Rule:
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        names = parameters.get("AlarmNames") or ["*"]
        return [Need(action=action, resource=_alarm({"AlarmName": name}, scope)) for name in names]

    return rule


_ALARM_LISTS = ("DescribeAlarms", "DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions")

TABLES: Mapping[str, Mapping[str, Rule]] = {
    "lambda": {
        "Invoke": _invoke,
        "InvokeAsync": _invoke,
        "InvokeWithResponseStream": _invoke,
        **rules(
            "lambda",
            _function,
            "AddPermission CreateAlias CreateFunction DeleteAlias DeleteFunction "
            "DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig GetAlias GetFunction "
            "GetFunctionConcurrency GetFunctionConfiguration GetFunctionEventInvokeConfig GetPolicy "
            "ListAliases ListFunctionEventInvokeConfigs ListVersionsByFunction PublishVersion "
            "PutFunctionConcurrency PutFunctionEventInvokeConfig RemovePermission UpdateAlias "
            "UpdateFunctionCode UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig",
        ),
        **rules("lambda", _mapping, "DeleteEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping"),
        **{
            name: anywhere(f"lambda:{name}")
            for name in ("CreateEventSourceMapping", "ListEventSourceMappings", "ListFunctions", "ListLayers")
        },
    },
    "logs": {
        **rules(
            "logs",
            _log_group,
            "AssociateKmsKey CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream "
            "DeleteMetricFilter DeleteRetentionPolicy DeleteSubscriptionFilter "
            "DescribeLogStreams DescribeMetricFilters DescribeSubscriptionFilters DisassociateKmsKey "
            "FilterLogEvents GetLogEvents PutLogEvents PutMetricFilter PutRetentionPolicy "
            "PutSubscriptionFilter",
        ),
        **rules("logs", _tagged_log_group, "ListTagsForResource TagResource UntagResource"),
    },
    "cloudwatch": {
        "PutMetricData": _metric_data,
        "PutMetricAlarm": on("cloudwatch:PutMetricAlarm", _alarm),
        "PutCompositeAlarm": on("cloudwatch:PutCompositeAlarm", _alarm),
        "SetAlarmState": on("cloudwatch:SetAlarmState", _alarm),
        **{name: _alarms(f"cloudwatch:{name}") for name in _ALARM_LISTS},
        **{name: anywhere(f"cloudwatch:{name}") for name in ("GetMetricData", "GetMetricStatistics", "ListMetrics")},
    },
    "xray": {
        name: anywhere(f"xray:{name}")
        for name in ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
    },
}
