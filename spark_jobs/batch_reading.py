"""Reads batch files into the shape of transforms.batch_files, and finds those that cannot be read; types no value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses
from pyspark.sql.types import StringType, StructField, StructType

from contracts.datasets import Dataset, Format
from contracts.reasons import Reason
from spark_jobs.file_formats import csv_header, head, named_format, too_little, wrong_format
from spark_jobs.job import Run
from spark_jobs.raw_catalog import RawTable
from spark_jobs.raw_zone import RawFile
from transforms import batch_files
from transforms.batch_files import Wanted

_MALFORMED = "malformed"
SPARK_ERRORS = (Py4JJavaError, PySparkException)
"""What Spark raises when it cannot read."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A whole file that is not taken, and why."""

    file: RawFile
    reason: Reason
    sentence: str


@dataclass(frozen=True, kw_only=True, order=True)
class Part:
    """Files that are read in one go: of one format and one layout (names in a CSV header, schema of Parquet)."""

    format: Format
    layout: tuple[str, ...]
    files: tuple[RawFile, ...]

    def without(self, files: Set[RawFile]) -> Part | None:
        """The part without some of its files; None when no other is left."""
        left = tuple(file for file in self.files if file not in files)
        return replace(self, files=left) if left else None


def parts(run: Run, dataset: Dataset, crawled: RawTable, files: Sequence[RawFile]) -> tuple[list[Part], list[Refusal]]:
    """The files by what they turn out to be, and those that are not what their name or their dataset says."""
    refusals: list[Refusal] = []
    found: list[tuple[Format, tuple[str, ...], RawFile]] = []
    for file in files:
        named, declared = named_format(file.key), dataset.format
        format_ = declared or named
        if format_ is None:
            sentence = f"its name tells no format; write one of {', '.join(f'.{one}' for one in Format)} at its end"
        elif named not in (None, format_):
            sentence = f"its name says {named} and the dataset's files are {format_}"
        else:
            looked = _look(run, crawled, file, format_)
            if isinstance(looked, tuple):
                if looked or format_ is not Format.CSV:  # a CSV file without a header is an empty one
                    found.append((format_, looked, file))
            else:
                refusals.append(looked)
            continue
        refusals.append(Refusal(file=file, reason=Reason.WRONG_FORMAT, sentence=sentence))
    found.sort()
    grouped = groupby(found, key=lambda one: one[:2])
    return [
        Part(format=kind, layout=layout, files=tuple(f for *_, f in ones)) for (kind, layout), ones in grouped
    ], refusals


def rows(run: Run, dataset: Dataset, crawled: RawTable, part: Part, wanted: Sequence[Wanted]) -> DataFrame:
    """The rows of a part in the common shape, values of partition folders among them."""
    sources = _sources(run, dataset, crawled, part.files)
    if part.format is Format.JSON:
        lines = _placed(run, run.spark.read.text(_paths(part.files)), sources).withColumnRenamed("value", "line")
        read = batch_files.json_rows(lines)
    elif part.format is Format.CSV:
        read = _csv(run, crawled, part, sources)
    else:
        found = run.spark.read.parquet(*_paths(part.files))
        columns = dict(zip(found.columns, batch_files.column_names(found.columns), strict=True))
        numbered = _of_file(found.withColumn("source_row", F.col("_metadata.row_index")), sources)
        read = batch_files.parquet_rows(numbered, columns, wanted)
    return _with_folders(read, sources)


def unreadable(run: Run, part: Part) -> list[Refusal]:
    """Which files of a part cannot be read to their end, each read by itself; asked after reading all failed."""
    found = []
    for file in part.files:
        why: str | None = None
        if part.format is not Format.PARQUET and file.key.endswith(".gz"):
            why = run.raw.corrupt_gzip(file)
        else:
            try:
                reader = run.spark.read.format("parquet" if part.format is Format.PARQUET else "text")
                reader.load(_paths([file])).write.format("noop").mode("overwrite").save()
            except SPARK_ERRORS:
                why = "it cannot be read to its end"
        if why:
            found.append(Refusal(file=file, reason=Reason.CORRUPT_FILE, sentence=why))
    return found


