"""The public judges: clean for every stage, and each exception still about something."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment
from constructs import IConstruct

from building_blocks import acknowledgement
from config import STAGES
from stacks.application import application
from stacks.platform import Platform
from tests.stacks.assembly import Assembly, synthesize


@pytest.mark.parametrize("stage", STAGES)
def test_the_validator_and_cdk_nag_find_nothing(stage: str, tmp_path: Path) -> None:
    synthesize(STAGES[stage], tmp_path, judged=True)
    report = tmp_path / "validation-report.json"
    found = json.loads(report.read_text())["pluginReports"] if report.exists() else []
    assert [violation for plugin in found for violation in plugin["violations"]] == []


def test_cfn_lint_finds_nothing(assembly: Assembly) -> None:
    cfnlint = pytest.importorskip("cfnlint.api", reason="cfn-lint is in requirements-dev.txt")
    for file in assembly.folder.glob("*.template.json"):
        assert [f"{file.name}: {match}" for match in cfnlint.lint_file(file)] == []


class _Recorder:
    """Stands in for CDK's `Validations`: writes acknowledgements down instead of making them."""

    made: list[tuple[str, str, str]]

    def __init__(self, path: str) -> None:
        self.path = path

    @classmethod
    def of(cls, construct: IConstruct) -> "_Recorder":
        return cls(construct.node.path)

    def acknowledge(self, given: Acknowledgment) -> None:
        self.made.append((self.path, given.id, given.reason))


@pytest.mark.parametrize("stage", STAGES)
def test_each_acknowledgement_matches_one_finding_and_none_is_left_over(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Recorder, "made", [], raising=False)
    monkeypatch.setattr(acknowledgement, "Validations", _Recorder)
    app = application(outdir=tmp_path)
    Platform(app, stage=STAGES[stage])
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()

    found = _findings(tmp_path / "validation-report.json")
    matched: set[tuple[str, str]] = set()
    for path, finding, reason in _Recorder.made:
        about = {(rule, place) for rule, place in found if rule == finding and f"{place}/".startswith(f"{path}/")}
        assert len(about) == 1, f"the acknowledgement of {finding} on {path} matches {sorted(about)}"
        assert len(reason.split()) >= 8, f"the acknowledgement of {finding} on {path} gives no reason: {reason}"
        matched |= about
    assert matched == found


def _findings(report: Path) -> set[tuple[str, str]]:
    plugins: list[dict[str, Any]] = json.loads(report.read_text())["pluginReports"]
    return {
        (violation["ruleName"], construct["constructPath"])
        for plugin in plugins
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
