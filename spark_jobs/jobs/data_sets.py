"""The job `data_sets`: data sets for models as tables and as versions that stay; computes no row itself."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

import contracts.data_sets
import contracts.lake_tables.data_sets
import transforms
from contracts.data_sets import DataSet, Period
from contracts.lake import LakeTable
from contracts.lake_tables.data_sets import MODERATION, SHOW_RECOMMENDATION
from spark_jobs.arguments import WrongArguments
from spark_jobs.changes import Replace
from spark_jobs.data_set_versions import SourceFile, Versions, counted, version_of
from spark_jobs.job import Run
from spark_jobs.problems import Problems
from spark_jobs.touched import between
from transforms import moderation, recommendation

WHOLE = ("follow", "show_catalog_entry")
"""Events of which the last counts, however long ago it was."""

MADE: Mapping[DataSet, Callable[[Mapping[str, DataFrame], Period], DataFrame]] = {
    SHOW_RECOMMENDATION: lambda events, period: recommendation.show_recommendation(
        recommendation.Events(**events), period=period
    ),
    MODERATION: lambda events, period: moderation.moderation(moderation.Events(**events), period=period),
}
"""How the rows of each are worked out, from events by their table's name."""


def run(run: Run) -> None:
    """Make a version of each data set, of the moments in the window whose labels are settled at its end.

    One that fails leaves the others alone.
    """
    problems = Problems()
    for data_set in run.job.data_sets:
        problems.keep(data_set.name, partial(make, run, data_set))
        run.spark.catalog.clearCache()
    problems.tell()


def make(run: Run, data_set: DataSet) -> str:
    """Make the version that follows from definition, moments, code and what the tables hold; gives its name.

    Where it is there already nothing is done. The table takes the version's rows first, and shows them once they hold
    what is expected of them; the version's files are copies of the table's.

    Raises:
        ValueError: the window holds no moment with settled labels.
        Refused: an expectation does not hold.
    """
    if run.arguments.transformed_root is None:
        raise WrongArguments("--transformed-bucket is missing; the job data_sets writes versions there")
    versions = Versions(root=run.arguments.transformed_root, data_set=data_set)
    versions.remove_abandoned(older_than=datetime.now(UTC) - timedelta(days=run.arguments.orphan_days))
    period = data_set.period(run.window.start, run.window.end)
    snapshots = {table: run.lake.snapshot_id(table) for table in data_set.reads}
    determining = {
        "definition": definition(data_set),
        "period": {"start": _text(period.start), "until": _text(period.until)},
        "sources": [{"table": table.full_name, "snapshot_id": found} for table, found in snapshots.items()],
        "code": code(),
        "known": "when it happened" if run.arguments.trust_event_time else "when it had arrived",
    }
    version = version_of(determining)
    if versions.manifest(version) is not None:
        return version
    events = {table.name: _in_reach(run, data_set, period, table, found) for table, found in snapshots.items()}
    outcome = run.publish(data_set, Replace(rows=MADE[data_set](events, period), where="true"))
    listed = run.lake.files_at(data_set, outcome.snapshot_id).selectExpr("file_path", "partition.split", "record_count")
    files = [SourceFile(uri=row["file_path"], split=row["split"], rows=row["record_count"]) for row in listed.collect()]
    counts = run.lake.read_at(data_set, outcome.snapshot_id).groupBy("split", "time_split").count().collect()
    versions.publish(
        version,
        {
            "name": data_set.name,
            "version": version,
            "created_at": _text(datetime.now(UTC)),
            **determining,
            "moments": [_text(moment) for moment in data_set.moments(period)],
            "engine": f"Spark {run.spark.version}",
            "run_id": run.arguments.run_id,
            "rows": sum(file.rows for file in files),
            "rows_by_split": counted([row.asDict() for row in counts]),
            "files": versions.copy(files, version=version, snapshot_id=outcome.snapshot_id),
        },
    )
    return version


def definition(data_set: DataSet) -> dict[str, Any]:
    """What the contract says of the data set, as a manifest holds it."""
    plain = {
        field.name: getattr(data_set, field.name)
        for field in fields(data_set)
        if field.name not in ("columns", "reads", "zone", "open", "retention_days", "freshness_hours")
    }
    return {
        **plain,
        "columns": [
            {"name": column.name, "type": column.type, "description": column.description} for column in data_set.columns
        ],
        "split_salt": contracts.data_sets.SPLIT_SALT,
        "split_percent": dict(contracts.data_sets.SPLIT_PERCENT),
    }


def code() -> str:
    """SHA-256 of the source of all that decides what a row holds: the transforms and the declarations."""
    names = sorted(f"transforms.{module.name}" for module in pkgutil.iter_modules(transforms.__path__))
    digest = hashlib.sha256()
    for name in (*names, contracts.data_sets.__name__, contracts.lake_tables.data_sets.__name__, __name__):
        loader: Any = importlib.import_module(name).__loader__
        digest.update(f"{name}\n{loader.get_source(name)}\n".encode())
    return digest.hexdigest()


def _in_reach(run: Run, data_set: DataSet, period: Period, table: LakeTable, snapshot_id: int | None) -> DataFrame:
    """The rows that a feature or a label of the period can count."""
    end = period.until + timedelta(days=data_set.label_days)
    start = period.start - timedelta(days=data_set.feature_days)
    if table.name in WHOLE:
        start = datetime(1970, 1, 1, tzinfo=UTC)
    rows = run.lake.read_at(table, snapshot_id).where(between("occurred_at", start, end))
    return rows.withColumn("arrived_at", F.col("occurred_at")) if run.arguments.trust_event_time else rows


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
