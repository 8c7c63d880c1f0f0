"""What a scenario can make go wrong in the played account; each fault lasts for a number of times or until undone."""

from __future__ import annotations

from typing import Literal

from rehearsal.engine.account import Account
from rehearsal.engine.function_model import FunctionFault
from rehearsal.engine.functions import Functions
from rehearsal.engine.services.kinesis import RefusedEntries, Streams
from rehearsal.engine.services.sqs import Queues


class Faults:
    """Faults of one account."""

    def __init__(self, account: Account, disabled_keys: set[str]) -> None:
        self._account, self._disabled_keys = account, disabled_keys

    def refuse_stream_entries(self, stream_arn: str, count: int) -> None:
        """Answer the next ``count`` entries put to a stream with ProvisionedThroughputExceededException, in a 200."""
        streams = self._account.service(Streams)
        streams.stream(stream_arn)
        streams.refused.setdefault(stream_arn, RefusedEntries()).remaining += count

    def fail_function(self, function: str, times: int, *, kind: Literal["error", "timeout", "lost"] = "error") -> None:
        """Let the next ``times`` invocations of a function (name or ARN) fail.

        ``error``: before its code runs. ``timeout``: its whole time passes, nothing has run. ``lost``: its code
        runs to the end, and the caller is told that it failed.
        """
        self._account.service(Functions).add_fault(function, FunctionFault(kind=kind, times=times))

    def deliver_twice(self, queue_arn: str, count: int = 1) -> int:
        """Put a second copy of the first ``count`` messages of a queue into it, with the same message id.

        A message in flight has its copy delivered beside it. Standard queues deliver at least once, so this can
        happen to any message. Gives how many were copied.
        """
        return self._account.service(Queues).duplicate(queue_arn, count)

    def disable_key(self, key_arn: str) -> None:
        """Refuse every use of a KMS key until it is enabled again."""
        self._account.client("kms").disable_key(KeyId=_key_id(key_arn))
        self._disabled_keys.add(key_arn)

    def enable_key(self, key_arn: str) -> None:
        """Let a disabled KMS key be used again."""
        self._account.client("kms").enable_key(KeyId=_key_id(key_arn))
        self._disabled_keys.discard(key_arn)


def _key_id(key_arn: str) -> str:
    return key_arn.rsplit("/", 1)[-1]
