"""Hold the deployed tables against the contracts of this checkout; it changes no table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contracts.events import EVENTS
from contracts.model import PARTITION_COLUMNS, Table
from contracts.tables import QUARANTINE, UNKNOWN
from contracts.views import glue
from operations.platform import Platform

TABLES: tuple[Table, ...] = (*(event.table for event in EVENTS), UNKNOWN, QUARANTINE)
"""The tables of the raw zone."""


def drifted_tables(platform: Platform) -> list[Table]:
    """The tables of the raw zone that are not deployed as their contracts say."""
    deployed = deployed_tables(platform)
    return [table for table in TABLES if any(differences(table, deployed, platform.raw_bucket))]


def deployed_tables(platform: Platform) -> dict[str, Mapping[str, Any]]:
    """The tables of the raw database, by name."""
    pages = platform.client("glue").get_paginator("get_tables").paginate(DatabaseName=platform.raw_database)
    return {table["Name"]: table for page in pages for table in page["TableList"]}


def differences(table: Table, deployed: Mapping[str, Mapping[str, Any]], bucket: str) -> Iterator[str]:
    """Each way in which a table differs from its contract, as a sentence."""
    found = deployed.get(table.name)
    if found is None:
        yield f"table {table.name} is not deployed"
        return
    storage = found.get("StorageDescriptor", {})
    has = {column["Name"]: column["Type"] for column in storage.get("Columns", [])}
    wants = {column.name: column.type for column in glue.columns(table)}
    for name in wants.keys() - has.keys():
        yield f"table {table.name} lacks the column {name}"
    for name in has.keys() - wants.keys():
        yield f"table {table.name} has the column {name}, which its contract does not"
    for name in wants.keys() & has.keys():
        if wants[name] != has[name]:
            yield f"table {table.name} has {name} as {has[name]}, its contract as {wants[name]}"
    keys = tuple(key["Name"] for key in found.get("PartitionKeys", []))
    expected = PARTITION_COLUMNS if table is QUARANTINE else PARTITION_COLUMNS[1:]
    if keys != expected:
        yield f"table {table.name} is partitioned by {', '.join(keys) or 'nothing'}, not by {', '.join(expected)}"
    yield from _projection(table, found.get("Parameters", {}), bucket)


def _projection(table: Table, has: Mapping[str, str], bucket: str) -> Iterator[str]:
    folders = "arrival=${arrival}/"
    wants = {
        "contract_version": str(table.version),
        "projection.enabled": "true",
        "projection.arrival.type": "date",
        "projection.arrival.format": "yyyy-MM-dd-HH",
        "projection.arrival.interval": "1",
        "projection.arrival.interval.unit": "HOURS",
    }
    if table is QUARANTINE:
        wants["storage.location.template"] = f"s3://{bucket}/quarantine/type=${{type}}/{folders}"
        wants["projection.type.type"] = "enum"
        wants["projection.type.values"] = ",".join([*(event.type for event in EVENTS), UNKNOWN.name])
    else:
        wants["storage.location.template"] = f"s3://{bucket}/events/type={table.name}/{folders}"
    for name, value in wants.items():
        if has.get(name) != value:
            yield f"table {table.name} has {name} {has.get(name)!r}, not {value!r}"
    if not has.get("projection.arrival.range", "").endswith(",NOW+1HOURS"):
        yield f"table {table.name} projects the arrival hours {has.get('projection.arrival.range')!r}, not up to now"
