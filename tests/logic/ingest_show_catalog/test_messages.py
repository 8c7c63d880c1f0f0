"""Which show a queue's message speaks of, and which messages speak of none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdas.ingest_show_catalog.messages import read_change
from lambdas.shared.failures import CanNeverSucceedError

EVENTS = Path(__file__).parents[2] / "events" / "sqs"


def _sample(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())["Records"][0]
    return record


def _record(body: object) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": "m-1", "body": text, "attributes": {"SentTimestamp": "1794988800650"}}


def test_a_message_wrapped_by_sns_names_its_show_and_when_it_changed() -> None:
    change = read_change(_sample("sns_wrapped"))
    assert change.message_id == "059f36b4-87a3-44ab-83d2-661975830a7d"
    assert change.show_id == "show-1041"
    assert change.changed_at == ("2026-11-18T07:59:58.500Z", "2026-11-18T08:00:00.123Z", 1794988800200)


def test_a_raw_message_names_its_show_and_when_it_was_sent() -> None:
    change = read_change(_sample("raw"))
    assert change.show_id == "show-1041"
    assert change.changed_at == (None, 1794988800650)
    assert change.sent_ms == 1794988800650


def test_a_record_without_attributes_is_read() -> None:
    assert read_change({"messageId": "m-1", "body": '{"show_id": "a"}'}).changed_at == (None,)


@pytest.mark.parametrize(
    ("body", "show_id"),
    [
        ({"show_id": "a", "id": "message-7"}, "a"),
        ({"id": "b"}, "b"),
        ({"show_id": None, "id": "c"}, "c"),
        ({"show_id": 9007199254740993}, "9007199254740993"),
        ({"show_id": "夜話/1 ?&"}, "夜話/1 ?&"),
        ({"show_id": "a", "Type": "Notification", "Message": "not an envelope"}, "a"),
    ],
)
def test_the_show_is_named_by_show_id_or_else_by_id(body: dict[str, object], show_id: str) -> None:
    assert read_change(_record(body)).show_id == show_id


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "not_json"),
        ("show-1", "not_json"),
        ('{"show_id": NaN}', "not_json"),
        ("[" * 100_000, "too_deep"),
        ('{"show_id": "a", "show_id": "b"}', "duplicate_key"),
        ('{"show_id": ' + "9" * 5000 + "}", "out_of_range"),
        ('["show-1"]', "not_an_object"),
        ('"show-1"', "not_an_object"),
        ("{}", "no_show_id"),
        ('{"show_id": ""}', "no_show_id"),
        ('{"show_id": "  "}', "no_show_id"),
        ('{"show_id": true}', "no_show_id"),
        ('{"show_id": 1.5}', "no_show_id"),
        ('{"show_id": ["a"]}', "no_show_id"),
        ('{"show_id": ".."}', "no_show_id"),
        ('{"show_id": "\\ud800"}', "no_show_id"),
        ('{"Type": "Notification", "TopicArn": "arn", "Message": "hello"}', "not_json"),
        ('{"Type": "Notification", "TopicArn": "arn", "Message": "[]"}', "not_an_object"),
        ('{"Type": "SubscriptionConfirmation", "TopicArn": "arn", "Message": "confirm"}', "no_show_id"),
    ],
)
def test_a_message_that_names_no_show_can_never_succeed(body: str, code: str) -> None:
    with pytest.raises(CanNeverSucceedError) as refused:
        read_change(_record(body))
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


def test_a_refusal_quotes_no_value_of_the_message() -> None:
    with pytest.raises(CanNeverSucceedError) as refused:
        read_change(_record('{"show_id": 1.5, "by": "anna@example.org"'))
    assert "anna" not in refused.value.sentence
