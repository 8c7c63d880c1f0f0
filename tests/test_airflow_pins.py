"""The DAGs' environment holds what MWAA installs, and nothing else but what the tests themselves need."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PIN = re.compile(r"^([a-z0-9-]+)==([^ ;\n]+)(?: ;.*)?(?: \\)?$", re.MULTILINE)

TESTS_OWN = {"iniconfig", "moto", "pyparsing", "pytest", "responses", "xmltodict", "setuptools", "pyyaml-ft"}
"""moto and pytest with what they need; the last two are asked for by packages of MWAA, whose image has the one
without a pin and does not take the other, which is for Python 3.13."""


def _pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / name).read_text()))


def test_the_environment_of_dags_has_the_versions_of_mwaa() -> None:
    mwaa, ours = _pins("constraints-airflow.txt"), _pins("requirements-airflow.txt")
    assert ours["apache-airflow"] == mwaa["apache-airflow"]
    other = {name: version for name, version in ours.items() if name not in TESTS_OWN and mwaa.get(name) != version}
    assert other == {}, "given: versions that MWAA does not have; fix: make lock"


def test_nothing_of_the_tests_own_takes_the_place_of_what_mwaa_has() -> None:
    assert TESTS_OWN.isdisjoint(_pins("constraints-airflow.txt"))
    assert TESTS_OWN.issubset(_pins("requirements-airflow.txt"))
