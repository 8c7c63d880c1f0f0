"""A page of documentation for each table, as Markdown; adds no fact that the contract does not hold."""

from __future__ import annotations

import json
from collections.abc import Iterable

from contracts.datasets import Dataset
from contracts.event import Event
from contracts.jobs import Job
from contracts.lake import LakeTable
from contracts.model import Column, Table
from contracts.report import ReportTable
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


def lake_page(table: LakeTable, jobs: Iterable[Job]) -> str:
    """The page of a table that jobs make."""
    made = ", ".join(f"`{job.name}`" for job in jobs if table in job.writes and job.name != "maintenance")
    more = "It holds further columns: all that the crawler finds in its files.\n\n" if table.open else ""
    return (
        f"# {table.full_name}\n\n{table.description}\n\n{_facts(table)}"
        f"- Made by the job: {made or 'every job'}\n"
        f"- Key: {', '.join(f'`{name}`' for name in table.key)}\n"
        f"- Partitioned by: {', '.join(f'`{part}`' for part in table.partition) or 'nothing'}\n"
        f"- Newest row at most: {table.freshness_hours} h old\n"
        f"- Rows are kept: {_kept(table)}\n\n"
        f"## Columns\n\n{more}| column | type | personal | what it holds |\n|---|---|---|---|\n"
        + "".join(
            f"| `{column.name}` | `{column.type}` | {_yes(column.personal)} | {_cell(column.description)} |\n"
            for column in table.columns
        )
    )


def report_page(table: ReportTable) -> str:
    """The page of a table that reports are read from."""
    return (
        f"# {table.full_name}\n\n{table.description}\n\n{_facts(table)}"
        f"- Key: {', '.join(f'`{name}`' for name in table.key)}\n"
        f"- A day's rows are there: {table.freshness_hours} h after its end at the latest\n\n"
        f"## Columns\n\n| column | type | what it holds |\n|---|---|---|\n"
        + "".join(f"| `{column.name}` | `{column.type}` | {_cell(column.description)} |\n" for column in table.columns)
    )


def index_page(
    events: Iterable[Event],
    tables: Iterable[Table],
    lake: Iterable[LakeTable],
    datasets: Iterable[Dataset],
    reports: Iterable[ReportTable],
) -> str:
    """The list of all pages: the raw zone, the datasets that arrive as files, the lake's tables, those of reports."""
    lines = [
        "# Data of the platform\n",
        "Made from `contracts/` by `make docs`; edit the contracts, not these pages.\n",
        "## Raw zone: as it arrived\n",
        "| table | what one row is about | owner | version | personal columns |",
        "|---|---|---|---|---|",
    ]
    for table, description in [
        *((event.table, event.description) for event in events),
        *((table, table.description) for table in tables),
    ]:
        lines.append(
            f"| [{table.name}]({table.name}.md) | {description} | {table.owner} | {table.version} "
            f"| {_personal(table)} |"
        )
    lines += [
        "\n## Datasets: files that arrive\n",
        "| dataset | what it is | owner | lands at | format | shared columns |",
        "|---|---|---|---|---|---|",
    ]
    for dataset in datasets:
        shared = ", ".join(f"`{c.key_name if c.person_id else c.name}`" for c in dataset.shared) or "none"
        kind = dataset.format.value if dataset.format else "by the file's name"
        lines.append(
            f"| {dataset.name} | {dataset.description} | {dataset.owner} | `{dataset.prefix}` | {kind} | {shared} |"
        )
    lines += [
        "\n## Lake tables: made by jobs\n",
        "Tables of `transformed` are shared and hold no personal value; those of `personal` are granted apart.\n",
        "| table | grain | owner | newest row at most | rows are kept | personal columns |",
        "|---|---|---|---|---|---|",
    ]
    for made in lake:
        lines.append(
            f"| [{made.full_name}](lake/{made.full_name}.md) | {made.grain} | {made.owner} "
            f"| {made.freshness_hours} h old | {_kept(made)} | {_personal(made)} |"
        )
    lines += [
        "\n## Reports: results, a day at a time\n",
        "[What they answer and how they are computed](../reports/README.md).\n",
        "| table | grain | owner | there after the day's end |",
        "|---|---|---|---|",
    ]
    for result in reports:
        lines.append(
            f"| [{result.full_name}](reports/{result.name}.md) | {result.grain} | {result.owner} "
            f"| {result.freshness_hours} h |"
        )
    return "\n".join(lines) + "\n"


def _personal(table: Table) -> str:
    names = ", ".join(f"`{name}`" for name in table.personal_columns) or "none"
    return "all that is not declared" if isinstance(table, LakeTable) and table.open else names


def _kept(table: LakeTable) -> str:
    return "for ever" if table.retention_days is None else f"{table.retention_days} days"


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
