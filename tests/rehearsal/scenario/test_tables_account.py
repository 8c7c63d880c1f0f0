"""The account of the lake's tables: what closes, and how each kind of error is told."""

from __future__ import annotations

from collections import Counter

from rehearsal.scenario.tables_account import (
    DroppedFile,
    RawEvent,
    Refused,
    TableRow,
    account_of_events,
    account_of_files,
)

DAY = "2026-11-18"


def raw(event_id: str, *, day: str = DAY, kind: str = "like") -> RawEvent:
    return RawEvent(type=kind, event_id=event_id, day=day)


def row(event_id: str, *, day: str = DAY, kind: str = "like") -> TableRow:
    return TableRow(type=kind, event_id=event_id, day=day)


def refused(event_id: str | None = None, *, reason: str = "time_out_of_range", file: str = "f") -> Refused:
    return Refused(source="like", reason=reason, file=file, event_id=event_id)


def test_deliveries_of_one_event_are_one_event_and_one_row() -> None:
    book = account_of_events([raw("a"), raw("a"), raw("b")], [row("a"), row("b")], [])
    assert book.closes
    (line,) = book.lines
    assert (line.deliveries, line.events, line.rows) == (3, 2, 2)


def test_events_are_accounted_for_by_type_and_day() -> None:
    book = account_of_events(
        [raw("a"), raw("a", day="2026-11-17"), raw("b", kind="follow")],
        [row("a"), row("a", day="2026-11-17"), row("b", kind="follow")],
        [],
    )
    assert [(line.type, line.day, line.rows) for line in book.lines] == [
        ("follow", DAY, 1),
        ("like", "2026-11-17", 1),
        ("like", DAY, 1),
    ]


def test_a_refused_event_is_accounted_for_with_its_reason() -> None:
    book = account_of_events([raw("a")], [], [refused("a")])
    assert book.closes
    assert book.lines[0].refused == Counter({"time_out_of_range": 1})


def test_an_event_in_no_table_is_missing_by_name() -> None:
    book = account_of_events([raw("a")], [], [])
    assert not book.closes
    assert book.missing == ["like a"]


def test_an_event_on_another_day_than_it_happened_is_told() -> None:
    book = account_of_events([raw("a")], [row("a", day="2026-11-17")], [])
    assert book.missing == ["like a"]
    assert book.unexpected == ["a row that the raw zone does not hold: like a"]


def test_a_doubled_row_does_not_close() -> None:
    book = account_of_events([raw("a")], [row("a"), row("a")], [])
    assert book.unexpected == ["like a stands in its table 2 times"]


def test_a_row_that_was_also_refused_does_not_close() -> None:
    book = account_of_events([raw("a")], [row("a")], [refused("a")])
    assert not book.closes


FILE = DroppedFile(key="batch/shows/a.json", dataset="shows", rows=3)


def test_rows_of_a_file_are_in_the_table_or_refused() -> None:
    lines, unexpected = account_of_files([FILE], Counter({FILE.key: 2}), [refused(file=FILE.key)], set())
    assert unexpected == []
    assert (lines[0].rows, lines[0].refused.total()) == (2, 1)


def test_a_lost_row_of_a_file_is_told() -> None:
    _, unexpected = account_of_files([FILE], Counter({FILE.key: 2}), [], set())
    assert unexpected == ["batch/shows/a.json holds 3 rows; the table has 2, refused are 0"]


def test_a_file_that_must_be_refused_whole_and_is_not_is_told() -> None:
    file = DroppedFile(key="batch/shows/cut.json.gz", dataset="shows", rows=0, refused="corrupt_file")
    _, unexpected = account_of_files([file], Counter(), [], set())
    assert unexpected == ["batch/shows/cut.json.gz was promised to be refused as corrupt_file and is not"]
    whole = Refused(source="shows", reason="corrupt_file", file=file.key, whole_file=True)
    lines, unexpected = account_of_files([file], Counter(), [whole], set())
    assert unexpected == []
    assert lines[0].said == "refused whole: corrupt_file"


def test_a_file_of_ones_own_that_is_nowhere_is_told() -> None:
    file = DroppedFile(key="batch/uploads/a/a.csv", dataset="uploads", rows=None)
    _, unexpected = account_of_files([file], Counter(), [], set())
    assert unexpected == ["batch/uploads/a/a.csv is in no table and nobody says why"]


def test_rows_from_a_file_that_nobody_dropped_are_told() -> None:
    _, unexpected = account_of_files([], Counter({"batch/x": 1}), [], set())
    assert unexpected == ["1 rows are from batch/x, which nobody dropped"]
