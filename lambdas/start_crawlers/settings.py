"""What the function that starts crawlers is told by its environment, and the names of the metrics it emits.

It must not import anything heavy: it is read at every cold start and at synth.
"""

from dataclasses import dataclass

from lambdas.shared.environment import PowertoolsSettings

METRIC_CRAWLERS_STARTED = "CrawlersStarted"
"""Crawlers that were started (count)."""

METRIC_FILES_COVERED = "FilesCovered"
"""Created and removed files for which a late enough crawl is known that ended well (count)."""

METRIC_MESSAGES_POSTPONED = "MessagesPostponed"
"""Messages that went back to the queue, whatever the reason (count)."""

METRIC_UNKNOWN_PREFIX = "UnknownPrefix"
"""Messages about files that lie where no dataset does, sent to the dead-letter queue (count)."""

METRIC_STARTS_FAILED = "StartsFailed"
"""Crawlers that could be neither asked about nor started, a running one not among them (count)."""

METRICS = (
    METRIC_CRAWLERS_STARTED,
    METRIC_FILES_COVERED,
    METRIC_MESSAGES_POSTPONED,
    METRIC_UNKNOWN_PREFIX,
    METRIC_STARTS_FAILED,
)
"""Every metric of the function; each is emitted with each batch, a zero too, so that alarms have data."""

METRIC_DIMENSION = "service"
"""The one dimension of every metric above; its value is `Settings.powertools_service_name`."""


@dataclass(frozen=True, kw_only=True)
class Settings(PowertoolsSettings):
    """Environment of the function that starts crawlers; which datasets there are it knows from the contracts."""

    crawler_name_prefix: str
    """What the names of the crawlers begin with; the dataset's name follows."""

    queue_url: str
    """SQS queue that feeds the function; messages that must come again later are postponed there."""

    dead_letter_queue_url: str
    """SQS queue for messages about files of no dataset; each is sent there with its reason."""

    held_seconds: float
    """Visibility time-out of the crawlers' own queues: for so long a crawl that failed keeps what it had read."""

    settling_seconds: float = 10.0
    """How long after a message came to this queue a crawl must begin to be sure to find the same message in its own:
    the topic sends both at the same time, and delivers within a moment."""
