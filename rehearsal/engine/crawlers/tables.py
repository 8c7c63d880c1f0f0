"""From files to tables: which folder is a table, what its columns and partitions are, what the catalog is told of it.

It must not call an API: facts about files come in, table and partition inputs go out.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.crawlers.definition import Definition, Target
from rehearsal.engine.crawlers.hive import Columns, catalog_columns, merged_columns
from rehearsal.engine.crawlers.reading import FileFacts

UPDATED_BY, RUN_ID, DEPRECATED = "UPDATED_BY_CRAWLER", "CRAWL_RUN_ID", "DEPRECATED_BY_CRAWLER"

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_CSV_SERDES = {
    "LazySimpleSerDe": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    "OpenCSVSerDe": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
}


@dataclass(frozen=True, kw_only=True)
class Partition:
    """One folder of a partitioned table."""

    values: tuple[str, ...]
    location: str
    files: tuple[FileFacts, ...]


@dataclass(frozen=True, kw_only=True)
class CrawledTable:
    """One table as the files of its folder make it; ``left_out`` says which files are not in it, and why."""

    folder: str
    name: str
    location: str
    files: tuple[FileFacts, ...]
    columns: Columns
    keys: tuple[str, ...]
    partitions: tuple[Partition, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def classification(self) -> str:
        """The format of the files: json, csv or parquet."""
        return self.files[0].classification


def table_folder(definition: Definition, target: Target, key: str) -> str | None:
    """The folder (a prefix) whose table an object belongs to; None when it lies above the table level."""
    if not definition.table_level:
        return target.prefix
    folders = key.split("/")[:-1]
    depth = max(definition.table_level - 1, target.prefix.count("/"))
    return "".join(f"{folder}/" for folder in folders[:depth]) if len(folders) >= depth else None


def table_name(definition: Definition, target: Target, folder: str) -> str:
    """Table prefix and the folder's name, in lower case, with ``_`` for what a Hive name may not hold."""
    last = folder.rstrip("/").rsplit("/", 1)[-1] or target.bucket
    return re.sub(r"[^a-z0-9_]", "_", f"{definition.table_prefix}{last}".lower())


def other_name(name: str, location: str) -> str:
    """The name when another location has taken the first: with a digest, as Glue makes them."""
    return f"{name}_{hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()}"


def tables(definition: Definition, target: Target, files: Iterable[FileFacts]) -> list[CrawledTable]:
    """The tables of a target; a folder with no readable file gives none."""
    folders: dict[str, list[FileFacts]] = {}
    for one in files:
        folder = table_folder(definition, target, one.key)
        if folder is not None:
            folders.setdefault(folder, []).append(one)
    found = (_table(definition, target, folder, inside) for folder, inside in sorted(folders.items()))
    return [table for table in found if table is not None]


def _table(definition: Definition, target: Target, folder: str, files: Sequence[FileFacts]) -> CrawledTable | None:
    """One table of the format that most files have.

    Glue combines files of one format and one shape of path; what it does with the others is said nowhere exactly.
    Chosen here: they are left out of the table and named in the crawl's log. Compressed and plain files of one
    format are read alike by every reader of the catalog and stand in one table.
    """
    readable = [one for one in files if not one.problem]
    left_out = [(one.key, one.problem) for one in files if one.problem]
    if not readable:
        return None
    format_, _ = Counter(one.classification for one in readable).most_common(1)[0]
    shapes = Counter(_folders(one, folder) for one in readable if one.classification == format_)
    keys = _partition_keys(shapes)
    taken: list[FileFacts] = []
    for one in readable:
        if one.classification != format_:
            left_out.append((one.key, f"it is {one.classification}, and most files of the table are {format_}"))
        elif keys and _names(_folders(one, folder)) != keys:
            left_out.append((one.key, f"it does not lie in folders {'/'.join(keys)} like most files of the table"))
        else:
            taken.append(one)
    location = f"s3://{target.bucket}/{folder}"
    grouped: dict[tuple[str, ...], list[FileFacts]] = {}
    for one in taken if keys else ():
        grouped.setdefault(_folders(one, folder), []).append(one)
    return CrawledTable(
        folder=folder,
        name=table_name(definition, target, folder),
        location=location,
        files=tuple(taken),
        columns=_without(merged_columns(*(one.columns for one in taken)), keys),
        keys=keys,
        partitions=tuple(
            Partition(
                values=tuple(part.split("=", 1)[-1] for part in parts),
                location=f"{location}{'/'.join(parts)}/",
                files=tuple(inside),
            )
            for parts, inside in sorted(grouped.items())
        ),
        left_out=tuple(left_out),
    )


