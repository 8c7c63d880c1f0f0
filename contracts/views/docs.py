"""A page of documentation for each table, as Markdown; adds no fact that the contract does not hold."""

from __future__ import annotations

import json
from collections.abc import Iterable

from contracts.event import Event
from contracts.model import Column, Table
from contracts.views.samples import sample

_HEAD = "| column | type | required | personal | where it is sent | what it holds |\n|---|---|---|---|---|---|\n"


def event_page(event: Event) -> str:
    """The page of an event: what its producer sends, and the table that it becomes."""
    example = json.dumps(sample(event), indent=2, ensure_ascii=False)
    sent = {column.name for column in event.sent}
    return (
        f"# {event.type}\n\n{event.description}\n\n{_facts(event.table)}\n"
        f"## Columns\n\n{_HEAD}{_rows(event.table.columns, sent)}\n"
        f"## What a producer sends\n\n```json\n{example}\n```\n"
    )


def table_page(table: Table) -> str:
    """The page of a table that holds no one event type."""
    return (
        f"# {table.name}\n\n{table.description}\n\n{_facts(table)}\n## Columns\n\n{_HEAD}{_rows(table.columns, set())}"
    )


def index_page(events: Iterable[Event], tables: Iterable[Table]) -> str:
    """The list of all pages."""
    lines = [
        "# Data of the raw zone\n",
        "Made from `contracts/` by `make docs`; edit the contracts, not these pages.\n",
        "| table | what one row is about | owner | version | personal columns |",
        "|---|---|---|---|---|",
    ]
    for table, description in [
        *((event.table, event.description) for event in events),
        *((table, table.description) for table in tables),
    ]:
        personal = ", ".join(f"`{name}`" for name in table.personal_columns) or "none"
        lines.append(
            f"| [{table.name}]({table.name}.md) | {description} | {table.owner} | {table.version} | {personal} |"
        )
    return "\n".join(lines) + "\n"


def _facts(table: Table) -> str:
    return f"- Owner: {table.owner}\n- Version: {table.version}\n- Grain: {table.grain}\n"


def _rows(columns: Iterable[Column], sent: set[str]) -> str:
    return "".join(
        f"| `{column.name}` | `{column.type}` | {_yes(column.required)} | {_yes(column.personal)} "
        f"| {f'`{column.path}`' if column.name in sent else ''} | {_cell(column.description)} |\n"
        for column in columns
    )


def _yes(fact: bool) -> str:
    return "yes" if fact else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
