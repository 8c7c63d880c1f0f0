"""What Glue's answers about crawls mean for coverage, and how messages are hidden for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.start_crawlers.crawlers import Crawl, GlueCrawlers
from lambdas.start_crawlers.logic import Postponement
from lambdas.start_crawlers.source_queue import SourceQueue


class ServiceError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class FakeGlue:
    def __init__(self, *crawls: tuple[str, int], refusal: str = "") -> None:
        self.crawls, self.refusal = crawls, refusal
        self.asked: list[str] = []

    def list_crawls(self, *, CrawlerName: str, MaxResults: int) -> dict[str, Any]:  # noqa: N803
        self.asked.append(CrawlerName)
        found = [
            {
                "State": state,
                "StartTime": datetime.fromtimestamp(start, UTC),
                **({} if state == "RUNNING" else {"EndTime": datetime.fromtimestamp(start + 50, UTC)}),
            }
            for state, start in self.crawls
        ]
        return {"Crawls": found[:MaxResults]}

    def start_crawler(self, *, Name: str) -> None:  # noqa: N803
        self.asked.append(Name)
        if self.refusal:
            raise ServiceError(self.refusal)


def _crawlers(glue: FakeGlue) -> GlueCrawlers:
    return GlueCrawlers(glue=glue, name_prefix="amp-dev-batch-")  # type: ignore[arg-type]


def test_a_crawl_that_was_stopped_has_failed_and_one_that_runs_has_no_end() -> None:
    glue = FakeGlue(("RUNNING", 400), ("FAILED", 300), ("STOPPED", 200), ("COMPLETED", 100))
    assert _crawlers(glue).crawls("shows") == [
        Crawl(began_s=400),
        Crawl(began_s=300, ended_s=350, failed=True),
        Crawl(began_s=200, ended_s=250, failed=True),
        Crawl(began_s=100, ended_s=150),
    ]
    assert glue.asked == ["amp-dev-batch-shows"]


def test_a_crawler_that_runs_already_is_no_failure() -> None:
    assert _crawlers(FakeGlue(refusal="CrawlerRunningException")).start("shows") is False
    assert _crawlers(FakeGlue()).start("shows") is True


def test_any_other_refusal_is() -> None:
    with pytest.raises(ServiceError):
        _crawlers(FakeGlue(refusal="EntityNotFoundException")).start("shows")


class FakeSqs:
    def __init__(self, *refused: str, broken: bool = False) -> None:
        self.refused, self.broken = refused, broken
        self.calls: list[list[dict[str, Any]]] = []

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "https://queue"
        if self.broken:
            raise TimeoutError
        self.calls.append(Entries)
        failed = [entry["Id"] for entry in Entries if entry["ReceiptHandle"] in self.refused]
        return {"Failed": [{"Id": one, "Code": "MessageNotInflight", "SenderFault": True} for one in failed]}


def _postpone(sqs: FakeSqs, *handles: str) -> list[str]:
    queue = SourceQueue(sqs=sqs, queue_url="https://queue")  # type: ignore[arg-type]
    return queue.postpone([Postponement(message_id=one, receipt_handle=one, seconds=30) for one in handles])


def test_messages_are_hidden_ten_a_call() -> None:
    sqs = FakeSqs()
    assert _postpone(sqs, *[f"r-{number}" for number in range(21)]) == []
    assert [len(call) for call in sqs.calls] == [10, 10, 1]
    assert sqs.calls[2] == [{"Id": "0", "ReceiptHandle": "r-20", "VisibilityTimeout": 30}]


def test_what_could_not_be_hidden_is_told_and_raises_nothing() -> None:
    assert _postpone(FakeSqs("r-1"), "r-1", "r-2") == ["MessageNotInflight"]
    assert _postpone(FakeSqs(broken=True), "r-1") == ["TimeoutError"]
