"""Rows of batch files, of whatever format, into typed rows by the schema that the crawlers found; reads no file.

Every format becomes one shape first: where a row is from, its values as text by column name, and whether it can be read
as a row at all. So one rule decides for all of them what fits a column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses
from pyspark.sql.types import ArrayType, BinaryType, DataType, LongType, MapType, StructType

from contracts import hive_types
from contracts.datasets import Dataset
from contracts.lake_tables.datasets import SOURCE_COLUMNS, shared_of
from contracts.reasons import Reason
from contracts.views.spark import literal
from transforms.people import add_keys
from transforms.shape import shaped

SOURCE = tuple(column.name for column in SOURCE_COLUMNS)
"""Where a row is from: file, row, and when the file was last written."""
SETTINGS = {
    # Two keys of an object that become one column: the later holds.
    "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
    # A list is what it says or it is refused, not what is left of it.
    "spark.sql.json.enablePartialResults": "false",
    # A row is told to be ragged only where all of it is parsed.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
    # pandas writes moments in nanoseconds, which Spark has no type for.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
}
"""What reading batch files needs of Spark SQL."""
_KNOWN_AS = (
    (r"\bfloat\b", "double"),
    (r"\b(tiny|small)int\b", "int"),
    (r"\b(var)?char\(\d+\)", "string"),
    (r"\bbinary\b", "string"),
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A column as the table holds it. `found` is the catalog's type, where the table cannot take that one over."""

    name: str
    type: str
    required: bool = False
    found: str | None = None

    @property
    def reason(self) -> str:
        """What is said of a value that does not fit."""
        if self.found:
            return (
                f"the value does not fit {self.type}; the catalog now calls the column {self.found}, which the table's "
                f"{self.type} cannot become"
            )
        return f"the value does not fit the column's type {self.type}"


def column_names(texts: Sequence[str]) -> list[str]:
    """The lake's names of columns: lower case, `_` for all but letters and digits, a number behind a name taken."""
    taken: list[str] = []
    for text in texts:
        name = re.sub(r"\W", "_", text.strip().lower()) or "_"
        name = f"{name}_" if name in SOURCE else name
        number = 2
        while name in taken:
            name, number = f"{name.removesuffix(f'_{number - 1}')}_{number}", number + 1
        taken.append(name)
    return taken


def column_type(crawled: str) -> str:
    """The type in which the lake keeps a column that has this type in the catalog.

    Narrow numbers become those that contracts know. What holds structs is kept as JSON text: nothing of it is lost when
    it changes inside, where a table could not follow.
    """
    text = crawled.replace(" ", "").lower()
    for narrow, known in _KNOWN_AS:
        text = re.sub(narrow, known, text)
    try:
        hive_types.parse(text)
    except ValueError:
        return "string"
    return "string" if "struct<" in text else text


def wanted_columns(
    dataset: Dataset, *, crawled: Mapping[str, str], table: Mapping[str, str], widens: Callable[[str, str], bool]
) -> tuple[Wanted, ...]:
    """The columns to read, by name: the declared ones, those of the table, those of the catalog.

    Args:
        dataset: its declared columns have their declared types; those of its key are required.
        crawled: the catalog's types by its columns' names.
        table: the types of the table's columns; empty while there is no table.
        widens: whether a column of one type can become another's without touching files.
    """
    declared = {column.name: column.type for column in dataset.shared}
    found = dict(zip(column_names(list(crawled)), map(column_type, crawled.values()), strict=True))
    wanted = []
    for name in dict.fromkeys((*declared, *table, *found)):
        have, sees = declared.get(name, table.get(name)), found.get(name)
        if have is None or (name not in declared and sees and widens(have, sees)):
            have = sees
        if name in SOURCE or have is None:
            continue
        unlike = sees if sees and sees != have and not widens(sees, have) else None
        wanted.append(Wanted(name=name, type=have, required=name in dataset.key, found=unlike))
    return tuple(wanted)


def json_rows(lines: DataFrame) -> DataFrame:
    """Lines of JSON (`SOURCE`, line) in the common shape: `SOURCE`, values, unreadable, original.

    A line that is not one whole JSON object is unreadable; blank lines are no rows.
    """
    whole = F.json_array_length(F.concat(F.lit("["), "line", F.lit("]"))) == 1
    values = F.map_from_entries(
        F.transform(
            F.map_entries(F.from_json("line", "map<string,string>")),
            lambda entry: F.struct(_column_name(entry["key"]), entry["value"]),
        )
    )
    return (
        lines.withColumn("line", F.trim("line"))
        .where("line <> ''")
        .withColumn("values", F.when(whole & F.col("line").startswith("{"), values))
        .select(*SOURCE, "values", F.col("values").isNull().alias("unreadable"), F.col("line").alias("original"))
    )


