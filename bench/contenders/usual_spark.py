"""The job as it is usually written for Spark: read, filter, dropDuplicates, repartition by day, write by partition.

That is one shuffle for the repeats and one for the write, without which a day would lie in up to 200 files. Settings of
SQL are Spark's own. It does less than the platform's job: of repeats it keeps any, it counts and checks nothing, and
readers see a day while it is written. Its schema is given. The files are read once for each table that comes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from bench.contenders.entry import PERSON_SECRET, Task, serve
from bench.contenders.output import DETAIL_COLUMNS, MAX_DAYS_EARLY, MAX_DAYS_LATE, Output, output
from bench.contenders.spark import session
from contracts.events import by_type
from contracts.model import Column as ContractColumn
from contracts.views.spark import schema_ddl

_KEY = PERSON_SECRET.encode().ljust(64, b"\0")


def prepare(task: Task) -> Callable[[], None]:
    """Start Spark; the work is all types and the personal table."""
    spark = session(task.out, cores=task.cores, iceberg=False)

    def work() -> None:
        details = []
        for name in task.types:
            made = output(name)
            rows = _once(spark, task, made)
            shared = rows.select(*(_shared(made, column).alias(column) for column in made.shared), "day")
            shared.repartition("day").write.partitionBy("day").parquet(f"file:{task.out}/transformed/{name}")
            details.append(_details(rows, made))
        union = reduce(DataFrame.unionAll, details)
        union.repartition("day").write.partitionBy("day").parquet(f"file:{task.out}/personal/event_details")

    return work


def _once(spark: SparkSession, task: Task, made: Output) -> DataFrame:
    event = by_type(made.type)
    assert event is not None  # noqa: S101 - the bench generates declared types
    rows = spark.read.schema(schema_ddl(event.table)).json([f"file:{path}" for path in task.files(made.type)])
    lateness = F.unix_timestamp("arrived_at") - F.unix_timestamp("occurred_at")
    rows = (
        rows.where(lateness.between(-86_400 * MAX_DAYS_EARLY, 86_400 * MAX_DAYS_LATE))
        .dropDuplicates(["event_id"])
        .withColumn("day", F.to_date("occurred_at"))
    )
    for key, column in made.keys.items():
        rows = rows.withColumn(key, _key(_person(column)))
    return rows


def _details(rows: DataFrame, made: Output) -> DataFrame:
    """Rows of the personal table, taken before things and persons are told apart in the shared columns."""
    entries = [
        part
        for column in made.details
        for part in (
            F.lit(column.name),
            _person(column) if column.type == "string" else F.to_json(F.col(column.name)),
        )
    ]
    held = F.map_filter(F.create_map(*entries), lambda _, value: value.isNotNull())
    rows = rows.withColumn("details", F.when(F.size(held) > 0, held))
    return rows.where("user_id IS NOT NULL OR device_id IS NOT NULL OR details IS NOT NULL").select(
        *DETAIL_COLUMNS, "day"
    )


def _shared(made: Output, name: str) -> Column:
    return F.when(_is_thing(made.things[name]), F.col(name)) if name in made.things else F.col(name)


def _person(column: ContractColumn) -> Column:
    return F.col(column.name) if column.thing_when is None else F.when(~_is_thing(column), F.col(column.name))


def _is_thing(column: ContractColumn) -> Column:
    assert column.thing_when is not None  # noqa: S101 - asked of such columns alone
    kind, things = column.thing_when
    return F.coalesce(F.col(kind).isin(*things), F.lit(False))


def _key(identity: Column) -> Column:
    """The HMAC by Spark's own functions, its keys as literals; in Python it would be slower."""
    inner, outer = (F.lit(bytearray(byte ^ pad for byte in _KEY)) for pad in (0x36, 0x5C))
    digest = F.sha2(F.concat(inner, F.encode(identity, "UTF-8")), 256)
    return F.substring(F.sha2(F.concat(outer, F.unhex(digest)), 256), 1, 32)


if __name__ == "__main__":
    serve(prepare)
