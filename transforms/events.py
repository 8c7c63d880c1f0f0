"""Raw events into typed rows, each event once, and what is personal in them apart; reads and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType

from contracts.event import Event
from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.model import Column as ContractColumn
from contracts.reasons import Reason
from transforms.people import add_keys

CORRUPT = "_corrupt_record"
"""Column in which Spark's reader leaves a line that it cannot read (Spark SQL guide, JSON files)."""
DAY, _PLACE, _FILE = "_day", "_place", "_file"
SPREAD = (DAY, _PLACE)
"""Columns by whose values the rows of `each_once` lie together; the second is 0 where a day is not divided."""
_ACTOR = ("user_id", "device_id")
_DAY_MICROS = 86_400 * 1_000_000


@dataclass(frozen=True, kw_only=True)
class Clock:
    """How far an event's own time may lie before and after its arrival, in days; None: as far as it likes."""

    max_days_late: int | None
    max_days_early: int


def reason_code(clock: Clock) -> Column:
    """Why a raw row cannot be taken, as a code of contracts.reasons; null where it can."""
    missing = F.col("event_id").isNull() | F.col("occurred_at").isNull() | F.col("arrived_at").isNull()
    return (
        F.when(F.col(CORRUPT).isNotNull(), Reason.MALFORMED_ROW.value)
        .when(missing, Reason.MISSING_COLUMN.value)
        .when(_off_clock(clock), Reason.TIME_OUT_OF_RANGE.value)
    )


def refused(raw: DataFrame, event: Event, clock: Clock) -> DataFrame:
    """The rows that cannot be taken, as rows of personal.rejected_rows; `raw` holds `_file`, the file's key."""
    code = reason_code(clock)
    columns = [name for name in raw.columns if name not in (CORRUPT, _FILE)]
    missing = F.when(F.col("event_id").isNull(), "event_id").when(F.col("occurred_at").isNull(), "occurred_at")
    sentences = {
        Reason.MALFORMED_ROW: "the line is no JSON object with values of the contract's types",
        Reason.MISSING_COLUMN: "a column that every landed event has is absent or null",
        Reason.TIME_OUT_OF_RANGE: (
            "it says that it happened more than "
            + ("" if clock.max_days_late is None else f"{clock.max_days_late} days before or ")
            + f"{clock.max_days_early} days after it arrived"
        ),
    }
    reason = F.lit(None).cast("string")
    for known, sentence in sentences.items():
        reason = F.when(F.col("reason_code") == known.value, sentence).otherwise(reason)
    return (
        raw.withColumn("reason_code", code)
        .where(F.col("reason_code").isNotNull())
        .select(
            F.lit(event.type).alias("source"),
            F.col(_FILE).alias("file"),
            "reason_code",
            reason.alias("reason"),
            F.when(F.col("reason_code") == Reason.MISSING_COLUMN.value, F.coalesce(missing, F.lit("arrived_at")))
            .when(F.col("reason_code") == Reason.TIME_OUT_OF_RANGE.value, F.lit("occurred_at"))
            .alias("column_name"),
            "event_id",
            F.coalesce(F.col(CORRUPT), F.to_json(F.struct(*columns))).alias("original"),
        )
    )


def each_once(raw: DataFrame, event: Event, clock: Clock, keys: DataFrame, *, files_per_day: int = 1) -> DataFrame:
    """The events that can be taken, once each: the shared table's columns, what is personal, and SPREAD.

    The first to arrive is taken. Equal ids on one UTC day are one event. Rows come out spread and ordered as files
    shall be: each day's over `files_per_day` tasks, day after day. That is one exchange: what tells repeats apart
    lies in the partition that is written (Spark needs no second exchange where the first one's columns are among
    those that are asked for).
    """
    taken = raw.where(reason_code(clock).isNull()).drop(CORRUPT).withColumn(DAY, F.to_date("occurred_at"))
    taken = taken.withColumn(_PLACE, F.pmod(F.xxhash64("event_id"), F.lit(files_per_day)))
    # Ids first: rows are sorted by these columns in turn, and ids alone tell nearly all of them apart.
    first = Window.partitionBy("event_id", *SPREAD).orderBy("arrived_at", "sequence_number")
    once = taken.repartition(*SPREAD).withColumn("_delivery", F.row_number().over(first)).where("_delivery = 1")
    persons = {column.key_name: _person(column) for column in event.table.columns if column.person_id}
    keyed = add_keys(once, keys, persons)
    shared = EVENT_TABLES[event.type]
    things = {column.name: column for column in event.table.columns if column.thing_when}
    return keyed.select(
        *(
            _thing(things[column.name]).alias(column.name) if column.name in things else F.col(f"`{column.name}`")
            for column in shared.columns
        ),
        *_ACTOR,
        _details(event).alias("details"),
        *SPREAD,
    )


def shared(once: DataFrame, event: Event) -> DataFrame:
    """The rows of the shared table."""
    return once.select(*EVENT_TABLES[event.type].column)


def details(once: DataFrame) -> DataFrame:
    """The rows of personal.event_details: one for each event that holds a personal value."""
    return once.where(is_personal()).select(*EVENT_DETAILS.column)


def is_personal() -> Column:
    """Whether a row of `each_once` holds a personal value."""
    return F.col("user_id").isNotNull() | F.col("device_id").isNotNull() | F.col("details").isNotNull()


def _off_clock(clock: Clock) -> Column:
    # Whole numbers: adding an interval goes through the calendar of a time zone for each row.
    ahead = F.unix_micros("occurred_at") - F.unix_micros("arrived_at")
    early = ahead > F.lit(clock.max_days_early * _DAY_MICROS)
    return early if clock.max_days_late is None else early | (ahead < F.lit(-clock.max_days_late * _DAY_MICROS))


def _person(column: ContractColumn) -> Column:
    """The id where it is a person's."""
    value = F.col(f"`{column.name}`")
    return value if column.thing_when is None else F.when(~_is_thing(column), value)


def _thing(column: ContractColumn) -> Column:
    """The id where it is a thing's."""
    return F.when(_is_thing(column), F.col(f"`{column.name}`"))


def _is_thing(column: ContractColumn) -> Column:
    assert column.thing_when is not None  # noqa: S101 - asked of such columns alone
    kind, things = column.thing_when
    # A kind that is not told is taken for a person's, which is the safe side.
    return F.coalesce(F.col(f"`{kind}`").isin(*things), F.lit(False))


def _details(event: Event) -> Column:
    """Every other personal value by its column's name: text as it is, the rest as JSON; null when there is none."""
    held = [column for column in event.table.columns if column.personal and column.name not in _ACTOR]
    if not held:
        return F.lit(None).cast("map<string,string>")
    entries: list[Column] = []
    for column in held:
        value = _person(column) if column.person_id else F.col(f"`{column.name}`")
        as_text = value if column.type == "string" else _json(value, column.type)
        entries += [F.lit(column.name), as_text]
    found = F.map_filter(F.create_map(*entries), lambda _, value: value.isNotNull())
    nothing = F.coalesce(*(entries[1::2])).isNull()
    return F.when(~nothing, found)


def _json(value: Column, hive_type: str) -> Column:
    if hive_type.startswith(("array", "map", "struct")):
        return F.to_json(value)
    return value.cast(StringType())
