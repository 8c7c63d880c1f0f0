"""Days of the generated population in DuckDB, as the lake would have them: its raw zone and its tables of events."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import duckdb

from contracts.events import by_type
from contracts.views import sql
from contracts.views.rows import reader
from rehearsal.scenario.population import Population, PopulationSettings
from reports import running

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
TYPES = (
    "playback_metric", "like", "call_in", "chat_message", "follow", "app_opened", "experiment_exposure",
    "promotion_exposure",
)  # fmt: skip
_SECONDS_ON_THE_WAY = 2


@dataclass(frozen=True, kw_only=True)
class PopulationLake:
    """A population and a connection whose schemas `raw` and `transformed` hold its history and its live hour."""

    population: Population
    connection: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        found = self.connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@cache
def population_lake() -> PopulationLake:
    """Fifteen days before the live hour, once for all tests of a process."""
    population = Population(
        PopulationSettings(now=NOW, history_days=15, events_per_history_day=8_000, listeners=4_000, live_events=8_000)
    )
    rows: dict[str, list[str]] = defaultdict(list)
    for events in (population.history(), population.live_events()):
        for number, event in enumerate(events):
            if event["event_type"] in TYPES:
                contract = by_type(event["event_type"])
                assert contract is not None
                columns = reader(contract).read(event).columns
                columns.setdefault("event_id", f"derived-{id(events)}-{number}")
                rows[contract.type].append(json.dumps(columns))
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    running.make_sources(connection)
    connection.execute("create table clock_errors (device_id varchar, error_ms bigint)")
    errors = population.truth.clock_errors_ms.items()
    connection.executemany("insert into clock_errors values (?, ?)", [list(error) for error in errors])
    for event_type, lines in rows.items():
        _load(connection, event_type, lines)
    return PopulationLake(population=population, connection=connection)


def _load(connection: duckdb.DuckDBPyConnection, event_type: str, lines: list[str]) -> None:
    contract = by_type(event_type)
    assert contract is not None
    connection.execute(sql.create_in_duckdb(contract.table, schema="raw", partitions=("arrival",)))
    wanted = {column.name for column in contract.sent}
    types = {
        name: kind for name, kind, *_ in connection.execute(f'describe raw."{event_type}"').fetchall() if name in wanted
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write("\n".join(lines))
        file.flush()
        connection.execute(
            "create or replace temp table sent as select * from read_json(?, format = 'newline_delimited', columns = "
            + json.dumps(types).replace('"', "'")
            + ")",
            [file.name],
        )
    connection.execute(
        f"""
        insert into raw."{event_type}" by name
        select *, strftime(arrived_at, '%Y-%m-%d-%H') as arrival
        from (
            select
                sent.*, event_id as sequence_number,
                occurred_at - to_milliseconds(coalesce(error_ms, 0))
                    + to_seconds({_SECONDS_ON_THE_WAY}) as arrived_at
            from sent left join clock_errors using (device_id)
        )
        """
    )
    # What the events job takes: a clock that is up to 7 days behind or a day ahead, and keys in the place of persons.
    person = (
        ", case when follow_target_kind = 'show' then follow_target_id end as follow_target_id"
        if event_type == "follow"
        else ""
    )
    excluded = "user_id, device_id, extra, arrival" + (", follow_target_id" if person else "")
    dropped = f", {', '.join(_personal(event_type))}" if _personal(event_type) else ""
    connection.execute(
        f"""
        insert into transformed."{event_type}" by name
        select * exclude ({excluded}{dropped}), md5(user_id) as user_key, md5(device_id) as device_key{person}
        from raw."{event_type}"
        where occurred_at between arrived_at - interval 7 day and arrived_at + interval 1 day
        """
    )


def _personal(event_type: str) -> list[str]:
    contract = by_type(event_type)
    assert contract is not None
    known = {"user_id", "device_id", "extra", "follow_target_id"}
    return [column.name for column in contract.table.columns if column.personal and column.name not in known]
