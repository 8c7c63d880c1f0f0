"""Which code the lake's jobs have: what was ever current, and going back to it; publishes nothing.

Runs that have begun keep the code that their first task fixed; the pointer is for those that begin after it was moved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from operations.platform import OperationsError

POINTER = "jobs/current.json"
PACKAGES = "packages.zip"

_PREFIX = "jobs/"
_HASH = re.compile(r"[0-9a-f]{16,64}")


@dataclass(frozen=True, kw_only=True)
class Version:
    """Code that is there: its hash, when it was published, and whether new runs take it."""

    hash: str
    published_at: datetime
    current: bool

    def as_json(self) -> dict[str, object]:
        """For --json."""
        return {"hash": self.hash, "published_at": self.published_at.isoformat(), "current": self.current}


@dataclass(frozen=True, kw_only=True)
class Move:
    """What became of the pointer: where it was and where it is."""

    before: str
    now: str


class JobCode:
    """The code of one stage's jobs, in the code bucket."""

    def __init__(self, s3: Any, *, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def versions(self) -> list[Version]:
        """All code that is there, the newest first.

        Raises:
            OperationsError: the pointer cannot be read.
        """
        current, _ = self._pointer()
        found = []
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_PREFIX):
            for file in page.get("Contents", ()):
                code, slash, name = file["Key"].removeprefix(_PREFIX).partition("/")
                if slash and name == PACKAGES:
                    found.append(Version(hash=code, published_at=file["LastModified"], current=code == current))
        return sorted(found, key=lambda version: (version.published_at, version.hash), reverse=True)

    def move_to(self, code: str) -> Move:
        """Have new runs take ``code``, which may be the beginning of a hash if no other begins so.

        Raises:
            OperationsError: there is no such code, or somebody moved the pointer meanwhile.
        """
        there = [version.hash for version in self.versions()]
        meant = [hash for hash in there if hash.startswith(code)] if code else []
        if len(meant) != 1:
            raise OperationsError(
                f"{'No' if not meant else 'More than one'} version is meant; given: {code!r}; allowed: "
                f"{', '.join(there) or 'none, as none is published'}; fix: give the whole hash, as --list shows it."
            )
        return self._move(meant[0])

    def move_back(self) -> Move:
        """Have new runs take what was current before what is current now, by the pointer's versions.

        Raises:
            OperationsError: nothing else was ever current, or somebody moved the pointer meanwhile.
        """
        current, _ = self._pointer()
        there = {version.hash for version in self.versions()}
        for hash in self._history():
            if hash != current and hash in there:
                return self._move(hash)
        raise OperationsError(
            f"Nothing to go back to; given: {current}, and no version of the pointer names other code that is there; "
            "allowed: --to HASH; fix: --list shows what there is."
        )

    def _move(self, to: str) -> Move:
        before, etag = self._pointer()
        if before == to:
            return Move(before=before, now=to)
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=POINTER,
                Body=json.dumps({"hash": to}).encode(),
                ContentType="application/json",
                IfMatch=etag,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise
            raise OperationsError(
                f"Somebody moved the pointer meanwhile; given: {before} as it was; fix: --list, and decide again."
            ) from None
        return Move(before=before, now=to)

    def _pointer(self) -> tuple[str, str]:
        """The hash that is current, and the entity tag of the pointer that says so."""
        try:
            found = self._s3.get_object(Bucket=self._bucket, Key=POINTER)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise OperationsError(
                f"s3://{self._bucket}/{POINTER} is not there; allowed: a stage with the stack Code; fix: deploy "
                "it, which publishes the code and writes the pointer."
            ) from None
        return _named(found["Body"].read()), found["ETag"]

    def _history(self) -> Iterable[str]:
        """The hashes that the pointer has named, the newest first."""
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=POINTER)
        for page in pages:
            for version in page.get("Versions", ()):
                if version["Key"] == POINTER:
                    body = self._s3.get_object(Bucket=self._bucket, Key=POINTER, VersionId=version["VersionId"])["Body"]
                    yield _named(body.read())


def lines(versions: list[Version]) -> Iterable[str]:
    """The versions for a person."""
    for version in versions:
        mark = "  <- new runs take this" if version.current else ""
        yield f"{version.hash}  published {version.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC{mark}"


def _named(text: bytes) -> str:
    try:
        hash = json.loads(text)["hash"]
    except (ValueError, KeyError, TypeError):
        hash = None
    if not (isinstance(hash, str) and _HASH.fullmatch(hash)):
        raise OperationsError(
            f'{POINTER} holds {text[:100]!r}; allowed: {{"hash": "<16 to 64 hexadecimal digits>"}}; fix: deploy the '
            "stack Code of a checkout with other jobs, or put the object right by hand."
        )
    return hash
