"""The raw bucket, or a folder that stands for it: what lies there and whether a file is sound; parses no row."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

import boto3

_CHUNK = 1 << 20
_PATTERN = re.compile(r"([{}\[\]*?\\])")


@dataclass(frozen=True, kw_only=True, order=True)
class RawFile:
    """One object: its key below the bucket, the address Spark reads it by, its size, when it was last written."""

    key: str
    uri: str
    bytes: int
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class RawZone:
    """What lies below `root`: `s3://bucket/`, or a local folder; ends in a slash."""

    root: str

    def files(self, prefix: str) -> list[RawFile]:
        """All files below `prefix` (such as `batch/shows/`), by key; folder markers are no files."""
        return sorted(self._s3_files(prefix, "") if self._bucket else self._local_files(prefix))

    def arrivals(self, prefix: str, arrivals: tuple[str, ...]) -> dict[str, list[RawFile]]:
        """The files of the hours that exist below `prefix` (such as `events/type=like/`), by hour.

        One listing from the first hour on; hours without files are absent.
        """
        first, last = arrivals[0], arrivals[-1]
        if self._bucket:
            # Hours sort as text, so that one listing begins at the first and is left behind the last.
            found: Iterator[RawFile] = self._s3_files(prefix, f"{prefix}arrival={first}")
        else:
            found = (
                file
                for folder in sorted(Path(self._folder, prefix).glob("arrival=*"))
                if first <= folder.name.removeprefix("arrival=") <= last
                for file in self._local_files(f"{prefix}{folder.name}/")
            )
        by_hour: dict[str, list[RawFile]] = {}
        for file in found:
            hour = file.key.removeprefix(f"{prefix}arrival=").partition("/")[0]
            if hour > last:
                break
            by_hour.setdefault(hour, []).append(file)
        return {hour: sorted(files) for hour, files in by_hour.items() if hour in arrivals}

    def uri(self, key: str) -> str:
        """The address by which Spark reads a key or a folder: as text, with what would be a pattern escaped."""
        address = f"{self.root}{key}" if self._bucket else f"file:{Path(self._folder, key).as_posix()}"
        return _PATTERN.sub(r"\\\1", address)

    def key(self, uri: str) -> str:
        """The key of an address that Spark tells of, whichever scheme it writes it with."""
        path = unquote(urlsplit(uri).path) if "://" in uri or uri.startswith("file:") else uri
        folder = "" if self._bucket else self._folder.as_posix()
        return path.removeprefix(folder).lstrip("/")

    def open(self, key: str) -> IO[bytes]:
        """The bytes of a file, as they are stored."""
        if self._bucket:
            return cast("IO[bytes]", self._s3.get_object(Bucket=self._bucket, Key=key)["Body"])
        return Path(self._folder, key).open("rb")

    def corrupt_gzip(self, file: RawFile) -> str | None:
        """Why a gzip file cannot be read to its end, or None when it can; reads all of it in bounded memory."""
        if not file.bytes:
            return "it is empty, which no gzip file is"
        try:
            with closing(self.open(file.key)) as stored, gzip.open(stored) as content:
                while content.read(_CHUNK):
                    pass
        except EOFError:
            return "it ends before its end"
        except (gzip.BadGzipFile, zlib.error) as error:
            return f"it is no sound gzip file ({type(error).__name__})"
        return None

    @cached_property
    def _bucket(self) -> str:
        split = urlsplit(self.root)
        return split.netloc if split.scheme in ("s3", "s3a") else ""

    @cached_property
    def _folder(self) -> Path:
        return Path(unquote(self.root.removeprefix("file://"))).resolve()

    @cached_property
    def _s3(self) -> Any:
        return boto3.client("s3")

    def _s3_files(self, prefix: str, start_after: str) -> Iterator[RawFile]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, **({"StartAfter": start_after} if start_after else {})
        )
        for page in pages:
            for found in page.get("Contents", ()):
                if not found["Key"].endswith("/"):
                    yield RawFile(
                        key=found["Key"],
                        uri=self.uri(found["Key"]),
                        bytes=found["Size"],
                        changed_at=found["LastModified"].astimezone(UTC),
                    )

    def _local_files(self, prefix: str) -> Iterator[RawFile]:
        for path in sorted(Path(self._folder, prefix).rglob("*")):
            if path.is_file():
                stat = path.stat()
                yield RawFile(
                    key=path.relative_to(self._folder).as_posix(),
                    uri=self.uri(path.relative_to(self._folder).as_posix()),
                    bytes=stat.st_size,
                    changed_at=datetime.fromtimestamp(stat.st_mtime, tz=UTC),
                )
