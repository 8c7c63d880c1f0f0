"""Tables of the lake by their contracts: names, reading, and making them what their contracts say; changes no row."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses
from pyspark.sql.types import DecimalType, StructType, _parse_datatype_string

from contracts.lake import LakeTable
from contracts.views import spark as ddl

_WIDER = {("int", "bigint"), ("float", "double")}


class WrongTable(RuntimeError):
    """A table in the catalog is not what its contract says and cannot be made so without losing something."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Lake:
    """The tables of one stage, in the Spark catalog `catalog`, in databases `<database_prefix>_<zone>`."""

    spark: SparkSession
    catalog: str
    database_prefix: str
    _made: dict[str, StructType] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turns: dict[str, threading.Lock] = field(default_factory=dict)

    def turn(self, table: LakeTable) -> threading.Lock:
        """What a thread holds while it changes the table: threads of a run share the branch that they work on."""
        with self._lock:
            return self._turns.setdefault(table.full_name, threading.Lock())

    def name(self, table: LakeTable) -> str:
        """The table's name with catalog and database, as SQL writes it."""
        return f"{self.catalog}.{self.database_prefix}_{table.zone}.{table.name}"

    def exists(self, table: LakeTable) -> bool:
        """Whether the catalog has the table."""
        return self.spark.catalog.tableExists(self.name(table))

    def read(self, table: LakeTable) -> DataFrame:
        """What readers see: the contract's columns, of an open table all; no rows while there is no table.

        A column that the table does not have yet is null.
        """
        wanted = schema(table)
        if not self.exists(table):
            return self._no_rows(table)
        found = self.spark.table(self.name(table))
        if table.open:
            wanted = StructType([*wanted, *(one for one in found.schema if one.name not in wanted.names)])
        return aligned(found, wanted)

    def snapshot_id(self, table: LakeTable) -> int | None:
        """The snapshot that readers see now; None while there is no table, or no row was ever written to it."""
        snapshot = self.iceberg(table).currentSnapshot() if self.exists(table) else None
        return int(snapshot.snapshotId()) if snapshot else None

    def read_at(self, table: LakeTable, snapshot_id: int | None) -> DataFrame:
        """What readers saw at a snapshot: the contract's columns; no rows for None."""
        if snapshot_id is None:
            return self._no_rows(table)
        found = self.spark.read.option("snapshot-id", str(snapshot_id)).table(self.name(table))
        return aligned(found, schema(table))

    def files_at(self, table: LakeTable, snapshot_id: int | None) -> DataFrame:
        """The data files of a snapshot, as Iceberg's metadata table `files` has them; none for None."""
        at = {"snapshot-id": str(snapshot_id)} if snapshot_id is not None else {}
        found = self.spark.read.options(**at).table(f"{self.name(table)}.files")
        return found if at else found.limit(0)

    def iceberg(self, table: LakeTable) -> Any:
        """The table in Iceberg's Java API (org.apache.iceberg.Table), as it is now."""
        jvm: Any = self.spark._jvm
        found = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(self.spark._jsparkSession, self.name(table))
        found.refresh()
        return found

    def bytes(self, table: LakeTable) -> int:
        """Bytes of the data files that readers see; 0 while there is no table."""
        snapshot = self.iceberg(table).currentSnapshot() if self.exists(table) else None
        return int(snapshot.summary().get("total-files-size") or 0) if snapshot else 0

    def ensure(self, table: LakeTable, rows: StructType) -> StructType:
        """Make the table, or give it the columns and wider types that it lacks; gives its columns.

        `rows` is the schema of what is to be written: an open table takes all of its columns.

        Raises:
            WrongTable: a column has a type that cannot become the wanted one.
        """
        wanted = schema(table)
        if table.open:
            wanted = StructType([*wanted, *(one for one in rows if one.name not in wanted.names)])
        name = self.name(table)
        with self._lock:
            if self._made.get(name) == wanted:
                return self._made[name]
        if not self.exists(table):
            self.spark.sql(ddl.create_ddl(table, name=name, columns=_columns_ddl(wanted, table)))
            self.spark.sql(ddl.order_ddl(table, name=name))
        else:
            self._mend(table, name, wanted)
        found = self.spark.table(name).schema
        with self._lock:
            self._made[name] = wanted
        return found

    def _no_rows(self, table: LakeTable) -> DataFrame:
        return self.spark.createDataFrame(self.spark.sparkContext.emptyRDD(), schema(table))

    def _mend(self, table: LakeTable, name: str, wanted: StructType) -> None:
        found = {one.name: one.dataType for one in self.spark.table(name).schema}
        for one in wanted:
            have = found.get(one.name)
            if have is None or have.simpleString() == one.dataType.simpleString():
                continue
            if not widens(have.simpleString(), one.dataType.simpleString()):
                raise WrongTable(
                    f"column {one.name!r} of {table.full_name} is {have.simpleString()} in the catalog and should be "
                    f"{one.dataType.simpleString()}; Iceberg widens int to bigint, float to double and a decimal's "
                    f"precision, nothing else. Add a column of another name to the contract, or write the table anew"
                )
            self.spark.sql(f"ALTER TABLE {name} ALTER COLUMN `{one.name}` TYPE {one.dataType.simpleString()}")
        missing = StructType([one for one in wanted if one.name not in found])
        if missing.fields:
            self.spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({_columns_ddl(missing, table)})")
        have_properties: Mapping[str, str] = dict(self.iceberg(table).properties())
        changed = {key: value for key, value in ddl.properties(table).items() if have_properties.get(key) != value}
        changed.pop("format-version", None)  # Iceberg keeps it apart from the properties
        if changed:
            listed = ", ".join(f"{ddl.literal(key)} = {ddl.literal(value)}" for key, value in changed.items())
            self.spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ({listed})")


def schema(table: LakeTable) -> StructType:
    """The contract's columns as Spark's schema."""
    found = _parse_datatype_string(ddl.schema_ddl(table))
    assert isinstance(found, StructType)  # noqa: S101 - several columns are a struct
    return found


def aligned(rows: DataFrame, wanted: StructType) -> DataFrame:
    """The rows with exactly the wanted columns, in order; a column that they do not have is null."""
    return rows.select(
        *(
            (F.col(f"`{one.name}`") if one.name in rows.columns else F.lit(None)).cast(one.dataType).alias(one.name)
            for one in wanted
        )
    )


def widens(have: str, wanted: str) -> bool:
    """Whether Iceberg can turn a column of type `have` into `wanted` without touching files (its Evolution page)."""
    if (have, wanted) in _WIDER:
        return True
    if not (have.startswith("decimal(") and wanted.startswith("decimal(")):
        return False
    old, new = _parse_datatype_string(have), _parse_datatype_string(wanted)
    assert isinstance(old, DecimalType)  # noqa: S101 - it begins with decimal
    assert isinstance(new, DecimalType)  # noqa: S101
    return old.scale == new.scale and old.precision < new.precision


def _columns_ddl(columns: StructType, table: LakeTable) -> str:
    return ", ".join(
        ddl.column_ddl(
            one.name,
            one.dataType.simpleString(),
            table.column[one.name].description if one.name in table.column else "",
        )
        for one in columns
    )
