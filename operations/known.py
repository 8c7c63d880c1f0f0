"""Which types and reasons a command can be about; refuses others, which would select nothing without a word."""

from __future__ import annotations

from collections.abc import Collection

from contracts.events import EVENTS
from contracts.reasons import Reason
from contracts.tables import UNKNOWN
from operations.dead_letters import RECEIPTS_USED_UP, UNDELIVERABLE
from operations.failed_records import UNREADABLE
from operations.platform import QUEUES, OperationsError
from operations.selection import Selection

TYPES = frozenset({*(event.type for event in EVENTS), UNKNOWN.name})
"""Types of failed records."""

OF_FUNCTIONS = frozenset(
    {
        "answer_not_an_object",
        "answer_not_json",
        "no_file",
        "no_show_id",
        "show_not_found",
        "show_refused",
        "too_large",
        "unknown_prefix",
        "wrong_show",
    }
)
"""Reason codes that functions give dead letters besides those of the contracts; a test holds them to the functions."""

REASONS = frozenset({*(reason.value for reason in Reason), *OF_FUNCTIONS, UNREADABLE, RECEIPTS_USED_UP, UNDELIVERABLE})
"""Reason codes of the platform. Firehose has codes of its own, all with a dot: `Lambda.FunctionTimedOut`."""


def checked(selection: Selection, *, queues: bool) -> Selection:
    """The selection, if it can select anything; with ``queues`` a dead-letter queue's name is a type too.

    Raises:
        OperationsError: a type or reason that there is not, or a range without an hour.
    """
    _check("type", selection.types, TYPES | (QUEUES.keys() if queues else set()))
    check_reasons(selection.reasons)
    if selection.since and selection.until and selection.since >= selection.until:
        raise OperationsError(
            f"A range without an hour; given: --since {selection.since} --until {selection.until}; allowed: an --until "
            "after --since, as its hour is not part of the range; fix: give a later --until, or leave it out."
        )
    return selection


def check_reasons(reasons: Collection[str]) -> None:
    """Refuse a reason code that neither the platform nor Firehose gives.

    Raises:
        OperationsError: there is one among them.
    """
    _check("reason", [reason for reason in reasons if "." not in reason], REASONS)


def _check(name: str, given: Collection[str], allowed: Collection[str]) -> None:
    strange = sorted(set(given) - set(allowed))
    if strange:
        raise OperationsError(
            f"No record can have this {name}; given: {', '.join(strange)}; allowed: {', '.join(sorted(allowed))}"
            + (", and Firehose's codes, such as Lambda.FunctionTimedOut" if name == "reason" else "")
            + f"; fix: correct --{name}, or leave it out (`explain` shows what there is)."
        )
