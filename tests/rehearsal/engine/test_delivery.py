"""Topic → queue → function → stream → delivery stream → bucket, whole, and with each of its parts failing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, Json, StartEngine
from tests.rehearsal.engine.shop import FLATTEN, shop

pytest.importorskip("time_machine", reason=NEEDS)

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine


def put(engine: Engine, *lines: str) -> None:
    entries = [{"Data": line.encode(), "PartitionKey": str(n)} for n, line in enumerate(lines)]
    for start in range(0, len(entries), 500):
        engine.client("kinesis").put_records(
            StreamName=engine.outputs("Shop")["StreamName"], Records=entries[start : start + 500]
        )


def objects(engine: Engine, prefix: str = "") -> dict[str, list[Any]]:
    """The lines of every object under a prefix, by key."""
    s3, bucket = engine.client("s3"), engine.outputs("Shop")["Bucket"]
    found = {}
    for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        found[item["Key"]] = [json.loads(line) for line in gzip.decompress(body).splitlines()]
    return found


def landed(engine: Engine) -> list[str]:
    return sorted(line["text"] for lines in objects(engine, "events/").values() for line in lines)


def failures(engine: Engine) -> list[dict[str, Any]]:
    return [line for lines in objects(engine, "errors/").values() for line in lines]


def without(role: str, action: str) -> Any:
    """A mutation that takes one action away from a role."""

    def mutate(template: Json) -> Json:
        for policy in template["Resources"][role]["Properties"]["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                statement["Action"] = [one for one in statement["Action"] if one != action] or ["s3:ListAllMyBuckets"]
        return template

    return mutate


def dropping(logical_id: str) -> Any:
    """A mutation that leaves a resource out."""

    def mutate(template: Json) -> Json:
        del template["Resources"][logical_id]
        return template

    return mutate


def test_everything_published_lands_under_the_synthesized_policies(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    sns = engine.client("sns")
    for number in range(30):
        sns.publish(TopicArn=engine.outputs("Shop")["TopicArn"], Message=f"show-{number:02d}")
    put(engine, "x1\nx2\nx3", "y1")
    engine.settle()
    assert landed(engine) == sorted([*(f"show-{n:02d}" for n in range(30)), "x1", "x2", "x3", "y1"])
    assert engine.refusals == ()
    assert engine.problems == ()
    keys = list(objects(engine))
    assert {key.split("/")[1] for key in keys} == {"kind=s", "kind=x", "kind=y"}
    assert all(key.endswith(".json.gz") and "/hour=2030-01-01-00/Shop-Delivery-" in key for key in keys)


def test_sixty_seconds_of_buffering_do_not_take_sixty_seconds(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    put(engine, "x")
    before = engine.clock.real_seconds
    engine.settle()
    assert engine.clock.jumped_seconds > 60
    assert engine.clock.real_seconds - before < 10
    freshness = [m.value for m in engine.metrics if m.name == "DeliveryToS3.DataFreshness"]
    assert 60 <= freshness[0] < 90


def test_ten_thousand_records_take_seconds(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    put(engine, *(f"x{number:05d}" + "." * 1000 for number in range(10_000)))
    before = engine.clock.real_seconds
    engine.settle()
    assert engine.clock.real_seconds - before < 20
    assert len(landed(engine)) == 10_000


def test_without_the_queue_policy_the_topics_messages_are_refused_and_named(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy(mutate={"Shop": dropping("QueuePolicy")})
    engine.client("sns").publish(TopicArn=engine.outputs("Shop")["TopicArn"], Message="lost")
    engine.settle()
    assert landed(engine) == []
    (refusal,) = engine.refusals
    assert (refusal.principal.arn, refusal.need.action) == ("sns.amazonaws.com", "sqs:SendMessage")
    assert refusal.need.resource == engine.outputs("Shop")["QueueArn"]
    assert "delivery-refused" in [event.kind for event in engine.timeline]


def test_a_refused_delivery_goes_to_the_dead_letters_of_its_subscription(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    def with_letters(template: Json) -> Json:
        resources = template["Resources"]
        letters = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        resources["Subscription"]["Properties"]["RedrivePolicy"] = {"deadLetterTargetArn": letters}
        policy = resources["QueuePolicy"]["Properties"]
        policy["Queues"] = [{"Ref": "DeadLetters"}]
        policy["PolicyDocument"]["Statement"][0]["Resource"] = letters
        return template

    engine = start_engine(shop(tmp_path))
    engine.deploy(mutate={"Shop": with_letters})
    engine.client("sns").publish(TopicArn=engine.outputs("Shop")["TopicArn"], Message="kept")
    engine.settle()
    answer = engine.client("sqs").receive_message(QueueUrl=engine.outputs("Shop")["DeadLettersUrl"])
    assert json.loads(answer["Messages"][0]["Body"])["Message"] == "kept"


def test_a_filter_and_raw_delivery_are_kept(tmp_path: Path, start_engine: StartEngine) -> None:
    def raw(template: Json) -> Json:
        template["Resources"]["Subscription"]["Properties"] |= {
            "RawMessageDelivery": True,
            "FilterPolicy": {"kind": ["show"]},
        }
        return template

    engine = start_engine(shop(tmp_path))
    engine.deploy(mutate={"Shop": raw})
    for kind in ("show", "advert"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        engine.client("sns").publish(
            TopicArn=engine.outputs("Shop")["TopicArn"], Message=kind, MessageAttributes=attributes
        )
    engine.settle()
    assert landed(engine) == ["show"]


@pytest.mark.parametrize(
    ("role", "action"),
    [
        ("DeliveryRole", "s3:PutObject"),
        ("DeliveryRole", "kms:GenerateDataKey"),
        ("DeliveryRole", "kinesis:GetRecords"),
        ("DeliveryRole", "kms:Decrypt"),
    ],
)
def test_a_permission_the_delivery_misses_is_named_and_nothing_is_lost(
    tmp_path: Path, start_engine: StartEngine, role: str, action: str
) -> None:
    from rehearsal.engine.errors import NotSettled

    engine = start_engine(shop(tmp_path))
    engine.deploy(mutate={"Shop": without(role, action)})
    put(engine, "x1", "x2")
    with pytest.raises(NotSettled) as caught:
        engine.settle()
    assert "Delivery stream Shop-Delivery" in str(caught.value)
    assert action in str(caught.value)
    assert {refusal.need.action for refusal in engine.refusals} == {action}
    role_arn = engine.resource("Shop", role).arn
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}}
    engine.authorizer.put_inline_policy(role_arn, "mended", document)
    engine.settle()
    assert landed(engine) == ["x1", "x2"]


def test_the_delivery_is_asked_for_no_permission_but_those_of_the_calls_that_it_makes(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    put(engine, "x1")
    engine.settle()
    role = engine.resource("Shop", "DeliveryRole").arn
    used = {call.need.action for call in engine.calls if call.principal.arn == role}
    assert {action for action in used if action.startswith("s3:")} == {"s3:PutObject"}


def test_a_function_that_may_not_be_invoked_sends_everything_to_the_error_prefix(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy(mutate={"Shop": without("DeliveryRole", "lambda:InvokeFunction")})
    put(engine, "x1")
    engine.settle()
    (line,) = failures(engine)
    assert line["errorCode"] == "Lambda.InvokeAccessDenied"
    assert "lambda:InvokeFunction" in {refusal.need.action for refusal in engine.refusals}


def test_a_function_that_keeps_failing_is_asked_four_times_and_the_batch_kept(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(shop(tmp_path, flatten="def handler(event, context):\n    raise RuntimeError"))
    engine.deploy()
    put(engine, "x1", "x2")
    engine.settle()
    assert len(engine.invocations) == 4
    (key,) = objects(engine, "errors/")
    assert key.startswith("errors/processing-failed/2030-01-01-12/Shop-Delivery-")
    assert {line["errorCode"] for line in failures(engine)} == {"Lambda.FunctionError"}
    assert {line["attemptsMade"] for line in failures(engine)} == {4}
    assert sorted(line["rawData"] for line in failures(engine)) == ["eDE=", "eDI="]


def test_a_function_that_fails_once_is_asked_again_and_nothing_is_doubled(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    engine.faults.fail_function(engine.resource("Shop", "Flatten").arn, 2, kind="timeout")
    put(engine, "x1", "x2")
    engine.settle()
    assert landed(engine) == ["x1", "x2"]
    assert [invocation.outcome for invocation in engine.invocations] == ["fault", "fault", "ok"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("return {", "answers.pop(); return {"), "Lambda.MissingRecordId"),
        (("return {", "answers.append(answers[0]); return {"), "Lambda.DuplicatedRecordId"),
        (('return {"records": answers}', "return answers"), "Lambda.JsonProcessingException"),
        (('"data": base64.b64encode(line.encode()).decode()', '"data": "***"'), "Lambda.JsonProcessingException"),
        (('"result": "Ok"', '"result": "ProcessingFailed"'), "Lambda.ProcessingFailedStatus"),
        (('"data": base64.b64encode(line.encode()).decode()', '"data": "x" * 7_000_000'), "Lambda.FunctionError"),
        (('"partitionKeys": keys', '"partitionKeys": {}'), "DynamicPartitioning.MetadataExtractionFailed"),
    ],
)
def test_a_function_that_breaks_the_contract_is_found_out(
    tmp_path: Path, start_engine: StartEngine, change: tuple[str, str], code: str
) -> None:
    assert change[0] in FLATTEN
    engine = start_engine(shop(tmp_path, flatten=FLATTEN.replace(*change)))
    engine.deploy()
    put(engine, "x1", "x2")
    engine.settle()
    assert landed(engine) == []
    assert [line["errorCode"] for line in failures(engine)] == [code, code]


def test_refused_entries_are_answered_one_by_one(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    engine.faults.refuse_stream_entries(engine.outputs("Shop")["StreamArn"], 2)
    records = [{"Data": b"x", "PartitionKey": str(n)} for n in range(3)]
    answer = engine.client("kinesis").put_records(StreamName=engine.outputs("Shop")["StreamName"], Records=records)
    codes = [entry.get("ErrorCode") for entry in answer["Records"]]
    assert answer["FailedRecordCount"] == 2
    assert codes == ["ProvisionedThroughputExceededException"] * 2 + [None]


def test_a_producer_that_retries_refused_entries_loses_nothing(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    engine.faults.refuse_stream_entries(engine.outputs("Shop")["StreamArn"], 3)
    for number in range(5):
        engine.client("sns").publish(TopicArn=engine.outputs("Shop")["TopicArn"], Message=f"s{number}")
    engine.settle()
    assert landed(engine) == [f"s{number}" for number in range(5)]


def test_sequence_numbers_are_as_long_as_in_aws_and_differ_between_shards(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(shop(tmp_path))
    engine.deploy()
    records = [{"Data": b"x", "PartitionKey": str(n)} for n in range(50)]
    answer = engine.client("kinesis").put_records(StreamName=engine.outputs("Shop")["StreamName"], Records=records)
    numbers = [entry["SequenceNumber"] for entry in answer["Records"]]
    assert len({entry["ShardId"] for entry in answer["Records"]}) == 4
    assert len(set(numbers)) == 50
    assert {len(number) for number in numbers} == {56}


def test_a_disabled_key_stops_the_delivery_until_it_is_enabled(tmp_path: Path, start_engine: StartEngine) -> None:
    from rehearsal.engine.errors import NotSettled

    engine = start_engine(shop(tmp_path))
    engine.deploy()
    put(engine, "x1")
    engine.faults.disable_key(engine.outputs("Shop")["KeyArn"])
    with pytest.raises(NotSettled, match="key is disabled"):
        engine.settle()
    assert any("KMS.DisabledException" in problem for problem in engine.problems)
    engine.faults.enable_key(engine.outputs("Shop")["KeyArn"])
    engine.settle()
    assert landed(engine) == ["x1"]


def test_more_than_five_hundred_partitions_overflow_into_the_error_prefix(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    flatten = FLATTEN.replace('data.decode()[:1] or "none"', "data.decode()")
    engine = start_engine(shop(tmp_path, flatten=flatten))
    engine.deploy()
    put(engine, *(f"key{number}" for number in range(510)))
    engine.settle()
    keys = engine.client("s3").list_objects_v2(Bucket=engine.outputs("Shop")["Bucket"], Prefix="events/")
    assert keys["KeyCount"] == 500
    assert len(failures(engine)) == 10
    assert next(iter(objects(engine, "errors/"))).startswith("errors/activePartitionExceeded/")
