"""What the function asks of Glue: how a dataset was crawled lately, and to crawl it; it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

NEWEST_CRAWLS = 20
"""Crawls that are looked at. Were the one that matters not among them, a start would be made that was not needed, and
nothing would be lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Crawl:
    """One crawl, times in epoch seconds. One that was stopped has failed too."""

    began_s: float
    ended_s: float | None = None
    """None while it runs."""
    failed: bool = False


class GlueCrawlers:
    """The crawlers of the datasets, one each, by the names that they share a beginning of.

    `ListCrawls` rather than `GetCrawler`, because it tells when a running crawl began; the other tells how long it has
    been running, without the unit.
    """

    def __init__(self, *, glue: GlueClient, name_prefix: str) -> None:
        """Remember whom to ask."""
        self._glue = glue
        self._name_prefix = name_prefix

    def crawls(self, dataset: str) -> list[Crawl]:
        """The dataset's newest crawls."""
        answer = self._glue.list_crawls(CrawlerName=self._name_prefix + dataset, MaxResults=NEWEST_CRAWLS)
        return [
            Crawl(
                began_s=crawl["StartTime"].timestamp(),
                ended_s=None if crawl["State"] == "RUNNING" else crawl.get("EndTime", crawl["StartTime"]).timestamp(),
                failed=crawl["State"] not in ("RUNNING", "COMPLETED"),
            )
            for crawl in answer["Crawls"]
        ]

    def start(self, dataset: str) -> bool:
        """Start the dataset's crawler; False when it is running already (`CrawlerRunningException`)."""
        try:
            self._glue.start_crawler(Name=self._name_prefix + dataset)
        except Exception as error:
            if error_name(error) != "CrawlerRunningException":
                raise
            return False
        return True