def csv_rows(rows: DataFrame, columns: Mapping[str, str], *, malformed: str) -> DataFrame:
    """Parsed rows of CSV in the common shape; `columns` are the lake's names by those of `rows`.

    `malformed` is the column in which Spark leaves a row that has not as many values as the header.
    """
    bad = F.col(malformed)
    values = _values({name: F.col(theirs) for theirs, name in columns.items()})
    return rows.withColumn("values", values).select(
        *SOURCE, "values", bad.isNotNull().alias("unreadable"), F.coalesce(bad, F.to_json("values")).alias("original")
    )


def parquet_rows(rows: DataFrame, columns: Mapping[str, str], wanted: Sequence[Wanted]) -> DataFrame:
    """Rows of Parquet in the common shape; `columns` are the lake's names by those of `rows`."""
    types = {one.name: one.type for one in wanted}
    values = {
        name: _text(F.col(f"`{theirs}`"), rows.schema[theirs].dataType, types.get(name))
        for theirs, name in columns.items()
    }
    return rows.withColumn("values", _values(values)).select(
        *SOURCE, "values", F.lit(False).alias("unreadable"), F.to_json("values").alias("original")
    )


def judged(rows: DataFrame, wanted: Sequence[Wanted]) -> DataFrame:
    """Rows of the common shape as `SOURCE`, row (a struct of the typed columns), original, and what is wrong with them.

    That is reason_code, reason and column_name: null where nothing is. A value that is absent, or blank where the
    column holds no text, is null; one that does not fit its column is wrong, and so is none in a required column.
    """
    typed = rows.withColumn("row", F.struct(*(F.expr(_typed(one)).alias(one.name) for one in wanted)))
    wrong = [
        F.when(
            F.col("unreadable"),
            _judgement(Reason.MALFORMED_ROW, "it cannot be read as a row: see its quotes, braces and number of values"),
        )
    ]
    for one in wanted:
        there = F.expr(f"nullif(trim({_value(one)}), '')").isNotNull()
        if one.type != "string":
            unfit = there & F.col("row")[one.name].isNull()
            wrong.append(F.when(unfit, _judgement(Reason.WRONG_TYPE, one.reason, one.name)))
        if one.required:
            sentence = "the column tells rows apart and is empty or absent"
            wrong.append(F.when(~there, _judgement(Reason.MISSING_COLUMN, sentence, one.name)))
    return typed.withColumn("wrong", F.coalesce(*wrong)).select(*SOURCE, "row", "original", "wrong.*")


def taken(rows: DataFrame) -> DataFrame:
    """The `judged` rows with which nothing is wrong: `SOURCE` and a column each."""
    return rows.where("reason_code IS NULL").select(*SOURCE, "row.*")


def refused(rows: DataFrame, dataset: Dataset) -> DataFrame:
    """The other `judged` rows, as rows of personal.rejected_rows."""
    return rows.where("reason_code IS NOT NULL").select(
        F.lit(dataset.name).alias("source"),
        F.col("source_file").alias("file"),
        "reason_code",
        "reason",
        "column_name",
        "original",
    )


def shared_rows(rows: DataFrame, dataset: Dataset, keys: DataFrame) -> DataFrame:
    """What of the personal table's rows is shared, persons as keys; shaped as the dataset's shared table.

    `keys` is the one-row frame of transforms.people.
    """
    table = shared_of(dataset)
    assert table is not None  # noqa: S101 - asked of datasets that share something
    persons = {
        column.key_name: F.expr(f"CASE WHEN trim(`{column.name}`) <> '' THEN `{column.name}` END")
        for column in dataset.shared
        if column.person_id
    }
    return shaped(add_keys(rows, keys, persons), table)


def _column_name(text: Column) -> Column:
    """`column_names` for one name in Spark."""
    name = F.regexp_replace(F.lower(F.trim(text)), r"(?U)\W", "_")
    name = F.when(name == "", F.lit("_")).otherwise(name)
    return F.when(name.isin(*SOURCE), F.concat(name, F.lit("_"))).otherwise(name)


def _values(columns: Mapping[str, Column]) -> Column:
    pairs = [part for name, value in columns.items() for part in (F.lit(name), value)]
    return F.create_map(*pairs).cast("map<string,string>")


def _text(value: Column, kind: DataType, wanted: str | None) -> Column:
    if isinstance(kind, BinaryType):
        return F.base64(value)
    if isinstance(kind, (ArrayType, MapType, StructType)):
        return F.to_json(value)
    if isinstance(kind, LongType) and wanted == "timestamp":
        return F.timestamp_micros(F.floor(value / 1000)).cast("string")  # nanoseconds, see SETTINGS
    return value.cast("string")


def _value(one: Wanted) -> str:
    return f"`values`[{literal(one.name)}]"


def _typed(one: Wanted) -> str:
    value = _value(one)
    if one.type == "string":
        return value
    if one.type.startswith(("array<", "map<", "struct<")):
        return f"from_json({value}, {literal(one.type)})"
    return f"try_cast(trim({value}) AS {one.type})"


def _judgement(reason: Reason, sentence: str, column: str | None = None) -> Column:
    return F.struct(
        F.lit(reason.value).alias("reason_code"),
        F.lit(sentence).alias("reason"),
        F.lit(column).cast("string").alias("column_name"),
    )
