"""The job in SQL for DuckDB, to the same rows in the same partitions of Parquet with the same compression.

It does less than the platform's job: it checks and counts nothing, and readers see a day while it is written.
"""

# ruff: noqa: S608 - the SQL is made of names that contracts declare
from __future__ import annotations

from collections.abc import Callable

import duckdb

from bench.contenders.entry import PERSON_SECRET, Task, serve
from bench.contenders.output import DETAIL_COLUMNS, MAX_DAYS_EARLY, MAX_DAYS_LATE, Output, output
from contracts.model import Column

_KEY = PERSON_SECRET.encode().ljust(64, b"\0")
_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "array<string>": "VARCHAR[]",
}
_WRITTEN = "FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day)"


def prepare(task: Task) -> Callable[[], None]:
    """Open a database in memory; the work is all types and the personal table."""
    con = duckdb.connect()
    con.execute(f"SET threads = {task.cores}")
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"SET temp_directory = '{task.out}/scratch'")
    inner, outer = ("".join(f"\\x{byte ^ pad:02X}" for byte in _KEY) for pad in (0x36, 0x5C))
    con.execute(
        f"CREATE MACRO person_key(id) AS "
        f"left(sha256('{outer}'::BLOB || unhex(sha256('{inner}'::BLOB || encode(id)))), 32)"
    )

    def work() -> None:
        (task.out / "transformed").mkdir(parents=True, exist_ok=True)
        (task.out / "personal").mkdir(exist_ok=True)
        for name in task.types:
            made = output(name)
            con.execute(_once(made, task.files(name)))
            con.execute(f"COPY ({_shared(made)}) TO '{task.out}/transformed/{name}' ({_WRITTEN})")
        details = " UNION ALL ".join(_details(output(name)) for name in task.types)
        con.execute(f"COPY ({details}) TO '{task.out}/personal/event_details' ({_WRITTEN})")

    return work


def _once(made: Output, files: list[str]) -> str:
    columns = ", ".join(f"{column.name}: '{_TYPES[column.type]}'" for column in made.raw)
    keys = "".join(f", person_key({_person(column)}) AS {name}" for name, column in made.keys.items())
    return f"""
        CREATE TABLE once_{made.type} AS
        SELECT *, occurred_at::DATE AS day{keys}
        FROM read_json({files}, columns = {{{columns}}}, format = 'newline_delimited', compression = 'gzip')
        WHERE occurred_at >= arrived_at - INTERVAL {MAX_DAYS_LATE} DAY
            AND occurred_at <= arrived_at + INTERVAL {MAX_DAYS_EARLY} DAY
        QUALIFY row_number() OVER (PARTITION BY occurred_at::DATE, event_id ORDER BY arrived_at, sequence_number) = 1
    """


def _shared(made: Output) -> str:
    columns = [
        f"CASE WHEN {_is_thing(made.things[name])} THEN {name} END AS {name}" if name in made.things else name
        for name in made.shared
    ]
    return f"SELECT {', '.join(columns)}, day FROM once_{made.type}"


def _details(made: Output) -> str:
    entries = ", ".join(
        f"{{'key': '{column.name}', 'value': {_person(column) if column.type == 'string' else _json(column)}}}"
        for column in made.details
    )
    present = " OR ".join(
        f"{name} IS NOT NULL" for name in ("user_id", "device_id", *(_person(column) for column in made.details))
    )
    any_detail = " OR ".join(f"{_person(column)} IS NOT NULL" for column in made.details)
    details = f"map_from_entries(list_filter([{entries}], lambda entry: entry.value IS NOT NULL))"
    columns = ", ".join(
        f"CASE WHEN {any_detail} THEN {details} END AS details" if name == "details" else name
        for name in DETAIL_COLUMNS
    )
    return f"SELECT {columns}, day FROM once_{made.type} WHERE {present}"


def _json(column: Column) -> str:
    return f"CASE WHEN {column.name} IS NOT NULL THEN to_json({column.name})::VARCHAR END"


def _is_thing(column: Column) -> str:
    assert column.thing_when is not None  # noqa: S101 - asked of such columns alone
    kind, things = column.thing_when
    return f"coalesce({kind} IN ({', '.join(repr(thing) for thing in things)}), false)"


def _person(column: Column) -> str:
    return column.name if column.thing_when is None else f"CASE WHEN NOT {_is_thing(column)} THEN {column.name} END"


if __name__ == "__main__":
    serve(prepare)
