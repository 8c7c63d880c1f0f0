"""Rows: typed as the contracts say, from JSON and from Python alike."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.report_tables.flash import FLASH_CATALOG_CHANGES, FLASH_REPORT
from reports.pages.rows import Row, Rows, RowsError, parse

DAY = date(2026, 11, 21)


def test_json_and_python_values_give_the_same() -> None:
    from_json = Row(FLASH_REPORT, {"day": "2026-11-21", "minutes_listened": "12.500", "listeners": 3})
    from_python = Row(FLASH_REPORT, {"day": DAY, "minutes_listened": Decimal("12.500"), "listeners": 3})
    for name in ("minutes_listened", "listeners", "new_users"):
        assert from_json.number(name) == from_python.number(name)
    assert from_json.day == from_python.day == DAY
    assert (from_json.number("minutes_listened"), from_json.number("new_users")) == (12.5, None)


@pytest.mark.parametrize(
    "given",
    ["2026-11-21T20:15:00Z", "2026-11-21 20:15:00", "2026-11-21 20:15:00.000 UTC", "2026-11-21T22:15:00+02:00",
     datetime(2026, 11, 21, 20, 15),  # noqa: DTZ001 - as DuckDB gives it
     datetime(2026, 11, 21, 20, 15, tzinfo=UTC)],
)  # fmt: skip
def test_a_moment_is_utc_however_an_engine_writes_it(given: object) -> None:
    row = Row(FLASH_CATALOG_CHANGES, {"changed_at": given})
    assert row.moment("changed_at") == datetime(2026, 11, 21, 20, 15, tzinfo=UTC)


def test_nan_is_not_known() -> None:
    assert Row(FLASH_REPORT, {"listeners_mean_28_days": float("nan")}).number("listeners_mean_28_days") is None


@pytest.mark.parametrize(("value", "allowed"), [("many", "a number"), ([1], "a number")])
def test_a_value_of_another_kind_is_refused_by_name(value: object, allowed: str) -> None:
    with pytest.raises(RowsError, match=f"flash_report: column 'listeners'; given: .*; allowed: {allowed}"):
        Row(FLASH_REPORT, {"listeners": value}).number("listeners")


def test_a_row_without_a_day_is_refused() -> None:
    with pytest.raises(RowsError, match="column 'day'; given: None"):
        Rows(DAY, [FLASH_REPORT], {"flash_report": [{"listeners": 1}]})


def test_a_column_that_the_table_does_not_have_is_a_mistake_of_the_page() -> None:
    with pytest.raises(KeyError, match=r"reports\.flash_report has no column 'hearers'"):
        Row(FLASH_REPORT, {}).number("hearers")


def test_a_page_knows_its_day_and_the_days_before_and_no_later_one() -> None:
    days = [date(2026, 11, 22), DAY, date(2026, 11, 19)]
    rows = Rows(DAY, [FLASH_REPORT], {"flash_report": [{"day": day, "listeners": day.day} for day in days]})
    assert rows.history("flash_report", "listeners", rows.days(4)) == [None, 19, None, 21]
    assert rows.of(days[0], "flash_report") is None
    assert rows.last_day("flash_report") == DAY


def test_two_rows_of_a_day_where_one_belongs_are_refused() -> None:
    rows = Rows(DAY, [FLASH_REPORT], {"flash_report": [{"day": DAY}, {"day": DAY}]})
    with pytest.raises(RowsError, match="flash_report: 2 rows of 2026-11-21; allowed: one"):
        rows.one("flash_report")


def test_a_file_of_json_lines_is_read_and_empty_lines_are_skipped() -> None:
    lines = ['{"day": "2026-11-21", "listeners": 1}\n', "\n", '{"day": "2026-11-20", "listeners": null}\n']
    assert parse(lines, FLASH_REPORT, source="file") == [
        {"day": "2026-11-21", "listeners": 1},
        {"day": "2026-11-20", "listeners": None},
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "file, line 1: "),
        ("[1]", r"file, line 1; given: \[1\]; allowed: one JSON object a line"),
        ('{"hearers": 1}', r"given: the columns \['hearers'\]; allowed: those of reports.flash_report"),
    ],
)
def test_a_line_that_is_no_row_is_refused_by_its_place(line: str, said: str) -> None:
    with pytest.raises(RowsError, match=said):
        parse([line], FLASH_REPORT, source="file")
