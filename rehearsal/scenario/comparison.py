"""Hold the tables that jobs computed against the second opinion, row by row; computes nothing itself."""

from __future__ import annotations

from typing import Any

from contracts.lake import LakeTable, Zone
from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS, SHOW_STATISTICS_DAILY, TRENDING_SHOWS
from contracts.lake_tables.shows import SHOW_HISTORY
from rehearsal.scenario import second_opinion
from rehearsal.scenario.lake import duckdb_type
from rehearsal.scenario.tables import Tables

COMPARED: tuple[LakeTable, ...] = (SESSIONS, SHOW_STATISTICS_DAILY, SHOW_HISTORY, TRENDING_SHOWS)
"""The tables that are computed twice."""
SCORE_TOLERANCE = 1e-3
"""How far scores may lie apart: they are sums of floating-point numbers, rounded at other places on the way."""


def disagreements(tables: Tables) -> list[str]:
    """A sentence for each table that is not what the second opinion says, with a row of the difference."""
    connection = tables.connection
    for name, table in EVENT_TABLES.items():
        if tables.has(Zone.TRANSFORMED, name):
            connection.execute(f'CREATE OR REPLACE VIEW main."{name}" AS SELECT * FROM transformed."{name}"')
        else:
            columns = ", ".join(f'"{column.name}" {duckdb_type(column.type)}' for column in table.columns)
            connection.execute(f'CREATE TABLE IF NOT EXISTS main."{name}" ({columns})')
    second_opinion.prepare(connection)
    found = []
    for table in COMPARED:
        found += _of(tables, table)
    return found


def _of(tables: Tables, table: LakeTable) -> list[str]:
    made = f"transformed.{table.name}"
    is_there = tables.has(Zone.TRANSFORMED, table.name)
    if table is TRENDING_SHOWS:
        if not is_there:
            return []
        _settle_trending(tables.connection, made)
    elif not is_there:
        count = tables.connection.execute(f"SELECT count(*) FROM opinion.{table.name}").fetchone()
        return [f"{table.full_name} is not there and should have {count[0]} rows"] if count and count[0] else []
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    opinion = f"SELECT {columns} FROM opinion.{_SETTLED if table is TRENDING_SHOWS else table.name}"
    said = []
    for kind, left, right in (
        ("more", f"SELECT {columns} FROM {made}", opinion),
        ("missing", opinion, f"SELECT {columns} FROM {made}"),
    ):
        rows = tables.connection.execute(f"SELECT * FROM ({left} EXCEPT ALL {right})").fetchall()
        if rows:
            said.append(f"{table.full_name} has {len(rows)} rows {kind} than the second opinion, such as {rows[0]}")
    return said


_SETTLED = "settled_trending_shows"


def _settle_trending(connection: Any, made: str) -> None:
    """The second opinion on trending shows with the table's score wherever both agree, ranked by that.

    Two shows may lie closer together than the tolerance, or tie in one opinion and not in the other; their ranks are
    then right when they follow the scores that the table itself tells.
    """
    moments = [moment for (moment,) in connection.execute(f"SELECT DISTINCT as_of FROM {made}").fetchall()]
    key = ", ".join(TRENDING_SHOWS.key)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE opinion.{_SETTLED} AS
        WITH agreed AS (
            SELECT opinion.* REPLACE (
                CASE WHEN abs(made.score - opinion.score) <= {SCORE_TOLERANCE} THEN made.score ELSE opinion.score END
                AS score
            )
            FROM opinion.trending_shows($moments::TIMESTAMP[]) AS opinion LEFT JOIN {made} AS made USING ({key})
        )
        SELECT * REPLACE (
            CAST(row_number() OVER (PARTITION BY as_of, window_hours ORDER BY score DESC, show_id) AS INTEGER) AS rank
        )
        FROM agreed
        """,
        {"moments": moments},
    )
