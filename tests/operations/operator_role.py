"""The role of an operator: the policy that the commands need, on exact resources, and how to act under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.operations.desk import Desk

OPERATOR = "arn:aws:iam::123456789012:role/operator"
SERVICE = "ecs-tasks.amazonaws.com"


def operator_policy(desk: Desk) -> dict[str, Any]:
    """The calls of the command line, each on its exact resources."""
    account = "eu-west-1:123456789012"
    lake, shows = desk.engine.outputs("Amp-dev-DataLake"), desk.played.deployed
    bucket = f"arn:aws:s3:::{lake['RawBucketName']}"
    files = desk.engine.outputs("Amp-dev-Catalog")
    database = lake["RawDatabaseName"]

    def allow(actions: str, *resources: str, **conditions: Any) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": actions.split(), "Resource": list(resources), **conditions}

    def queue(url: str) -> str:
        return f"arn:aws:sqs:{account}:{url.rsplit('/', 1)[-1]}"

    def key(stack: str, name: str, service: str, actions: str) -> dict[str, Any]:
        via = {"StringEquals": {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com"}}
        return allow(actions, desk.key(stack, name), Condition=via)

    return {
        "Version": "2012-10-17",
        "Statement": [
            allow("cloudformation:DescribeStacks", f"arn:aws:cloudformation:{account}:stack/Amp-dev-*/*"),
            allow("s3:ListBucket", bucket),
            allow("s3:GetObject", *(f"{bucket}/{zone}/*" for zone in ("quarantine", "firehose-errors", "operations"))),
            allow("s3:PutObject", f"{bucket}/operations/*"),
            key("Amp-dev-DataLake", "LakeKey", "s3", "kms:Decrypt kms:GenerateDataKey"),
            allow("kinesis:PutRecords", shows.stream_arn),
            key("Amp-dev-EventStream", "StreamKey", "kinesis", "kms:GenerateDataKey"),
            allow(
                "sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ListMessageMoveTasks "
                "sqs:ReceiveMessage sqs:StartMessageMoveTask",
                queue(shows.dead_letter_queue_url),
                queue(files["DeadLetterQueueUrl"]),
            ),
            allow("sqs:GetQueueAttributes sqs:SendMessage", shows.queue_arn, queue(files["BatchFilesQueueUrl"])),
            key("Amp-dev-ShowCatalog", "CatalogKey", "sqs", "kms:Decrypt kms:GenerateDataKey"),
            key("Amp-dev-Catalog", "CatalogKey", "sqs", "kms:Decrypt kms:GenerateDataKey"),
            allow(
                "glue:GetTables",
                f"arn:aws:glue:{account}:catalog",
                f"arn:aws:glue:{account}:database/{database}",
                f"arn:aws:glue:{account}:table/{database}/*",
            ),
            allow("sns:GetTopicAttributes", lake["AlarmTopicArn"]),
            # These three know no resources ("Actions, resources, and condition keys for Amazon CloudWatch" page).
            allow("cloudwatch:DescribeAlarms cloudwatch:GetMetricData cloudwatch:GetMetricStatistics", "*"),
        ],
    }


def become_operator(desk: Desk, policy: dict[str, Any]) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    authorizer = desk.engine.authorizer
    authorizer.put_role(
        OPERATOR, trust_policy={"Version": "2012-10-17", "Statement": [trust]}, policies={"Operator": policy}
    )
    found = authorizer.credentials(OPERATOR, service=SERVICE, session="anna")
    desk.become(
        {
            "AWS_ACCESS_KEY_ID": found.access_key_id,
            "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
            "AWS_SESSION_TOKEN": found.session_token,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
    )
