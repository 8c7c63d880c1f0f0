"""The job `batch_files`: files that arrived, changed or went, into tables by what the crawlers found; computes nothing.

It compares what lies in the raw zone with what the tables hold, and so needs no window: a run that died, or one that
was left out, is made up for by the next. Each dataset, and each folder of uploads, fails alone.

- A new or changed file is read whole; rows of a file that is gone are removed. When the catalog knows columns that the
  table lacks, or wider types, all files are read again, so that no value is missed, whichever came first.
- A file that cannot be read to its end, or is not what it says it is, is refused as a whole; what the table had of it
  stays.
- A row that cannot be read, or with a value that does not fit its column, is refused; the others are taken.
- When all files of a dataset are gone its tables stay as they were, marked with `amp.withdrawn-at`, and their readers
  are told (once, or twice if the run dies in between); the mark goes when files are back.
- Files of which no crawler has made a table yet wait for it, unless they are such that none can: those are refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import boto3
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.datasets import DATASETS, Dataset
from contracts.lake import LakeTable
from contracts.lake_tables.datasets import all_of, shared_of
from contracts.reasons import Reason
from contracts.views.spark import literal
from spark_jobs import batch_reading
from spark_jobs.batch_reading import Refusal
from spark_jobs.changes import Upsert
from spark_jobs.job import Run
from spark_jobs.lake import widens
from spark_jobs.problems import Problems
from spark_jobs.raw_catalog import RawTable, raw_tables
from spark_jobs.raw_zone import RawFile
from transforms import batch_files

WITHDRAWN = "amp.withdrawn-at"
"""Table property: since when no file of the dataset has been there, in UTC."""
READ_AS = "amp.read-as"
"""Table property: a digest of the columns and types as which all files in the table were read."""
_LONGEST_FOLDER, _DIGEST = 100, 8
"""Characters of a folder's name in a table's name, which has 127 (contracts.model); longer ones end in a digest."""


@dataclass(frozen=True, kw_only=True)
class Drop:
    """What is taken by itself: a dataset, or one folder of a dataset by folder."""

    dataset: Dataset
    table: LakeTable
    shared: LakeTable | None
    files: Sequence[RawFile]
    crawled: RawTable | None

    @property
    def withdrawn(self) -> bool:
        """Whether there is no file, or none that came after the crawler found them all gone."""
        at = self.crawled.deprecated_at_ms if self.crawled else None
        return not any(at is None or file.changed_at.timestamp() * 1000 > at for file in self.files)


def run(run: Run) -> None:
    """Take all datasets, by the tables of the raw database."""
    glue: Any = boto3.client("glue")
    take(run, raw_tables(glue, f"{run.arguments.database_prefix}_raw"))


def take(run: Run, catalog: Sequence[RawTable]) -> None:
    """Take all datasets, by the tables that the crawlers left in `catalog`."""
    for name, value in batch_files.SETTINGS.items():
        run.spark.conf.set(name, value)
    problems = Problems()
    for dataset in DATASETS:
        for drop in drops(run, dataset, catalog):
            problems.keep(drop.table.full_name, partial(_take, run, drop))
    problems.tell()


def drops(run: Run, dataset: Dataset, catalog: Iterable[RawTable]) -> list[Drop]:
    """What there is of a dataset; files that belong nowhere are refused."""
    files = [file for file in run.raw.files(dataset.prefix) if not re.search(r"/[._][^/]*$", file.key)]
    if not dataset.by_folder:
        crawled = next((table for table in catalog if table.name == dataset.table_name), None)
        return [Drop(dataset=dataset, table=all_of(dataset), shared=shared_of(dataset), files=files, crawled=crawled)]
    of_folder: dict[str, list[RawFile]] = {}
    astray = []
    for file in files:
        folder, slash, _ = file.key.removeprefix(dataset.prefix).partition("/")
        if slash:
            of_folder.setdefault(_table_name(folder), []).append(file)
        else:
            sentence = f"it lies in no folder; put it at {dataset.prefix}<name of a table>/"
            astray.append(Refusal(file=file, reason=Reason.WRONG_FORMAT, sentence=sentence))
    if astray:
        run.reject(batch_reading.refusals_as_rows(run, dataset, astray))
    known = {_table_name(table.folder): table for table in catalog if table.name.startswith(f"{dataset.table_name}_")}
    return [
        Drop(
            dataset=dataset,
            table=all_of(dataset, folder=name),
            shared=None,
            files=of_folder.get(name, ()),
            crawled=known.get(name),
        )
        for name in sorted({*of_folder, *known})
    ]


def _take(run: Run, drop: Drop) -> None:
    there = run.lake.exists(drop.table)
    if drop.withdrawn:
        if there:
            _withdraw(run, drop)
        return
    if drop.crawled is None:
        _refuse_unreadable(run, drop)
        return
    columns = _columns(run, drop.table) if there else {}
    wanted = batch_files.wanted_columns(drop.dataset, crawled=drop.crawled.columns, table=columns, widens=widens)
    known = _known(run, drop.table) if there else {}
    # What the table's columns are says nothing: they are made before the rows are, by a run that may then have failed.
    read_as = hashlib.sha256(repr(sorted((one.name, one.type) for one in wanted)).encode()).hexdigest()
    grown = there and _properties(run, drop.table).get(READ_AS) != read_as
    new = [file for file in drop.files if grown or known.get(file.key) != _micros(file)]
    gone = sorted(set(known) - {file.key for file in drop.files})
    if new or gone:
        _publish(
            run, drop, drop.crawled, wanted, new=new, gone=gone, replaced=sorted({f.key for f in new} & set(known))
        )
    if run.lake.exists(drop.table) and (grown or not there):
        _set_property(run, drop.table, READ_AS, read_as)
    if drop.shared is not None and run.lake.exists(drop.table):
        _share(run, drop, drop.shared)
    for table in (drop.table, drop.shared):
        if table is not None and run.lake.exists(table) and WITHDRAWN in _properties(run, table):
            run.spark.sql(f"ALTER TABLE {run.lake.name(table)} UNSET TBLPROPERTIES ({literal(WITHDRAWN)})")


def _refuse_unreadable(run: Run, drop: Drop) -> None:
    """Refuse those of the files that no crawler can make a table of; nobody else would tell of them."""
    unknown = RawTable(name=drop.table.name, location="", columns={})
    parts, refusals = batch_reading.parts(run, drop.dataset, unknown, drop.files)
    refusals += [one for part in parts for one in batch_reading.unreadable(run, part)]
    refusals += batch_reading.of_no_table(run, drop.dataset, [f for f in drop.files if f not in _files(refusals)])
    if refusals:
        run.record.read(files=len(refusals), bytes=sum(one.file.bytes for one in refusals))
        run.reject(batch_reading.refusals_as_rows(run, drop.dataset, refusals))


def _files(refusals: Iterable[Refusal]) -> set[RawFile]:
    return {one.file for one in refusals}


def _publish(
    run: Run,
    drop: Drop,
    crawled: RawTable,
    wanted: Sequence[batch_files.Wanted],
    *,
    new: Sequence[RawFile],
    gone: Sequence[str],
    replaced: Sequence[str],
) -> None:
    run.record.read(files=len(new), bytes=sum(file.bytes for file in new))
    run.fit(sum(file.bytes for file in new))
    parts, refusals = batch_reading.parts(run, drop.dataset, crawled, new)
    judged: list[DataFrame] = []
    try:
        for part in parts:
            frame, unreadable = _judged(run, drop, crawled, part, wanted)
            refusals += unreadable
            if frame is not None:
                judged.append(frame)
        refused = {one.file.key for one in refusals}
        whole = [batch_reading.refusals_as_rows(run, drop.dataset, refusals)] if refusals else []
        wrong = [*whole, *(batch_files.refused(frame, drop.dataset) for frame in judged)]
        if wrong:
            run.reject(reduce(partial(DataFrame.unionByName, allowMissingColumns=True), wrong))
        stale = [*gone, *(key for key in replaced if key not in refused)]
        if judged or stale:
            rows = [batch_files.taken(frame) for frame in judged] or [run.read(drop.table).limit(0)]
            before = run.read(drop.table).where(F.col("source_file").isin(stale)).select(*drop.table.key)
            run.publish(drop.table, Upsert(rows=reduce(DataFrame.unionByName, rows), gone=before))
    finally:
        for frame in judged:
            frame.unpersist()


def _judged(
    run: Run, drop: Drop, crawled: RawTable, part: batch_reading.Part, wanted: Sequence[batch_files.Wanted]
) -> tuple[DataFrame | None, list[Refusal]]:
    """The part's rows, kept in memory; without files that turn out to be unreadable, which come beside them."""
    refusals: list[Refusal] = []
    left: batch_reading.Part | None = part
    while left is not None:
        frame: DataFrame | None = None
        try:
            read = batch_reading.rows(run, drop.dataset, crawled, left, wanted)
            frame = batch_files.judged(read, wanted).persist()
            run.record.read(rows=frame.count())
            return frame, refusals
        except batch_reading.SPARK_ERRORS:
            if frame is not None:
                frame.unpersist()
            found = batch_reading.unreadable(run, left)
            if not found:
                raise
            refusals += found
            left = left.without({one.file for one in found})
    return None, refusals


