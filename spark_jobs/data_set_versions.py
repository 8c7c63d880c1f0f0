"""Versions of data sets: files below a prefix, and last a manifest that nobody writes twice; works out no row.

A version is the files that its manifest lists. They lie below the id of the snapshot that they were copied from, so
that a run which begins again after one that was killed writes the same bytes to the same places, and no run ever
writes to a place that another's manifest lists with something else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import boto3
from botocore.exceptions import ClientError

from contracts.data_sets import MANIFEST, DataSet

FORMAT = 1
"""Of manifests; a reader refuses one that it does not know."""
_AT_ONCE = 4
"""Files that are copied at a time; each is held in memory once, and is near the lake's target size at most."""
_THERE_ALREADY = ("PreconditionFailed", "ConditionalRequestConflict")


def version_of(determining: Mapping[str, Any]) -> str:
    """The version that follows from all that determines its rows: equal for equal, 16 hexadecimal digits."""
    text = json.dumps(determining, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A Parquet file of the data set's table: its address, its split and how many rows it holds."""

    uri: str
    split: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Versions:
    """The versions of one data set below `root`: `s3://bucket/`, or a local folder; ends in a slash."""

    root: str
    data_set: DataSet

    def manifest(self, version: str) -> dict[str, Any] | None:
        """The manifest of a version; None when there is none, and so no version."""
        key = self._key(version, MANIFEST)
        # Asking for an object that is not there is refused rather than answered: a listing tells.
        return json.loads(self._read(key)) if key in self._keys(self._key(version, "")) else None

    def copy(self, files: Iterable[SourceFile], *, version: str, snapshot_id: int | None) -> list[dict[str, Any]]:
        """Copy the files of a snapshot into a version; gives what its manifest says of them."""
        in_order = sorted(files, key=lambda file: (file.split, file.uri))
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(
                pool.map(
                    lambda numbered: self._copied(numbered[1], f"{snapshot_id}/part-{numbered[0]:05}", version),
                    enumerate(in_order),
                )
            )

    def publish(self, version: str, manifest: Mapping[str, Any]) -> bool:
        """Write the manifest, and so make the version one; False when it has one already, which stays."""
        text = json.dumps({"format": FORMAT, **manifest}, indent=1, ensure_ascii=False)
        return self._write_new(self._key(version, MANIFEST), text.encode())

    def remove_abandoned(self, *, older_than: datetime) -> list[str]:
        """Remove the files of versions without a manifest, where all of them are older; gives these versions."""
        by_version: dict[str, dict[str, datetime]] = {}
        for key, changed_at in self._keys(self.data_set.versions_prefix).items():
            version = key.removeprefix(self.data_set.versions_prefix).partition("/")[0]
            by_version.setdefault(version, {})[key] = changed_at
        abandoned = [
            version
            for version, keys in sorted(by_version.items())
            if self._key(version, MANIFEST) not in keys and max(keys.values()) < older_than
        ]
        for version in abandoned:
            for key in by_version[version]:
                self._remove(key)
        return abandoned

    def _copied(self, file: SourceFile, name: str, version: str) -> dict[str, Any]:
        path = f"{name}.parquet"
        content = self._read_uri(file.uri)
        self._write(self._key(version, path), content)
        return {
            "path": path,
            "split": file.split,
            "rows": file.rows,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    def _key(self, version: str, path: str) -> str:
        return f"{self.data_set.versions_prefix}{version}/{path}"

    @cached_property
    def _bucket(self) -> str:
        split = urlsplit(self.root)
        return split.netloc if split.scheme == "s3" else ""

    @cached_property
    def _folder(self) -> Path:
        return Path(unquote(self.root.removeprefix("file://"))).resolve()

    @cached_property
    def _s3(self) -> Any:
        return boto3.client("s3")

    def _keys(self, prefix: str) -> dict[str, datetime]:
        """The keys below a prefix, and when each was written."""
        if not self._bucket:
            files = [path for path in (self._folder / prefix).rglob("*") if path.is_file()]
            return {
                path.relative_to(self._folder).as_posix(): datetime.fromtimestamp(path.stat().st_mtime).astimezone()
                for path in files
            }
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {found["Key"]: found["LastModified"] for page in pages for found in page.get("Contents", ())}

    def _read(self, key: str) -> bytes:
        if not self._bucket:
            return (self._folder / key).read_bytes()
        return cast("bytes", self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    def _read_uri(self, uri: str) -> bytes:
        split = urlsplit(uri)
        if split.scheme not in ("s3", "s3a"):
            return Path(unquote(split.path)).read_bytes()
        return cast("bytes", self._s3.get_object(Bucket=split.netloc, Key=unquote(split.path)[1:])["Body"].read())

    def _write(self, key: str, content: bytes) -> None:
        if self._bucket:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
            return
        (self._folder / key).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / key).write_bytes(content)

    def _write_new(self, key: str, content: bytes) -> bool:
        """Write what is not there yet; S3 itself refuses the second of two who do so at once."""
        if not self._bucket:
            (self._folder / key).parent.mkdir(parents=True, exist_ok=True)
            try:
                with (self._folder / key).open("xb") as file:
                    file.write(content)
            except FileExistsError:
                return False
            return True
        s3: Any = boto3.client("s3")
        # The header itself: boto3 knows it as IfNoneMatch since 1.35, and a job finds the boto3 that Glue or EMR has.
        s3.meta.events.register("before-call.s3.PutObject", _if_none_match)
        try:
            s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] not in _THERE_ALREADY:
                raise
            return False
        return True

    def _remove(self, key: str) -> None:
        if self._bucket:
            self._s3.delete_object(Bucket=self._bucket, Key=key)
        else:
            (self._folder / key).unlink()


def counted(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Counts of rows by split and time split, in order, as a manifest lists them."""
    listed = ({"split": row["split"], "time_split": row["time_split"], "rows": row["count"]} for row in rows)
    return sorted(listed, key=lambda count: (count["split"], count["time_split"]))


def _if_none_match(params: dict[str, Any], **_: Any) -> None:
    params["headers"]["If-None-Match"] = "*"
