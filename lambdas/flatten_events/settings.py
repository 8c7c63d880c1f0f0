"""What the flattening function is told by its environment, and the names of the metrics it emits.

It must not import anything heavy: it is read at every cold start and at synth.
"""

from dataclasses import dataclass

from lambdas.shared.environment import EnvironmentSettings

METRIC_EVENTS = "Events"
"""Events seen, whatever became of them (count)."""

METRIC_LANDED = "Landed"
"""Events landed as rows of their contract's table (count)."""

METRIC_UNKNOWN = "UnknownType"
"""Events of undeclared types, landed whole (count)."""

METRIC_QUARANTINED = "Quarantined"
"""Events routed to the quarantine prefix (count)."""

METRIC_DROPPED = "Dropped"
"""Records answered ``Dropped`` because they were put back on the stream (count)."""

METRIC_FAILED = "Failed"
"""Records answered ``ProcessingFailed``: neither a row nor a quarantine row could carry them (count)."""

METRIC_BLANK = "Blank"
"""Records without a byte that is not white space, answered ``Dropped`` (count)."""

METRIC_DERIVED_IDS = "DerivedEventIds"
"""Events whose producer sent no event id (count)."""

METRIC_UNKNOWN_FIELDS = "UnknownFields"
"""Fields that no contract names, kept in the extra column (count)."""

METRIC_COLLISIONS = "CollidingFields"
"""Fields among those whose flat name is a column's (count)."""

METRIC_DIMENSION = "service"
"""The one dimension of every metric above; its value is ``Settings.service``."""


@dataclass(frozen=True, kw_only=True)
class Settings(EnvironmentSettings):
    """Environment of the flattening function.

    The stream that records are put back on is not here: each Firehose request names it
    (``sourceKinesisStreamArn``).
    """

    metrics_namespace: str
    """CloudWatch namespace of the metrics; one per stage, so that two stages in an account stay apart."""

    service: str
    """Value of the ``service`` dimension of every metric and of the ``service`` key of every log line."""

    max_response_bytes: int = 6_000_000
    """Bytes of response after which the rest is put back (a response over 6 MB is refused; "Firehose data
    transformation" page)."""

    max_reingestions: int = 3
    """How many times one record may go back to the stream; after that it goes to Firehose's error prefix."""