def of_no_table(run: Run, dataset: Dataset, files: Sequence[RawFile]) -> list[Refusal]:
    """Readable files of which Glue's own classifiers make no table; none as long as one is among them that gives one.

    They find nothing in an empty file, and CSV only where there are two columns and two records ("Built-in classifiers"
    page). Datasets that are declared as CSV have a classifier that takes less; it is asked before Glue's own
    and allows any text of one column, so that it is none for folders that may hold JSON.
    """
    if dataset.format is not None:
        return []
    found = []
    for file in files:
        format_ = named_format(file.key)
        if format_ is None or format_ is Format.PARQUET:
            return []
        with closing(run.raw.open(file.key)) as stored:
            content = head(stored, gzipped=file.key.endswith(".gz"))
        sentence = too_little(content, format_)
        if sentence is None:
            return []
        found.append(Refusal(file=file, reason=Reason.WRONG_FORMAT, sentence=sentence))
    return found


def refusals_as_rows(run: Run, dataset: Dataset, refusals: Sequence[Refusal]) -> DataFrame:
    """The files as rows of personal.rejected_rows."""
    listed = [{"file": one.file.key, "reason_code": one.reason.value, "reason": one.sentence} for one in refusals]
    return _rows(run, "file string, reason_code string, reason string", listed).withColumn(
        "source", F.lit(dataset.name)
    )


def _look(run: Run, crawled: RawTable, file: RawFile, format_: Format) -> tuple[str, ...] | Refusal:
    gzipped = format_ is not Format.PARQUET and file.key.endswith(".gz")
    with closing(run.raw.open(file.key)) as stored:
        content = head(stored, gzipped=gzipped)
    if gzipped and not content and (why := run.raw.corrupt_gzip(file)):
        return Refusal(file=file, reason=Reason.CORRUPT_FILE, sentence=why)
    wrong = wrong_format(content, format_)
    if wrong:
        return Refusal(file=file, reason=Reason.WRONG_FORMAT, sentence=wrong)
    if format_ is Format.CSV:
        names = csv_header(content, delimiter=_delimiter(crawled))
        return names if _has_header(crawled) else tuple(list(crawled.columns)[: len(names)])
    if format_ is Format.PARQUET:
        try:
            return (_parquet_schema(run, file),)
        except SPARK_ERRORS:
            return Refusal(file=file, reason=Reason.CORRUPT_FILE, sentence="its footer cannot be read")
    return ()


def _csv(run: Run, crawled: RawTable, part: Part, sources: DataFrame) -> DataFrame:
    names = [f"c{number}" for number in range(len(part.layout))]
    parsed = (
        run.spark.read.schema(StructType([StructField(name, StringType()) for name in (*names, _MALFORMED)]))
        .options(
            header=_has_header(crawled),
            sep=_delimiter(crawled),
            quote='"',
            escape='"',
            multiLine=True,
            encoding="UTF-8",
            mode="PERMISSIVE",
            columnNameOfCorruptRecord=_MALFORMED,
            enforceSchema=True,
            maxColumns=max(20_480, len(names) + 1),
        )
        .csv(_paths(part.files))
    )
    columns = dict(zip(names, batch_files.column_names(part.layout), strict=True))
    return batch_files.csv_rows(_placed(run, parsed, sources), columns, malformed=_MALFORMED)


def _placed(run: Run, rows: DataFrame, sources: DataFrame) -> DataFrame:
    """Rows of text files with `SOURCE`; their number is their place in the file, from 0."""
    in_file = Window.partitionBy("source_file").orderBy("_block", "_order")
    block = F.col("_metadata.file_block_start")
    placed = (
        _of_file(rows.withColumns({"_block": block, "_order": F.monotonically_increasing_id()}), sources)
        .withColumn("source_row", F.row_number().over(in_file).cast("bigint") - 1)
        .drop("_block", "_order")
    )
    # The order of lines is the same each time, which Spark does not know; MERGE takes no rows of which it is unsure.
    session: Any = run.spark._jsparkSession
    return DataFrame(session.createDataFrame(placed._jdf.toJavaRDD(), placed._jdf.schema()), run.spark)


