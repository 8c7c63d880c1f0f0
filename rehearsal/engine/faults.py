"""What a scenario can make go wrong in the played account; each fault lasts for a number of times or until undone."""

from __future__ import annotations

import sys
from typing import Literal

from rehearsal.engine.account import Account
from rehearsal.engine.function_model import FunctionFault
from rehearsal.engine.functions import Functions
from rehearsal.engine.jobs.executions import Executions
from rehearsal.engine.services.kinesis import RefusedEntries, Streams
from rehearsal.engine.services.redshift import Clusters
from rehearsal.engine.services.sqs import Queues

_NO_END = sys.maxsize


class Faults:
    """Faults of one account."""

    def __init__(self, account: Account, disabled_keys: set[str]) -> None:
        self._account, self._disabled_keys = account, disabled_keys

    def refuse_stream_entries(self, stream_arn: str, count: int) -> None:
        """Answer the next ``count`` entries put to a stream with ProvisionedThroughputExceededException, in a 200."""
        streams = self._account.service(Streams)
        streams.stream(stream_arn)
        streams.refused.setdefault(stream_arn, RefusedEntries()).remaining += count

    def throttle_stream(self, stream_arn: str) -> None:
        """Answer every entry put to a stream so, until it is relieved."""
        self.refuse_stream_entries(stream_arn, _NO_END)

    def relieve_stream(self, stream_arn: str) -> None:
        """Let a stream take every entry again."""
        self._account.service(Streams).refused.pop(stream_arn, None)

    def fail_function(self, function: str, times: int, *, kind: Literal["error", "timeout", "lost"] = "error") -> None:
        """Let the next ``times`` invocations of a function (name or ARN) fail.

        ``error``: before its code runs. ``timeout``: its whole time passes, nothing has run. ``lost``: its code
        runs to the end, and the caller is told that it failed.
        """
        self._account.service(Functions).add_fault(function, FunctionFault(kind=kind, times=times))

    def kill_function_after(self, function: str, call: str, *, times: int = 1) -> None:
        """Let a function's process die once, right after a call of an AWS API has returned to it.

        Args:
            function: name or ARN.
            call: boto3's name of the service and the operation, such as ``glue:StartCrawler``.
            times: which call of it in one invocation; invocations with fewer end as ever.
        """
        service, _, operation = call.partition(":")
        if not operation:
            raise ValueError(f"kill_function_after: call given {call!r}, allowed is service:Operation")
        self._account.service(Functions).kill_after(function, service, operation, times)

    def deliver_twice(self, queue_arn: str, count: int = 1) -> int:
        """Put a second copy of the first ``count`` messages of a queue into it, with the same message id.

        A message in flight has its copy delivered beside it. Standard queues deliver at least once, so this can
        happen to any message. Gives how many were copied.
        """
        return self._account.service(Queues).duplicate(queue_arn, count)

    def kill_job_at(self, job_name: str, action: str, *, nth: int = 1, resource: str = "*") -> None:
        """Kill the process of the job's next run when it asks for something, before that is done.

        Args:
            job_name: which job; of a job run of EMR, its template's name or its own.
            action: the IAM action of the request, such as ``glue:UpdateTable`` or ``s3:PutObject``.
            nth: at which of the matching requests, counted from 1 over all runs of the job.
            resource: pattern (``*``, ``?``) of the ARN that the action must be on.
        """
        self._account.service(Executions).kill_at(job_name, action, nth=nth, resource=resource)

    def cut_off_cluster(self, identifier: str) -> None:
        """Let nobody reach a Redshift cluster by its endpoint, though it is available, until it is reached again."""
        self._account.service(Clusters).by_identifier[identifier].server.shut()

    def reach_cluster(self, identifier: str) -> None:
        """Let a cluster's endpoint be reached again."""
        self._account.service(Clusters).by_identifier[identifier].server.reopen()

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
