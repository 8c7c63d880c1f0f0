"""Open what the function talks to, once for each execution environment; it sends nothing itself."""

from __future__ import annotations

from typing import NamedTuple

from lambdas.ingest_show_catalog.catalog_api import CatalogApi, SecretToken
from lambdas.ingest_show_catalog.settings import Settings
from lambdas.ingest_show_catalog.stream import EntryStream
from lambdas.shared.dead_letters import DeadLetterQueue


class Connections(NamedTuple):
    """What `logic.ingest` takes, by the names of its arguments."""

    catalog: CatalogApi
    stream: EntryStream
    dead_letters: DeadLetterQueue


def connect(settings: Settings) -> Connections:
    """Connections by the function's settings. Nothing is called before it is needed."""
    # At first need: the import and the first client take longer than all else of a cold start together.
    import boto3
    from botocore.config import Config

    # Short, because the default of 60 s for each wait and five attempts would outlive the invocation.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    return Connections(
        catalog=CatalogApi(
            base_url=settings.catalog_base_url,
            token=SecretToken(
                secrets=boto3.client("secretsmanager", config=config), secret_arn=settings.catalog_token_secret_arn
            ),
            timeout_seconds=settings.request_timeout_seconds,
            max_attempts=settings.max_attempts,
            backoff_seconds=settings.retry_backoff_seconds,
        ),
        stream=EntryStream(
            kinesis=boto3.client("kinesis", config=config),
            stream_name=settings.stream_name,
            max_attempts=settings.max_attempts,
            backoff_seconds=settings.retry_backoff_seconds,
        ),
        dead_letters=DeadLetterQueue(sqs=boto3.client("sqs", config=config), queue_url=settings.dead_letter_queue_url),
    )