def _share(run: Run, drop: Drop, shared: LakeTable) -> None:
    """The shared table, made from all of the personal one: so it is completed too when a run died between the two."""
    rows = batch_files.shared_rows(run.read(drop.table), drop.dataset, run.person_keys())
    run.publish(shared, Upsert(rows=rows, gone=run.read(shared).select(*shared.key)))


def _withdraw(run: Run, drop: Drop) -> None:
    tables = [table for table in (drop.table, drop.shared) if table is not None and run.lake.exists(table)]
    if WITHDRAWN not in _properties(run, drop.table):
        names = " and ".join(table.full_name for table in tables)
        run.tell_readers(
            f"{names} is withdrawn" if len(tables) == 1 else f"{names} are withdrawn",
            f"No file of the dataset {drop.dataset.name} ({drop.dataset.description}) is left in the raw zone. "
            f"{names} stay as they are and are not renewed any more. Whom to ask: {drop.dataset.owner}.",
        )
    # The personal table is marked last: its mark says that readers were told and all is done.
    for table in reversed(tables):
        if WITHDRAWN not in _properties(run, table):
            since = f"{run.window.end:%Y-%m-%dT%H:%M:%SZ}"
            _set_property(run, table, WITHDRAWN, since)


def _properties(run: Run, table: LakeTable) -> Mapping[str, str]:
    return dict(run.lake.iceberg(table).properties())


