"""How a function says that a message failed, and whether it is worth another try.

It must not quote a value of the message: what is said here travels in attributes and stands in logs.
"""

from __future__ import annotations


class CanNeverSucceedError(Exception):
    """The message is beyond help: it goes to the dead-letter queue at once, with a code and a sentence."""

    def __init__(self, *, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class MayYetSucceedError(Exception):
    """The message goes back to the queue, alone; the sentence says why."""


def error_name(error: Exception) -> str:
    """What a client's error is called: the service's code where it has one; never its text, which quotes values."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return str(response.get("Error", {}).get("Code", type(error).__name__))
    return type(error).__name__
