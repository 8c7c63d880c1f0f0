"""One crawl: what is listed and drained at its beginning, what is read, inferred and written at its end.

It must not decide when it begins and ends; every call is made with the crawler's role.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.crawlers.catalog import Catalog, Changes
from rehearsal.engine.crawlers.definition import Definition, Target
from rehearsal.engine.crawlers.events import Drained, EventQueue
from rehearsal.engine.crawlers.reading import CsvRules, FileFacts, read
from rehearsal.engine.crawlers.tables import table_folder, tables
from rehearsal.engine.services.logs import authorize_key

ACTING = "glue.amazonaws.com"
SESSION = "AWS-Crawler"
_ABSENT = {"NoSuchKey", "404"}


@dataclass(frozen=True, kw_only=True)
class Classifiers:
    """The custom classifiers of a crawler."""

    csv: tuple[CsvRules, ...] = ()
    json_rows: bool = False


@dataclass(kw_only=True)
class Memory:
    """What a crawler knows from its earlier crawls: the files, and the tables it wrote with their partitions.

    ``version`` is that of the crawler at its last successful crawl; 0 before one.
    """

    version: int = 0
    files: dict[tuple[str, str], FileFacts] = field(default_factory=dict)
    tables: dict[str, tuple[str, frozenset[tuple[str, ...]]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Listed:
    bucket: str
    key: str
    etag: str


class Crawl:
    """One crawl of one crawler, from the moment it was started.

    Public attributes are what ``ListCrawls`` and ``GetCrawler`` tell: ``status`` is RUNNING, STOPPING, COMPLETED,
    STOPPED or FAILED.
    """

    def __init__(
        self, account: Account, definition: Definition, classifiers: Classifiers, memory: Memory, log_key: str
    ) -> None:
        self.crawl_id = str(uuid.uuid4())
        self.status = "RUNNING"
        self.start_time = account.clock.now()
        self.end_time: datetime | None = None
        self.error = ""
        self.summary = ""
        self.changes = Changes()
        self.definition = definition
        self.log_group, self.log_stream, self.message_prefix = definition.log_group, definition.name, self.crawl_id
        self._account, self._classifiers, self._memory, self._log_key = account, classifiers, memory, log_key
        self._drained: dict[Target, Drained] = {}
        self._listed: list[_Listed] = []
        self._seen: set[tuple[str, str]] = set()
        self._full = True

    def advance(self) -> None:
        """moto moves a crawl on when it is listed; this one moves with the clock alone."""

    def begin(self) -> int:
        """Assume the role, drain the queue, list; gives how many files are to be read.

        Raises:
            ClientError, rehearsal.engine.iam.AccessDenied: the role may not.
        """
        definition = self.definition
        self._prepare_log()
        self.log("BENCHMARK", f"Running Start Crawl for Crawler {definition.name}")
        self._catalog().check()
        # After an edit, or before the first success, everything is listed (Glue guide, "Accelerating crawls using
        # Amazon S3 event notifications").
        self._full = not definition.event_mode or self._memory.version != definition.version
        folders: set[str] = set()
        if definition.event_mode:
            # Drained before it is listed, so that what comes in between is seen twice and never missed.
            target = definition.targets[0]
            self._drained[target] = self._queue(target).drain()
            folders = self._drained[target].folders
            self.log(
                "INFO",
                "Crawl is not running in S3 event mode"
                if self._full
                else "The crawl is running by consuming Amazon S3 events.",
            )
        for target in definition.targets:
            prefixes = [(target.prefix, False)] if self._full else [(folder, True) for folder in sorted(folders)]
            for prefix, alone in prefixes:
                self._list(target, prefix, alone=alone)
        for body in (body for drained in self._drained.values() for body in drained.strangers):
            self.log("WARN", f"A message of the event queue is no S3 event: {body[:200]}")
        return len(self._unread())

    def finish(self) -> None:
        """Read what is new, write the catalog, take the messages out of the queue.

        Messages are taken out only now: a crawl that fails finds them again.

        Raises:
            ClientError, rehearsal.engine.iam.AccessDenied: the role may not.
        """
        definition, memory = self.definition, self._memory
        self._read()
        self.log("BENCHMARK", f"Classification complete, writing results to database {definition.database}")
        catalog = self._catalog()
        found = [table for target in definition.targets for table in tables(definition, target, self._files_of(target))]
        if definition.table_threshold and len(found) > definition.table_threshold:
            raise RuntimeError(f"{len(found)} tables were found; the TableThreshold is {definition.table_threshold}")
        written = {}
        for table in found:
            for key, reason in table.left_out:
                self.log("WARN", f"{key} is left out of table {table.name}: {reason}")
            name = catalog.write(table)
            values = frozenset(partition.values for partition in table.partitions)
            written[name] = (table.location, values)
            catalog.remove_partitions(name, sorted(memory.tables.get(name, ("", frozenset()))[1] - values))
        self._tell_of_lonely_problems({one.location for one in found})
        for name in memory.tables.keys() - written.keys():
            catalog.remove(name)
        memory.tables, memory.version = written, definition.version
        for target, drained in self._drained.items():
            self._queue(target).delete(drained)
        self.changes = catalog.changes
        self.summary = json.dumps({"TABLE": self.changes.tables, "PARTITION": self.changes.partitions})
        self.log("BENCHMARK", "Finished writing to Catalog")
        self.log("BENCHMARK", "Crawler has finished running and is in state READY")

    # --- files ----------------------------------------------------------------------------------------

    def _list(self, target: Target, prefix: str, *, alone: bool) -> None:
        """List a prefix; ``alone``: its own objects without those in folders below."""
        known = self._memory.files.keys()
        self._seen |= {
            (bucket, key)
            for bucket, key in known
            if bucket == target.bucket and key.startswith(prefix) and not (alone and "/" in key.removeprefix(prefix))
        }
        arguments: dict[str, Any] = {"Bucket": target.bucket, "Prefix": prefix}
        if alone:
            arguments["Delimiter"] = "/"
        pages = self._client("s3").get_paginator("list_objects_v2").paginate(**arguments)
        for page in pages:
            for one in page.get("Contents", []):
                if not one["Key"].endswith("/"):
                    self._listed.append(_Listed(bucket=target.bucket, key=one["Key"], etag=one["ETag"]))

    def _files_of(self, target: Target) -> list[FileFacts]:
        return [one for (bucket, key), one in self._memory.files.items() if target.holds(bucket, key)]

    def _unread(self) -> list[_Listed]:
        files = self._memory.files
        return [
            one
            for one in self._listed
            if (one.bucket, one.key) not in files or files[one.bucket, one.key].etag != one.etag
        ]

    def _read(self) -> None:
        """Bring the memory up to date; files that are unchanged are not read again."""
        files, client = self._memory.files, self._client("s3")
        unread = self._unread()
        for gone in self._seen - {(one.bucket, one.key) for one in self._listed}:
            files.pop(gone, None)
        for one in unread:
            try:
                content = client.get_object(Bucket=one.bucket, Key=one.key)["Body"].read()
            except ClientError as error:
                if error.response["Error"]["Code"] not in _ABSENT:
                    raise
                files.pop((one.bucket, one.key), None)
                continue
            facts = read(
                one.key,
                one.etag,
                content,
                csv_rules=self._classifiers.csv,
                json_rows=self._classifiers.json_rows,
            )
            files[one.bucket, one.key] = facts
            if facts.note:
                self.log("WARN", f"{one.key}: {facts.note}")

    def _tell_of_lonely_problems(self, locations: set[str]) -> None:
        """Name the files of folders of which no table came, and those above the table level."""
        for target in self.definition.targets:
            for (bucket, key), one in self._memory.files.items():
                if not target.holds(bucket, key):
                    continue
                folder = table_folder(self.definition, target, key)
                if folder is None:
                    self.log("WARN", f"{key} is left out: it lies above the table level")
                elif f"s3://{bucket}/{folder}" not in locations:
                    self.log("WARN", f"{key} is left out: {one.problem}")

    # --- what it works with ---------------------------------------------------------------------------

    def _client(self, service: str) -> Any:
        definition = self.definition
        return self._account.client_as(
            service, definition.role_arn, acting=ACTING, session=SESSION, source_arn=definition.arn
        )

    def _queue(self, target: Target) -> EventQueue:
        return EventQueue(self._account, target, self._principal(), self._client("sqs"))

    def _principal(self) -> iam.Principal:
        return iam.Principal(arn=self.definition.role_arn, kind="role", session=SESSION)

    def _catalog(self) -> Catalog:
        return Catalog(self._client("glue"), self.definition, self.crawl_id, self.log)

    def _prepare_log(self) -> None:
        account, logs, key = self._account, self._client("logs"), self._log_key
        if key:
            # moto does not know AssociateKmsKey, which Glue calls with the role before it logs.
            needs = account.authorizer.needs_of("logs", "AssociateKmsKey", {"logGroupName": self.log_group})
            account.authorizer.authorize(self._principal(), needs)
            authorize_key(account, account.arn("logs", f"log-group:{self.log_group}"), key)
        group = {"logGroupName": self.log_group}
        for create, arguments in (
            (logs.create_log_group, {**group, **({"kmsKeyId": key} if key else {})}),
            (logs.create_log_stream, {**group, "logStreamName": self.log_stream}),
        ):
            try:
                create(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise

    def log(self, level: str, text: str) -> None:
        """Write a line into the crawl's log.

        Raises:
            ClientError: the role may not.
        """
        line = {
            "timestamp": int(self._account.clock.time() * 1000),
            "message": f"[{self.crawl_id}] {level} : {text}",
        }
        self._client("logs").put_log_events(
            logGroupName=self.log_group, logStreamName=self.log_stream, logEvents=[line]
        )

    def end(self, status: str, error: str = "") -> None:
        """Note how it ended: COMPLETED, STOPPED or FAILED."""
        self.status, self.error, self.end_time = status, error, self._account.clock.now()
