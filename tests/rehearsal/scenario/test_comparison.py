"""The comparison of computed tables finds what is wrong, and lets pass what two engines round differently."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="needs duckdb: install requirements-dev.txt")

import duckdb

from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import TRENDING_SHOWS
from rehearsal.scenario import second_opinion
from rehearsal.scenario.comparison import disagreements
from rehearsal.scenario.lake import duckdb_type

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC).replace(tzinfo=None)
"""In UTC, without a time zone, as the tables are read."""


class Made:
    """Tables as a rehearsal's: five likes of each of two shows, and what was made of them."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("CREATE SCHEMA transformed")
        for name, table in EVENT_TABLES.items():
            columns = ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in table.columns)
            self.connection.execute(f'CREATE TABLE transformed."{name}" ({columns})')
            self.connection.execute(f'CREATE VIEW "{name}" AS FROM transformed."{name}"')
        for number in range(10):
            self.connection.execute(
                'INSERT INTO transformed."like" (event_id, occurred_at, user_key, show_id, like_count) '
                "VALUES (?, ?, ?, ?, 1)",
                [str(number), NOON - timedelta(minutes=5), f"person {number}", "ab"[number % 2]],
            )
        second_opinion.prepare(self.connection)
        self.connection.execute(
            "CREATE TABLE transformed.trending_shows AS FROM opinion.trending_shows($moments)", {"moments": [NOON]}
        )

    def has(self, zone: str, name: str) -> bool:
        """As a rehearsal's tables say it."""
        return name in {*EVENT_TABLES, TRENDING_SHOWS.name}

    def change(self, what: str, *, show: str) -> None:
        """Change the ranks that were made."""
        update = f"UPDATE transformed.trending_shows SET {what} WHERE show_id = ?"  # noqa: S608 - the test's own words
        self.connection.execute(update, [show])


@pytest.fixture
def made() -> Iterator[Any]:
    tables = Made()
    yield tables
    tables.connection.close()


def _about_trending(tables: Any) -> list[str]:
    return [text for text in disagreements(tables) if "trending" in text]


def test_ranks_that_are_the_second_opinions_agree(made: Made) -> None:
    assert made.connection.execute("SELECT count(*) FROM transformed.trending_shows").fetchone() == (4,)
    assert _about_trending(made) == []


def test_a_tie_that_rounding_broke_agrees_with_ranks_by_the_scores_that_the_table_tells(made: Made) -> None:
    made.change("score = score + 0.000001, rank = 1", show="b")
    made.change("rank = 2", show="a")
    assert _about_trending(made) == []


def test_ranks_against_the_scores_do_not_agree(made: Made) -> None:
    made.change("rank = 1", show="b")
    made.change("rank = 2", show="a")
    assert ["4 rows more" in text or "4 rows missing" in text for text in _about_trending(made)] == [True, True]


@pytest.mark.parametrize("what", ["score = score + 0.01", "likes = likes + 1", "show_id = 'c'"])
def test_a_wrong_value_does_not_agree(made: Made, what: str) -> None:
    made.change(what, show="b")
    assert len(_about_trending(made)) == 2


def test_a_missing_row_does_not_agree(made: Made) -> None:
    made.connection.execute("DELETE FROM transformed.trending_shows WHERE show_id = 'b' AND window_hours = 6")
    assert ["1 rows missing" in text for text in _about_trending(made)] == [True]


def test_a_rehearsal_in_which_nothing_was_heard_or_liked_has_no_ranks_and_agrees(made: Made) -> None:
    made.connection.execute('DELETE FROM transformed."like"')
    made.connection.execute("DELETE FROM transformed.trending_shows")
    assert _about_trending(made) == []
