"""Tells and keeps what the bench measured: one file of results and one page, a section a part; measures nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS, PAGE = "results.json", "RESULTS.md"
PARTS = ("lake", "flatten", "ingest", "plan")
"""In the page's order."""


def recorded(part: str, folder: Path = HERE) -> Any | None:
    """What was recorded of a part, or None when nothing was."""
    return _results(folder).get(part)


def record(part: str, results: Any, page: str, folder: Path = HERE) -> None:
    """Keep a part's results and its section of the page; those of the other parts stay as they are.

    `page` begins with a heading of the first level, which becomes one of the second, and so on.
    """
    kept = {**_results(folder), part: results}
    (folder / RESULTS).write_text(json.dumps({name: kept[name] for name in PARTS if name in kept}, indent=1) + "\n")
    sections = {**_sections(folder), part: re.sub(r"^#", "##", page.strip(), flags=re.MULTILINE)}
    texts = [f"<!-- {name} -->\n\n{sections[name]}\n" for name in PARTS if name in sections]
    (folder / PAGE).write_text("\n".join(["# Measured\n", *texts]), "utf-8")


def tell(part: str, results: Any, page: str, changes: Iterable[str], *, keep: bool) -> None:
    """Print a part's page and what changed since it was recorded, and record it when told to `keep` it."""
    print(f"\n{page}")
    for line in changes:
        print(line)
    if keep:
        record(part, results, page)
        print(f"recorded in bench/{PAGE} and bench/{RESULTS}")


def _results(folder: Path) -> dict[str, Any]:
    path = folder / RESULTS
    held: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return held


def _sections(folder: Path) -> dict[str, str]:
    path = folder / PAGE
    text = path.read_text("utf-8") if path.exists() else ""
    pieces = re.split(r"^<!-- (\w+) -->$", text, flags=re.MULTILINE)
    return {name: section.strip() for name, section in zip(pieces[1::2], pieces[2::2], strict=True)}
