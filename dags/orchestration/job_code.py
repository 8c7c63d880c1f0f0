"""Which code of the jobs a DAG run has: its first task reads the pointer once, and all later tasks use what it read.

Calls: s3 GetObject on `jobs/current.json` and on the packages of the version that it names (its head alone).
"""

from __future__ import annotations

import json
import re

import boto3
from airflow.exceptions import AirflowFailException
from airflow.sdk import task
from botocore.exceptions import ClientError

from orchestration.code_bucket import PACKAGES, POINTER, CodeBucket
from orchestration.settings import code_bucket

_HASH = re.compile(r"[0-9a-f]{16,64}")


@task
def fix_code() -> str:
    """The hash of the job code that is current as the run begins; its tasks keep it, whatever becomes current later.

    Cleared alone, this task takes what is current then: so a run is brought to mended code.
    """
    return current(code_bucket())


def current(bucket: CodeBucket) -> str:
    """The hash that the pointer names.

    Raises:
        AirflowFailException: the pointer names no code that is there; trying again would not help.
    """
    s3 = boto3.client("s3")
    text = s3.get_object(Bucket=bucket.name, Key=POINTER)["Body"].read()
    where = f"s3://{bucket.name}/{POINTER}"
    fix = "; fix: python -m operations code --stage STAGE --list, then --to HASH"
    try:
        named = json.loads(text)["hash"]
    except (ValueError, KeyError, TypeError):
        raise AirflowFailException(f'{where} is not {{"hash": …}} but {text[:100]!r}{fix}') from None
    if not (isinstance(named, str) and _HASH.fullmatch(named)):
        raise AirflowFailException(f"{where} names {named!r}, which is no hash of 16 to 64 hexadecimal digits{fix}")
    try:
        s3.head_object(Bucket=bucket.name, Key=bucket.key(named, PACKAGES))
    except ClientError as error:
        # Without the right to list, a file that is missing is answered with 403 ("HeadObject" page).
        if error.response["Error"]["Code"] not in ("403", "404", "NoSuchKey", "AccessDenied"):
            raise
        raise AirflowFailException(f"{where} names {named}, of which there are no packages{fix}") from None
    return named
