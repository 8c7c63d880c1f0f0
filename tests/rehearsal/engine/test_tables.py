"""DynamoDB tables: created as declared, their key asked of every caller, their streams as DynamoDB writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.engine.assemblies import NEEDS, Json, StartEngine, allow, att, one_stack

pytest.importorskip("time_machine", reason=NEEDS)

from rehearsal.engine.errors import DeploymentFailed, Unsupported

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

KEY_POLICY: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}


def table(**properties: Any) -> Json:
    """A table of settings by cluster and item."""
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "TableName": "settings",
            "AttributeDefinitions": [
                {"AttributeName": "cluster", "AttributeType": "S"},
                {"AttributeName": "item", "AttributeType": "S"},
            ],
            "KeySchema": [
                {"AttributeName": "cluster", "KeyType": "HASH"},
                {"AttributeName": "item", "KeyType": "RANGE"},
            ],
            "BillingMode": "PAY_PER_REQUEST",
            **properties,
        },
    }


def encrypted_app(folder: Path, *key_statements: Json) -> Path:
    """A table with a key and a stream, and a managed policy that lets its holder use the table."""
    statements = [
        allow(["dynamodb:PutItem", "dynamodb:GetItem"], att("Table")),
        allow(
            ["dynamodb:DescribeStream", "dynamodb:GetShardIterator", "dynamodb:GetRecords"], att("Table", "StreamArn")
        ),
        *key_statements,
    ]
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": KEY_POLICY}},
        "Table": table(
            SSESpecification={"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": att("Key")},
            StreamSpecification={"StreamViewType": "KEYS_ONLY"},
        ),
        "Policy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
        },
    }
    return one_stack(folder, resources, Outputs={"Stream": {"Value": att("Table", "StreamArn")}})


def item(called: str, **values: str) -> Json:
    return {"cluster": {"S": "one"}, "item": {"S": called}, **{key: {"S": value} for key, value in values.items()}}


def records(engine: Engine, client: Any = None) -> list[Json]:
    """All records of the table's stream."""
    streams, arn = client or engine.client("dynamodbstreams"), engine.outputs("App")["Stream"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    found: list[Json] = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return found


def test_a_table_is_what_its_template_says(tmp_path: Path, start_engine: StartEngine) -> None:
    declared = table(
        DeletionProtectionEnabled=True,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        Tags=[{"Key": "zone", "Value": "settings"}],
    )
    engine = start_engine(one_stack(tmp_path, {"Table": declared}))
    engine.deploy()

    client = engine.client("dynamodb")
    described = client.describe_table(TableName="settings")["Table"]
    assert [key["AttributeName"] for key in described["KeySchema"]] == ["cluster", "item"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert described["DeletionProtectionEnabled"] is True
    assert "LatestStreamArn" not in described
    backups = client.describe_continuous_backups(TableName="settings")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    tags = client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
    assert tags == [{"Key": "zone", "Value": "settings"}]


def test_a_table_of_provisioned_capacity_must_say_how_much(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, {"Table": table(BillingMode="PROVISIONED")}))
    with pytest.raises(DeploymentFailed, match="ProvisionedThroughput is missing"):
        engine.deploy()


def test_a_property_that_is_not_played_is_refused_by_name(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, {"Table": table(ImportSourceSpecification={"InputFormat": "CSV"})}))
    with pytest.raises(Unsupported, match="ImportSourceSpecification"):
        engine.deploy()


def test_a_key_with_encryption_switched_off_is_refused(tmp_path: Path, start_engine: StartEngine) -> None:
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": KEY_POLICY}},
        "Table": table(SSESpecification={"SSEEnabled": False, "KMSMasterKeyId": att("Key")}),
    }
    engine = start_engine(one_stack(tmp_path, resources))
    with pytest.raises(DeploymentFailed, match="SSEEnabled false"):
        engine.deploy()


VIA = {"Condition": {"StringEquals": {"kms:ViaService": "dynamodb.us-east-1.amazonaws.com"}}}
VIA_ANOTHER = {"Condition": {"StringEquals": {"kms:ViaService": "sqs.us-east-1.amazonaws.com"}}}


def test_items_and_records_are_open_to_those_who_may_decrypt_through_dynamodb(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(encrypted_app(tmp_path, {**allow(["kms:Decrypt"], att("Key")), **VIA}))
    engine.deploy()
    role = engine.principal("reader", [engine.resource("App", "Policy").arn])

    engine.client("dynamodb", role).put_item(TableName="settings", Item=item("lock"))
    assert engine.client("dynamodb", role).get_item(TableName="settings", Key=item("lock"))["Item"] == item("lock")
    assert [one["dynamodb"]["Keys"] for one in records(engine, engine.client("dynamodbstreams", role))] == [
        item("lock")
    ]


@pytest.mark.parametrize("key_statement", [None, {**allow(["kms:Decrypt"], att("Key")), **VIA_ANOTHER}])
def test_items_and_records_are_closed_without_the_key(
    tmp_path: Path, start_engine: StartEngine, key_statement: Json | None
) -> None:
    engine = start_engine(encrypted_app(tmp_path, *([key_statement] if key_statement else [])))
    engine.deploy()
    role = engine.principal("reader", [engine.resource("App", "Policy").arn])

    with pytest.raises(ClientError, match="kms:Decrypt"):
        engine.client("dynamodb", role).put_item(TableName="settings", Item=item("lock"))
    with pytest.raises(ClientError, match="kms:Decrypt"):
        records(engine, engine.client("dynamodbstreams", role))


def test_each_change_is_one_record_and_a_write_that_changes_nothing_is_none(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(encrypted_app(tmp_path))
    engine.deploy()
    client = engine.client("dynamodb")
    client.put_item(TableName="settings", Item=item("user", name="ana"))
    client.put_item(TableName="settings", Item=item("user", name="ana"))
    client.put_item(TableName="settings", Item=item("user", name="bea"))
    update = {"UpdateExpression": "SET #n = :n", "ExpressionAttributeNames": {"#n": "name"}}
    for name in ("cem", "cem"):
        client.update_item(
            TableName="settings", Key=item("other"), ExpressionAttributeValues={":n": {"S": name}}, **update
        )
    client.batch_write_item(RequestItems={"settings": [{"DeleteRequest": {"Key": item("user")}}]})
    client.delete_item(TableName="settings", Key=item("user"))

    found = records(engine)
    assert [(one["eventName"], one["dynamodb"]["Keys"]["item"]["S"]) for one in found] == [
        ("INSERT", "user"),
        ("MODIFY", "user"),
        ("INSERT", "other"),
        ("REMOVE", "user"),
    ]
    assert all("NewImage" not in one["dynamodb"] and "OldImage" not in one["dynamodb"] for one in found)
    numbers = [int(one["dynamodb"]["SequenceNumber"]) for one in found]
    assert numbers == list(range(numbers[0], numbers[0] + 4))
