"""The queue that feeds the function, as far as the function itself touches it: messages come back when it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from lambdas.start_crawlers.logic import Postponement

MESSAGES_PER_CALL = 10
"""Messages of one `ChangeMessageVisibilityBatch` (API reference)."""


class SourceQueue:
    """Postpones messages that it will give again."""

    def __init__(self, *, sqs: SQSClient, queue_url: str) -> None:
        """Remember which queue it is."""
        self._sqs = sqs
        self._queue_url = queue_url

    def postpone(self, postponements: Sequence[Postponement]) -> list[str]:
        """Hide messages for so long; gives what went wrong, in names of errors.

        A message that could not be postponed comes back after the queue's own visibility time-out.
        """
        failures: list[str] = []
        for start in range(0, len(postponements), MESSAGES_PER_CALL):
            chunk = postponements[start : start + MESSAGES_PER_CALL]
            try:
                answer = self._sqs.change_message_visibility_batch(
                    QueueUrl=self._queue_url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": one.receipt_handle, "VisibilityTimeout": one.seconds}
                        for number, one in enumerate(chunk)
                    ],
                )
            except Exception as error:
                failures.append(error_name(error))
            else:
                failures += [failed["Code"] for failed in answer.get("Failed", [])]
        return failures
