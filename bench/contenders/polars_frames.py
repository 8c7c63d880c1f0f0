"""The job in Polars, to the same rows in the same partitions of Parquet with the same compression.

It does less than the platform's job: it checks and counts nothing, and readers see a day while it is written. Polars
has no maps: the details are lists of pairs. Persons' keys are made in Python, once for each person.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import polars as pl

from bench.contenders.entry import PERSON_SECRET, Task, serve
from bench.contenders.output import ACTOR, DETAIL_COLUMNS, MAX_DAYS_EARLY, MAX_DAYS_LATE, Output, output
from contracts.model import Column

_TYPES: dict[str, Any] = {
    "string": pl.String,
    "int": pl.Int32,
    "bigint": pl.Int64,
    "double": pl.Float64,
    "boolean": pl.Boolean,
    "timestamp": pl.String,
    "array<string>": pl.List(pl.String),
}


def prepare(task: Task) -> Callable[[], None]:
    """Nothing is prepared; the work is all types and the personal table."""

    def work() -> None:
        details = []
        for name in task.types:
            made = output(name)
            once = _with_keys(_once(made, task.files(name)).collect(), made).lazy()
            _write(_shared(once, made), f"{task.out}/transformed/{name}")
            details.append(_details(once, made))
        _write(pl.concat(details), f"{task.out}/personal/event_details")

    return work


def _once(made: Output, files: list[str]) -> pl.LazyFrame:
    times = [column.name for column in made.raw if column.type == "timestamp"]
    lateness = pl.col("arrived_at") - pl.col("occurred_at")
    return (
        pl.scan_ndjson(files, schema={column.name: _TYPES[column.type] for column in made.raw})
        .with_columns(pl.col(times).str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us"))
        .filter(lateness.is_between(-pl.duration(days=MAX_DAYS_EARLY), pl.duration(days=MAX_DAYS_LATE)))
        .with_columns(day=pl.col("occurred_at").dt.date())
        .sort("arrived_at", "sequence_number")
        .unique(["day", "event_id"], keep="first", maintain_order=False)
    )


def _with_keys(rows: pl.DataFrame, made: Output) -> pl.DataFrame:
    keys = []
    for name, column in made.keys.items():
        persons = rows.select(_person(column).alias("id")).to_series().unique().drop_nulls()
        known = pl.Series([_key(person) for person in persons], dtype=pl.String)
        keys.append(_person(column).replace_strict(persons, known, default=None, return_dtype=pl.String).alias(name))
    return rows.with_columns(keys)


def _shared(once: pl.LazyFrame, made: Output) -> pl.LazyFrame:
    return once.select(
        *(
            pl.when(_is_thing(made.things[name])).then(pl.col(name)).alias(name)
            if name in made.things
            else pl.col(name)
            for name in made.shared
        ),
        "day",
    )


def _details(once: pl.LazyFrame, made: Output) -> pl.LazyFrame:
    entries = [
        pl.when(value.is_not_null()).then(pl.struct(pl.lit(column.name).alias("key"), value.alias("value")))
        for column in made.details
        for value in (_person(column) if column.type == "string" else _json(column),)
    ]
    held = pl.concat_list(entries).list.drop_nulls()
    return (
        once.with_columns(details=pl.when(held.list.len() > 0).then(held))
        .filter(pl.any_horizontal(pl.col(*ACTOR, "details").is_not_null()))
        .select(*DETAIL_COLUMNS, "day")
    )


def _json(column: Column) -> pl.Expr:
    """A list of texts as JSON; the generated ones need no escapes."""
    joined = pl.concat_str(pl.lit('["'), pl.col(column.name).list.join('","'), pl.lit('"]'))
    return pl.when(pl.col(column.name).is_not_null()).then(joined)


def _is_thing(column: Column) -> pl.Expr:
    assert column.thing_when is not None  # noqa: S101 - asked of such columns alone
    kind, things = column.thing_when
    return pl.col(kind).is_in(things).fill_null(value=False)


def _person(column: Column) -> pl.Expr:
    return pl.col(column.name) if column.thing_when is None else pl.when(~_is_thing(column)).then(pl.col(column.name))


def _key(identity: str) -> str:
    return hmac.new(PERSON_SECRET.encode(), identity.encode(), hashlib.sha256).hexdigest()[:32]


def _write(rows: pl.LazyFrame, folder: str) -> None:
    # One file for each partition, like the others.
    target = pl.PartitionBy(folder, key="day", include_key=False, approximate_bytes_per_file=2**62)
    rows.sink_parquet(target, mkdir=True, maintain_order=False)


if __name__ == "__main__":
    serve(prepare)
