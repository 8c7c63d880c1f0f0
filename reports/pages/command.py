"""Pages from files to files: reads rows as JSON lines, writes a day's pages and the index; asks no engine."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

from contracts.report_tables import REPORT_TABLES, by_name
from reports.pages import page
from reports.pages.parts import Day
from reports.pages.rows import RowsError, Value, parse
from reports.pages.views import REPORTS

_EXAMPLES = """examples:
  python -m reports render --day 2026-11-21 --rows rows --to pages
  python -m reports render --day 2026-11-21 --rows rows --to pages --report flash --report health

The folder of rows holds a file for each result table, such as rows/flash_report.jsonl: one JSON object a line, by
column, of the day and of the days before it that plots show. A page whose tables have no rows says so. Days are UTC.
What was written before is written again, the same from the same rows; other days' pages are left as they are.

exit code: 0 the pages are written; 2 refused, and nothing is written."""


class RenderError(ValueError):
    """What was asked for cannot be rendered; says what, given, allowed and how to fix it."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `render` to a command line."""
    text = "write the pages of one day, and the index of all days, from rows of result tables"
    parser = commands.add_parser(
        "render",
        help=text,
        description=f"render: {text}.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--day", required=True, type=_day, help="which day (UTC), such as 2026-11-21")
    parser.add_argument("--rows", required=True, type=Path, metavar="FOLDER", help="where <table>.jsonl files lie")
    parser.add_argument(
        "--to", required=True, type=Path, metavar="FOLDER", help="where pages go; made if it is not there"
    )
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        choices=[one.name for one in REPORTS],
        help="only this report (repeatable; default: all)",
    )


def run(given: argparse.Namespace) -> list[str]:
    """Do what `render` was asked for; gives the sentences to print. RenderError, RowsError."""
    written, lacking = render_files(day=given.day, rows=given.rows, to=given.to, names=given.report)
    said = [f"wrote {len(written)} pages of {given.day} to {given.to}; start at {given.to / page.INDEX}"]
    if lacking:
        said.append(f"no file for {', '.join(lacking)}: their pages say that there are no rows")
    return said


def render_files(*, day: date, rows: Path, to: Path, names: Sequence[str] = ()) -> tuple[list[Path], list[str]]:
    """Write the pages of `day` below the folder `to`, and its index; all reports, or those of `names`.

    Gives the pages written and the result tables that have no file in the folder `rows`. Nothing is written when a
    file is refused. RenderError when the folder holds no rows of ours; RowsError when a file is not what it should be.
    """
    chosen = [page.report(name) for name in names] or list(REPORTS)
    found, lacking = _read(rows, sorted({read.table.name for one in chosen for read in one.reads}))
    pages = {to / page.path(day, one.name): page.render_report(one, day, found) for one in chosen}
    for path, html in pages.items():
        _write(path, html)
    _write(to / page.INDEX, page.render_index(days_in(to)))
    return list(pages), lacking


def days_in(folder: Path) -> Iterator[Day]:
    """The days that have pages in a folder, from the names of its folders and files."""
    for inner in sorted(folder.iterdir()):
        try:
            day = date.fromisoformat(inner.name)
        except ValueError:
            continue
        reports = [one.name for one in REPORTS if (folder / page.path(day, one.name)).is_file()]
        if reports:
            first = folder / page.path(day, reports[0])
            yield Day(day=day, reports=reports, answer=answer_of(first.read_text(encoding="utf-8")))


def answer_of(html: str) -> str:
    """The answer that a page gives, from the description in its head; empty when it has none."""
    reader = _Description()
    reader.feed(html.partition("<style>")[0])
    return reader.found


class _Description(HTMLParser):
    """Finds a page's description."""

    found = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the content of the description."""
        given = dict(attrs)
        if tag == "meta" and given.get("name") == "description":
            self.found = given.get("content") or ""


def _read(folder: Path, names: Sequence[str]) -> tuple[dict[str, list[dict[str, Value]]], list[str]]:
    if not folder.is_dir():
        raise RenderError(
            f"--rows; given: {folder}, no folder; allowed: a folder of <table>.jsonl files; fix: name one."
        )
    known = {table.name for table in REPORT_TABLES}
    files = {file.stem: file for file in sorted(folder.glob("*.jsonl"))}
    unknown = sorted(set(files) - known)
    if unknown or not files:
        given = f"{', '.join(unknown)}, no result table" if unknown else "no .jsonl file"
        raise RenderError(
            f"--rows {folder}; given: {given}; allowed: <table>.jsonl of {', '.join(sorted(known))}; fix: name the "
            "files after the tables."
        )
    found = {}
    for name in names:
        if name in files:
            try:
                with files[name].open(encoding="utf-8") as lines:
                    found[name] = parse(lines, by_name(name), source=str(files[name]))
            except UnicodeDecodeError:
                raise RowsError(
                    f"{files[name]}; given: not UTF-8; allowed: JSON lines in UTF-8; fix: write it so."
                ) from None
    return found, [name for name in names if name not in files]


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all, so that nobody reads half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"given {text!r}, allowed is a day such as 2026-11-21") from None
