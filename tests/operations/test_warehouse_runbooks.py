"""Every command that a runbook of the warehouse shows runs as it stands there, one after the other on one platform."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("pyspark", reason="runbooks of jobs are read beside these")

from tests.operations.test_runbooks import OF_WAREHOUSE, OURS, commands

if TYPE_CHECKING:
    from tests.operations.desk import Desk


@pytest.mark.parametrize("runbook", OF_WAREHOUSE, ids=lambda runbook: runbook.name)
def test_every_command_of_a_runbook_of_the_warehouse_runs_as_it_stands_there(
    warehouse_desk: Desk, runbook: Path
) -> None:
    for command in commands(runbook):
        arguments = [{"STAGE": "dev"}.get(word, word) for word in shlex.split(command.removeprefix(OURS))]
        said = warehouse_desk.run(*arguments)
        assert said.code == 0, f"{command}\n{said.err}{said.out}"
