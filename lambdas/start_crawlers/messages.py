"""Read what the raw bucket says of its batch files; it asks nobody about a crawler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus

from contracts.datasets import BATCH_PREFIX, by_name
from lambdas.shared.failures import CanNeverSucceedError
from lambdas.shared.notices import read_notice

_TEST_EVENT = "s3:TestEvent"
"""What S3 sends once, when a notification is configured ("Event message structure" page)."""


class Refusal(StrEnum):
    """Reason codes of dead letters beside those of `contracts.reasons.Reason`."""

    UNKNOWN_PREFIX = "unknown_prefix"
    """The file lies where no dataset does."""
    NO_FILE = "no_file"
    """The message is no notification of S3 about an object."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """One message of the queue: files of these datasets were created or removed."""

    message_id: str
    """SQS message id; the batch's answer names failures by it."""
    receipt_handle: str
    """By which the message can be postponed."""
    body: str
    """The message as it came."""
    arrived_s: float
    """When it came to the queue, in epoch seconds (`SentTimestamp`), which is no earlier than the files changed."""
    receives: int
    """How often it was received, this time among them (`ApproximateReceiveCount`)."""
    datasets: frozenset[str]
    """Datasets whose files it names."""
    files: int
    """How many files of datasets it names."""
    foreign: bool
    """Whether it names files of no dataset too."""


def read_announcement(record: Mapping[str, Any]) -> Announcement:
    """What one record of an SQS event announces ("Using Lambda with Amazon SQS" page); a test event names no file.

    Raises:
        CanNeverSucceedError: the body is not JSON, or no notification about objects.
    """
    content = read_notice(record["body"]).content
    owners = [] if content.get("Event") == _TEST_EVENT else [_owner(entry) for entry in _entries(content)]
    attributes = record["attributes"]
    return Announcement(
        message_id=record["messageId"],
        receipt_handle=record["receiptHandle"],
        body=record["body"],
        arrived_s=int(attributes["SentTimestamp"]) / 1000,
        receives=int(attributes["ApproximateReceiveCount"]),
        datasets=frozenset(owner for owner in owners if owner is not None),
        files=sum(owner is not None for owner in owners),
        foreign=None in owners,
    )


def unknown_prefix() -> CanNeverSucceedError:
    """Why a message about a file of no dataset is a dead letter."""
    return CanNeverSucceedError(
        code=Refusal.UNKNOWN_PREFIX,
        sentence=f"The file lies in no {BATCH_PREFIX}<dataset>/ that contracts/datasets.py declares.",
    )


def _entries(content: Mapping[str, Any]) -> list[Any]:
    entries = content.get("Records")
    if not isinstance(entries, list) or not entries:
        raise _no_file()
    return entries


def _owner(entry: Any) -> str | None:
    """Name of the dataset whose file the entry is about; None when no dataset owns it."""
    try:
        key = unquote_plus(entry["s3"]["object"]["key"])
    except (KeyError, TypeError, AttributeError):
        raise _no_file() from None
    folder, below, _ = key.removeprefix(BATCH_PREFIX).partition("/")
    owned = key.startswith(BATCH_PREFIX) and below and by_name(folder) is not None
    return folder if owned else None


def _no_file() -> CanNeverSucceedError:
    return CanNeverSucceedError(code=Refusal.NO_FILE, sentence="The message is no notification of S3 about an object.")
