"""The loader of data sets: which version, which rows, and that they are what the manifest says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="the loader's packages are not in the environment of the platform")

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from moto import mock_aws

from clients.amp_data_sets import DamagedVersion, UnknownVersion, load, versions
from clients.amp_data_sets.examples import popularity_baseline

COLUMNS = (
    "as_of",
    "listener_key",
    "show_id",
    "split",
    "time_split",
    "show_listeners",
    "pair_minutes",
    "label_listened",
)
ROWS = [
    ("w1", "anna", "show-a", "train", "test", 2, 30.0, True),
    ("w1", "anna", "show-b", "train", "test", 9, 0.0, False),
    ("w0", "anna", "show-b", "train", "train", 9, 0.0, True),
    ("w1", "ben", "show-a", "test", "test", 2, 0.0, False),
    ("w1", "ben", "show-b", "test", "test", 9, 5.0, True),
]


def put_version(root: Path, version: str, rows: list[tuple[Any, ...]], *, created_at: str, **more: Any) -> Path:
    """A version as the platform writes it; gives its folder."""
    folder = root / "data_sets" / "show_recommendation" / version
    files = []
    for number, split in enumerate(sorted({row[3] for row in rows})):
        of_split = [dict(zip(COLUMNS, row, strict=True)) for row in rows if row[3] == split]
        path = folder / "7" / f"part-{number:05}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(of_split), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        files.append({"path": f"7/{path.name}", "split": split, "rows": len(of_split), "sha256": digest})
    definition = {"columns": [{"name": name} for name in COLUMNS], "labels": ["label_listened"]}
    manifest = {
        "format": 1, "created_at": created_at, "files": files, "definition": definition, "rows_by_split": [], **more,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two versions, the newer with the smaller id, and what a killed run left."""
    put_version(tmp_path, "bbbb", ROWS[:2], created_at="2026-11-10T04:30:00Z")
    put_version(tmp_path, "aaaa", ROWS, created_at="2026-11-17T04:30:00Z")
    half = put_version(tmp_path, "cccc", ROWS, created_at="2026-11-24T04:30:00Z")
    (half / "manifest.json").unlink()
    return tmp_path


def test_the_latest_is_the_one_that_was_made_last_and_is_whole(root: Path) -> None:
    assert load("show_recommendation", root=root).version == "aaaa"
    assert versions("show_recommendation", root=root) == ["aaaa", "bbbb"]


def test_a_version_that_is_named_gives_its_rows_whatever_came_after(root: Path) -> None:
    found = load("show_recommendation", "bbbb", root=root)
    assert (found.to_arrow().num_rows, found.columns, found.labels) == (2, list(COLUMNS), ["label_listened"])


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({}, ROWS),
        ({"split": "train"}, ROWS[:3]),
        ({"time_split": "test"}, [ROWS[number] for number in (3, 4, 0, 1)]),
        ({"split": "train", "time_split": "train"}, [ROWS[2]]),
        ({"split": "test", "time_split": "train"}, []),
    ],
)
def test_splits_by_person_and_by_time_can_be_asked_for_alone_or_together(
    root: Path, asked: dict[str, str], rows: list[tuple[Any, ...]]
) -> None:
    found = load("show_recommendation", root=root).to_arrow(**asked)
    assert sorted(map(tuple, (row.values() for row in found.to_pylist()))) == sorted(rows)


def test_rows_come_as_polars_and_as_pandas(root: Path) -> None:
    found = load("show_recommendation", root=root)
    pytest.importorskip("polars")
    assert found.to_polars(split="test").rows() == ROWS[3:]
    pytest.importorskip("pandas")
    assert [*found.to_pandas(split="test").itertuples(index=False, name=None)] == ROWS[3:]


def test_a_file_that_is_not_what_the_manifest_says_is_refused_by_name(root: Path) -> None:
    path = root / "data_sets" / "show_recommendation" / "aaaa" / "7" / "part-00001.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    found = load("show_recommendation", root=root)

    assert found.to_arrow(split="test").num_rows == 2, "the other file is sound"
    with pytest.raises(DamagedVersion, match=r"aaaa/7/part-00001.parquet: its SHA-256 is"):
        found.to_arrow(split="train")


def test_what_is_not_there_is_said_with_what_is_allowed(root: Path) -> None:
    with pytest.raises(UnknownVersion, match=r"no version 'cccc'.*latest"):
        load("show_recommendation", "cccc", root=root)
    with pytest.raises(UnknownVersion, match="no data set 'moderatoin'"):
        load("moderatoin", root=root)
    with pytest.raises(ValueError, match="allowed: train, validation, test"):
        load("show_recommendation", root=root).to_arrow(split="dev")
    put_version(root, "dddd", ROWS, created_at="2026-12-01T04:30:00Z", format=2)
    with pytest.raises(DamagedVersion, match="format 2; this client knows 1"):
        load("show_recommendation", "dddd", root=root)


def test_a_bucket_is_read_as_a_folder_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="transformed")
        for path in (path for path in root.rglob("*") if path.is_file()):
            s3.upload_file(str(path), "transformed", path.relative_to(root).as_posix())

        assert versions("show_recommendation", root="s3://transformed") == ["aaaa", "bbbb"]
        assert load("show_recommendation", root="s3://transformed/").to_arrow().num_rows == 5
        with pytest.raises(UnknownVersion):
            load("show_recommendation", "aaa", root="s3://transformed")


def test_the_example_compares_a_listener_s_past_with_popularity(root: Path) -> None:
    """Anna heard the show of her past, ben the popular one, which is of his past too."""
    assert popularity_baseline.main(str(root)) == "show_recommendation aaaa: show_listeners 0.500, pair_minutes 1.000"
