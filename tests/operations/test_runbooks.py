"""Every command that a runbook shows runs as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from tests.rehearsal.proofs.played import like

if TYPE_CHECKING:
    from tests.operations.desk import Desk

pytestmark = pytest.mark.xdist_group("rehearsal")

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
_SHELL = re.compile(r"```sh\n(.*?)```", re.S)
_FENCE = re.compile(r"```(\w*)\n(.*?)```", re.S)
OURS = "python -m operations "


def commands(runbook: Path) -> list[str]:
    return [line for block in _SHELL.findall(runbook.read_text()) for line in block.splitlines() if line.strip()]


def test_the_runbooks_show_commands() -> None:
    assert sum(len(commands(runbook)) for runbook in RUNBOOKS) > 10


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.name)
def test_a_runbook_shows_no_command_but_ours(runbook: Path) -> None:
    text = runbook.read_text()
    assert [line for line in commands(runbook) if not line.startswith(OURS)] == []
    assert {language for language, _ in _FENCE.findall(text)} <= {"sh", "sql"}
    assert "`aws " not in text


@pytest.mark.parametrize("runbook", [one for one in RUNBOOKS if commands(one)], ids=lambda runbook: runbook.name)
def test_every_command_of_a_runbook_runs_as_it_stands_there(desk: Desk, runbook: Path) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(like("a"))
    desk.played.settle()
    desk.played.put(like("b", like={"count": "many"}))
    desk.played.announce("s1", serve=False)
    desk.next_hour()
    words = {
        "STAGE": "dev",
        "SINCE": "2026-11-18T20",
        "UNTIL": "2026-11-18T21",
        "CODE": "show_not_found",
        "TYPE": "like",
    }
    for command in commands(runbook):
        if "--resume ID" in command:
            (record,) = desk.objects("operations/replays/")
            words["ID"] = Path(record).stem
        arguments = [words.get(word, word) for word in shlex.split(command.removeprefix(OURS))]
        said = desk.run(*arguments)
        assert said.code == (1 if arguments[0] == "check" else 0), f"{command}\n{said.err}{said.out}"


def test_the_query_of_the_quarantine_runs(desk: Desk) -> None:
    text = (ROOT / "docs" / "runbooks" / "events-are-quarantined.md").read_text()
    (query,) = [block for language, block in _FENCE.findall(text) if language == "sql"]
    begin = "date_format(current_timestamp - interval '6' hour, '%Y-%m-%d-%H')"
    assert begin in query
    desk.played.put(like("b", like={"count": "many"}))
    desk.played.settle()
    desk.played.read()
    # The one function that only Athena has; its clock is not the rehearsal's either.
    (row,) = desk.played.query(query.replace(begin, "'2026-11-18-14'"))
    assert row[:5] == ("like", "wrong_type", "like_count", 1, 1)
