"""What a request's properties mean, and what is said of those that cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.publish_code.publication import File, Folder, Pointer, Publication, PublicationError, read

WHOLE: dict[str, Any] = {
    "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:publish",
    "ServiceTimeout": "1200",
    "Files": {"Script": {"Asset": "abc.py", "Key": "jobs/h/run_job.py"}},
    "Folders": {"Dags": {"Asset": "def.zip", "Prefix": "airflow/dags/"}},
    "Pointer": {"Key": "jobs/current.json", "Hash": "h"},
}


def test_files_folders_and_pointer_are_read() -> None:
    assert read(WHOLE) == Publication(
        files=(File(name="Script", asset="abc.py", key="jobs/h/run_job.py"),),
        folders=(Folder(asset="def.zip", prefix="airflow/dags/"),),
        pointer=Pointer(key="jobs/current.json", hash="h"),
    )


def test_each_part_may_be_left_out_but_not_all() -> None:
    assert read({"Files": WHOLE["Files"]}).pointer is None
    with pytest.raises(PublicationError, match=r"nothing to publish; .* allowed: Files, Folders, Pointer"):
        read({"ServiceToken": "arn"})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"File": {}}, r"unknown properties; given: \['File'\]"),
        ({"Files": ["abc.py"]}, "Files is no map"),
        ({"Files": {"Script": {"Asset": "abc.py"}}}, r"Files\.Script is not complete; .* allowed: Asset and Key"),
        ({"Files": {"Script": {"Asset": "", "Key": "k"}}}, r"Files\.Script\.Asset is no text"),
        ({"Folders": {"Dags": {"Asset": "a", "Prefix": "airflow/dags"}}}, r"Folders\.Dags\.Prefix names no folder"),
        ({"Folders": {"Dags": {"Asset": "a", "Prefix": "/"}}}, r"Folders\.Dags\.Prefix names no folder"),
        ({"Pointer": {"Key": "k", "Hash": 1}}, r"Pointer\.Hash is no text"),
        ({"Pointer": "jobs/current.json"}, "Pointer is not complete"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_is_allowed(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(PublicationError, match=said):
        read({**WHOLE, **changed})
