"""Compile the models for every engine with the dbt of .venv-dbt; connects to nothing and runs no model."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from contracts.report import DIALECTS, ReportTable
from contracts.report_tables import SUBJECTS
from contracts.views import sql
from reports.project import HOME, write_project

ROOT = HOME.parent
DBT_PYTHON = ROOT / ".venv-dbt" / "bin" / "python"
FINGERPRINTS = "fingerprints.json"
_BLANK = re.compile(r"(?:[ \t]*\n)+")


class NotCompiled(RuntimeError):
    """dbt is not there, or refused the models; says why."""


def compile_models(folder: Path) -> None:
    """Write what every model and test compiles to below `folder`, and remove what no model has any more.

    `DIALECT/MODEL.sql` holds a query for the rows of a day with the columns, in the order and of the types, that the
    contract declares; `DIALECT/tests/TEST.sql` one that finds the rows that break a test; `order.json` the models so
    that each follows what it reads, with the dialects that have it, what it reads and its tests.

    Raises:
        NotCompiled: dbt is not there, or does not compile the models, or a model and its contract do not match.
    """
    with tempfile.TemporaryDirectory(prefix="reports-") as temporary:
        project = Path(temporary) / "project"
        write_project(project)
        _run_dbt(project)
        manifests = {
            dialect: json.loads((project / "target" / dialect / "manifest.json").read_text()) for dialect in DIALECTS
        }
    files = {"order.json": json.dumps(_order(manifests), indent=2) + "\n"}
    for dialect, manifest in manifests.items():
        files |= {f"{dialect}/{name}": text for name, text in _statements(dialect, manifest)}
    for stale in {*folder.rglob("*.sql")} - {folder / name for name in files}:
        stale.unlink()
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / FINGERPRINTS).write_text(json.dumps(fingerprints(folder), indent=2) + "\n")


def fingerprints(folder: Path) -> dict[str, str]:
    """SHA-256 of all that is compiled, contracts and dbt's versions with it, and of what is compiled below `folder`.

    Equal ones tell, without dbt, that what lies there was compiled from what is here.
    """
    with tempfile.TemporaryDirectory(prefix="reports-") as temporary:
        project = Path(temporary) / "project"
        write_project(project)
        for file in (HOME / "compiling.py", HOME / "dbt_process.py", ROOT / "requirements-dbt.txt"):
            shutil.copy(file, project)
        return {"from": _hash(project), "to": _hash(folder)}


def _hash(folder: Path) -> str:
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.name != FINGERPRINTS:
            content = file.read_bytes()
            total.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()


def _run_dbt(project: Path) -> None:
    if not DBT_PYTHON.exists():
        raise NotCompiled(f"there is no {DBT_PYTHON.relative_to(ROOT)}; `make setup` makes it")
    done = subprocess.run(  # noqa: S603 - our own interpreter and file
        [str(DBT_PYTHON), str(HOME / "dbt_process.py"), str(project), *DIALECTS],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotCompiled(f"dbt refuses the models:\n{done.stdout}{done.stderr}")


def _nodes(manifest: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Nodes by id, those left out that live only within others."""
    return {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == kind and node["config"]["materialized"] != "ephemeral"
    }


def _statements(dialect: str, manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tables = {table.name: table for subject in SUBJECTS.values() for table in subject}
    for node in _nodes(manifest, "model").values():
        if node["name"] not in tables:
            raise NotCompiled(
                f"the model {node['name']} has no table in contracts/report_tables; declare it, or make it ephemeral"
            )
        yield f"{node['name']}.sql", _shaped(tables[node["name"]], _tidy(node["compiled_code"]), dialect)
    for node in _nodes(manifest, "test").values():
        if "compiled_code" not in node:
            continue  # of a model that this dialect does not have
        yield f"tests/{node['name']}.sql", _tidy(node["compiled_code"]) + "\n"


def _shaped(table: ReportTable, query: str, dialect: str) -> str:
    """A model's query with the columns that the contract declares, in their order and of their types."""
    columns = ",\n".join(
        f"    cast({column.name} as {sql.column_type(column.type, dialect=dialect)}) as {column.name}"
        for column in table.columns
    )
    return f"select\n{columns}\nfrom (\n{query}\n) as result\n"


def _tidy(text: str) -> str:
    """Compiled text without the blank lines that Jinja leaves."""
    return _BLANK.sub("\n", text).strip()


def _order(manifests: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    manifest = manifests["duckdb"]
    models, tests = _nodes(manifest, "model"), _nodes(manifest, "test")
    declared = [(subject, table.name) for subject, tables in SUBJECTS.items() for table in tables]
    built = {node["name"]: key for key, node in models.items()}
    missing = sorted({name for _, name in declared} - set(built))
    if missing:
        raise NotCompiled(f"the tables {missing} are declared and have no model; write reports/models/SUBJECT/NAME.sql")
    reads = {name: _reads(manifest, built[name]) for _, name in declared}
    ordered: list[tuple[str, str]] = []
    while len(ordered) < len(declared):
        done = {name for _, name in ordered}
        ordered.append(next(each for each in declared if each[1] not in done and reads[each[1]][0] <= done))
    place = {name: number for number, (_, name) in enumerate(ordered)}
    of_model: dict[str, list[str]] = {name: [] for name in place}
    for key, node in tests.items():
        # A test that looks at several models is run when the last of them is there.
        last = max(_reads(manifest, key)[0], key=lambda name: place[name])
        of_model[last].append(node["name"])
    return [
        {
            "model": name,
            "subject": subject,
            "dialects": [d for d in DIALECTS if built[name] in manifests[d]["nodes"]],
            "models": sorted(reads[name][0]),
            "sources": sorted(reads[name][1]),
            "tests": sorted(of_model[name]),
        }
        for subject, name in ordered
    ]


def _reads(manifest: Mapping[str, Any], key: str) -> tuple[set[str], set[str]]:
    """Models and sources that a node reads, also by way of models that live only within it."""
    models: set[str] = set()
    sources: set[str] = set()
    for below in manifest["nodes"][key]["depends_on"]["nodes"]:
        if below.startswith("source."):
            sources.add(".".join(below.split(".")[-2:]))
        elif manifest["nodes"][below]["config"]["materialized"] == "ephemeral":
            more = _reads(manifest, below)
            models |= more[0]
            sources |= more[1]
        else:
            models.add(manifest["nodes"][below]["name"])
    return models, sources
