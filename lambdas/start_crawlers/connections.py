"""Open what the function talks to, once for each execution environment; it sends nothing itself."""

from __future__ import annotations

from typing import NamedTuple

from lambdas.shared.dead_letters import DeadLetterQueue
from lambdas.start_crawlers.crawlers import GlueCrawlers
from lambdas.start_crawlers.settings import Settings
from lambdas.start_crawlers.source_queue import SourceQueue


class Connections(NamedTuple):
    """What `logic.start_crawlers` takes, by the names of its arguments."""

    crawlers: GlueCrawlers
    source: SourceQueue
    dead_letters: DeadLetterQueue


def connect(settings: Settings) -> Connections:
    """Connections by the function's settings. Nothing is called before it is needed."""
    # At first need: the import and the first client take longer than all else of a cold start together.
    import boto3
    from botocore.config import Config

    # Short, because the default of 60 s for each wait and five attempts would outlive the invocation.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
    sqs = boto3.client("sqs", config=config)
    return Connections(
        crawlers=GlueCrawlers(glue=boto3.client("glue", config=config), name_prefix=settings.crawler_name_prefix),
        source=SourceQueue(sqs=sqs, queue_url=settings.queue_url),
        dead_letters=DeadLetterQueue(sqs=sqs, queue_url=settings.dead_letter_queue_url),
    )