def _folders(one: FileFacts, folder: str) -> tuple[str, ...]:
    return tuple(one.key.removeprefix(folder).split("/")[:-1])


def _names(parts: Sequence[str]) -> tuple[str, ...]:
    """Partition keys: the name before ``=``, or ``partition_<n>``; Glue makes all of them strings."""
    return tuple(part.split("=", 1)[0].lower() if "=" in part else f"partition_{n}" for n, part in enumerate(parts))


def _partition_keys(shapes: Mapping[tuple[str, ...], int]) -> tuple[str, ...]:
    counted: Counter[tuple[str, ...]] = Counter()
    for parts, count in shapes.items():
        counted[_names(parts)] += count
    return counted.most_common(1)[0][0]


def _without(columns: Columns, keys: Sequence[str]) -> dict[str, Any]:
    # A column that is also a partition key would be two columns of one name, which no reader takes.
    return {name: kind for name, kind in columns.items() if name not in keys}


# --- what the catalog is told -----------------------------------------------------------------------------


def table_input(table: CrawledTable, *, crawler: str, run_id: str, columns: list[dict[str, str]]) -> dict[str, Any]:
    """The ``TableInput``; parameters are those that Glue crawlers write."""
    parameters = {
        **_parameters(table.files),
        UPDATED_BY: crawler,
        RUN_ID: run_id,
        "CrawlerSchemaSerializerVersion": "1.0",
        "CrawlerSchemaDeserializerVersion": "1.0",
        **({"partition_filtering.enabled": "true"} if table.keys else {}),
    }
    return {
        "Name": table.name,
        "Owner": "owner",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": key, "Type": "string"} for key in table.keys],
        "Parameters": parameters,
        "StorageDescriptor": _storage(table.files, table.location, columns, parameters),
    }


def partition_input(partition: Partition, *, columns: list[dict[str, str]], keys: Sequence[str]) -> dict[str, Any]:
    """The ``PartitionInput``; without ``columns`` of the table, those of the partition's own files."""
    own = columns or catalog_columns(_without(merged_columns(*(one.columns for one in partition.files)), keys))
    parameters = _parameters(partition.files)
    return {
        "Values": list(partition.values),
        "Parameters": parameters,
        "StorageDescriptor": _storage(partition.files, partition.location, own, parameters),
    }


def _parameters(files: Sequence[FileFacts]) -> dict[str, str]:
    size, rows = sum(one.bytes for one in files), sum(one.rows for one in files)
    first = files[0]
    found = {
        "classification": first.classification,
        "compressionType": Counter(one.compression for one in files).most_common(1)[0][0],
        "typeOfData": "file",
        "objectCount": str(len(files)),
        "recordCount": str(rows),
        "sizeKey": str(size),
        "averageRecordSize": str(size // rows if rows else 0),
    }
    if first.csv is not None:
        found |= {
            "delimiter": first.csv.delimiter,
            "areColumnsQuoted": str(any(one.csv is not None and one.csv.quoted for one in files)).lower(),
            "columnsOrdered": "true",
            **({"skip.header.line.count": "1"} if first.csv.has_header else {}),
        }
    return found


def _storage(
    files: Sequence[FileFacts], location: str, columns: list[dict[str, str]], parameters: Mapping[str, str]
) -> dict[str, Any]:
    text = files[0].classification != "parquet"
    return {
        "Columns": columns,
        "Location": location,
        "InputFormat": _TEXT_INPUT if text else f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": _TEXT_OUTPUT if text else f"{_PARQUET}.MapredParquetOutputFormat",
        "Compressed": parameters["compressionType"] != "none",
        "NumberOfBuckets": -1,
        "SerdeInfo": _serde(files, columns),
        "BucketColumns": [],
        "SortColumns": [],
        "Parameters": dict(parameters),
        "StoredAsSubDirectories": False,
    }


def _serde(files: Sequence[FileFacts], columns: list[dict[str, str]]) -> dict[str, Any]:
    first = files[0]
    if first.classification == "parquet":
        return {
            "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        }
    if first.csv is None:
        paths = ",".join(sorted(column["Name"] for column in columns))
        return {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe", "Parameters": {"paths": paths}}
    serdes = [one.csv.serde for one in files if one.csv is not None]
    serde = "OpenCSVSerDe" if "OpenCSVSerDe" in serdes else serdes[0]
    options = {"field.delim": first.csv.delimiter}
    if serde == "OpenCSVSerDe":
        options = {"separatorChar": first.csv.delimiter, "quoteChar": first.csv.quote, "escapeChar": "\\"}
    return {"SerializationLibrary": _CSV_SERDES[serde], "Parameters": options}
