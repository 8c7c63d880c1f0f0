"""Look through a dead-letter queue and move messages back to their queue; it judges no message.

A message is looked at by receiving it, and is received again once it is visible: nothing is lost by looking.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.output import Progress
from operations.platform import OperationsError, QueuePair, date_of

ATTRIBUTE_REASON_CODE = "reason_code"
ATTRIBUTES_OF_FAILURE = (
    ATTRIBUTE_REASON_CODE,
    "reason",
    "message_id",
    "failed_at",
    "RequestID",
    "ErrorCode",
    "ErrorMessage",
)
"""Attributes that the ingest function, or a topic, gives to a dead letter; they do not travel back with it."""
RECEIPTS_USED_UP = "receipts_used_up"
UNDELIVERABLE = "undeliverable"
"""Reasons where no function gave one: SQS moved the message after its last receipt, or the topic could not deliver."""

_HIDDEN_S = 600
"""Seconds for which a message stays hidden while others are looked through; a killed command shows it again then."""
_PER_CALL = 10
_WAIT_S = 1
_BYTES_PER_CALL = 250_000
_MAX_LOOKED_AT = 100_000
"""Messages held invisible at once; SQS allows 120,000 in flight ("Amazon SQS message quotas" page)."""
_MOVE_POLL_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter: why (a code and a sentence), since when (ISO 8601), and what a move needs."""

    reason: str
    sentence: str
    failed_at: str
    sent_ms: int
    body: str
    attributes: Mapping[str, Any]
    message_id: str
    receipt: str


