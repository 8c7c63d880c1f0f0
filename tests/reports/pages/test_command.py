"""`python -m reports render`: rows from files, pages and the index to files."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="pages are templates, for which requirements-dev.txt brings jinja2")

from reports.__main__ import main
from reports.pages import page
from reports.pages.command import answer_of, render_files
from reports.pages.views import REPORTS
from tests.reports.pages import examples, reading
from tests.reports.pages.examples import DAY


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of rows of every table."""
    folder = tmp_path_factory.mktemp("rows")
    for name, of_table in examples.rows().items():
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in of_table), encoding="utf-8")
    return folder


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["reports", "render", *arguments])
    return main()


def _files(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_day_is_written_with_the_index_and_the_same_again(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "new" / "pages"
    given = ("--day", "2026-11-21", "--rows", str(rows), "--to", str(to))
    assert _run(monkeypatch, *given) == 0
    first = _files(to)
    assert set(first) == {"index.html", *(page.path(DAY, one.name) for one in REPORTS)}
    assert capsys.readouterr().out == f"wrote 9 pages of 2026-11-21 to {to}; start at {to / 'index.html'}\n"
    assert _run(monkeypatch, *given) == 0
    assert _files(to) == first


def test_the_index_lists_every_day_there_is_and_what_its_first_page_answers(rows: Path, tmp_path: Path) -> None:
    for back in (0, 1):
        render_files(day=DAY - timedelta(days=back), rows=rows, to=tmp_path, names=["flash", "health"] if back else [])
    (tmp_path / "notes").mkdir()
    text = reading.read((tmp_path / "index.html").read_text(encoding="utf-8")).text
    assert "3,300 listeners heard 2,354 h, 7.4 % less than the day before." in text
    assert text.index("Saturday 21 November 2026") < text.index("Friday 20 November 2026")
    links = [link["href"] for link in reading.read((tmp_path / "index.html").read_text(encoding="utf-8")).all("a")]
    assert [link for link in links if "11-20" in link] == ["2026-11-20/flash.html", "2026-11-20/health.html"]


def test_tables_without_a_file_are_named_and_their_pages_say_so(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    some = tmp_path / "rows"
    some.mkdir()
    (some / "health_jobs.jsonl").write_text((rows / "health_jobs.jsonl").read_text())
    given = ("--day", "2026-11-21", "--rows", str(some), "--to", str(tmp_path / "to"), "--report", "health")
    assert _run(monkeypatch, *given) == 0
    assert (
        "no file for data_health, health_quarantine: their pages say that there are no rows" in capsys.readouterr().out
    )
    text = reading.read((tmp_path / "to" / "2026-11-21" / "health.html").read_text(encoding="utf-8")).text
    assert "data_health : no rows of this day" in text


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (None, "no folder; allowed: a folder of <table>.jsonl files"),
        ({}, "given: no .jsonl file; allowed: <table>.jsonl of"),
        ({"flahs_report.jsonl": b""}, "given: flahs_report, no result table; allowed: "),
        ({"flash_report.jsonl": b'{"day": "2026-11-21"'}, "flash_report.jsonl, line 1: "),
        ({"flash_report.jsonl": b"\xff"}, "flash_report.jsonl; given: not UTF-8; allowed: JSON lines in UTF-8"),
        ({"flash_report.jsonl": b'{"listeners": 3}'}, "flash_report: column 'day'; given: None; allowed: a date"),
        ({"flash_report.jsonl": b'{"day": "2026-11-21", "listeners": "x"}'}, "column 'listeners'; given: 'x'"),
    ],
)
def test_what_cannot_be_rendered_is_refused_and_nothing_is_written(
    files: dict[str, bytes] | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows, to = tmp_path / "rows", tmp_path / "to"
    if files is not None:
        rows.mkdir()
        for name, content in files.items():
            (rows / name).write_bytes(content)
    assert _run(monkeypatch, "--day", "2026-11-21", "--rows", str(rows), "--to", str(to)) == 2
    assert said in capsys.readouterr().err
    assert not to.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--day", "yesterday", "--rows", "a", "--to", "b"], "given 'yesterday', allowed is a day such as 2026-11-21"),
        (["--day", "2026-11-21", "--rows", "a", "--to", "b", "--report", "flahs"], "invalid choice: 'flahs'"),
        (["--rows", "a", "--to", "b"], "required: --day"),
    ],
)
def test_arguments_that_say_nothing_are_refused(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _run(monkeypatch, *arguments)
    assert said in capsys.readouterr().err


def test_the_help_says_how_rows_are_given(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _run(monkeypatch, "--help")
    said = capsys.readouterr().out
    assert "rows/flash_report.jsonl" in said
    assert "exit code" in said


def test_an_answer_is_found_again_however_ugly() -> None:
    html = page.render("flash", date(2026, 11, 21), {})
    assert answer_of(html) == "There is nothing to report for this day yet."
    assert answer_of('<meta name="description" content="a &quot;b&quot; &lt;c&gt;"><style>') == 'a "b" <c>'
    assert answer_of("<p>no page of ours</p>") == ""
