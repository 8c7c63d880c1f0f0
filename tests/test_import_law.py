"""Who may import whom: the law that keeps each room independent, one row a room."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {
    "app", "bench", "building_blocks", "clients", "config", "contracts", "dags", "glue_scripts", "lambdas",
    "operations", "orchestration", "rehearsal", "reports", "spark_jobs", "stacks", "tests", "transforms",
}  # fmt: skip
LAW: dict[str, set[str]] = {
    # room: what of ours it may import, by prefix (itself always)
    "contracts": set(),
    "config": set(),
    "lambdas/shared": {"contracts"},
    "building_blocks": {"contracts", "config"},  # and the settings of functions, see below
    "stacks": {"building_blocks", "contracts", "config"},
    "operations": {"contracts", "config"},  # and boto3
    "transforms": {"contracts"},  # and pyspark
    "spark_jobs": {"transforms", "contracts"},  # and pyspark, boto3
    "glue_scripts": {"spark_jobs", "transforms", "contracts"},
    "dags": {"contracts", "orchestration"},  # and airflow, boto3; orchestration is dags/orchestration
    "reports": {"contracts"},  # and duckdb, jinja2
    "rehearsal/engine": set(),
    "clients": set(),  # the standard library, boto3, files generated from contracts; amp_data_sets: frames
    "rehearsal/scenario": OURS - {"tests", "app"},
}
for _function in sorted((ROOT / "lambdas").iterdir()):
    if (_function / "handler.py").exists():
        LAW[f"lambdas/{_function.name}"] = {"contracts", "lambdas.shared"}
MAY_IMPORT_STACKS = {"app.py", "rehearsal/scenario", "tests"}


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(), filename=str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level and file.is_relative_to(ROOT / "clients"):
                continue  # a client is installed under another name than it has here
            assert node.level == 0, f"{file.relative_to(ROOT)}:{node.lineno}: a relative import; write it out"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def _within(name: str, prefixes: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize("room", LAW)
def test_a_room_imports_only_what_the_law_allows(room: str) -> None:
    allowed = LAW[room] | {room.replace("/", ".")}
    broken = []
    for file in _files(room):
        for line, name in _imports(file):
            settings = room == "building_blocks" and name.startswith("lambdas.") and ".settings" in name
            environment = room == "building_blocks" and _within(name, {"lambdas.shared.environment"})
            if name.split(".")[0] in OURS and not _within(name, allowed) and not settings and not environment:
                broken.append(f"{file.relative_to(ROOT)}:{line} imports {name}")
    assert broken == []


def test_contracts_import_the_standard_library_only() -> None:
    broken = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in _files("contracts")
        for line, name in _imports(file)
        if name.split(".")[0] not in {"contracts", *sys.stdlib_module_names}
    ]
    assert broken == []


def test_clients_import_the_standard_library_boto3_and_what_they_hand_rows_over_in_only() -> None:
    frames = {"clients/amp_data_sets": {"pyarrow", "polars", "pandas"}}
    broken = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for client in (ROOT / "clients").iterdir()
        for file in _files(f"clients/{client.name}")
        for line, name in _imports(file)
        if name.split(".")[0]
        not in {"boto3", "botocore", *sys.stdlib_module_names, *frames.get(f"clients/{client.name}", ())}
    ]
    assert broken == []


def test_dags_import_airflow_boto3_and_contracts_only() -> None:
    allowed = {"airflow", "boto3", "botocore", "contracts", "orchestration", *sys.stdlib_module_names}
    broken = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in _files("dags")
        for line, name in _imports(file)
        if name.split(".")[0] not in allowed
    ]
    assert broken == []


def test_nothing_but_the_app_the_scenario_and_tests_imports_stacks() -> None:
    broken = [
        f"{file.relative_to(ROOT)}:{line}"
        for room in sorted(OURS - {"stacks", "tests", "app"})
        for file in _files(room)
        if not file.relative_to(ROOT).as_posix().startswith(tuple(MAY_IMPORT_STACKS))
        for line, name in _imports(file)
        if _within(name, {"stacks"})
    ]
    assert broken == []


def test_the_environment_is_read_in_the_app_in_handlers_and_in_entry_points_only() -> None:
    readers = [
        file.relative_to(ROOT).as_posix()
        for room in ("contracts", "config", "building_blocks", "stacks", "lambdas")
        for file in _files(room)
        if any(
            isinstance(node, ast.Attribute) and node.attr == "environ" for node in ast.walk(ast.parse(file.read_text()))
        )
    ]
    assert [file for file in readers if not file.endswith(("/handler.py", "/settings.py"))] == []
