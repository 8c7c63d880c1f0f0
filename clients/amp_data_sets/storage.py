"""Where versions lie: a bucket, or a folder that holds a copy; reads, and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import boto3


class Storage(Protocol):
    """Files by their path below the root."""

    def names(self, folder: str) -> list[str]:
        """The folders right below `folder` (which ends in a slash), in order."""

    def has(self, path: str) -> bool:
        """Whether there is such a file."""

    def read(self, path: str) -> bytes:
        """What the file holds."""


class Bucket:
    """A bucket of S3."""

    def __init__(self, name: str, s3: Any = None) -> None:
        self._name = name
        self._s3 = s3 or boto3.client("s3")

    def names(self, folder: str) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=folder, Delimiter="/")
        return sorted(found["Prefix"][len(folder) : -1] for page in pages for found in page.get("CommonPrefixes", ()))

    def has(self, path: str) -> bool:
        found = self._s3.list_objects_v2(Bucket=self._name, Prefix=path, MaxKeys=1).get("Contents", ())
        return any(one["Key"] == path for one in found)

    def read(self, path: str) -> bytes:
        return cast("bytes", self._s3.get_object(Bucket=self._name, Key=path)["Body"].read())


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self._path / folder).glob("*") if path.is_dir())

    def has(self, path: str) -> bool:
        return (self._path / path).is_file()

    def read(self, path: str) -> bytes:
        return (self._path / path).read_bytes()


def storage(root: str | Path, s3: Any = None) -> Storage:
    """The storage of a root: `s3://<transformed bucket>`, or a folder."""
    split = urlsplit(str(root))
    return Bucket(split.netloc, s3) if split.scheme == "s3" else Folder(Path(root))
