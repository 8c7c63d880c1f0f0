"""An S3 that holds objects in memory and knows conditional writes; for tests that need no platform."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import Any

from botocore.exceptions import ClientError


class FakeS3:
    """One bucket. `now` is what the service's clock says."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.now = datetime(2026, 11, 18, 20, tzinfo=UTC)
        self._lock = threading.Lock()

    def advance(self, **given: float) -> None:
        """Let time pass."""
        self.now += timedelta(**given)

    def head_bucket(self, **_: Any) -> dict[str, Any]:
        return self._metadata()

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - the service's names
        if Key not in self.objects:
            raise self._error("NoSuchKey")
        return {"Body": BytesIO(self.objects[Key]), "ETag": self._etag(Key), **self._metadata()}

    def put_object(self, *, Key: str, Body: bytes, IfMatch: str = "", IfNoneMatch: str = "", **_: Any) -> Any:  # noqa: N803
        with self._lock:
            exists = Key in self.objects
            if (IfNoneMatch and exists) or (IfMatch and (not exists or self._etag(Key) != IfMatch)):
                raise self._error("PreconditionFailed")
            self.objects[Key] = Body
            return {"ETag": self._etag(Key), **self._metadata()}

    def get_paginator(self, _name: str) -> FakeS3:
        return self

    def paginate(self, *, Prefix: str, StartAfter: str = "", Delimiter: str = "", **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        keys = sorted(key for key in self.objects if key.startswith(Prefix) and key > StartAfter)
        if Delimiter:
            folders = dict.fromkeys(Prefix + key.removeprefix(Prefix).split("/")[0] + "/" for key in keys)
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}
        else:
            yield {"Contents": [{"Key": key} for key in keys]}

    def _etag(self, key: str) -> str:
        return f'"{hashlib.sha256(self.objects[key]).hexdigest()}"'

    def _metadata(self) -> dict[str, Any]:
        return {"ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}}}

    def _error(self, code: str) -> ClientError:
        response: Any = {"Error": {"Code": code}, **self._metadata()}
        return ClientError(response, "Operation")
