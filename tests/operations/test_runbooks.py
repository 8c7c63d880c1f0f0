"""Every command that a runbook shows runs as it stands there."""

from __future__ import annotations

import json
import re
import shlex
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
import pytest
from botocore import xform_name

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

pytest.importorskip("pyspark", reason="the arguments of jobs are read by spark_jobs")

from contracts.jobs import by_name
from spark_jobs.arguments import read as read_arguments
from tests.rehearsal.proofs.played import like

if TYPE_CHECKING:
    from tests.operations.desk import Desk

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
_SHELL = re.compile(r"```sh\n(.*?)```", re.S)
_FENCE = re.compile(r"```(\w*)\n(.*?)```", re.S)
OURS = "python -m operations "


GLUE = "aws glue "
SERVICES = (
    *("aws cloudwatch ", "aws eks ", "aws emr-containers ", "aws logs ", "aws mwaa ", "aws redshift ", "aws s3api "),
    "aws secretsmanager ",
)
_NO_OPERATIONS = ("aws logs tail ", "aws eks update-kubeconfig ")
"""What the AWS command line makes of several calls."""
CLUSTER = ("kubectl ", "helm ", "skopeo ")
"""Kubernetes' own tools, and what mirrors images and charts."""
_CLI_ALONE = {"query", "output"}
"""Options of the AWS command line itself."""


def shown(runbook: Path) -> list[str]:
    blocks = (block.replace("\\\n", " ") for block in _SHELL.findall(runbook.read_text()))
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def commands(runbook: Path) -> list[str]:
    return [line for line in shown(runbook) if line.startswith(OURS)]


def glue_commands() -> list[str]:
    return [line for runbook in RUNBOOKS for line in shown(runbook) if line.startswith(GLUE)]


def test_the_runbooks_show_commands() -> None:
    assert sum(len(commands(runbook)) for runbook in RUNBOOKS) > 10
    assert len(glue_commands()) > 3


@pytest.mark.parametrize("command", glue_commands())
def test_a_command_of_glue_names_a_job_and_arguments_that_it_takes(command: str) -> None:
    _, _, operation, *words = shlex.split(command.replace("STAGE", "dev"))
    given = dict(zip((word.removeprefix("--") for word in words[::2]), words[1::2], strict=True))
    model = botocore.session.get_session().get_service_model("glue")
    shape = model.operation_model(operation.title().replace("-", "")).input_shape
    assert shape is not None
    known = {xform_name(member, "-") for member in shape.members}
    assert set(given) - known <= _CLI_ALONE
    job = given["job-name"].removeprefix("amp-dev-").replace("-", "_")
    assert job == "JOB" or by_name(job) is not None
    if operation == "start-job-run":
        arguments = [part for pair in json.loads(given["arguments"]).items() for part in pair]
        standing = ["--job", "events", "--raw-bucket", "raw", "--database-prefix", "amp_dev"]
        assert read_arguments([*standing, *arguments], now=datetime.now(UTC)).window.start


@pytest.mark.parametrize(
    "command",
    [
        line
        for one in RUNBOOKS
        for line in shown(one)
        if line.startswith(SERVICES) and not line.startswith(_NO_OPERATIONS)
    ],
)
def test_a_command_of_a_service_has_an_operation_and_options_that_exist(command: str) -> None:
    _, service, operation, *words = shlex.split(command)
    model = botocore.session.get_session().get_service_model(service.removesuffix("api"))
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    assert shape is not None
    known = {xform_name(member, "-") for member in shape.members}
    given = {word.removeprefix("--").removeprefix("no-") for word in words if word.startswith("--")}
    assert given - known <= _CLI_ALONE
    assert {xform_name(member, "-") for member in shape.required_members} <= given


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.name)
def test_a_runbook_shows_no_command_but_ours_and_those_of_services_and_the_cluster(runbook: Path) -> None:
    text = runbook.read_text()
    assert [line for line in shown(runbook) if not line.startswith((OURS, GLUE, "make ", *SERVICES, *CLUSTER))] == []
    assert {language for language, _ in _FENCE.findall(text)} <= {"sh", "sql"}
    assert "`aws " not in text
    targets = {line.split()[1] for line in shown(runbook) if line.startswith("make ")}
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


OF_WAREHOUSE = [one for one in RUNBOOKS if any(line.startswith(f"{OURS}warehouse") for line in commands(one))]
OTHERS = [one for one in RUNBOOKS if commands(one) and one not in OF_WAREHOUSE]


@pytest.mark.parametrize("runbook", OTHERS, ids=lambda runbook: runbook.name)
def test_every_command_of_a_runbook_runs_as_it_stands_there(desk: Desk, runbook: Path) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(like("a"))
    desk.played.settle()
    desk.played.put(like("b", like={"count": "many"}))
    desk.played.announce("s1", serve=False)
    desk.publish_code("f" * 16)
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
        with desk.serving() if arguments[0] == "redrive" and "--all" in arguments else nullcontext():
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
