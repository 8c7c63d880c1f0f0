"""The queue in front of asynchronously invoked functions: retries, destinations, dead letters.

It must not know who put an event into it.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_model import FunctionDefinition, InvocationResult
from rehearsal.engine.functions import Functions

ACTING = "lambda.amazonaws.com"
# AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": one minute
# before the second attempt, two before the third; 256 KB was the limit of an event, 1 MB since October 2025.
RETRY_DELAYS_S = (60.0, 120.0)
ASYNC_LIMIT_BYTES = 1_048_576
MAXIMUM_EVENT_AGE_S = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class InvokeConfig:
    """How asynchronous invocations of a function are retried and where their failures go."""

    retries: int = 2
    maximum_age_s: int = MAXIMUM_EVENT_AGE_S
    on_failure: str = ""
    on_success: str = ""


@dataclass(kw_only=True)
class _Event:
    function: str
    payload: bytes
    source: str
    queued: float
    due: float
    attempts: int = 0


class AsyncInvocations:
    """Activity: the queue in front of asynchronously invoked functions."""

    def __init__(self, account: Account) -> None:
        self.name = "Lambda asynchronous invocations"
        self.refusals = 0
        self._account = account
        self._events: deque[_Event] = deque()
        self.configs: dict[str, InvokeConfig] = {}
        self.dead_letters: dict[str, str] = {}

    def enqueue(self, function: str, payload: bytes, *, source: str) -> None:
        """Take an event for a function (name or ARN)."""
        now = self._account.clock.time()
        self._events.append(_Event(function=function, payload=payload, source=source, queued=now, due=now))

    def due(self) -> float | None:
        """When the earliest event is to be tried (again)."""
        return min((event.due for event in self._events), default=None)

    def step(self) -> None:
        """Try the earliest event once; retry it later, or send it where failures go."""
        event = min(self._events, key=lambda one: one.due)
        functions = self._account.service(Functions)
        definition = functions.find(event.function)
        config = self.configs.get(definition.name, InvokeConfig())
        result = functions.invoke(event.function, event.payload, source=f"async {event.source}")
        event.attempts += 1
        now = self._account.clock.time()
        delay = RETRY_DELAYS_S[min(event.attempts, 2) - 1]
        too_old = now + delay - event.queued > config.maximum_age_s
        if not result.ok and event.attempts <= config.retries and not too_old:
            event.due = now + delay
            return
        self._events.remove(event)
        self._tell(definition, config, event, result)

    def waiting(self) -> str:
        """How many events wait, and for which functions."""
        names = sorted({event.function for event in self._events})
        return f"{len(self._events)} events for {', '.join(names)}" if self._events else ""

    def _tell(
        self, definition: FunctionDefinition, config: InvokeConfig, event: _Event, result: InvocationResult
    ) -> None:
        targets = [config.on_success] if result.ok else [config.on_failure]
        envelope = json.dumps(
            {
                "version": "1.0",
                "timestamp": self._account.clock.now().isoformat(),
                "requestContext": {
                    "functionArn": f"{definition.arn}:{definition.version}",
                    "condition": "Success" if result.ok else "RetriesExhausted",
                    "approximateInvokeCount": event.attempts,
                },
                "requestPayload": json.loads(event.payload or b"null"),
                "responsePayload": json.loads(result.payload or b"null"),
            }
        )
        for target in targets:
            if target:
                self._send(definition, target, envelope)
        if not result.ok and definition.name in self.dead_letters:
            self._send(definition, self.dead_letters[definition.name], event.payload.decode())

    def _send(self, definition: FunctionDefinition, target: str, text: str) -> None:
        service = target.split(":")[2]
        try:
            client = self._account.client_as(
                service,
                definition.role_arn,
                acting=ACTING,
                session=definition.name,
                source_arn=definition.arn,
            )
            if service == "sqs":
                account_id, name = target.split(":")[4:6]
                client.send_message(QueueUrl=f"{self._account.endpoint_url}/{account_id}/{name}", MessageBody=text)
            else:
                client.publish(TopicArn=target, Message=text)
        except (ClientError, iam.AccessDenied) as error:
            self._account.records.happened("dead-letter-refused", definition.arn, str(error))
        else:
            self._account.records.happened("dead-lettered", definition.arn, target)
