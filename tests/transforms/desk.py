"""Where a test works: lands events as the flattening function lands them, runs jobs, and looks at tables."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from contracts import lake_tables
from contracts.jobs import by_name
from lambdas.flatten_events.landing import Arrival, land
from spark_jobs import arguments
from spark_jobs.job import Run
from spark_jobs.run import Services, prepare, run_job
from spark_jobs.run_record import RunRecord

SECRET = "0123456789abcdef" * 4
SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:person-key"
TOPIC_ARN = "arn:aws:sns:eu-west-1:111111111111:readers"


def moment(text: str) -> datetime:
    """`2026-11-18T08:30` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def event(type: str, id: str, occurred_at: str, **columns: Any) -> dict[str, Any]:
    """A nested event as a producer sends it; a dotted path is written with two underscores: `show__id`."""
    body: dict[str, Any] = {"event_type": type, "event_id": id, "occurred_at": f"{occurred_at}Z"}
    for path, value in columns.items():
        *objects, last = path.split("__")
        node = body
        for name in objects:
            node = node.setdefault(name, {})
        node[last] = value
    return body


@dataclass(kw_only=True)
class Desk:
    """A raw zone, a lake, a folder for versions of data sets and a person-key secret for one test."""

    spark: SparkSession
    raw: Path
    prefix: str
    notices: list[tuple[str, str, str]] = field(default_factory=list)
    _landed: int = 0

    @property
    def transformed(self) -> Path:
        """The folder of versions of data sets."""
        return self.raw.with_name(f"{self.raw.name}-transformed")

    def land(self, arrived_at: str, events: Sequence[Mapping[str, Any]], *, name: str = "") -> list[Path]:
        """Land events that arrived at that moment as the stream lands them; one file a type."""
        lines: dict[str, list[bytes]] = {}
        at = moment(arrived_at)
        for body in events:
            self._landed += 1
            arrival = Arrival(
                sequence_number=f"{self._landed:020d}", sub_sequence=0, arrived_at_ms=int(at.timestamp() * 1000)
            )
            landed = land(json.dumps(body).encode(), arrival)
            assert landed.zone == "events", landed.line
            lines.setdefault(landed.type, []).append(landed.line)
        return [
            self.put(f"events/type={type}/arrival={at:%Y-%m-%d-%H}/{name or self._landed}.json.gz", b"".join(of_type))
            for type, of_type in lines.items()
        ]

    def put(self, key: str, content: bytes, *, compressed: bool = False) -> Path:
        """Put a file into the raw zone, gzipped where its name says so (unless it is already)."""
        path = self.raw / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if key.endswith(".gz") and not compressed else content)
        return path

    def run(self, job: str, start: str, end: str, *more: str, body: Callable[[Run], None] | None = None) -> RunRecord:
        """Run a job for a window."""
        return run_job(self.arguments(job, start, end, *more), spark=self.spark, services=self.services(), body=body)

    def prepared(self, job: str, start: str, end: str, *more: str) -> Run:
        """A run that has not begun, for what a job does bit by bit."""
        declared = by_name(job)
        assert declared is not None
        return prepare(self.arguments(job, start, end, *more), declared, self.spark, self.services())

    def arguments(self, job: str, start: str, end: str, *more: str) -> arguments.Arguments:
        """The arguments of such a run."""
        argv = ["--job", job, "--raw-bucket", str(self.raw), "--database-prefix", self.prefix]
        argv += ["--transformed-bucket", str(self.transformed)]
        argv += ["--window-start", start, "--window-end", end]
        argv += ["--person-key-secret", SECRET_ARN, "--readers-topic", TOPIC_ARN, *more]
        # After all windows of tests, whenever these run.
        return arguments.read(argv, now=datetime(2027, 12, 31, tzinfo=UTC))

    def services(self) -> Services:
        """A secret, and a topic whose notices are kept."""
        return Services(
            secret=lambda arn: {SECRET_ARN: SECRET}[arn],
            notify=lambda topic, subject, text: self.notices.append((topic, subject, text)),
        )

    def name(self, full_name: str) -> str:
        """A table's name in SQL: `transformed.like` has a database of this desk."""
        zone, _, table = full_name.partition(".")
        return f"lake.{self.prefix}_{zone}.{table}"

    def table(self, full_name: str) -> DataFrame:
        """A table as readers see it."""
        return self.spark.table(self.name(full_name))

    def rows(self, full_name: str, *order: str) -> list[Row]:
        """Its rows, ordered by its key or the columns given."""
        columns = order or lake_tables.by_name(full_name).key
        return self.table(full_name).orderBy(*columns).collect()

    def snapshots(self, full_name: str) -> int:
        """How many snapshots the table has."""
        return self.spark.table(f"{self.name(full_name)}.snapshots").count()

    def files(self, full_name: str) -> list[Path]:
        """The files below the table's location, metadata and data."""
        return [path for path in self.location(full_name).rglob("*") if path.is_file()]

    def location(self, full_name: str) -> Path:
        """The table's folder."""
        found = self.spark.sql(f"DESCRIBE TABLE EXTENDED {self.name(full_name)}").where("col_name = 'Location'")
        row = found.first()
        assert row is not None
        return Path(row["data_type"].removeprefix("file:"))
