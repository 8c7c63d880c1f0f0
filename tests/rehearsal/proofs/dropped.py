"""Batch files under test: dropped and removed by a test's hands, and what crawlers, queues and topics made of them.

It must not judge beyond `Dropped.settle`, which every test ends with: tests do.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb

from contracts.datasets import BATCH_PREFIX
from contracts.lake import Zone
from rehearsal.engine.crawlers.activity import Crawls
from rehearsal.engine.services.sqs import Queues
from tests.rehearsal.proofs.played import Played

FUNCTION = "StartCrawlers"
CATALOG = "Amp-dev-Catalog"
LATE_S = 3_600.0
"""Longer than everything that a crawl, a wait or a queue takes here."""


def json_lines(*rows: Mapping[str, object]) -> bytes:
    """Rows as a file of JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parquet(*rows: Mapping[str, object]) -> bytes:
    """Rows as a Parquet file, by DuckDB, which knows their types from the JSON."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        source, target = Path(folder) / "rows.json", Path(folder) / "rows.parquet"
        source.write_bytes(json_lines(*rows))
        connection.read_json(str(source), format="newline_delimited").write_parquet(str(target))
        return target.read_bytes()


class Dropped:
    """The batch path of a platform that other tests may have used before: it counts from the moment it is made."""

    def __init__(self, played: Played) -> None:
        self.played, self.engine, self.deployed = played, played.engine, played.deployed
        self._glue, self._s3, self._sqs = (self.engine.client(name) for name in ("glue", "s3", "sqs"))
        self._known = {crawl["CrawlId"] for name in self._crawlers() for crawl in self._crawls(name)}
        self._invocations = len(played.outcomes(FUNCTION))
        self._refusals = self._refused()

    # --- acting -------------------------------------------------------------------------------------------

    def put(self, files: Mapping[str, bytes]) -> None:
        """Drop files, by their keys below `batch/`."""
        for key, body in files.items():
            self._s3.put_object(Bucket=self.deployed.raw_bucket, Key=BATCH_PREFIX + key, Body=body)

    def remove(self, *keys: str) -> None:
        """Remove files, by their keys below `batch/`."""
        for key in keys:
            self._s3.delete_object(Bucket=self.deployed.raw_bucket, Key=BATCH_PREFIX + key)

    def crawls_take(self, seconds: float) -> None:
        """Let each crawl from now on take so long."""
        self.engine.account.service(Crawls).takes_s = seconds

    def until(self, happened: Callable[[], object]) -> None:
        """Let the platform work until something has happened."""
        for _ in range(int(LATE_S)):
            if happened():
                return
            self.engine.advance(1)
        raise AssertionError(f"it did not happen within {LATE_S:g} s")

    def hear(self, topic_arn: str) -> Callable[[], list[str]]:
        """Subscribe to a topic; gives what tells all that it has said since."""
        sqs, sns, authorizer = self._sqs, self.engine.client("sns"), self.engine.authorizer
        url = sqs.create_queue(QueueName=f"ear-{len(self._queues())}-{len(self._known)}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        authorizer.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": [statement]})
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        heard: list[str] = []

        def tell() -> list[str]:
            heard.extend(letter["Body"] for letter in self.taken(url))
            return heard

        return tell

    def taken(self, queue_url: str) -> list[dict[str, Any]]:
        """All messages of a queue, which is empty afterwards."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                self._sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            found += answer["Messages"]

    # --- asking -------------------------------------------------------------------------------------------

    def crawls(self, dataset: str) -> list[dict[str, Any]]:
        """The dataset's crawls since, in order."""
        return [crawl for crawl in self._crawls(f"amp-dev-batch-{dataset}") if crawl["CrawlId"] not in self._known]

    def states(self, dataset: str) -> list[str]:
        """How each of these crawls ended, or that it runs."""
        return [crawl["State"] for crawl in self.crawls(dataset)]

    def outcomes(self) -> list[str]:
        """How each run of the function ended since."""
        return self.played.outcomes(FUNCTION)[self._invocations :]

    def table(self, name: str) -> dict[str, Any] | None:
        """A table of the raw database, None when there is none."""
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=self.deployed.databases[Zone.RAW])
        return next((table for page in pages for table in page["TableList"] if table["Name"] == name), None)

    def counts(self, name: str) -> tuple[int, int]:
        """Files and rows of a table as the catalog tells them."""
        table = self.table(name)
        assert table is not None, f"{name} is not in the catalog"
        return int(table["Parameters"]["objectCount"]), int(table["Parameters"]["recordCount"])

    def columns(self, name: str) -> dict[str, str]:
        """Types of a table's columns by their names."""
        table = self.table(name)
        assert table is not None, f"{name} is not in the catalog"
        return {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}

    def deprecated(self, name: str) -> bool:
        """Whether the crawler has marked a table so."""
        table = self.table(name)
        return table is not None and "DEPRECATED_BY_CRAWLER" in table["Parameters"]

    def settle(self, *, refused: Iterable[str] = (), letters: int = 0) -> None:
        """Run until nothing moves; then every queue is empty, and nothing was refused but what is expected.

        Args:
            refused: actions that were to be refused.
            letters: dead letters that there have to be.
        """
        self.played.settle()
        depths = {arn: self.engine.account.service(Queues).depth(arn) for arn in self._queues()}
        dead = sum(depth for arn, depth in depths.items() if "DeadLetters" in arn)
        assert {arn: depth for arn, depth in depths.items() if depth and "DeadLetters" not in arn} == {}
        assert dead == letters
        assert {action for action, _ in self._refused() - self._refusals} == set(refused)
        assert list(self.engine.problems) == []
        running = [name for name in self._crawlers() for crawl in self._crawls(name) if crawl["State"] == "RUNNING"]
        assert running == []

    def _queues(self) -> list[str]:
        return [
            str(one.arn) for one in self.engine.resources() if one.type == "AWS::SQS::Queue" and one.stack == CATALOG
        ]

    def _refused(self) -> set[tuple[str, str]]:
        return {(call.need.action, call.need.resource) for call in self.engine.refusals}

    def _crawlers(self) -> list[str]:
        return list(self._glue.list_crawlers()["CrawlerNames"])

    def _crawls(self, crawler: str) -> list[dict[str, Any]]:
        return list(reversed(self._glue.list_crawls(CrawlerName=crawler, MaxResults=100)["Crawls"]))
