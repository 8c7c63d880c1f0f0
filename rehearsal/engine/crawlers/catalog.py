"""Writes what a crawl found into the Data Catalog, as the crawler's schema change policy allows.

It must not look at files; tables come in, calls of the Glue API under the crawler's role go out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine.crawlers.definition import DELETE, DEPRECATE, UPDATE, Definition
from rehearsal.engine.crawlers.hive import catalog_columns
from rehearsal.engine.crawlers.tables import (
    DEPRECATED,
    RUN_ID,
    CrawledTable,
    other_name,
    partition_input,
    table_input,
)

_GET_BATCH, _WRITE_BATCH, _DELETE_BATCH = 1000, 100, 25
_INPUT_KEYS = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
)


@dataclass(kw_only=True)
class Changes:
    """What a crawl did to the catalog: names of tables and numbers of partitions, by what was done."""

    tables: dict[str, list[str]] = field(default_factory=lambda: {"ADD": [], "UPDATE": [], "DELETE": []})
    partitions: dict[str, int] = field(default_factory=lambda: {"ADD": 0, "UPDATE": 0, "DELETE": 0})


class Catalog:
    """The database of one crawl.

    Args:
        glue: a client with the crawler's role.
        definition: the crawler.
        run_id: of the crawl.
        log: takes a level (INFO, WARN) and a sentence for the crawl's log.
    """

    def __init__(self, glue: Any, definition: Definition, run_id: str, log: Callable[[str, str], None]) -> None:
        self._glue, self._definition, self._run_id, self._log = glue, definition, run_id, log
        self.changes = Changes()

    def check(self) -> None:
        """Look the database up.

        Raises:
            ClientError: it does not exist, or the role may not.
        """
        self._glue.get_database(Name=self._definition.database)

    def write(self, table: CrawledTable) -> str:
        """Create or update a table and its partitions; gives the table's name.

        Raises:
            ClientError: the role may not.
        """
        name, existing = self._place(table)
        columns = catalog_columns(table.columns)
        wanted = {**self._input(table, columns), "Name": name}
        if existing is None:
            self._glue.create_table(DatabaseName=self._definition.database, TableInput=wanted)
            self.changes.tables["ADD"].append(name)
            self._log("INFO", f"Created table {name} in database {self._definition.database}")
        else:
            columns = self._update(name, existing, table, wanted)
        if table.keys:
            self._write_partitions(name, table, columns)
        return name

    def _place(self, table: CrawledTable) -> tuple[str, Mapping[str, Any] | None]:
        """The table of this location, by its own name or, when that is another location's, by one with a digest."""
        existing = self._table(table.name)
        if existing is None or existing["StorageDescriptor"].get("Location", "").rstrip("/") == (
            table.location.rstrip("/")
        ):
            return table.name, existing
        name = other_name(table.name, table.location)
        return name, self._table(name)

    def _table(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = self._glue.get_table(DatabaseName=self._definition.database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise
        return found

    def _input(self, table: CrawledTable, columns: list[dict[str, str]]) -> dict[str, Any]:
        return table_input(table, crawler=self._definition.name, run_id=self._run_id, columns=columns)

    def _update(
        self, name: str, existing: Mapping[str, Any], table: CrawledTable, wanted: dict[str, Any]
    ) -> list[dict[str, str]]:
        """Change an existing table as far as the policies let; gives its columns afterwards."""
        present = list(existing["StorageDescriptor"].get("Columns", []))
        if self._definition.merge_new_columns:
            before = existing.get("Parameters", {}).get("classification", table.classification)
            if before != table.classification:
                self._deprecate(name, existing)
                self._log("WARN", f"Table {name} is {before}, its files are {table.classification}: resolve it")
                return present
            names = {column["Name"] for column in present}
            added = [column for column in wanted["StorageDescriptor"]["Columns"] if column["Name"] not in names]
            wanted = {**self._input(table, [*present, *added]), "Name": name}
        elif self._definition.update_behavior != UPDATE:
            if _told(existing) != _told(wanted):
                self._log("INFO", f"Table {name} has changed, and the schema change policy says to log only")
            return present
        if _told(existing) != _told(wanted):
            self._glue.update_table(DatabaseName=self._definition.database, TableInput=wanted)
            self.changes.tables["UPDATE"].append(name)
            self._log("INFO", f"Updated table {name} in database {self._definition.database}")
        return list(wanted["StorageDescriptor"]["Columns"])

    # --- partitions -----------------------------------------------------------------------------------

    def _write_partitions(self, name: str, table: CrawledTable, columns: list[dict[str, str]]) -> None:
        inherited = columns if self._definition.inherit_partitions else []
        wanted = {
            partition.values: partition_input(partition, columns=inherited, keys=table.keys)
            for partition in table.partitions
        }
        place = {"DatabaseName": self._definition.database, "TableName": name}
        present: dict[tuple[str, ...], Mapping[str, Any]] = {}
        for some in _batches(list(wanted), _GET_BATCH):
            asked = [{"Values": list(values)} for values in some]
            answer = self._glue.batch_get_partition(**place, PartitionsToGet=asked)
            present |= {tuple(one["Values"]): one for one in answer["Partitions"]}
        new = [one for values, one in wanted.items() if values not in present]
        for some in _batches(new, _WRITE_BATCH):
            _refuse_errors(self._glue.batch_create_partition(**place, PartitionInputList=some))
        changed = [
            {"PartitionValueList": list(values), "PartitionInput": one}
            for values, one in wanted.items()
            if values in present and _told(present[values]) != _told(one)
        ]
        if self._definition.update_behavior == UPDATE or self._definition.inherit_partitions:
            for some in _batches(changed, _WRITE_BATCH):
                _refuse_errors(self._glue.batch_update_partition(**place, Entries=some))
            self.changes.partitions["UPDATE"] += len(changed)
        self.changes.partitions["ADD"] += len(new)
        if new:
            self._log("INFO", f"Added {len(new)} partitions to table {name}")

    def remove_partitions(self, name: str, gone: Sequence[tuple[str, ...]]) -> None:
        """Treat partitions whose folder holds nothing any more as the delete behavior says.

        A partition cannot be deprecated (AWS::Glue::Crawler SchemaChangePolicy speaks of tables): it is logged then.
        """
        if not gone:
            return
        if self._definition.delete_behavior != DELETE:
            self._log("WARN", f"{len(gone)} partitions of table {name} no longer exist: {sorted(gone)[:10]}")
            return
        for some in _batches(list(gone), _DELETE_BATCH):
            self._glue.batch_delete_partition(
                DatabaseName=self._definition.database,
                TableName=name,
                PartitionsToDelete=[{"Values": list(values)} for values in some],
            )
        self.changes.partitions["DELETE"] += len(gone)

    # --- tables that are gone -------------------------------------------------------------------------

    def remove(self, name: str) -> None:
        """Treat a table whose folder holds nothing any more as the delete behavior says.

        Raises:
            ClientError: the role may not.
        """
        behavior = self._definition.delete_behavior
        existing = self._table(name) if behavior in (DEPRECATE, DELETE) else None
        if behavior == DELETE and existing is not None:
            self._glue.delete_table(DatabaseName=self._definition.database, Name=name)
            self.changes.tables["DELETE"].append(name)
            self._log("INFO", f"Deleted table {name}: its objects no longer exist")
        elif behavior == DEPRECATE and existing is not None:
            self._deprecate(name, existing)
        elif behavior not in (DEPRECATE, DELETE):
            self._log("WARN", f"The objects of table {name} no longer exist, and the policy says to log only")

    def _deprecate(self, name: str, existing: Mapping[str, Any]) -> None:
        if DEPRECATED in existing.get("Parameters", {}):
            return
        marked = {**existing.get("Parameters", {}), DEPRECATED: str(int(time.time() * 1000))}
        given = {key: existing[key] for key in _INPUT_KEYS if key in existing}
        self._glue.update_table(
            DatabaseName=self._definition.database, TableInput={**given, "Name": name, "Parameters": marked}
        )
        self.changes.tables["UPDATE"].append(name)
        self._log("INFO", f"Marked table {name} as deprecated")


def _told(given: Mapping[str, Any]) -> Any:
    """What of a table or partition counts as a change: the id of the crawl alone does not."""
    parameters = {key: value for key, value in given.get("Parameters", {}).items() if key != RUN_ID}
    storage = dict(given.get("StorageDescriptor", {}))
    storage["Parameters"] = {key: value for key, value in storage.get("Parameters", {}).items() if key != RUN_ID}
    return storage, parameters, given.get("PartitionKeys"), given.get("Description")


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _refuse_errors(answer: Mapping[str, Any]) -> None:
    errors: Iterable[Mapping[str, Any]] = answer.get("Errors") or ()
    for error in errors:
        detail = error.get("ErrorDetail", {})
        raise ClientError(
            {"Error": {"Code": detail.get("ErrorCode", ""), "Message": detail.get("ErrorMessage", "")}},
            "BatchPartition",
        )
