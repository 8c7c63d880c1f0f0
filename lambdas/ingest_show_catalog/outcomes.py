"""What can become of a change message, in the function's own words: refusals and the metrics' names.

It must not decide which of them applies.
"""

from __future__ import annotations

from enum import StrEnum

METRIC_API_CALLS = "ApiCalls"
"""Requests that were sent to the catalog service, repeats included (count)."""

METRIC_API_UNAUTHORIZED = "ApiUnauthorized"
"""Shows for which the catalog service refused the token, or for which no token could be read (count)."""

METRIC_SHOWS_PUBLISHED = "ShowsPublished"
"""Catalog entries that are on the stream (count)."""

METRIC_DEAD_LETTERED = "DeadLettered"
"""Messages that the function sent to the dead-letter queue itself (count)."""

METRIC_MESSAGES_FAILED = "MessagesFailed"
"""Messages that went back to the queue for another try (count)."""

METRIC_REFUSED_ENTRIES = "RefusedEntries"
"""Entries that Kinesis refused, each time that it did (count)."""

METRIC_MISSING_OPTIONAL_COLUMNS = "MissingOptionalColumns"
"""Optional columns of the contract that published entries left empty (count)."""

METRIC_UNKNOWN_FIELDS = "UnknownFields"
"""Fields of published entries that the contract does not know (count)."""

METRICS = (
    METRIC_API_CALLS,
    METRIC_API_UNAUTHORIZED,
    METRIC_SHOWS_PUBLISHED,
    METRIC_DEAD_LETTERED,
    METRIC_MESSAGES_FAILED,
    METRIC_REFUSED_ENTRIES,
    METRIC_MISSING_OPTIONAL_COLUMNS,
    METRIC_UNKNOWN_FIELDS,
)
"""Every metric of the function; each is emitted with each batch, a zero too, so that alarms have data."""


class Refusal(StrEnum):
    """Reason codes of dead letters beside those of `contracts.reasons.Reason`."""

    NO_SHOW_ID = "no_show_id"
    """The message names no show that could be asked for."""
    SHOW_NOT_FOUND = "show_not_found"
    """The catalog service does not have the show (404) or no longer (410)."""
    SHOW_REFUSED = "show_refused"
    """The catalog service will not answer for this show (400, 414, 422 or 451)."""
    ANSWER_NOT_JSON = "answer_not_json"
    """The catalog service answered with something that is no JSON text."""
    ANSWER_NOT_AN_OBJECT = "answer_not_an_object"
    """The catalog service answered with JSON that is no object."""
    TOO_LARGE = "too_large"
    """The catalog service's answer is too long to be read, or its entry for a record of the stream."""
    WRONG_SHOW = "wrong_show"
    """The catalog service answered with another show than the one that was asked for."""
