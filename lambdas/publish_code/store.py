"""The asset bucket and the code bucket, as `logic` sees them; it decides nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

T = TypeVar("T")

DELETED_AT_ONCE = 1_000
"""Keys that one DeleteObjects takes."""

PAUSE_SECONDS = 2.0
ATTEMPTS_TO_REPLACE = 5

_REFUSED = ("AccessDenied", "403")
_ANOTHER_WROTE = ("PreconditionFailed", "ConditionalRequestConflict", "409", "412")


class CodeStore:
    """Both buckets under the function's role; a refusal is asked again for ``patience_seconds``."""

    def __init__(
        self,
        *,
        s3: S3Client,
        asset_bucket: str,
        code_bucket: str,
        patience_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._s3, self._assets, self._code = s3, asset_bucket, code_bucket
        self._until, self._clock, self._sleep = clock() + patience_seconds, clock, sleep

    def asset(self, key: str) -> bytes:
        """An object of the asset bucket."""
        return self._patiently(lambda: self._s3.get_object(Bucket=self._assets, Key=key)["Body"].read())

    def put_once(self, key: str, body: bytes) -> str:
        """Put an object unless there is one; the version that is there then."""
        try:
            put = self._patiently(lambda: self._s3.put_object(Bucket=self._code, Key=key, Body=body, IfNoneMatch="*"))
        except ClientError as error:
            if _code_of(error) not in _ANOTHER_WROTE:
                raise
            return self._patiently(lambda: self._s3.head_object(Bucket=self._code, Key=key))["VersionId"]
        return put["VersionId"]

    def put(self, key: str, body: bytes) -> None:
        """Put an object over what there is."""
        self._patiently(lambda: self._s3.put_object(Bucket=self._code, Key=key, Body=body))

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys of the objects below a prefix."""
        pages = self._s3.get_paginator("list_objects_v2")
        found = self._patiently(lambda: list(pages.paginate(Bucket=self._code, Prefix=prefix)))
        return [each["Key"] for page in found for each in page.get("Contents", [])]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; their versions stay.

        Raises:
            RuntimeError: S3 could not remove some of them; the message names the first.
        """
        for start in range(0, len(keys), DELETED_AT_ONCE):
            objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + DELETED_AT_ONCE]]
            answer = self._s3.delete_objects(Bucket=self._code, Delete={"Objects": objects, "Quiet": True})
            for failed in answer.get("Errors", []):
                raise RuntimeError(f"{failed.get('Key')} could not be removed: {failed.get('Code')}")

    def replace(self, key: str, body: bytes) -> bool:
        """Put an object in the place of what it was when it was looked at; False when it holds ``body`` already.

        Raises:
            RuntimeError: others kept changing it meanwhile.
        """
        etag = None
        for _ in range(ATTEMPTS_TO_REPLACE):
            try:
                self._put_if(key, body, etag)
            except ClientError as error:
                if _code_of(error) not in _ANOTHER_WROTE:
                    raise
            else:
                return True
            # Looked at only when it is there: who may not list a bucket is refused what is missing.
            found = self._patiently(lambda: self._s3.get_object(Bucket=self._code, Key=key))
            if found["Body"].read() == body:
                return False
            etag = found["ETag"]
        raise RuntimeError(f"{key} was changed by others {ATTEMPTS_TO_REPLACE - 1} times while it was to be replaced")

    def _put_if(self, key: str, body: bytes, etag: str | None) -> None:
        """Put an object if it is still what had ``etag``, or if there is none."""
        s3, bucket = self._s3, self._code
        if etag is None:
            self._patiently(lambda: s3.put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*"))
        else:
            self._patiently(lambda: s3.put_object(Bucket=bucket, Key=key, Body=body, IfMatch=etag))

    def _patiently(self, call: Callable[[], T]) -> T:
        while True:
            try:
                return call()
            except ClientError as error:
                if _code_of(error) not in _REFUSED or self._clock() >= self._until:
                    raise
            self._sleep(PAUSE_SECONDS)


def _code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
