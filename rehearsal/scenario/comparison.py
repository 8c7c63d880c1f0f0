"""Hold the tables that jobs computed against the second opinion, row by row; computes nothing itself."""

from __future__ import annotations

from contracts.lake import LakeTable, Zone
from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS, SHOW_STATISTICS_DAILY, TRENDING_SHOWS
from contracts.lake_tables.shows import SHOW_HISTORY
from rehearsal.scenario import second_opinion
from rehearsal.scenario.lake import duckdb_type
from rehearsal.scenario.tables import Tables

COMPARED: tuple[LakeTable, ...] = (SESSIONS, SHOW_STATISTICS_DAILY, SHOW_HISTORY, TRENDING_SHOWS)
"""The tables that are computed twice."""
SCORE_DIGITS = 3
"""Decimal places to which scores must agree: they are sums of floating-point numbers in another order."""


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
    columns = ", ".join(
        f"round({column.name}, {SCORE_DIGITS}) AS {column.name}" if column.type == "double" else column.name
        for column in table.columns
    )
    opinion, parameters = f"opinion.{table.name}", {}
    if table is TRENDING_SHOWS:
        if not tables.has(Zone.TRANSFORMED, table.name):
            return []
        moments = tables.connection.execute(f"SELECT DISTINCT as_of FROM {made}").fetchall()
        opinion, parameters = f"{opinion}($moments)", {"moments": [moment for (moment,) in moments]}
    if not tables.has(Zone.TRANSFORMED, table.name):
        count = tables.connection.execute(f"SELECT count(*) FROM {opinion}").fetchone()
        return [f"{table.full_name} is not there and should have {count[0]} rows"] if count and count[0] else []
    said = []
    for kind, left, right in (("more", made, opinion), ("missing", opinion, made)):
        query = f"SELECT {columns} FROM {left} EXCEPT ALL SELECT {columns} FROM {right}"
        rows = tables.connection.execute(f"SELECT * FROM ({query})", parameters).fetchall()
        if rows:
            said.append(f"{table.full_name} has {len(rows)} rows {kind} than the second opinion, such as {rows[0]}")
    return said
