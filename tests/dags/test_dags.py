"""The DAGs on the exact packages of MWAA: each test of tests/dags_in_airflow, run once in .venv-airflow, told here.

Airflow's pins and this environment's do not go together, so that the tests run in a process of their own.
"""

from __future__ import annotations

import ast
import os
import subprocess
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import pytest

pytest.importorskip("time_machine", reason="Airflow's environment is set up beside requirements-dev.txt")

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "dags_in_airflow"
PYTHON = ROOT / ".venv-airflow" / "bin" / "python"

pytestmark = pytest.mark.xdist_group("dags")


def _names() -> list[str]:
    return [
        f"{file.stem}::{node.name}"
        for file in sorted(TESTS.glob("test_*.py"))
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What became of each test: for each of its cases what went wrong, or nothing."""
    if not PYTHON.exists():
        pytest.skip("there is no .venv-airflow: Airflow needs Python 3.11 or 3.12, and `make setup` said so")
    report = tmp_path_factory.mktemp("dags") / "report.xml"
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "AWS_", "PYTEST", "PYTHON", "VIRTUAL_ENV"))
    }
    done = subprocess.run(  # noqa: S603 - our own tests
        [
            str(PYTHON),
            "-m",
            "pytest",
            "-c",
            str(TESTS / "pytest.ini"),
            "--tb=short",
            f"--junitxml={report}",
            str(TESTS),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), f"the tests did not run:\n{done.stdout}\n{done.stderr}"
    found = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - written by pytest a moment ago
        wrong = "\n".join(f"{case.get('name')}:\n{part.text}" for part in case if part.tag in ("failure", "error"))
        module = str(case.get("classname")).rpartition(".")[2]
        found[f"{module}::{str(case.get('name')).partition('[')[0]}"].append(wrong)
    assert found, f"no test ran:\n{done.stdout}\n{done.stderr}"
    return found


@pytest.mark.parametrize("name", _names())
def test_in_airflow(outcomes: dict[str, list[str]], name: str) -> None:
    assert name in outcomes, "it was not run"
    wrong = [case for case in outcomes[name] if case]
    assert not wrong, "\n\n".join(wrong)
