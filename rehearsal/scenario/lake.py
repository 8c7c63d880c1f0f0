"""Read the lake back as an analyst would: the landed files, by the contracts' columns, in DuckDB; writes nothing."""

from __future__ import annotations

import shutil
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from contracts import hive_types
from contracts.events import EVENTS
from contracts.model import Table
from contracts.tables import QUARANTINE, UNKNOWN
from lambdas.flatten_events.landing import Arrival
from lambdas.flatten_events.reingestion import unwrap
from rehearsal.scenario.accounting import Found, GivenUp

_ERRORS = "firehose-errors/"
_DUCKDB = {"string": "VARCHAR", "boolean": "BOOLEAN", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE"}


class Lake:
    """A copy of the raw zone in a folder, and DuckDB views over it: one a table, named as in the catalog.

    A view holds every delivery; `event_id` tells deliveries of one event.
    """

    def __init__(self, s3: Any, bucket: str, folder: Path) -> None:
        """Copy all objects of the bucket into `folder`, which is emptied first."""
        shutil.rmtree(folder, ignore_errors=True)
        self.folder = folder
        self.written: dict[str, datetime] = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                target = folder / item["Key"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read())
                self.written[item["Key"]] = item["LastModified"]
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self.tables = self.show_in(self.connection, schema="main")

    def show_in(self, connection: duckdb.DuckDBPyConnection, *, schema: str) -> list[str]:
        """Make the views in a schema that is there, of any connection; gives their names."""
        patterns = {event.table: f"events/type={event.table.name}/*/*.json.gz" for event in EVENTS}
        patterns |= {UNKNOWN: f"events/type={UNKNOWN.name}/*/*.json.gz", QUARANTINE: "quarantine/*/*/*.json.gz"}
        shown = [table for table, pattern in patterns.items() if any(self.folder.glob(pattern))]
        for table in shown:
            connection.execute(
                f"CREATE VIEW {_quoted(schema)}.{_quoted(table.name)} AS {self._read(table, patterns[table])}"
            )
        return [table.name for table in shown]

    def close(self) -> None:
        """Let DuckDB go; the folder stays."""
        self.connection.close()

    def _read(self, table: Table, pattern: str) -> str:
        columns = ", ".join(f"{_quoted(column.name)}: {_literal(duckdb_type(column.type))}" for column in table.columns)
        return (
            f"SELECT * FROM read_json({_literal(str(self.folder / pattern))}, "
            f"format = 'newline_delimited', columns = {{{columns}}}, filename = true, hive_partitioning = true, "
            "hive_types_autocast = false, maximum_object_size = 67108864)"
        )

    def found(self) -> Iterator[Found]:
        """Every row of every table, for the account."""
        for name in self.tables:
            reason = "reason_code" if name == QUARANTINE.name else "NULL"
            entry = name == "show_catalog_entry"
            show, version = ("show_id", "show_version") if entry else ("NULL", "NULL")
            rows = self.connection.execute(
                f"SELECT event_id, sequence_number, event_id_derived, {reason}, {show}, {version} FROM {_quoted(name)}"
            )
            for event_id, sequence_number, derived, why, show_id, show_version in rows.fetchall():
                yield Found(
                    event_id=event_id,
                    sequence_number=sequence_number,
                    type=name,
                    reason=why,
                    show_id=show_id,
                    show_version=show_version,
                    derived=bool(derived),
                )

    def delays_s(self) -> list[float]:
        """For each row, seconds from its arrival on the stream to its file."""
        prefix = len(str(self.folder)) + 1
        delays: list[float] = []
        for name in self.tables:
            rows = self.connection.execute(f"SELECT filename, epoch(arrived_at) FROM {_quoted(name)}").fetchall()
            delays += [max(0.0, self.written[file[prefix:]].timestamp() - arrived) for file, arrived in rows]
        return delays

    def per_minute(self) -> list[tuple[str, int]]:
        """Rows by the minute of their arrival, gaps included."""
        if not self.tables:
            return []
        union = " UNION ALL ".join(f"SELECT arrived_at FROM {_quoted(name)}" for name in self.tables)
        rows: list[tuple[str, int]] = self.connection.execute(
            f"""WITH rows AS ({union}), counts AS (
                    SELECT date_trunc('minute', arrived_at) AS minute, count(*) AS rows FROM rows GROUP BY 1
                ), minutes AS (
                    SELECT unnest(generate_series(min(minute), max(minute), INTERVAL 1 MINUTE)) AS minute FROM counts
                )
                SELECT strftime(minute, '%H:%M'), coalesce(counts.rows, 0)
                FROM minutes LEFT JOIN counts USING (minute) ORDER BY minute"""
        ).fetchall()
        return rows

    def given_up(self) -> list[GivenUp]:
        """Each record below Firehose's error prefix, without the mark of one that was put back on the stream."""
        pattern = self.folder / _ERRORS / "**" / "*.gz"
        if not any(key.startswith(_ERRORS) for key in self.written):
            return []
        rows = self.connection.execute(
            f"SELECT errorCode, rawData FROM read_json({_literal(str(pattern))}, format = 'newline_delimited', "
            "columns = {errorCode: 'VARCHAR', rawData: 'VARCHAR'}, maximum_object_size = 67108864)"
        )
        # When it arrived and how often it went round does not matter here: any mark is taken off.
        late = Arrival(sequence_number="", sub_sequence=0, arrived_at_ms=2**62)
        return [
            GivenUp(line=unwrap(b64decode(data), late, "", max_reingestions=2**31).line, reason=code)
            for code, data in rows.fetchall()
        ]


def duckdb_type(hive_type: str) -> str:
    """The DuckDB type that holds every value of a Hive type."""
    return _of(hive_types.parse(hive_type))


def _of(kind: hive_types.HiveType) -> str:
    if isinstance(kind, hive_types.Primitive):
        return _DUCKDB.get(kind.name, kind.name.upper())
    if isinstance(kind, hive_types.Decimal):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if isinstance(kind, hive_types.Array):
        return f"{_of(kind.element)}[]"
    if isinstance(kind, hive_types.Map):
        return f"MAP(VARCHAR, {_of(kind.value)})"
    return "STRUCT(" + ", ".join(f"{_quoted(name)} {_of(field)}" for name, field in kind.fields) + ")"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
