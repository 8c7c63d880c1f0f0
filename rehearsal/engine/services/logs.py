"""CloudWatch Logs groups and streams; who writes to them does so through the API, as its role."""

from __future__ import annotations

from typing import Any

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

# Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS": what the key policy must
# let the service do.
_KEY_ACTIONS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
)


def _log_group(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("logs")
    name = declaration.name(properties.get("LogGroupName"), longest=512)
    arn = account.arn("logs", f"log-group:{name}")
    arguments: dict[str, Any] = {}
    key = customer_key(account, properties.get("KmsKeyId"))
    if key is not None:
        _check_key(account, declaration, arn, key)
        arguments["kmsKeyId"] = key
    client.create_log_group(logGroupName=name, **arguments)
    if "RetentionInDays" in properties:
        client.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    return Created(ref=name, arn=arn, attributes={"Arn": f"{arn}:*"})


def _check_key(account: Account, declaration: Declaration, arn: str, key: str) -> None:
    try:
        authorize_key(account, arn, key)
    except iam.AccessDenied as error:
        raise declaration.fail(f"the key policy does not let CloudWatch Logs use the key: {error}") from error


def authorize_key(account: Account, arn: str, key: str) -> None:
    """Decide whether CloudWatch Logs may encrypt the log group ``arn`` with a key.

    Raises:
        rehearsal.engine.iam.AccessDenied: the key policy does not let it.
    """
    principal = iam.Principal(arn=f"logs.{account.region}.amazonaws.com", kind="service")
    context = {
        "kms:EncryptionContext:aws:logs:arn": arn,
        "kms:EncryptionContextKeys": ["aws:logs:arn"],
        "aws:SourceArn": arn,
        "aws:SourceAccount": account.id,
    }
    account.authorizer.authorize(
        principal, [iam.Need(action=action, resource=key, context=context) for action in _KEY_ACTIONS]
    )


def _log_stream(account: Account, declaration: Declaration) -> Created:
    name = declaration.name(declaration.properties.get("LogStreamName"), longest=512)
    account.client("logs").create_log_stream(logGroupName=declaration.properties["LogGroupName"], logStreamName=name)
    return Created(ref=name)


def _metric_filter(account: Account, declaration: Declaration) -> Created:
    del account
    return Created(ref=declaration.name(declaration.properties.get("FilterName")))


_NOT_FILTERED = "no metric is made from log lines in a rehearsal"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Logs::LogGroup",
        create=_log_group,
        honoured=("KmsKeyId", "LogGroupName", "RetentionInDays"),
        ignored={
            "LogGroupClass": "classes differ in price and queries, not in what can be written",
            "Tags": "no rule of the rehearsal reads a log group's tags",
        },
    ),
    ResourceType(name="AWS::Logs::LogStream", create=_log_stream, honoured=("LogGroupName", "LogStreamName")),
    ResourceType(
        name="AWS::Logs::MetricFilter",
        create=_metric_filter,
        honoured=("FilterName",),
        ignored={
            "FilterPattern": _NOT_FILTERED,
            "LogGroupName": _NOT_FILTERED,
            "MetricTransformations": _NOT_FILTERED,
        },
        modelled_only=_NOT_FILTERED,
    ),
)
