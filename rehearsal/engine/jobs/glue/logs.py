"""Writes what a job run printed to its log groups, as the job's role; must not run or judge anything.

AWS Glue Developer Guide, "Logging for AWS Glue jobs" (version 5.0): what the script prints goes to ``output``,
what Spark and Glue say to ``error``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_logs import LogLine, record_metrics, write_lines
from rehearsal.engine.jobs.glue.model import JobRun

ACTING = "glue.amazonaws.com"
DEFAULT_PREFIX = "/aws-glue/jobs"


def log_group(run: JobRun, kind: str) -> str:
    """The name of the run's log group of ``kind`` ``output`` or ``error``."""
    prefix = run.arguments.get("--custom-logGroup-prefix", DEFAULT_PREFIX)
    security = run.job.security
    if security is not None and security.log_key_arn:
        role = run.job.role_arn.rsplit("/", 1)[-1]
        return f"{prefix}/{security.name}-role/{role}/{kind}"
    return f"{prefix}/{kind}"


def write(account: Account, run: JobRun, *, output: Sequence[LogLine], error: Sequence[LogLine]) -> None:
    """Put the lines of a run that has ended; what the role may not do is recorded, and those lines are lost."""
    for line in output:
        record_metrics(account.records, line)
    stream = f"{run.arguments.get('--custom-logStream-prefix', run.id)}-driver"
    for kind, lines in (("output", output), ("error", error)):
        if not lines:
            continue
        try:
            logs = account.client_as(
                "logs", run.job.role_arn, acting=ACTING, session=run.job.name, source_arn=run.job.arn
            )
            group = log_group(run, kind)
            _create(account, logs, run, group, stream)
            write_lines(logs, group, stream, lines)
        except (ClientError, iam.AccessDenied) as refused:
            account.records.happened("log-lines-lost", run.job.name, str(refused), count=len(lines))


def _create(account: Account, logs: Any, run: JobRun, group: str, stream: str) -> None:
    try:
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    except logs.exceptions.ResourceNotFoundException:
        key = run.job.security.log_key_arn if run.job.security is not None else ""
        if key:
            # moto does not know the call by itself; without its permission Glue does not log.
            needs = account.authorizer.needs_of("logs", "AssociateKmsKey", {"logGroupName": group})
            principal = iam.Principal(arn=run.job.role_arn, kind="role", session=run.job.name)
            account.authorizer.authorize(principal, needs)
        logs.create_log_group(logGroupName=group, **({"kmsKeyId": key} if key else {}))
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
