"""A function's environment is the one its settings read, and the same sources give the same asset."""

import json
from pathlib import Path

import pytest

from building_blocks.python_function import EnvironmentMismatchError, check_environment
from config import STAGES
from stacks.application import application
from stacks.platform import Platform

FLATTEN = {"METRICS_NAMESPACE": "Amp/dev", "SERVICE": "flatten-events"}


def test_the_environment_that_the_settings_read_is_taken() -> None:
    check_environment(name="flatten_events", environment=FLATTEN)
    check_environment(name="flatten_events", environment={**FLATTEN, "MAX_REINGESTIONS": "5"})


def test_a_missing_variable_is_refused_at_synth_by_name() -> None:
    with pytest.raises(EnvironmentMismatchError, match=r"flatten_events .*missing: \['SERVICE'\]"):
        check_environment(name="flatten_events", environment={"METRICS_NAMESPACE": "Amp/dev"})


def test_a_variable_that_nothing_reads_is_refused_at_synth_by_name() -> None:
    with pytest.raises(EnvironmentMismatchError, match=r"given but not read: \['SERVISE'\]"):
        check_environment(name="flatten_events", environment={**FLATTEN, "SERVISE": "flatten-events"})


def test_a_value_of_the_wrong_type_is_refused_at_synth() -> None:
    with pytest.raises(EnvironmentMismatchError, match="MAX_REINGESTIONS does not fit its type"):
        check_environment(name="flatten_events", environment={**FLATTEN, "MAX_REINGESTIONS": "many"})


def test_two_syntheses_of_the_same_sources_have_the_same_assets(tmp_path: Path) -> None:
    def assets(folder: Path) -> set[str]:
        app = application(outdir=folder, judged=False)
        Platform(app, stage=STAGES["dev"])
        app.synth()
        found: set[str] = set()
        for file in folder.glob("*.assets.json"):
            found |= {
                asset["source"]["path"]
                for asset in json.loads(file.read_text())["files"].values()
                if asset["source"]["packaging"] == "zip"
            }
        return found

    first = assets(tmp_path / "first")
    assert len(first) == 10  # six functions, packages of the jobs, the DAGs, the two functions that apply manifests
    assert assets(tmp_path / "second") == first
