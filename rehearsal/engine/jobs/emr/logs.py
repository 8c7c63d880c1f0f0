"""Writes what a job run printed where its request wants it, as the run's role; must not run or judge anything.

EMR on EKS guide, "Configure a job run to use S3 logs" and "… Amazon CloudWatch Logs": the driver's files and streams
lie below the virtual cluster's and the run's ids. What the script printed is in ``stdout``, what Spark said in
``stderr``.
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Mapping, Sequence

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_logs import LogLine, write_lines
from rehearsal.engine.jobs.emr.model import JobRun
from rehearsal.engine.jobs.emr.request import log_places


def path_of(run: JobRun) -> str:
    """Where a run's driver has its logs, below the place that the request names."""
    application = f"spark-{run.id}"
    return f"{run.virtual_cluster.id}/jobs/{run.id}/containers/{application}/{application}-driver"


def write(
    account: Account, run: JobRun, credentials: iam.Credentials, *, output: Sequence[LogLine], error: Sequence[LogLine]
) -> None:
    """Put the lines of a run that has ended; what the role may not do is recorded, and those lines are lost."""
    lines = {"stdout": output, "stderr": error}
    places = log_places(run.request)
    if places.uri:
        _to_bucket(account, run, credentials, places.uri, lines)
    if places.group:
        prefix = f"{places.stream_prefix}/" if places.stream_prefix else ""
        _to_group(account, run, credentials, places.group, prefix, lines)


def _to_bucket(
    account: Account, run: JobRun, credentials: iam.Credentials, uri: str, lines: Mapping[str, Sequence[LogLine]]
) -> None:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    with contextlib.closing(account.client_of("s3", credentials)) as s3:
        for kind, said in lines.items():
            key = "/".join(part for part in (prefix, path_of(run), f"{kind}.gz") if part)
            body = gzip.compress("".join(f"{line.text}\n" for line in said).encode(), mtime=0)
            try:
                s3.put_object(Bucket=bucket, Key=key, Body=body)
            except ClientError as refused:
                account.records.happened("log-lines-lost", run.job, str(refused), count=len(said))


def _to_group(
    account: Account,
    run: JobRun,
    credentials: iam.Credentials,
    group: str,
    prefix: str,
    lines: Mapping[str, Sequence[LogLine]],
) -> None:
    """EMR looks for the group and the stream before it makes the stream; the group must be there."""
    with contextlib.closing(account.client_of("logs", credentials)) as logs:
        for kind, said in lines.items():
            if not said:
                continue
            stream = f"{prefix}{path_of(run)}/{kind}"
            try:
                logs.describe_log_groups(logGroupNamePrefix=group)
                logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=stream)
                logs.create_log_stream(logGroupName=group, logStreamName=stream)
                write_lines(logs, group, stream, said)
            except ClientError as refused:
                account.records.happened("log-lines-lost", run.job, str(refused), count=len(said))
