"""What the show catalog's ingest function is told by its environment.

It must not import anything heavy: it is read at every cold start and at synth.
"""

from dataclasses import dataclass

from lambdas.shared.environment import PowertoolsSettings


@dataclass(frozen=True, kw_only=True)
class Settings(PowertoolsSettings):
    """Environment of the show catalog's ingest function."""

    stream_name: str
    """Kinesis data stream that catalog entries are put on."""

    catalog_base_url: str
    """Base URL of the catalog service's HTTP API, without a trailing slash."""

    catalog_token_secret_arn: str
    """Secrets Manager secret whose string is the bearer token of the catalog API."""

    dead_letter_queue_url: str
    """SQS queue for messages that can never succeed; each is sent there with its reason."""

    filtered_fields: tuple[str, ...] = ()
    """Names of catalog fields that must not reach the stream, at any depth."""

    request_timeout_seconds: float = 5.0
    """Time-out of one call of the catalog API (connect and read, each)."""

    max_attempts: int = 3
    """Calls of the catalog API for one show within one invocation, the first included."""

    retry_backoff_seconds: float = 0.2
    """First wait between two attempts; it doubles, with full jitter."""
