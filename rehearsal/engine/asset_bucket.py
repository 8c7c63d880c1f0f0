"""The bucket into which a deployment uploads assets, for the code of a stack that reads them there.

It must not hold an asset that no such code is told of: most are only ever read by services that are played from the
assembly's own files.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rehearsal.engine.account import Account

QUALIFIER = "hnb659fds"
"""What `cdk bootstrap` puts into its names when it is told nothing else."""

_NO_DATE = (1980, 1, 1, 0, 0, 0)


def upload_named(account: Account, properties: Any) -> None:
    """Upload each asset of which ``properties`` hold the object key, a folder as a zip, as `cdk deploy` does before."""
    named = [text for text in dict.fromkeys(_texts(properties)) if text in account.assets]
    if not named:
        return
    s3, bucket = account.client("s3"), f"cdk-{QUALIFIER}-assets-{account.id}-{account.region}"
    if bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        where = {} if account.region == "us-east-1" else {"LocationConstraint": account.region}
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
    for key in named:
        asset = account.assets[key]
        s3.put_object(Bucket=bucket, Key=key, Body=_zip(asset) if asset.is_dir() else asset.read_bytes())


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _zip(folder: Path) -> bytes:
    """The same bytes for the same files, whenever they were written."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _NO_DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()
