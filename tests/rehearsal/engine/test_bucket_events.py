"""Bucket → topic → queues: which events reach which queue, and in what form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, Json, StartEngine, one_stack
from tests.rehearsal.engine.crawled import bucket, depth, policy, queue

pytest.importorskip("time_machine", reason=NEEDS)

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine


def messages(engine: Engine, name: str) -> list[Json]:
    """The bodies in a queue."""
    found: list[Json] = []
    url = engine.resource("App", name).physical_id
    while batch := engine.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in batch]
    return found


def record(body: Json) -> Json:
    event = json.loads(body["Message"]) if body.get("Type") == "Notification" else body
    (only,) = event["Records"]
    found: Json = only
    return found


@pytest.fixture
def app(tmp_path: Path) -> Path:
    resources = {
        **bucket(),
        **queue("Shows", folder="batch/shows/"),
        **queue("Creators", folder="batch/creators/", raw=True),
    }
    return one_stack(tmp_path, resources)


def test_a_filter_on_the_body_brings_each_event_to_the_queue_of_its_folder(
    app: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(app)
    engine.deploy()
    name, s3 = engine.resource("App", "Bucket").physical_id, engine.client("s3")
    for key in ("batch/shows/a.json", "batch/creators/b.json", "batch/showsother/c.json", "elsewhere/d.json"):
        s3.put_object(Bucket=name, Key=key, Body=b"{}")
    engine.settle()
    (enveloped,) = messages(engine, "Shows")
    assert enveloped["Type"] == "Notification"
    assert enveloped["TopicArn"] == engine.resource("App", "Topic").arn
    assert record(enveloped)["s3"]["object"]["key"] == "batch/shows/a.json"
    (bare,) = messages(engine, "Creators")
    assert record(bare)["s3"]["object"]["key"] == "batch/creators/b.json"


def test_a_test_event_passes_no_filter_on_keys(app: Path, start_engine: StartEngine) -> None:
    engine = start_engine(app)
    engine.deploy()
    engine.settle()
    assert (depth(engine, "Shows"), depth(engine, "Creators")) == (0, 0)


@pytest.mark.parametrize("versioned", [False, True])
def test_removals_are_told_with_their_name_key_and_virtual_time(
    app: Path, start_engine: StartEngine, versioned: bool
) -> None:
    engine = start_engine(app)

    def keeping(template: dict[str, Any]) -> dict[str, Any]:
        if versioned:
            template["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"] = {"Status": "Enabled"}
        return template

    engine.deploy(mutate={"App": keeping})
    name, s3 = engine.resource("App", "Bucket").physical_id, engine.client("s3")
    for key in ("batch/shows/a b+ä.json", "batch/shows/c.json", "batch/shows/d.json"):
        s3.put_object(Bucket=name, Key=key, Body=b"{}")
    engine.advance(3600)
    s3.delete_object(Bucket=name, Key="batch/shows/a b+ä.json")
    gone = [{"Key": "batch/shows/c.json"}, {"Key": "batch/shows/d.json"}]
    s3.delete_objects(Bucket=name, Delete={"Objects": gone})
    engine.settle()
    told = [record(body) for body in messages(engine, "Shows")]
    removed = [one for one in told if one["eventName"].startswith("ObjectRemoved:")]
    expected = "ObjectRemoved:DeleteMarkerCreated" if versioned else "ObjectRemoved:Delete"
    assert {one["eventName"] for one in removed} == {expected}
    keys = sorted(one["s3"]["object"]["key"] for one in removed)
    assert keys == ["batch/shows/a+b%2B%C3%A4.json", "batch/shows/c.json", "batch/shows/d.json"]
    assert all(one["eventTime"].startswith("2030-01-01T13:00:0") for one in removed)
    assert {one["eventName"] for one in told} - {expected} == {"ObjectCreated:Put"}


def test_an_upload_in_parts_is_told_once(app: Path, start_engine: StartEngine) -> None:
    engine = start_engine(app)
    engine.deploy()
    name, s3 = engine.resource("App", "Bucket").physical_id, engine.client("s3")
    place = {"Bucket": name, "Key": "batch/shows/big.json"}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    tag = s3.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"{}")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload=parts)
    engine.settle()
    assert [record(body)["eventName"] for body in messages(engine, "Shows")] == [
        "ObjectCreated:CompleteMultipartUpload"
    ]


@pytest.mark.parametrize(
    ("filter_policy", "passes"),
    [
        ({"Records": {"eventName": [{"prefix": "ObjectRemoved:"}]}}, False),
        ({"Records": {"eventName": [{"prefix": "ObjectRemoved:"}, {"prefix": "ObjectCreated:"}]}}, True),
        ({"Records": {"eventName": ["ObjectCreated:Put"], "s3": {"object": {"key": [{"suffix": ".json"}]}}}}, True),
        ({"Records": {"eventName": ["ObjectCreated:Put"], "s3": {"object": {"key": [{"suffix": ".csv"}]}}}}, False),
        ({"Records": {"s3": {"object": {"key": [{"anything-but": {"prefix": "batch/shows/"}}]}}}}, False),
        ({"Records": {"s3": {"object": {"size": [{"numeric": [">", 1, "<=", 2]}]}}}}, True),
        ({"Records": {"s3": {"nothing": {"key": ["x"]}}}}, False),
    ],
)
def test_policies_on_the_body_hold_for_what_is_nested_in_lists(
    tmp_path: Path, start_engine: StartEngine, filter_policy: Json, passes: bool
) -> None:
    resources = {**bucket(), **queue("Shows", folder="batch/")}
    resources["ShowsSubscription"]["Properties"]["FilterPolicy"] = filter_policy
    engine = start_engine(one_stack(tmp_path, resources))
    engine.deploy()
    name = engine.resource("App", "Bucket").physical_id
    engine.client("s3").put_object(Bucket=name, Key="batch/shows/a.json", Body=b"{}")
    engine.settle()
    assert depth(engine, "Shows") == int(passes)


def test_a_refused_topic_loses_the_event_and_says_so(app: Path, start_engine: StartEngine) -> None:
    engine = start_engine(app)
    engine.deploy()
    topic = engine.resource("App", "Topic").arn
    engine.account.authorizer.put_resource_policy(topic, policy("s3.amazonaws.com", "sns:Subscribe", topic))
    name = engine.resource("App", "Bucket").physical_id
    engine.client("s3").put_object(Bucket=name, Key="batch/shows/a.json", Body=b"{}")
    engine.settle()
    assert depth(engine, "Shows") == 0
    assert [refusal.need.action for refusal in engine.refusals] == ["sns:Publish"]
