"""The rehearsal's command line at its edges: what it refuses before it runs, and how it ends when it is ended."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("duckdb", reason="a rehearsal needs the packages of requirements-dev.txt")

import duckdb

from rehearsal.scenario import command, investigation
from rehearsal.scenario.assembly import ROOT


class Began(Exception):
    """The rehearsal would run now."""


def begin(*_: object, **__: object) -> None:
    raise Began


def test_a_report_that_cannot_be_written_is_found_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "rehearse", begin)
    (tmp_path / "file").write_text("")
    assert command.main(["--report", str(tmp_path / "file" / "index.html")]) == 2
    assert "the page cannot be written there" in capsys.readouterr().err


def test_an_assembly_that_is_none_is_found_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "rehearse", begin)
    assert command.main(["--assembly", "/nope", "--report", str(tmp_path / "r.html")]) == 2
    assert "/nope: it holds no manifest.json" in capsys.readouterr().err


def test_no_page_of_an_earlier_rehearsal_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "rehearse", begin)
    for name in ("index.html", "tables.html", "warehouse.html", "notes.html"):
        (tmp_path / name).write_text("old")
    with pytest.raises(Began):
        command.main(["--report", str(tmp_path / "index.html")])
    assert [path.name for path in tmp_path.iterdir()] == ["notes.html"]


def test_an_interrupted_rehearsal_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "rehearse", interrupt)
    assert command.main(["--plain", "--report", str(tmp_path / "r.html")]) == 130
    assert capsys.readouterr().err.splitlines() == ["rehearsal: interrupted; there is no report"]


@pytest.mark.parametrize(("given", "on"), [("1", True), ("yes", True), ("0", False), ("no", False), ("", False)])
def test_a_switch_of_make_is_off_where_it_says_so(given: str, on: bool) -> None:
    told = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "--dry-run", "rehearse", f"FAST={given}", f"KEEP={given}"],  # noqa: S607 - the machine's make
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ("--fast" in told, "--keep" in told) == (on, on)


def test_shows_of_one_title_are_told_apart_in_the_sample_query() -> None:
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE show_catalog_entry AS SELECT * FROM "
        "(VALUES ('s1', 'Late calls', 1), ('s2', 'Late calls', 1)) t(show_id, show_title, show_version)"
    )
    connection.execute(
        "CREATE TABLE playback_metric AS SELECT * FROM (VALUES ('e1', 's1', 'u1', 120000), ('e1', 's1', 'u1', 120000), "
        "('e2', 's2', 'u1', 60000), ('e3', 's3', 'u2', 10000)) t(event_id, show_id, user_id, playback_listened_ms)"
    )
    assert connection.execute(investigation.MOST_HEARD).fetchall() == [
        ("Late calls", "s1", 1, 2),
        ("Late calls", "s2", 1, 1),
        (None, "s3", 1, 0),
    ]
