"""Runs the crawls of the account: begins and ends each in virtual time, and answers for them in the Glue API.

It must not know how a crawl works; that is `Crawl`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from moto.core.responses import ActionResult
from moto.glue.exceptions import CrawlerNotRunningException, CrawlerRunningException
from moto.glue.models import FakeCrawler, GlueBackend
from moto.glue.responses import GlueResponse
from moto.glue.utils import validate_crawl_filters

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.crawlers.crawl import Classifiers, Crawl, Memory
from rehearsal.engine.crawlers.definition import definition_of

_LAST_STATUS = {"COMPLETED": "SUCCEEDED", "STOPPED": "CANCELLED", "FAILED": "FAILED"}
Told = Callable[[Crawl, str], None]
_UNTIL_STOPPED_S = 5.0
_DEFAULT_PAGE = 20
# Parameters of UpdateCrawler → attributes that moto keeps them in.
_EDITABLE = {
    "Role": "role",
    "DatabaseName": "database_name",
    "Description": "description",
    "Targets": "targets",
    "Schedule": "schedule",
    "Classifiers": "classifiers",
    "TablePrefix": "table_prefix",
    "SchemaChangePolicy": "schema_change_policy",
    "RecrawlPolicy": "recrawl_policy",
    "LineageConfiguration": "lineage_configuration",
    "Configuration": "configuration",
    "CrawlerSecurityConfiguration": "crawler_security_configuration",
}


@dataclass(kw_only=True)
class _Running:
    crawl: Crawl
    due: float
    begun: bool = False


class Crawls:
    """Activity: every crawl that runs.

    ``takes_s`` is the virtual time a crawl takes and ``lists_after_s`` when in it the queue is drained and the
    objects are listed: what comes later is the next crawl's. ``files_a_second`` are read beyond the first hundred.
    A scenario may set them. ``classifiers`` and ``log_keys`` (of security configurations) are those of the account.
    """

    def __init__(self, account: Account, told: Told) -> None:
        self.name = "Glue crawlers"
        self.refusals = 0
        self.takes_s, self.lists_after_s, self.files_a_second = 45.0, 10.0, 20.0
        self.classifiers: dict[str, Classifiers] = {}
        self.log_keys: dict[str, str] = {}
        self._account, self._told = account, told
        self._lock = threading.Lock()
        self._running: list[_Running] = []
        self._memories: dict[str, Memory] = {}

    def start(self, crawler: FakeCrawler) -> Crawl:
        """Begin a crawl of a crawler that is at rest."""
        definition = definition_of(_given(crawler), arn=crawler.arn, account=self._account.id)
        classifiers = Classifiers(
            csv=tuple(rules for name in definition.classifiers for rules in self._known(name).csv),
            json_rows=any(self._known(name).json_rows for name in definition.classifiers),
        )
        memory = self._memories.setdefault(definition.name, Memory())
        log_key = self.log_keys.get(definition.security_configuration, "")
        crawl = Crawl(self._account, definition, classifiers, memory, log_key)
        with self._lock:
            self._running.append(_Running(crawl=crawl, due=self._account.clock.time() + self.lists_after_s))
        self._account.records.happened("crawl-started", definition.name, crawl.crawl_id)
        self._told(crawl, "Started")
        return crawl

    def _known(self, name: str) -> Classifiers:
        return self.classifiers.get(name, Classifiers())

    def stop(self, crawl: Crawl) -> None:
        """Let a running crawl end before its time."""
        crawl.status = "STOPPING"
        with self._lock:
            for one in self._running:
                if one.crawl is crawl:
                    one.due = min(one.due, self._account.clock.time() + _UNTIL_STOPPED_S)

    def due(self) -> float | None:
        """When the next crawl lists or ends."""
        with self._lock:
            return min((one.due for one in self._running), default=None)

    def step(self) -> None:
        """Bring the crawl that is due first one phase on; a refusal ends it."""
        with self._lock:
            running = min(self._running, key=lambda one: one.due)
        crawl, started = running.crawl, running.crawl.start_time.timestamp()
        if crawl.status == "STOPPING":
            self._end(running, "STOPPED")
            return
        try:
            if not running.begun:
                files = crawl.begin()
                running.begun = True
                running.due = started + self.takes_s + max(0, files - 100) / self.files_a_second
                return
            crawl.finish()
        except (ClientError, iam.AccessDenied, RuntimeError) as error:
            self._end(running, "FAILED", str(error))
        else:
            self._end(running, "COMPLETED")

    def _end(self, running: _Running, status: str, error: str = "") -> None:
        crawl, records = running.crawl, self._account.records
        crawl.end(status, error)
        with self._lock:
            self._running.remove(running)
        records.happened(f"crawl-{status.lower()}", crawl.definition.name, error or crawl.summary)
        self._told(crawl, _LAST_STATUS[status].capitalize())

    def waiting(self) -> str:
        """Which crawlers run."""
        with self._lock:
            return ", ".join(f"{one.crawl.definition.name} is {one.crawl.status}" for one in self._running)


def _given(crawler: FakeCrawler) -> dict[str, Any]:
    """A crawler that moto keeps, as the parameters of ``CreateCrawler``."""
    kept = {name: getattr(crawler, attribute) for name, attribute in _EDITABLE.items()}
    return {**kept, "Name": crawler.name, "Version": crawler.version}


def _told(crawl: Crawl) -> dict[str, Any]:
    """A crawl as ``ListCrawls`` tells it; one that is being stopped still runs."""
    told = {
        "CrawlId": crawl.crawl_id,
        "State": "RUNNING" if crawl.status == "STOPPING" else crawl.status,
        "StartTime": crawl.start_time,
        "LogGroup": crawl.log_group,
        "LogStream": crawl.log_stream,
        "MessagePrefix": crawl.message_prefix,
        "DPUHour": 0.0,
    }
    extra = {"EndTime": crawl.end_time, "Summary": crawl.summary, "ErrorMessage": crawl.error}
    return {**told, **{name: value for name, value in extra.items() if value}}


def _last(crawl: Crawl) -> dict[str, Any]:
    """A crawl as ``GetCrawler`` tells it in ``LastCrawl``."""
    told = {
        "Status": _LAST_STATUS[crawl.status],
        "StartTime": crawl.start_time,
        "LogGroup": crawl.log_group,
        "LogStream": crawl.log_stream,
        "MessagePrefix": crawl.message_prefix,
    }
    return {**told, "ErrorMessage": crawl.error} if crawl.error else told


def install(account: Account, told: Told) -> Callable[[], None]:
    """Let `Crawls` answer for the crawlers that moto keeps; gives what undoes it.

    Args:
        account: where.
        told: hears of each crawl that was Started, Succeeded, Cancelled or Failed.
    """
    crawls = Crawls(account, told)
    account.register(crawls)
    account.scheduler.add(crawls)
    described, filtered = FakeCrawler.as_dict, GlueBackend.list_crawls.__wrapped__

    def runs(crawler: FakeCrawler) -> bool:
        return bool(crawler.crawls) and crawler.crawls[-1].status in ("RUNNING", "STOPPING")

    def start_crawler(crawler: FakeCrawler) -> None:
        if runs(crawler):
            raise CrawlerRunningException(f"Crawler with name {crawler.name} has already started")
        crawler.crawls.append(crawls.start(crawler))

    def stop_crawler(crawler: FakeCrawler) -> None:
        if not runs(crawler) or crawler.crawls[-1].status == "STOPPING":
            raise CrawlerNotRunningException(f"Crawler with name {crawler.name} isn't running")
        crawls.stop(crawler.crawls[-1])

    def as_dict(crawler: FakeCrawler) -> dict[str, Any]:
        told = {**described(crawler), "CrawlElapsedTime": 0}
        told.pop("LastCrawl", None)
        if runs(crawler):
            elapsed = account.clock.time() - crawler.crawls[-1].start_time.timestamp()
            told["CrawlElapsedTime"] = int(elapsed * 1000)
        ended: list[Any] = [crawl for crawl in crawler.crawls if crawl.status in _LAST_STATUS]
        return {**told, "LastCrawl": _last(ended[-1])} if ended else told

    def answer_list(response: GlueResponse) -> ActionResult:
        given = response.parameters
        filters = validate_crawl_filters(given.get("Filters", []))
        chosen = filtered(response.glue_backend, given["CrawlerName"], filters)
        start, size = int(given.get("NextToken") or 0), int(given.get("MaxResults") or _DEFAULT_PAGE)
        # The newest first.
        page: list[Any] = chosen[::-1][start : start + size]
        answer: dict[str, Any] = {"Crawls": [_told(crawl) for crawl in page]}
        if start + size < len(chosen):
            answer["NextToken"] = str(start + size)
        return ActionResult(answer)

    def update_crawler(response: GlueResponse) -> ActionResult:
        given = response.parameters
        crawler = response.glue_backend.get_crawler(given["Name"])
        if runs(crawler):
            raise CrawlerRunningException(f"Crawler with name {crawler.name} is running")
        definition_of({**_given(crawler), **given}, arn=crawler.arn, account=account.id)
        for name, attribute in _EDITABLE.items():
            if name in given:
                setattr(crawler, attribute, given[name])
        crawler.version += 1
        crawler.last_updated = account.clock.now()
        return ActionResult({})

    return _replacing(
        (FakeCrawler, {"start_crawler": start_crawler, "stop_crawler": stop_crawler, "as_dict": as_dict}),
        (GlueResponse, {"list_crawls": answer_list, "update_crawler": update_crawler}),
    )


def _replacing(*changes: tuple[type, Mapping[str, Callable[..., Any]]]) -> Callable[[], None]:
    """Give moto's classes other methods; gives what takes them away again."""
    before = [(owner, name, owner.__dict__.get(name)) for owner, methods in changes for name in methods]
    for owner, methods in changes:
        for name, method in methods.items():
            setattr(owner, name, method)

    def undo() -> None:
        for owner, name, method in before:
            if method is None:
                delattr(owner, name)
            else:
                setattr(owner, name, method)

    return undo
