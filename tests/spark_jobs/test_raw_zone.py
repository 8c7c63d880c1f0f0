"""The raw zone, in a folder and in a bucket: what lies in a window, and which files are sound."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from spark_jobs.raw_zone import RawZone

KEYS = (
    "events/type=like/arrival=2026-11-18-07/a.json.gz",
    "events/type=like/arrival=2026-11-18-08/b.json.gz",
    "events/type=like/arrival=2026-11-18-08/a.json.gz",
    "events/type=like/arrival=2026-11-18-10/c.json.gz",
    "events/type=like/arrival=2026-11-18-11/d.json.gz",
    "events/type=like_other/arrival=2026-11-18-08/e.json.gz",
    "batch/shows/with {braces} and [brackets].json",
)
HOURS = ("2026-11-18-08", "2026-11-18-09", "2026-11-18-10")


@pytest.fixture(params=["folder", "bucket"])
def zone(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawZone]:
    if request.param == "folder":
        for key in KEYS:
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(key.encode()))
        yield RawZone(root=f"{tmp_path}/")
        return
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="raw")
        for key in KEYS:
            client.put_object(Bucket="raw", Key=key, Body=gzip.compress(key.encode()))
        client.put_object(Bucket="raw", Key="batch/shows/", Body=b"")
        yield RawZone(root="s3://raw/")


def test_a_window_holds_the_files_of_its_hours_and_no_others(zone: RawZone) -> None:
    found = zone.arrivals("events/type=like/", HOURS)
    assert {hour: [file.key for file in files] for hour, files in found.items()} == {
        "2026-11-18-08": [KEYS[2], KEYS[1]],
        "2026-11-18-10": [KEYS[3]],
    }
    assert all(file.bytes == len(gzip.compress(file.key.encode())) for files in found.values() for file in files)


def test_a_type_without_files_has_none(zone: RawZone) -> None:
    assert zone.arrivals("events/type=follow/", HOURS) == {}
    assert zone.files("batch/catalog/") == []


def test_a_folder_marker_is_no_file_and_a_pattern_is_escaped(zone: RawZone) -> None:
    (file,) = zone.files("batch/shows/")
    assert file.key == KEYS[6]
    assert file.uri.endswith(r"batch/shows/with \{braces\} and \[brackets\].json")
    assert file.changed_at.tzinfo is not None


def test_an_address_that_spark_tells_of_leads_back_to_the_key(zone: RawZone) -> None:
    file = zone.arrivals("events/type=like/", HOURS)["2026-11-18-10"][0]
    assert zone.key(file.uri) == file.key


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (gzip.compress(b"x" * 1000, mtime=0), None),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "it ends before its end"),
        (gzip.compress(b"x", mtime=0) + gzip.compress(b"y", mtime=0), None),
        (b'{"plain": "text"}', "it is no sound gzip file (BadGzipFile)"),
        (b"", "it is empty, which no gzip file is"),
    ],
    ids=["sound", "cut", "of two parts", "plain text", "empty"],
)
def test_a_gzip_file_is_sound_or_the_reason_is_told(tmp_path: Path, content: bytes, why: str | None) -> None:
    (tmp_path / "f.json.gz").write_bytes(content)
    zone = RawZone(root=f"{tmp_path}/")
    assert zone.corrupt_gzip(zone.files("")[0]) == why
