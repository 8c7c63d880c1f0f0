"""Read the change messages of an SQS batch, raw or wrapped by SNS; it asks nobody about the show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.ingest_show_catalog.outcomes import Refusal
from lambdas.shared.failures import CanNeverSucceedError
from lambdas.shared.notices import read_notice


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One message that says: this show was added or changed."""

    message_id: str
    """SQS message id; the batch's answer names failures by it."""
    show_id: str
    """The show, as text."""
    changed_at: tuple[object, ...]
    """When the change happened, best source first, as sent: the message says so, else the topic, else the queue."""
    sent_ms: int
    """When the message came to the queue (`SentTimestamp`, epoch milliseconds; 0 when absent)."""


def read_change(record: Mapping[str, Any]) -> Change:
    """The change that one record of an SQS event announces ("Using Lambda with Amazon SQS" page).

    Raises:
        CanNeverSucceedError: the body is not JSON, is no object, or names no show.
    """
    notice = read_notice(record["body"])
    message = notice.content
    sent_ms = int(record.get("attributes", {}).get("SentTimestamp", 0))
    timestamps: list[object] = [sent_ms] if sent_ms else []
    if notice.topic_timestamp is not None:
        timestamps.insert(0, notice.topic_timestamp)
    timestamps.insert(0, message.get("changed_at"))
    return Change(
        message_id=record["messageId"],
        show_id=_show_id(message),
        changed_at=tuple(timestamps),
        sent_ms=sent_ms,
    )


def _show_id(message: Mapping[str, Any]) -> str:
    given = message.get("show_id")
    if given is None:
        given = message.get("id")
    if type(given) is int:
        return str(given)
    if given is None:
        raise _no_show("it has neither show_id nor id")
    if not isinstance(given, str):
        raise _no_show("its show id is neither text nor an integer")
    if not given.strip():
        raise _no_show("its show id is blank")
    if given in (".", ".."):
        raise _no_show("its show id is a dot segment, which no URL path can carry")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise _no_show("its show id holds half of a surrogate pair, which no UTF-8 text can hold") from None
    return given


def _no_show(why: str) -> CanNeverSucceedError:
    return CanNeverSucceedError(code=Refusal.NO_SHOW_ID, sentence=f"The message names no show: {why}.")
