"""A person's own shows and events go through, whatever their shape; nothing is lost, and the exit code tells."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.scenario.accounting import TOPIC
from rehearsal.scenario.command import main
from rehearsal.scenario.run import Options
from tests.rehearsal.proofs import foreign
from tests.rehearsal.proofs.played import NOW, Rehearse, like, line_of

Command = Callable[..., int]


@pytest.fixture
def command(assembly: Path, tmp_path: Path) -> Command:
    """The command line, with a workspace and a report of its own."""

    def run(*arguments: str | Path, assembly: Path = assembly) -> int:
        own = [
            "--plain",
            "--fast",
            "--assembly",
            assembly,
            "--workspace",
            tmp_path / "work",
            "--report",
            tmp_path / "r.html",
        ]
        return main([str(argument) for argument in (*own, *arguments)])

    return run


def test_shows_and_events_of_foreign_shapes_go_through_and_none_is_lost(
    run_rehearsal: Rehearse, assembly: Path, tmp_path: Path
) -> None:
    shows, events = foreign.shows(300), foreign.events(1000)
    show_file, event_file = tmp_path / "shows.json", tmp_path / "events.ndjson"
    show_file.write_text("[" + ",\n".join(show.text for show in shows) + "]", "utf-8")
    event_file.write_bytes(b"\n".join([*events, *foreign.NOT_JSON]))
    done = run_rehearsal(
        Options(
            stage="dev",
            now=NOW,
            minutes=2,
            shows=show_file,
            events=event_file,
            fast=True,
            assembly=assembly,
            workspace=tmp_path,
        )
    )
    assert done.findings.problems == []
    book = done.findings.account
    owed = Counter(show.owed for show in shows)
    changes = line_of(book, TOPIC)
    assert (changes.sent, changes.landed) == (300, owed.pop("landed"))
    assert changes.dead_lettered == owed
    sent = [line for line in book.lines if line.type != TOPIC]
    assert sum(line.sent for line in sent) == 1000 + len(foreign.NOT_JSON)
    assert sum(line.landed for line in sent) == 1000
    assert sum((line.quarantined for line in sent), Counter()) == {"not_json": len(foreign.NOT_JSON)}

    query = done.lake.connection.execute
    bodies = [body.encode() for (body,) in query("SELECT body FROM unknown").fetchall()]
    assert sorted(bodies) == sorted(events), "what no contract describes lands whole, byte for byte"
    title, extra = query("SELECT show_title, extra FROM show_catalog_entry WHERE show_id = 'sendung/2 ü'").fetchall()[0]
    assert title == "5"
    kept = json.loads(extra)["show"]
    given = json.loads(shows[2].text)
    assert kept == {name: value for name, value in given.items() if name not in ("id", "title")}
    assert str(2**70 + 2) in extra


def test_shows_as_json_lines_keep_line_separators_of_unicode(command: Command, tmp_path: Path) -> None:
    lines = tmp_path / "shows.ndjson"
    lines.write_text('{"id": 1, "title": "a\u2028b\x85c"}\r\n\r\n{"show_id": "two"}\r\n', "utf-8")
    assert command("--shows", lines) == 0


def test_all_accounted_for_is_exit_code_0_and_is_said(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.ndjson"
    events.write_bytes(b"\n".join([like("a"), b"no JSON", *foreign.events(20)]))
    assert command("--events", events) == 0
    assert "Every one of 22 events and show changes is accounted for." in capsys.readouterr().out
    assert "events.ndjson" in (tmp_path / "r.html").read_text()


def test_a_folder_of_files_goes_through_beside_nothing_else(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.csv").write_bytes(b'\xef\xbb\xbfid,text\r\n1,"two\nlines"\r\n')
    assert command("--fast", "--files", folder) == 0, capsys.readouterr().out


def test_a_folder_without_a_file_that_can_be_taken_is_exit_code_2_and_is_named(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--files", tmp_path) == 2
    assert f"{tmp_path} holds no file that ends in .json" in capsys.readouterr().err


def test_something_missing_is_exit_code_1_and_is_named(
    command: Command, assembly: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = shutil.copytree(assembly, tmp_path / "broken")
    (file,) = broken.glob("*ShowCatalog.template.json")
    template = json.loads(file.read_text())
    kept = {name: one for name, one in template["Resources"].items() if one["Type"] != "AWS::SNS::Subscription"}
    file.write_text(json.dumps({**template, "Resources": kept}))
    shows = tmp_path / "shows.json"
    shows.write_text('[{"id": "lost"}]')
    assert command("--shows", shows, assembly=broken) == 1
    said = capsys.readouterr().out
    assert "NOT EVERYTHING IS AS IT SHOULD BE" in said
    assert "No show change reached the queue" in said
    assert "(show lost)" in said


@pytest.mark.parametrize(
    ("option", "content", "named"),
    [
        ("--shows", b'{"id": 1}\n{"id": ', "line 2: no JSON"),
        ("--shows", b'{"id": 1}\n{"title": "x"}', "2: a show needs an 'id' or a 'show_id'"),
        ("--shows", b'[{"id": 1}, {"show_id": "1"}]', "2: the show '1' stands already at 1"),
        ("--shows", b'{"id": 1, "nest": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "line 1: nested too deep"),
        ("--shows", b"", "holds no show"),
        ("--events", b"\n", "holds no event"),
        ("--events", b"\x1f\x8bno gzip", "cannot be unpacked"),
        ("--events", None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_taken_is_exit_code_2_and_is_named_with_its_line(
    command: Command,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    content: bytes | None,
    named: str,
) -> None:
    file = tmp_path / "own"
    if content is not None:
        file.write_bytes(content)
    assert command(option, file) == 2
    said = capsys.readouterr().err
    assert str(file) in said
    assert named in said


def test_a_folder_that_is_no_assembly_is_exit_code_2(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--count", "0", assembly=tmp_path) == 2
    assert "holds no manifest.json" in capsys.readouterr().err
