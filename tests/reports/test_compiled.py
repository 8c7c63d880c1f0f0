"""What is committed as compiled is what the models compile to, and each engine's parser takes it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from contracts.report import DIALECTS, bound
from contracts.report_tables import REPORT_TABLES, SUBJECTS
from reports import lineage
from reports.compiling import DBT_PYTHON, FINGERPRINTS, ROOT, compile_models, fingerprints
from reports.project import HOME
from reports.running import COMPILED, compiled, order

STALE = "reports/compiled is stale; run `make reports`"
STATEMENTS = sorted(COMPILED.rglob("*.sql"))


def test_what_is_committed_was_compiled_from_what_is_here() -> None:
    assert json.loads((COMPILED / FINGERPRINTS).read_text()) == fingerprints(COMPILED), STALE


def test_a_change_of_what_is_compiled_or_of_what_it_became_shows(tmp_path: Path) -> None:
    shutil.copytree(COMPILED, tmp_path / "compiled")
    before = fingerprints(tmp_path / "compiled")
    assert before == fingerprints(COMPILED)
    statement = tmp_path / "compiled" / "athena" / "flash_report.sql"
    statement.write_text(statement.read_text().replace("43200000", "43200001"))
    assert fingerprints(tmp_path / "compiled")["to"] != before["to"]


@pytest.mark.campaign  # a quarter of a minute of CPU
def test_what_is_committed_is_what_the_models_compile_to(tmp_path: Path) -> None:
    if not DBT_PYTHON.exists():
        pytest.skip("there is no .venv-dbt; `make setup` makes it")
    compile_models(tmp_path)
    written = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    committed = {file.relative_to(COMPILED): file.read_text() for file in COMPILED.rglob("*") if file.is_file()}
    assert written == committed, STALE


def test_every_table_has_a_model_in_its_subject_s_folder() -> None:
    models = {(file.parent.name, file.stem) for file in (HOME / "models").rglob("*.sql") if file.stem[0] != "_"}
    assert models == {(subject, table.name) for subject, tables in SUBJECTS.items() for table in tables}


def test_the_page_of_lineage_is_that_of_the_models() -> None:
    assert (ROOT / "docs" / "reports" / "lineage.md").read_text() == lineage.page(order()), "run `make reports`"


def test_a_model_comes_after_those_that_it_reads() -> None:
    seen: set[str] = set()
    for step in order():
        assert set(step.models) <= seen
        seen.add(step.model)
    assert seen == {table.name for table in REPORT_TABLES}


def test_models_are_compiled_for_every_engine_but_those_of_the_raw_zone_for_redshift() -> None:
    for step in order():
        raw = any(source.startswith("raw.") for source in step.sources)
        assert list(step.dialects) == [d for d in DIALECTS if not (raw and d == "redshift")]
        for dialect in step.dialects:
            assert compiled(step.model, dialect=dialect)


@pytest.mark.parametrize("file", STATEMENTS, ids=lambda file: file.relative_to(COMPILED).as_posix())
def test_a_statement_asks_neither_the_clock_nor_the_catalog(file: Path) -> None:
    text = bound(file.read_text(), day=date(2026, 11, 18)).lower()
    for word in ("current_date", "current_timestamp", "now()", "getdate", "information_schema", "qualify"):
        assert word not in text


@pytest.mark.campaign  # to parse takes half a minute of CPU for each
@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_engine_s_parser_takes_every_statement(dialect: str) -> None:
    linter = pytest.importorskip("sqlfluff.core", reason="the parser is in requirements-dev.txt").Linter(
        dialect=dialect
    )
    unparsable = {}
    for file in sorted((COMPILED / dialect).rglob("*.sql")):
        parsed = linter.parse_string(bound(file.read_text(), day=date(2026, 11, 18)))
        faults = [violation.desc() for violation in parsed.violations]
        if faults or parsed.tree is None or "unparsable" in parsed.tree.type_set():
            unparsable[file.name] = faults
    assert unparsable == {}


def test_a_statement_is_bound_to_a_day_a_moment_and_databases() -> None:
    statement = (
        """select cast('__DAY__' as date), cast('__AS_OF__' as timestamp) from "__RAW__"."like", "__REPORTS__"."x" """
    )
    day = date(2026, 11, 18)
    assert bound(statement, day=day, databases={"raw": "amp_dev_raw"}) == (
        """select cast('2026-11-18' as date), cast('2026-11-19 00:00:00' as timestamp) """
        """from "amp_dev_raw"."like", "reports"."x" """
    )
    moment = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
    assert "'2026-11-18 09:00:00'" in bound(statement, day=day, as_of=moment)


def test_what_cannot_be_bound_is_refused() -> None:
    day = date(2026, 11, 18)
    with pytest.raises(ValueError, match=r"unknown placeholders \['__NIGHT__'\]"):
        bound("select __NIGHT__", day=day)
    with pytest.raises(ValueError, match="a moment"):
        bound("select 1", day=datetime(2026, 11, 18, tzinfo=UTC))
    with pytest.raises(ValueError, match="without a time zone"):
        bound("select 1", day=day, as_of=datetime(2026, 11, 18))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="cannot be"):
        bound("select 1", day=day, databases={"raw": '"; drop table x'})
    with pytest.raises(ValueError, match="cannot be"):
        bound("select 1", day=day, databases={"attic": "x"})
