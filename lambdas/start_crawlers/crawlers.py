"""What the function asks of Glue: when a dataset was last crawled, and to crawl it; it decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

COVERING_STATES = ("RUNNING", "COMPLETED")
"""States of a crawl that finds, or found, what was there when it began; a failed or stopped one does not count."""

NEWEST_CRAWLS = 10
"""Crawls that are looked at: enough to pass over failed ones. Were none of them the last good one, a start would be
made that was not needed, and nothing would be lost."""


class GlueCrawlers:
    """The crawlers of the datasets, one each, by the names that they share a beginning of.

    `ListCrawls` rather than `GetCrawler`, because it tells when a running crawl began; the other tells how long it has
    been running, without the unit.
    """

    def __init__(self, *, glue: GlueClient, name_prefix: str) -> None:
        """Remember whom to ask."""
        self._glue = glue
        self._name_prefix = name_prefix

    def latest_start(self, dataset: str) -> float | None:
        """When the last crawl began that runs or ended well, in epoch seconds; None when there is none."""
        answer = self._glue.list_crawls(CrawlerName=self._name_prefix + dataset, MaxResults=NEWEST_CRAWLS)
        starts = [crawl["StartTime"].timestamp() for crawl in answer["Crawls"] if crawl["State"] in COVERING_STATES]
        return max(starts, default=None)

    def start(self, dataset: str) -> bool:
        """Start the dataset's crawler; False when it is running already (`CrawlerRunningException`)."""
        try:
            self._glue.start_crawler(Name=self._name_prefix + dataset)
        except Exception as error:
            if error_name(error) != "CrawlerRunningException":
                raise
            return False
        return True
