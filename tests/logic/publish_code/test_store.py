"""The buckets as S3 keeps them: once, conditionally, and patiently where IAM is slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from lambdas.publish_code.store import ATTEMPTS_TO_REPLACE, CodeStore

CODE, ASSETS = "code", "assets"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        for bucket in (CODE, ASSETS):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=CODE, VersioningConfiguration={"Status": "Enabled"})
        client.put_object(Bucket=ASSETS, Key="a.py", Body=b"asset")
        yield client


def _store(s3: Any, clock: Clock | None = None) -> CodeStore:
    clock = clock or Clock()
    return CodeStore(
        s3=s3,
        asset_bucket=ASSETS,
        code_bucket=CODE,
        patience_seconds=60,
        clock=lambda: clock.now,
        sleep=clock.sleep,
    )


def _body(s3: Any, key: str) -> bytes:
    return bytes(s3.get_object(Bucket=CODE, Key=key)["Body"].read())


def test_what_lies_at_a_key_is_never_changed_and_keeps_its_version(s3: Any) -> None:
    store = _store(s3)
    first = store.put_once("jobs/h/run_job.py", b"one")
    assert store.put_once("jobs/h/run_job.py", b"two") == first
    assert _body(s3, "jobs/h/run_job.py") == b"one"


def test_a_folder_s_keys_are_listed_and_removed(s3: Any) -> None:
    store = _store(s3)
    for name in ("a", "b"):
        store.put(f"dags/{name}.py", store.asset("a.py"))
    store.delete(["dags/a.py"])
    assert list(store.keys("dags/")) == ["dags/b.py"]
    assert _body(s3, "dags/b.py") == b"asset"


def test_a_pointer_is_made_moved_and_left_alone_when_it_says_the_same(s3: Any) -> None:
    store = _store(s3)
    assert store.replace("current.json", b"one")
    assert store.replace("current.json", b"two")
    assert not store.replace("current.json", b"two")
    assert _body(s3, "current.json") == b"two"
    assert len(s3.list_object_versions(Bucket=CODE, Prefix="current.json")["Versions"]) == 2


class Racing:
    """S3, and somebody else who writes just before each of our conditional writes, as often as `times`."""

    def __init__(self, s3: Any, times: int) -> None:
        self._s3, self._times = s3, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def put_object(self, **given: Any) -> Any:
        if self._times and ("IfMatch" in given or "IfNoneMatch" in given):
            self._times -= 1
            self._s3.put_object(Bucket=CODE, Key=given["Key"], Body=f"theirs {self._times}".encode())
        return self._s3.put_object(**given)


def test_a_pointer_that_another_moved_meanwhile_is_looked_at_again(s3: Any) -> None:
    assert _store(Racing(s3, 2)).replace("current.json", b"ours")
    assert _body(s3, "current.json") == b"ours"


def test_a_pointer_that_others_keep_moving_is_given_up_and_said_so(s3: Any) -> None:
    with pytest.raises(RuntimeError, match=r"current\.json was changed by others"):
        _store(Racing(s3, ATTEMPTS_TO_REPLACE)).replace("current.json", b"ours")


class Refusing:
    """S3 that refuses as long as IAM has not told it of the role."""

    def __init__(self, s3: Any, clock: Clock, until: float, code: str = "AccessDenied") -> None:
        self._s3, self._clock, self._until, self._code = s3, clock, until, code

    def get_object(self, **given: Any) -> Any:
        if self._clock.now < self._until:
            raise ClientError({"Error": {"Code": self._code}}, "GetObject")
        return self._s3.get_object(**given)


def test_a_refusal_is_asked_again_until_iam_has_told_s3(s3: Any) -> None:
    clock = Clock()
    assert _store(Refusing(s3, clock, until=15), clock).asset("a.py") == b"asset"
    assert clock.now >= 15


def test_a_refusal_that_stays_is_raised_when_patience_is_over(s3: Any) -> None:
    clock = Clock()
    with pytest.raises(ClientError, match="AccessDenied"):
        _store(Refusing(s3, clock, until=600), clock).asset("a.py")
    assert 60 <= clock.now < 65


def test_any_other_error_is_raised_at_once(s3: Any) -> None:
    clock = Clock()
    with pytest.raises(ClientError, match="NoSuchKey"):
        _store(Refusing(s3, clock, until=600, code="NoSuchKey"), clock).asset("a.py")
    assert clock.now == 0
