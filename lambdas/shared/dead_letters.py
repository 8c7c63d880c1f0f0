"""Send messages that can never succeed to the dead-letter queue, each with its reason; it does not judge them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_LETTERS_PER_CALL = 10
"""Messages of one `SendMessageBatch` (API reference, SendMessageBatch)."""

MAX_BYTES_PER_CALL = 262_144
"""Bytes of one `SendMessageBatch`: the limit of queues that were made before it grew to 1 MiB. A single longer message
is sent alone."""

ATTRIBUTE_REASON_CODE = "reason_code"
ATTRIBUTE_REASON = "reason"
ATTRIBUTE_MESSAGE_ID = "message_id"
ATTRIBUTE_FAILED_AT = "failed_at"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """A message as it came, and why it can never succeed: a code to group by and a sentence for people."""

    message_id: str
    body: str
    reason_code: str
    reason: str

    @property
    def size_bytes(self) -> int:
        """About what it weighs in a batch: body and attributes."""
        return len(self.body.encode(errors="replace")) + len(self.reason.encode()) + 500


class DeadLetterQueue:
    """The queue that dead letters go to, body unchanged, reason as message attributes."""

    def __init__(self, *, sqs: SQSClient, queue_url: str) -> None:
        """Remember where to send."""
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, letters: Sequence[DeadLetter]) -> dict[str, str]:
        """Send letters; gives those that are not in the queue: message id to a sentence that says why."""
        unsent: dict[str, str] = {}
        for chunk in _chunks(letters):
            unsent.update(self._send_chunk(chunk))
        return unsent

    def _send_chunk(self, letters: Sequence[DeadLetter]) -> dict[str, str]:
        failed_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            answer = self._sqs.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[_batch_entry(number, letter, failed_at) for number, letter in enumerate(letters)],
            )
        except Exception as error:
            # Whatever it was: the messages are not in the queue, and go back to where they came from.
            return {letter.message_id: _not_taken(error_name(error)) for letter in letters}
        return {
            letters[int(failed["Id"])].message_id: _not_taken(failed["Code"]) for failed in answer.get("Failed", [])
        }


def _batch_entry(number: int, letter: DeadLetter, failed_at: str) -> SendMessageBatchRequestEntryTypeDef:
    attributes = {
        ATTRIBUTE_REASON_CODE: letter.reason_code,
        ATTRIBUTE_REASON: letter.reason,
        ATTRIBUTE_MESSAGE_ID: letter.message_id,
        ATTRIBUTE_FAILED_AT: failed_at,
    }
    return {
        "Id": str(number),
        "MessageBody": letter.body,
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }


def _not_taken(code: str) -> str:
    return f"The dead-letter queue did not take the message: {code}."


def _chunks(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    chunk: list[DeadLetter] = []
    size = 0
    for letter in letters:
        if chunk and (len(chunk) == MAX_LETTERS_PER_CALL or size + letter.size_bytes > MAX_BYTES_PER_CALL):
            yield chunk
            chunk, size = [], 0
        chunk.append(letter)
        size += letter.size_bytes
    if chunk:
        yield chunk
