"""What is published by a request, in which order, and that every request can come again."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest

from lambdas.publish_code.logic import answer, publish
from lambdas.publish_code.publication import PublicationError

POINTER = "jobs/current.json"


class FakeStore:
    """Both buckets in memory; `dies_at` is the key at which writing fails, once."""

    def __init__(self, assets: dict[str, bytes], *, dies_at: str = "") -> None:
        self.assets, self.objects, self.written = assets, dict[str, bytes](), list[str]()
        self._dies_at = dies_at

    def asset(self, key: str) -> bytes:
        return self.assets[key]

    def put_once(self, key: str, body: bytes) -> str:
        if key not in self.objects:
            self.put(key, body)
        return f"version of {key}"

    def put(self, key: str, body: bytes) -> None:
        if key == self._dies_at:
            self._dies_at = ""
            raise TimeoutError
        self.objects[key] = body
        self.written.append(key)

    def keys(self, prefix: str) -> Sequence[str]:
        return [key for key in self.objects if key.startswith(prefix)]

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            del self.objects[key]

    def replace(self, key: str, body: bytes) -> bool:
        if self.objects.get(key) == body:
            return False
        self.put(key, body)
        return True

    @property
    def pointed(self) -> str:
        return str(json.loads(self.objects[POINTER])["hash"])


def zipped(**files: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.mkdir("contracts")
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return packed.getvalue()


def jobs(version: str) -> dict[str, Any]:
    return {
        "Files": {"Script": {"Asset": f"{version}.py", "Key": f"jobs/{version}/run_job.py"}},
        "Pointer": {"Key": POINTER, "Hash": version},
    }


def dags(asset: str) -> dict[str, Any]:
    return {"Folders": {"Dags": {"Asset": asset, "Prefix": "airflow/dags/"}}}


def request(kind: str, properties: dict[str, Any], old: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "JobsPublished",
        "ResourceProperties": {"ServiceToken": "arn", **properties},
        **({} if old is None else {"OldResourceProperties": old, "PhysicalResourceId": "before"}),
    }


def store(**objects: str) -> FakeStore:
    return FakeStore({f"{name}.py": text.encode() for name, text in objects.items()})


def test_the_first_deployment_copies_the_code_and_then_points_at_it() -> None:
    bucket = store(one="code")
    assert publish(request("Create", jobs("one")), store=bucket) == {"ScriptVersion": "version of jobs/one/run_job.py"}
    assert bucket.objects["jobs/one/run_job.py"] == b"code"
    assert bucket.written[-1] == POINTER
    assert bucket.pointed == "one"


def test_other_code_is_put_beside_and_the_pointer_moves() -> None:
    bucket = store(one="code", two="other")
    publish(request("Create", jobs("one")), store=bucket)
    publish(request("Update", jobs("two"), jobs("one")), store=bucket)
    assert bucket.pointed == "two"
    assert bucket.objects["jobs/one/run_job.py"] == b"code", "a run in flight still reads it"


def test_a_deployment_of_the_same_code_leaves_a_pointer_that_was_moved_by_hand() -> None:
    bucket = store(one="code", two="other")
    publish(request("Create", jobs("one")), store=bucket)
    publish(request("Update", jobs("two"), jobs("one")), store=bucket)
    bucket.objects[POINTER] = b'{"hash": "one"}'
    publish(request("Update", {**jobs("two"), "ServiceTimeout": "900"}, jobs("two")), store=bucket)
    assert bucket.pointed == "one"


def test_a_deployment_that_is_rolled_back_takes_the_pointer_back() -> None:
    bucket = store(one="code", two="other")
    publish(request("Create", jobs("one")), store=bucket)
    publish(request("Update", jobs("two"), jobs("one")), store=bucket)
    publish(request("Update", jobs("one"), jobs("two")), store=bucket)
    assert bucket.pointed == "one"


def test_a_request_that_comes_again_changes_nothing() -> None:
    bucket = store(one="code")
    for _ in range(2):
        publish(request("Create", jobs("one")), store=bucket)
    assert bucket.written == ["jobs/one/run_job.py", POINTER]


def test_a_request_that_was_half_done_is_finished_when_it_comes_again() -> None:
    bucket = FakeStore({"one.py": b"code", "two.py": b"other"}, dies_at="jobs/two/run_job.py")
    publish(request("Create", jobs("one")), store=bucket)
    update = request("Update", jobs("two"), jobs("one"))
    with pytest.raises(TimeoutError):
        publish(update, store=bucket)
    assert bucket.pointed == "one", "nothing points at code that is not there"
    publish(update, store=bucket)
    assert bucket.pointed == "two"


def test_a_folder_is_what_its_zip_holds_and_nothing_else() -> None:
    bucket = FakeStore(
        {
            "old.zip": zipped(hourly="1", gone="1", contracts__jobs="1"),
            "new.zip": zipped(hourly="2", daily="2", contracts__jobs="2"),
        }
    )
    bucket.objects["airflow/dags-of-others.py"] = b"theirs"
    publish(request("Create", dags("old.zip")), store=bucket)
    bucket.written.clear()
    publish(request("Update", dags("new.zip"), dags("old.zip")), store=bucket)
    assert bucket.objects == {
        "airflow/dags-of-others.py": b"theirs",
        "airflow/dags/contracts/jobs.py": b"2",
        "airflow/dags/daily.py": b"2",
        "airflow/dags/hourly.py": b"2",
    }
    assert bucket.written[0] == "airflow/dags/contracts/jobs.py", "DAGs import it"


def test_a_folder_that_is_no_zip_is_refused_and_stays_as_it_was() -> None:
    bucket = FakeStore({"dags.zip": zipped(hourly="1"), "bad.zip": b"<Error/>"})
    publish(request("Create", dags("dags.zip")), store=bucket)
    with pytest.raises(PublicationError, match=r"no zip; given: 'bad\.zip'"):
        publish(request("Update", dags("bad.zip"), dags("dags.zip")), store=bucket)
    assert bucket.objects["airflow/dags/hourly.py"] == b"1"


def test_deleting_the_resource_leaves_what_runs_may_use() -> None:
    bucket = store(one="code")
    publish(request("Create", jobs("one")), store=bucket)
    assert publish({**request("Delete", jobs("one")), "PhysicalResourceId": "x"}, store=bucket) == {}
    assert set(bucket.objects) == {"jobs/one/run_job.py", POINTER}


def test_a_creation_that_was_refused_can_be_deleted() -> None:
    assert publish(request("Delete", {"Nonsense": "1"}), store=store()) == {}


def test_the_answer_keeps_the_id_and_fits_into_what_cloudformation_takes() -> None:
    created = answer(request("Create", jobs("one")), status="SUCCESS", data={"ScriptVersion": "1"}, reason="published")
    assert created["PhysicalResourceId"] == "JobsPublished-published"
    assert created["Data"] == {"ScriptVersion": "1"}
    updated = answer(request("Update", jobs("one"), jobs("one")), status="FAILED", data={}, reason="x" * 5_000)
    assert updated["PhysicalResourceId"] == "before"
    assert len(json.dumps(updated)) < 4_096
