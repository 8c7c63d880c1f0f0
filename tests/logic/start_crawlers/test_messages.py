"""Whose files a message is about, and which messages are about none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contracts.datasets import DATASETS
from lambdas.shared.failures import CanNeverSucceedError
from lambdas.start_crawlers.messages import Announcement, read_announcement


def _read(body: object) -> Announcement:
    text = body if isinstance(body, str) else json.dumps(body)
    attributes = {"SentTimestamp": "1795000000500", "ApproximateReceiveCount": "3"}
    return read_announcement({"messageId": "m", "receiptHandle": "r", "body": text, "attributes": attributes})


def _files(*keys: str) -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": key}}} for key in keys]}


def test_a_notice_says_when_it_came_and_how_often() -> None:
    announcement = _read(_files("batch/shows/a.json"))
    assert (announcement.arrived_s, announcement.receives, announcement.receipt_handle) == (1_795_000_000.5, 3, "r")


@pytest.mark.parametrize("dataset", [dataset.name for dataset in DATASETS])
def test_a_file_belongs_to_the_dataset_whose_prefix_it_lies_below(dataset: str) -> None:
    announcement = _read(_files(f"batch/{dataset}/2026-11-18/a+b%2Bc+%C3%BC.csv"))
    assert announcement.datasets == {dataset}
    assert (announcement.files, announcement.foreign) == (1, False)


def test_a_notice_that_the_topic_wrapped_is_the_same_as_a_raw_one() -> None:
    notice = _files("batch/shows/a.json", "batch/catalog/b.csv", "batch/shows/c.json")
    wrapped = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(notice)}
    for body in (notice, wrapped):
        announcement = _read(body)
        assert announcement.datasets == {"shows", "catalog"}
        assert announcement.files == 3


@pytest.mark.parametrize(
    "key",
    [
        *("batch/payments/a.csv", "batch/a.csv", "batch/shows", "batch/", "batch//a"),
        *("events/shows/a.json", "a/batch/shows/b"),
    ],
)
def test_a_file_that_lies_elsewhere_belongs_to_no_dataset(key: str) -> None:
    announcement = _read(_files(key))
    assert (announcement.datasets, announcement.files, announcement.foreign) == (frozenset(), 0, True)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "not_json"),
        ("[]", "not_an_object"),
        ({}, "no_file"),
        ({"Records": []}, "no_file"),
        ({"Records": "batch/shows/a.json"}, "no_file"),
        ({"Records": [{"s3": {"object": {}}}]}, "no_file"),
        ({"Records": [{"s3": {"object": {"key": 7}}}]}, "no_file"),
        ({"Records": ["x"]}, "no_file"),
        ({"Type": "Notification", "TopicArn": "arn", "Message": "hello"}, "not_json"),
    ],
)
def test_what_is_no_notice_of_a_file_can_never_succeed(body: object, code: str) -> None:
    with pytest.raises(CanNeverSucceedError) as refused:
        _read(body)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")