def _set_property(run: Run, table: LakeTable, name: str, value: str) -> None:
    run.spark.sql(f"ALTER TABLE {run.lake.name(table)} SET TBLPROPERTIES ({literal(name)} = {literal(value)})")


def _columns(run: Run, table: LakeTable) -> dict[str, str]:
    """Types of the table's columns as it holds them now."""
    return {
        one.name: one.dataType.simpleString()
        for one in run.spark.table(run.lake.name(table)).schema
        if one.name not in batch_files.SOURCE
    }


def _known(run: Run, table: LakeTable) -> dict[str, int]:
    """When each file was written whose rows the table holds, in microseconds since 1970, by key."""
    found = run.read(table).groupBy("source_file").agg(F.unix_micros(F.min("file_changed_at")).alias("changed"))
    return {row["source_file"]: row["changed"] for row in found.collect()}


def _micros(file: RawFile) -> int:
    return int(file.changed_at.timestamp()) * 1_000_000 + file.changed_at.microsecond


def _table_name(folder: str) -> str:
    name = re.sub("[^a-z0-9_]", "_", folder.lower())
    if len(name) <= _LONGEST_FOLDER:
        return name
    digest = hashlib.sha256(folder.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _LONGEST_FOLDER - _DIGEST - 1]}_{digest}"