@dataclass(kw_only=True, slots=True)
class Moved:
    """What a redrive did. `came_back` failed again while it ran and stays in the dead-letter queue."""

    moved: int = 0
    other_reasons: int = 0
    came_back: int = 0
    failed: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The counts as `--json` writes them."""
        return {name: getattr(self, name) for name in self.__slots__}


class DeadLetters:
    """One dead-letter queue."""

    def __init__(self, sqs: Any, pair: QueuePair) -> None:
        self._sqs, self._pair = sqs, pair
        self.name = pair.name
        self.notes: list[str] = []

    def depth(self) -> int:
        """About how many messages wait, hidden ones included (SQS counts approximately)."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._sqs.get_queue_attributes(QueueUrl=self._pair.dead_letter_url, AttributeNames=list(names))
        return sum(int(found["Attributes"][name]) for name in names)

    @contextmanager
    def looked_through(self) -> Iterator[Iterator[Letter]]:
        """Every letter once; afterwards those that were not deleted can be received again."""
        receipts: dict[str, str] = {}
        try:
            yield self._letters(receipts)
        finally:
            self._show(list(receipts.values()))

    def _letters(self, receipts: dict[str, str]) -> Iterator[Letter]:
        while len(receipts) < _MAX_LOOKED_AT:
            # Waiting asks all servers of the queue, so that empty means empty ("Short and long polling" page).
            answer = self._sqs.receive_message(
                QueueUrl=self._pair.dead_letter_url,
                MaxNumberOfMessages=_PER_CALL,
                VisibilityTimeout=_HIDDEN_S,
                WaitTimeSeconds=_WAIT_S,
                MessageAttributeNames=["All"],
                AttributeNames=["SentTimestamp"],
            )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                known = message["MessageId"] in receipts
                receipts[message["MessageId"]] = message["ReceiptHandle"]
                if not known:
                    yield _letter(message)
        if len(receipts) >= _MAX_LOOKED_AT:
            self.notes.append(
                f"The dead-letter queue of {self._pair.name} holds more than {_MAX_LOOKED_AT:,} messages."
            )

    def _show(self, receipts: Sequence[str]) -> None:
        for start in range(0, len(receipts), _PER_CALL):
            entries = [
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + _PER_CALL])
            ]
            # Messages deleted meanwhile are refused one by one, which changes nothing.
            self._sqs.change_message_visibility_batch(QueueUrl=self._pair.dead_letter_url, Entries=entries)

    # --- moving by reason -----------------------------------------------------------------------------

    def move_by_reason(self, reasons: Sequence[str], *, dry_run: bool, progress: Progress) -> Moved:
        """Send each letter with one of these reasons to its queue, without what marked its failure, then delete it.

        Killed in between, it has lost nothing: what was sent and not deleted is sent again by the next run, under the
        same event id. What fails again while this runs is left, so that it ends.
        """
        moved = Moved()
        started_ms = self._now_ms()
        with self.looked_through() as found:
            waiting: list[Letter] = []
            for letter in found:
                if letter.reason not in reasons:
                    moved.other_reasons += 1
                elif letter.sent_ms > started_ms:
                    moved.came_back += 1
                else:
                    waiting.append(letter)
                if len(waiting) == _PER_CALL or _size(waiting) > _BYTES_PER_CALL:
                    self._move(waiting, moved, dry_run=dry_run)
                    waiting = []
                    progress(f"{moved.moved:,} messages {'would be ' if dry_run else ''}moved")
            self._move(waiting, moved, dry_run=dry_run)
        return moved

    def _now_ms(self) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=self._pair.dead_letter_url, AttributeNames=["QueueArn"])
        return int(date_of(answer).timestamp() * 1000) + 999

    def _move(self, letters: Sequence[Letter], moved: Moved, *, dry_run: bool) -> None:
        if dry_run:
            moved.moved += len(letters)
            return
        for chunk in _chunks(letters):
            entries = [
                {"Id": str(number), "MessageBody": letter.body, "MessageAttributes": letter.attributes}
                for number, letter in enumerate(chunk)
            ]
            sent = self._sqs.send_message_batch(QueueUrl=self._pair.url, Entries=entries)
            moved.failed += [f"{chunk[int(one['Id'])].message_id}: {one['Code']}" for one in sent.get("Failed", [])]
            taken = [
                {"Id": one["Id"], "ReceiptHandle": chunk[int(one["Id"])].receipt} for one in sent.get("Successful", [])
            ]
            if taken:
                deleted = self._sqs.delete_message_batch(QueueUrl=self._pair.dead_letter_url, Entries=taken)
                moved.moved += len(taken)
                moved.failed += [
                    f"{chunk[int(one['Id'])].message_id}: moved, but not deleted ({one['Code']})"
                    for one in deleted.get("Failed", [])
                ]

    # --- moving all -----------------------------------------------------------------------------------

    def move_all(
        self, *, per_second: int | None, progress: Progress, sleep: Callable[[float], None] = time.sleep
    ) -> Moved:
        """Have SQS move every message ("StartMessageMoveTask" page); a task that runs already is followed instead.

        The destination is always named: SQS does not know where a message came from that a function sent.

        Raises:
            OperationsError: SQS refuses the task, or it ends otherwise than completed.
        """
        source, destination = self._arn(self._pair.dead_letter_url), self._arn(self._pair.url)
        if self._running(source) is None:
            given: dict[str, Any] = {"SourceArn": source, "DestinationArn": destination}
            if per_second is not None:
                given["MaxNumberOfMessagesPerSecond"] = per_second
            try:
                self._sqs.start_message_move_task(**given)
            except ClientError as error:
                raise OperationsError(
                    f"SQS does not move the messages of {self._pair.name}: {_code(error)}; allowed: one "
                    "task at a time, on a dead-letter queue of SQS; fix: wait for the other, or where the endpoint "
                    "has no such tasks redrive by reason (`--reason`), which takes them one by one."
                ) from None
        while (task := self._newest(source)) is not None and task["Status"] in ("RUNNING", "CANCELLING"):
            progress(_told(task))
            sleep(_MOVE_POLL_S)
        if task is None or task["Status"] != "COMPLETED":
            status = "nothing is known of it" if task is None else f"{task['Status']} {task.get('FailureReason', '')}"
            raise OperationsError(
                f"The move of {self._pair.name} did not complete: {status}; what was not moved waits in the "
                "dead-letter queue; fix: see to the reason, then run this again."
            )
        return Moved(moved=int(task.get("ApproximateNumberOfMessagesMoved", 0)))

    def _running(self, source: str) -> Mapping[str, Any] | None:
        task = self._newest(source)
        return task if task is not None and task["Status"] == "RUNNING" else None

    def _newest(self, source: str) -> Mapping[str, Any] | None:
        try:
            tasks: list[Mapping[str, Any]] = self._sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)[
                "Results"
            ]
        except ClientError as error:
            raise OperationsError(
                f"The move tasks of {self._pair.name} cannot be listed: {_code(error)}; allowed: SQS, as "
                "an operator; fix: where the endpoint has no such tasks redrive by reason (`--reason`)."
            ) from None
        return tasks[0] if tasks else None

    def _arn(self, url: str) -> str:
        return str(self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code"))


def _told(task: Mapping[str, Any]) -> str:
    moved, all_of_them = task.get("ApproximateNumberOfMessagesMoved", 0), task.get("ApproximateNumberOfMessagesToMove")
    return f"{moved:,} of {'?' if all_of_them is None else f'{all_of_them:,}'} messages moved"


def _letter(message: Mapping[str, Any]) -> Letter:
    attributes = message.get("MessageAttributes", {})
    sent_ms = int(message["Attributes"]["SentTimestamp"])
    otherwise = UNDELIVERABLE if "ErrorCode" in attributes else RECEIPTS_USED_UP
    sent_at = datetime.fromtimestamp(sent_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Letter(
        reason=_text(attributes, ATTRIBUTE_REASON_CODE) or otherwise,
        sentence=_text(attributes, "reason"),
        failed_at=f"{_text(attributes, 'failed_at')[:19]}Z" if _text(attributes, "failed_at") else sent_at,
        sent_ms=sent_ms,
        body=message["Body"],
        attributes={name: value for name, value in attributes.items() if name not in ATTRIBUTES_OF_FAILURE},
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
    )


def _text(attributes: Mapping[str, Any], name: str) -> str:
    return str(attributes.get(name, {}).get("StringValue", ""))


def _size(letters: Sequence[Letter]) -> int:
    return sum(len(letter.body.encode(errors="replace")) for letter in letters)


def _chunks(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Batches that SQS takes: ten messages, and no more bytes than one message may have, a longer one alone."""
    chunk: list[Letter] = []
    for letter in letters:
        if chunk and (len(chunk) == _PER_CALL or _size([*chunk, letter]) > _BYTES_PER_CALL):
            yield chunk
            chunk = []
        chunk.append(letter)
    if chunk:
        yield chunk
