"""The dbt project: what is written by hand beside what the contracts say; runs no dbt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contracts.events import EVENTS
from contracts.lake import Zone
from contracts.lake_tables import LAKE_TABLES
from contracts.lake_tables.events import EVENT_TABLES
from contracts.model import Column, Table
from contracts.report import DAY_PLACEHOLDER, ReportTable
from contracts.report_tables import SUBJECTS
from contracts.tables import QUARANTINE, UNKNOWN

HOME = Path(__file__).parent
_BY_HAND = ("dbt_project.yml", "profiles.yml", "macros", "models", "tests")
_OF_THE_DAY = f"day = cast('{DAY_PLACEHOLDER}' as date)"
"""Tests look at the day that was written, however long the table is."""


def write_project(folder: Path) -> None:
    """Write the whole project to an empty or new folder: models, macros and tests, sources and schemas of contracts."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _BY_HAND:
        if (HOME / name).is_dir():
            shutil.copytree(HOME / name, folder / name)
        else:
            shutil.copy(HOME / name, folder / name)
    _write(folder / "models" / "sources.yml", {"version": 2, "sources": _sources()})
    for subject, tables in SUBJECTS.items():
        _write(folder / "models" / subject / "tables.yml", {"version": 2, "models": [_model(each) for each in tables]})
    (folder / "macros" / "contracts.sql").write_text(_macros())


def _macros() -> str:
    """Macros that give what the contracts say: all event types, and how fresh a shared table is to be."""
    hours = {table.name: table.freshness_hours for table in LAKE_TABLES if table.zone is Zone.TRANSFORMED}
    return (
        f"{{% macro event_types() %}}{{% do return({json.dumps(list(EVENT_TABLES))}) %}}{{% endmacro %}}\n"
        f"{{% macro freshness_hours(table) %}}{{% do return({json.dumps(hours)}[table]) %}}{{% endmacro %}}\n"
    )


def _write(file: Path, content: Any) -> None:
    # JSON is YAML.
    file.write_text(json.dumps(content, indent=1) + "\n")


def _sources() -> list[dict[str, Any]]:
    raw = [*(event.table for event in EVENTS), UNKNOWN, QUARANTINE]
    return [
        _source("raw", raw),
        *(
            _source(zone.value, [table for table in LAKE_TABLES if table.zone is zone])
            for zone in (Zone.TRANSFORMED, Zone.PERSONAL)
        ),
    ]


def _source(part: str, tables: Iterable[Table]) -> dict[str, Any]:
    return {
        "name": part,
        "schema": f"{{{{ var('{part}') }}}}",
        "tables": [
            {"name": table.name, "description": table.description, "columns": [_column(c) for c in table.columns]}
            for table in tables
        ],
    }


def _model(table: ReportTable) -> dict[str, Any]:
    tests = [_test(table, "key", list(table.key))]
    if table.shares:
        tests.append(_test(table, "shares", list(table.shares)))
    return {
        "name": table.name,
        "description": f"{table.description} Grain: {table.grain}.",
        "config": {"meta": {"owner": table.owner, "freshness_hours": table.freshness_hours}},
        "columns": [_column(column) for column in table.columns],
        "data_tests": tests,
    }


def _test(table: ReportTable, kind: str, columns: list[str]) -> dict[str, Any]:
    return {
        kind: {
            "name": f"{table.name}_{kind}",
            "arguments": {"columns": columns},
            "config": {"where": _OF_THE_DAY},
        }
    }


def _column(column: Column) -> dict[str, Any]:
    return {"name": column.name, "data_type": column.type, "description": column.description}
