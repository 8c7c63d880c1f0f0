"""A person's own files are taken as they are, or refused by file, line and mend."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rehearsal.scenario.inputs import InputError, read_events, read_shows


def _file(folder: Path, content: str | bytes) -> Path:
    path = folder / "input"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    ['[{"id": "a"}, {"show_id": 7}]', '{"id": "a"}\n\n{"show_id": 7}\n', '\ufeff{"id": "a"}\n{"show_id": 7}'],
)
def test_shows_come_as_an_array_or_as_lines(tmp_path: Path, content: str) -> None:
    assert read_shows(_file(tmp_path, content)) == [{"id": "a"}, {"show_id": 7}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no show"),
        ("[1]", "a show is a JSON object, this is a number"),
        ('{"title": "x"}', "its keys: title"),
        ('{"id": true}', "needs an 'id' or a 'show_id'"),
        ('{"id": "a"}\n{"id": ', "line 2: no JSON"),
        ('[{"id": "a"}', "does not end as one"),
        ('{"id": "a"}\n{"show_id": "a"}', "stands already at 1"),
        (b'{"id": "\xff"}', "no UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file_of_shows_is_said(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_shows(_file(tmp_path, content))


def test_events_are_taken_line_by_line_whatever_they_are(tmp_path: Path) -> None:
    assert read_events(_file(tmp_path, b'{"a": 1}\r\n\nnot json\n\xff\n')) == [b'{"a": 1}', b"not json", b"\xff"]


def test_events_may_be_compressed_or_an_array(tmp_path: Path) -> None:
    assert read_events(_file(tmp_path, gzip.compress(b'{"a": 1}\n'))) == [b'{"a": 1}']
    assert [json.loads(line) for line in read_events(_file(tmp_path, '[{"a": "ü"}, 2]'))] == [{"a": "ü"}, 2]
    assert read_events(_file(tmp_path, '["half \\ud83d"]')) == [b'"half \\ud83d"']


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_events(tmp_path / "absent")
    with pytest.raises(InputError, match="holds no event"):
        read_events(_file(tmp_path, "\n \n"))