def _of_file(rows: DataFrame, sources: DataFrame) -> DataFrame:
    return (
        rows.withColumn("_path", F.col("_metadata.file_path"))
        .join(F.broadcast(sources.drop("folders")), "_path", how="left")
        .drop("_path")
    )


def _with_folders(rows: DataFrame, sources: DataFrame) -> DataFrame:
    """The rows with the values of their file's partition folders among their values."""
    folders = sources.select("source_file", "folders")
    return (
        rows.join(F.broadcast(folders), "source_file", how="left")
        .withColumn("values", F.map_concat("values", "folders"))
        .drop("folders")
    )


def _sources(run: Run, dataset: Dataset, crawled: RawTable, files: Sequence[RawFile]) -> DataFrame:
    """One row a file: _path (as Spark tells of it), source_file, file_changed_at, folders (values by column)."""
    listed = [
        {
            "_path": _hadoop_path(run, file).toUri().toString(),
            "source_file": file.key,
            "file_changed_at": file.changed_at.strftime("%Y-%m-%d %H:%M:%S.%f"),
            "folders": dict(partition_values(dataset, crawled, file.key)),
        }
        for file in files
    ]
    columns = "_path string, source_file string, file_changed_at timestamp, folders map<string,string>"
    return _rows(run, columns, listed)


def _rows(run: Run, columns: str, listed: Sequence[Mapping[str, Any]]) -> DataFrame:
    return run.spark.sql(
        f"SELECT inline(from_json(:listed, 'array<struct<{columns}>>'))", args={"listed": json.dumps(listed)}
    )


def partition_values(dataset: Dataset, crawled: RawTable, key: str) -> Iterator[tuple[str, str]]:
    """The values that a file's folders give the table's partition keys: `day=2026-11-18/`, or any as `partition_0`."""
    below = crawled.location.partition(dataset.prefix)[2].strip("/")
    root = f"{dataset.prefix}{below}/" if below else dataset.prefix
    folders = key.removeprefix(root).split("/")[:-1]
    names = batch_files.column_names(crawled.keys)
    for number, (own, name) in enumerate(zip(crawled.keys, names, strict=True)):
        for place, folder in enumerate(folders):
            left, equals, right = folder.partition("=")
            if (equals and left.lower() == own) or (not equals and own == f"partition_{number}" and place == number):
                yield name, unquote(right if equals else left)


def _paths(files: Sequence[RawFile]) -> list[str]:
    return [file.uri for file in files]


def _hadoop_path(run: Run, file: RawFile) -> Any:
    """The file's address where no pattern is asked for, and so none is escaped."""
    jvm: Any = run.spark._jvm
    return jvm.org.apache.hadoop.fs.Path(re.sub(r"\\([{}\[\]*?\\])", r"\1", file.uri))


def _parquet_schema(run: Run, file: RawFile) -> str:
    jvm: Any = run.spark._jvm
    hadoop = run.spark._jsparkSession.sessionState().newHadoopConf()
    opened = jvm.org.apache.parquet.hadoop.util.HadoopInputFile.fromPath(_hadoop_path(run, file), hadoop)
    reader = jvm.org.apache.parquet.hadoop.ParquetFileReader.open(opened)
    try:
        return str(reader.getFooter().getFileMetaData().getSchema().toString())
    finally:
        reader.close()


def _delimiter(crawled: RawTable) -> str:
    names = ("separatorChar", "field.delim", "delimiter")
    return next((crawled.parameters[name] for name in names if crawled.parameters.get(name)), ",")


def _has_header(crawled: RawTable) -> bool:
    return crawled.parameters.get("skip.header.line.count", "1") != "0" and "col0" not in crawled.columns
