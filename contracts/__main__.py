"""Write what is derived from the contracts: `python -m contracts client|docs|publish|schemas`; changes no contract."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from contracts import publishing
from contracts.datasets import DATASETS
from contracts.events import EVENTS
from contracts.jobs import JOBS
from contracts.lake_tables import LAKE_TABLES
from contracts.report_tables import REPORT_TABLES
from contracts.tables import QUARANTINE, UNKNOWN
from contracts.views import docs, json_schema

ROOT = Path(__file__).parent.parent


def write_docs(folder: Path) -> list[Path]:
    """Write one page for each table and their index; remove pages of tables that are gone."""
    pages = {f"{event.type}.md": docs.event_page(event) for event in EVENTS}
    pages |= {f"{table.name}.md": docs.table_page(table) for table in (UNKNOWN, QUARANTINE)}
    pages |= {f"lake/{table.full_name}.md": docs.lake_page(table, JOBS) for table in LAKE_TABLES}
    pages |= {f"reports/{table.name}.md": docs.report_page(table) for table in REPORT_TABLES}
    pages["README.md"] = docs.index_page(EVENTS, (UNKNOWN, QUARANTINE), LAKE_TABLES, DATASETS, REPORT_TABLES)
    for part in ("lake", "reports"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for stale in {*folder.glob("*.md"), *folder.glob("lake/*.md"), *folder.glob("reports/*.md")} - {
        folder / name for name in pages
    }:
        stale.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text)
    return sorted(folder / name for name in pages)


def write_schemas(folder: Path) -> list[Path]:
    """Write the JSON Schema of each event, for producers."""
    folder.mkdir(parents=True, exist_ok=True)
    for event in EVENTS:
        text = json.dumps(json_schema.schema(event), indent=2, ensure_ascii=False)
        (folder / f"{event.type}.json").write_text(text + "\n")
    return sorted(folder.glob("*.json"))


def write_client(folder: Path) -> list[Path]:
    """Write the one file from which the producer client checks events: schemas without their prose."""
    entries = {
        event.type: {"version": event.version, "schema": _without_prose(json_schema.schema(event))} for event in EVENTS
    }
    lines = [
        f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in sorted(entries.items())
    ]
    file = folder / "contracts.json"
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    return [file]


def _without_prose(schema: dict[str, object]) -> dict[str, object]:
    """A schema's rules alone; `properties` maps names, which may be called like a keyword, to schemas."""
    bare: dict[str, object] = {}
    for keyword, value in schema.items():
        if keyword in ("$schema", "$id", "title", "description", "examples"):
            continue
        if keyword == "properties" and isinstance(value, dict):
            bare[keyword] = {name: _without_prose(below) for name, below in value.items()}
        elif keyword == "anyOf" and isinstance(value, list):
            bare[keyword] = [_without_prose(alternative) for alternative in value]
        else:
            bare[keyword] = _without_prose(value) if isinstance(value, dict) else value
    return bare


def main() -> None:
    """Do what the command line asks and say what was written."""
    parser = argparse.ArgumentParser(prog="python -m contracts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, target, text in (
        ("docs", ROOT / "docs" / "data", "write the documentation pages"),
        ("schemas", ROOT / "docs" / "data" / "schemas", "write the JSON Schemas for producers"),
        ("client", ROOT / "clients" / "amp_events", "write what the producer client checks events by"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--folder", type=Path, default=target, help=f"where to write (default: {target})")
    text = "publish the current version of each contract that is not published yet"
    commands.add_parser("publish", help=text, description=text)
    arguments = parser.parse_args()
    if arguments.command == "publish":
        written = [publishing.path_of(event) for event in EVENTS if publishing.publish(event)]
    else:
        write = {"client": write_client, "docs": write_docs, "schemas": write_schemas}[arguments.command]
        written = write(arguments.folder)
    for path in written:
        print(path)  # noqa: T201 - the command's output
    if not written:
        print("nothing to write: all is there")  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
