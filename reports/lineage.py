"""What reads what, as a page of documentation, from the order of the models; asks neither dbt nor a database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from contracts import report_tables
from contracts.lake_tables.events import EVENT_TABLES
from reports.running import Step

_EVENTS = frozenset(f"transformed.{name}" for name in EVENT_TABLES)
_ALL_EVENTS = "all tables of events"


def page(steps: Sequence[Step]) -> str:
    """The page: a diagram for each subject, and a table of all models with what they read and what tests follow."""
    lines = [
        "# Lineage of the reports\n",
        "Made from the models by `make reports`; edit those, not this page. Boxes on the left are tables of the lake, "
        "on the right results; an arrow leads from what is read.",
    ]
    for subject in report_tables.SUBJECTS:
        of_subject = [step for step in steps if step.subject == subject]
        lines += [f"\n## {subject.capitalize()}\n", "```mermaid", "flowchart LR", *_arrows(of_subject), "```"]
    lines += [
        "\n## All models\n",
        "| model | what one row is | reads | engines | tests |",
        "|---|---|---|---|---|",
    ]
    for step in steps:
        reads = ", ".join(f"`{name}`" if name != _ALL_EVENTS else name for name in _reads(step))
        lines.append(
            f"| [{step.model}](../data/reports/{step.model}.md) | {report_tables.by_name(step.model).grain} | {reads} "
            f"| {', '.join(step.dialects)} | {', '.join(f'`{test}`' for test in step.tests)} |"
        )
    return "\n".join(lines) + "\n"


def _reads(step: Step) -> list[str]:
    """Names of what a model reads; the tables of all events are one."""
    sources = set(step.sources)
    if sources >= _EVENTS:
        sources = sources - _EVENTS | {_ALL_EVENTS}
    return [*sorted(sources), *(f"reports.{name}" for name in step.models)]


def _arrows(steps: Iterable[Step]) -> list[str]:
    return [f"    {_box(name)} --> {_box(f'reports.{step.model}')}" for step in steps for name in _reads(step)]


def _box(name: str) -> str:
    return f'{name.replace(".", "_").replace(" ", "_")}["{name}"]'
