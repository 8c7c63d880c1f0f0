"""Which code jobs have is told as it is, and moved only to what is there and by one person at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config import stage_named
from config.model import Part
from operations import command_line, platform
from operations.job_code import POINTER, JobCode
from operations.platform import OperationsError, Platform

BUCKET = "amp-dev-code"
FIRST, SECOND, THIRD = "a" * 16, "b" * 16, "bc" + "0" * 14


@dataclass
class Code:
    """The code bucket of a stage, as its deployments left it."""

    s3: Any

    @property
    def operator(self) -> JobCode:
        return JobCode(self.s3, bucket=BUCKET)

    @property
    def current(self) -> str:
        return str(json.loads(self.s3.get_object(Bucket=BUCKET, Key=POINTER)["Body"].read())["hash"])

    def publish(self, *hashes: str) -> None:
        for hash in hashes:
            for file in ("run_job.py", "__main__.py", "packages.zip"):
                self.s3.put_object(Bucket=BUCKET, Key=f"jobs/{hash}/{file}", Body=b"")
            self.point(json.dumps({"hash": hash}).encode())

    def point(self, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=POINTER, Body=body)


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Iterator[Code]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0000000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield Code(s3)


def test_what_is_there_is_listed_with_the_one_that_new_runs_take(code: Code) -> None:
    code.publish(FIRST, SECOND, THIRD)
    listed = code.operator.versions()
    assert {version.hash for version in listed} == {FIRST, SECOND, THIRD}
    assert [version.hash for version in listed if version.current] == [THIRD]


def test_going_back_and_forth(code: Code) -> None:
    code.publish(FIRST, SECOND)
    moved = code.operator.move_back()
    assert (moved.before, moved.now, code.current) == (SECOND, FIRST, FIRST)
    assert code.operator.move_to(SECOND).now == code.current == SECOND


def test_going_back_twice_undoes_it(code: Code) -> None:
    code.publish(FIRST, SECOND)
    code.operator.move_back()
    assert code.operator.move_back().now == SECOND


def test_going_back_leaves_out_what_is_not_there_any_more(code: Code) -> None:
    code.publish(FIRST, SECOND, THIRD)
    code.s3.delete_object(Bucket=BUCKET, Key=f"jobs/{SECOND}/packages.zip")
    assert code.operator.move_back().now == FIRST


def test_there_may_be_nothing_to_go_back_to(code: Code) -> None:
    code.publish(FIRST)
    with pytest.raises(OperationsError, match="Nothing to go back to"):
        code.operator.move_back()
    assert code.current == FIRST


def test_the_beginning_of_a_hash_will_do_if_it_is_one(code: Code) -> None:
    code.publish(FIRST, SECOND, THIRD)
    assert code.operator.move_to("aa").now == FIRST
    with pytest.raises(OperationsError, match="More than one"):
        code.operator.move_to("b")
    with pytest.raises(OperationsError, match="No version"):
        code.operator.move_to("f" * 16)
    assert code.current == FIRST


def test_code_that_is_taken_already_stays_and_no_version_is_written(code: Code) -> None:
    code.publish(FIRST)
    moved = code.operator.move_to(FIRST)
    assert (moved.before, moved.now) == (FIRST, FIRST)
    assert len(code.s3.list_object_versions(Bucket=BUCKET, Prefix=POINTER)["Versions"]) == 1


def test_of_two_who_move_it_at_once_one_is_refused(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    code.publish(FIRST, SECOND)
    operator = code.operator
    real = operator._pointer

    def then_somebody_else() -> tuple[str, str]:
        found = real()
        code.point(json.dumps({"hash": THIRD}).encode())
        return found

    monkeypatch.setattr(operator, "_pointer", then_somebody_else)
    with pytest.raises(OperationsError, match="Somebody moved the pointer"):
        operator._move(FIRST)
    assert code.current == THIRD


def test_a_stage_without_code_is_told_to_deploy_it(code: Code) -> None:
    with pytest.raises(OperationsError, match="fix: deploy it"):
        code.operator.versions()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"hash": 1}', b'{"hash": "../.."}'])
def test_a_pointer_that_names_nothing_is_told(code: Code, body: bytes) -> None:
    code.point(body)
    with pytest.raises(OperationsError, match="put the object right"):
        code.operator.versions()


def test_the_command_line_lists_goes_back_and_goes_to(
    code: Code, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code.publish(FIRST, SECOND)
    outputs = {"Amp-dev-Code": {"BucketName": BUCKET}, "Amp-dev-DataLake": {"RawBucketName": "raw"}}
    found = Platform(stage=stage_named("dev"), outputs=outputs)
    assert found.output(Part.CODE, "BucketName") == BUCKET
    monkeypatch.setattr(command_line, "find", lambda **_: found)
    monkeypatch.setattr(platform.Platform, "caller", "somebody")

    def told(*arguments: str) -> str:
        assert command_line.main(["code", "--stage", "dev", *arguments]) == command_line.FINE
        return capsys.readouterr().out

    assert f"{SECOND}  published" in told()
    assert told("--back").startswith(f"new runs take {FIRST} instead of {SECOND}")
    assert json.loads(told("--list", "--json"))[0].keys() == {"hash", "published_at", "current"}
    assert told("--to", SECOND[:4]).startswith(f"new runs take {SECOND} instead of {FIRST}")
    assert command_line.main(["code", "--stage", "dev", "--to", "ffff"]) == command_line.REFUSED
    with pytest.raises(SystemExit):
        command_line.main(["code", "--back", "--to", "aaaa"])
