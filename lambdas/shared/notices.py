"""Read a queue's message that SNS wrapped or that came as it is; it knows no subject.

It must not guess: what is no JSON object is refused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from contracts.reasons import ContractViolation, Reason
from lambdas.shared.exact_json import read
from lambdas.shared.failures import CanNeverSucceedError


class Notice(NamedTuple):
    """What a message says, and when its topic took it (as sent by SNS; None when no topic wrapped it)."""

    content: dict[str, Any]
    topic_timestamp: object


def read_notice(body: str) -> Notice:
    """The JSON object in a message's body, out of its envelope ("Amazon SNS message and JSON formats" page).

    Raises:
        CanNeverSucceedError: the body, or what it wraps, is not JSON or no object.
    """
    content = _object(body)
    inner = content.get("Message")
    if content.get("Type") == "Notification" and "TopicArn" in content and isinstance(inner, str):
        return Notice(_object(inner), content.get("Timestamp"))
    return Notice(content, None)


def _object(text: str) -> dict[str, Any]:
    try:
        content = read(text)
    except ContractViolation as violation:
        sentence = f"The message cannot be read: {violation.sentence}."
        raise CanNeverSucceedError(code=violation.reason, sentence=sentence) from None
    if not isinstance(content, dict):
        raise CanNeverSucceedError(code=Reason.NOT_AN_OBJECT, sentence="The message is JSON, but no JSON object.")
    return content
