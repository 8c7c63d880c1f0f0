"""SQS's message moves, the redrive of dead-letter queues, which moto lacks: three operations and what they set going.

Who may start one is decided in front, as for every request. Rules: StartMessageMoveTask, ListMessageMoveTasks and
CancelMessageMoveTask in the Amazon SQS API Reference; "Configuring a dead-letter queue redrive" in its guide.
"""

from __future__ import annotations

import base64
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult
from moto.sqs.exceptions import SQSException
from moto.sqs.responses import SQSResponse

from rehearsal.engine.account import Account
from rehearsal.engine.services.sqs import Queues

MOST_PER_SECOND = 500
"""Messages a second: the largest rate that may be asked for, and what is moved where none is."""
MOST_LISTED = 10
STEP_S = 1.0
RUNNING, COMPLETED, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLED", "FAILED"


@dataclass(kw_only=True)
class Move:
    """One task. `due` is when it moves its next messages, in virtual seconds since the epoch."""

    handle: str
    source: str
    destination: str
    rate: int | None
    to_move: int
    started: float
    due: float
    moved: int = 0
    status: str = RUNNING
    failure: str = ""

    def shown(self) -> dict[str, Any]:
        """The task as ListMessageMoveTasks shows it: only one that runs has a handle."""
        optional = {
            "TaskHandle": self.handle if self.status == RUNNING else None,
            "MaxNumberOfMessagesPerSecond": self.rate,
            "FailureReason": self.failure or None,
        }
        return {
            "Status": self.status,
            "SourceArn": self.source,
            "DestinationArn": self.destination,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": int(self.started * 1000),
            **{name: value for name, value in optional.items() if value is not None},
        }


class MessageMoves:
    """The activity of every move.

    A move ends when as many messages went as it found at its start, so that what comes back meanwhile does not keep it
    going, or when none can be received any more.
    """

    name = "SQS message moves"

    def __init__(self, account: Account) -> None:
        self.refusals = 0
        self._account = account
        self._moves: list[Move] = []
        # Requests come on threads of the server, steps on the scheduler's.
        self._lock = threading.Lock()

    # --- the requests ---------------------------------------------------------------------------------

    def start(self, source: str, destination: str, rate: int | None) -> Move:
        """Begin to move what is in ``source``."""
        queues, clock = self._account.service(Queues), self._account.clock
        with self._lock:
            if any(move.source == source for move in self._running()):
                raise SQSException("UnsupportedOperation", f"A message movement task of {source} is running already.")
            task = {"taskId": str(uuid.uuid4()), "sourceArn": source}
            move = Move(
                handle=base64.b64encode(json.dumps(task).encode()).decode(),
                source=source,
                destination=destination,
                rate=rate,
                to_move=len(queues.queue(source).messages),
                started=clock.time(),
                due=clock.time(),
            )
            self._moves.append(move)
            return move

    def newest(self, source: str, count: int) -> list[Move]:
        """The latest moves out of a queue, newest first."""
        return [move for move in reversed(self._moves) if move.source == source][:count]

    def cancel(self, handle: str) -> Move:
        """Stop a move that runs; what was moved stays moved."""
        with self._lock:
            move = next((move for move in self._moves if move.handle == handle), None)
            if move is None:
                raise SQSException("ResourceNotFoundException", "There is no message movement task of this handle.")
            if move.status != RUNNING:
                raise SQSException("UnsupportedOperation", f"A task that is {move.status} cannot be cancelled.")
            move.status = CANCELLED
            return move

    # --- the activity ---------------------------------------------------------------------------------

    def due(self) -> float | None:
        """When the next messages are moved; None when nothing is to be moved."""
        return min((move.due for move in self._running()), default=None)

    def step(self) -> None:
        """Move a second's messages of the move that is due first."""
        with self._lock:
            move = min(self._running(), key=lambda move: move.due, default=None)
            if move is not None:
                self._advance(move)

    def waiting(self) -> str:
        """How far each running move is."""
        return ", ".join(f"{move.moved} of {move.to_move} messages of {move.source} moved" for move in self._running())

    def _running(self) -> list[Move]:
        return [move for move in self._moves if move.status == RUNNING]

    def _advance(self, move: Move) -> None:
        queues = self._account.service(Queues)
        if not queues.exists(move.destination):
            move.status, move.failure = FAILED, "AWS.SimpleQueueService.NonExistentQueue"
            return
        count = min(move.rate or MOST_PER_SECOND, move.to_move - move.moved)
        moved = queues.move(move.source, move.destination, count)
        move.moved += moved
        move.due += STEP_S
        if moved:
            self._account.records.happened("messages-moved", move.source, move.destination, count=moved)
        if move.moved >= move.to_move or moved < count:
            move.status = COMPLETED


def attach(account: Account) -> Callable[[], None]:
    """Answer the three operations in place of moto, which has none of them."""
    moves = MessageMoves(account)
    account.register(moves)
    account.scheduler.add(moves)
    operations = {
        "start_message_move_task": lambda response: _start(account, moves, response),
        "list_message_move_tasks": lambda response: _list(account, moves, response),
        "cancel_message_move_task": lambda response: _cancel(moves, response),
    }
    kept = {name: getattr(SQSResponse, name, None) for name in operations}
    for name, operation in operations.items():
        setattr(SQSResponse, name, operation)

    def undo() -> None:
        for name, method in kept.items():
            if method is None:
                delattr(SQSResponse, name)
            else:
                setattr(SQSResponse, name, method)

    return undo


# --- the API ------------------------------------------------------------------------------------------


def _start(account: Account, moves: MessageMoves, response: Any) -> ActionResult:
    queues = account.service(Queues)
    source, destination = response._get_param("SourceArn"), response._get_param("DestinationArn")
    rate = response._get_param("MaxNumberOfMessagesPerSecond")
    _check_exists(queues, source, "SourceArn")
    if not queues.is_dead_letter_queue(source):
        raise SQSException("InvalidParameterValue", f"SourceArn {source} is the dead-letter queue of no queue.")
    if not destination:
        raise SQSException("UnsupportedOperation", "The rehearsal moves messages to a DestinationArn alone.")
    _check_exists(queues, destination, "DestinationArn")
    if destination == source:
        raise SQSException("InvalidParameterValue", "DestinationArn and SourceArn are the same queue.")
    if rate is not None and not 1 <= int(rate) <= MOST_PER_SECOND:
        text = f"MaxNumberOfMessagesPerSecond given {rate}, allowed is 1 to {MOST_PER_SECOND}."
        raise SQSException("InvalidParameterValue", text)
    move = moves.start(source, destination, None if rate is None else int(rate))
    return ActionResult({"TaskHandle": move.handle})


def _list(account: Account, moves: MessageMoves, response: Any) -> ActionResult:
    source, count = response._get_param("SourceArn"), int(response._get_param("MaxResults") or 1)
    _check_exists(account.service(Queues), source, "SourceArn")
    if not 1 <= count <= MOST_LISTED:
        raise SQSException("InvalidParameterValue", f"MaxResults given {count}, allowed is 1 to {MOST_LISTED}.")
    return ActionResult({"Results": [move.shown() for move in moves.newest(source, count)]})


def _cancel(moves: MessageMoves, response: Any) -> ActionResult:
    move = moves.cancel(response._get_param("TaskHandle"))
    return ActionResult({"ApproximateNumberOfMessagesMoved": move.moved})


def _check_exists(queues: Queues, arn: str, parameter: str) -> None:
    if not queues.exists(arn):
        raise SQSException("ResourceNotFoundException", f"The queue {arn} that {parameter} names does not exist.")
