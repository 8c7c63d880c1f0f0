"""The SQL of a plan: quoted, few, in an order that never shows too much, and Redshift's by another's parser."""

from __future__ import annotations

import re
import string

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.warehouse.model import RowPolicy
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.planning import Plan
from lambdas.configure_warehouse.statements import MOST_BYTES, MOST_IN_A_BATCH, batches, literal, logins_of, quoted
from tests.logic.configure_warehouse.declared import ROLE_ARN, planned, sqls, want

NOT_IN_THE_PARSER = (
    # "ALTER TABLE" and "ALTER DEFAULT PRIVILEGES" pages; sqlfluff 4.5 knows neither form.
    re.compile(r'ALTER TABLE "[^"]+"\."[^"]+" ROW LEVEL SECURITY (ON|OFF)'),
    re.compile(
        r'ALTER DEFAULT PRIVILEGES FOR USER "[^"]+" IN SCHEMA "[^"]+" '
        r'(GRANT|REVOKE) [A-Z, ]+ ON TABLES (TO|FROM) ROLE "[^"]+"'
    ),
)


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    assert quoted('a"; DROP TABLE t; --') == '"a""; DROP TABLE t; --"'
    assert literal("it's") == "'it''s'"
    for bad in ("", "a\0b"):
        with pytest.raises(ValueError, match="identifier"):
            quoted(bad)
    for bad in ("\0", "\\"):
        with pytest.raises(ValueError, match="NUL or a backslash"):
            literal(bad)


def test_a_user_is_made_without_a_password() -> None:
    assert 'CREATE USER "ana" PASSWORD DISABLE CONNECTION LIMIT 3' in sqls(
        planned('[users.ana]\nkind = "person"\nconnection_limit = 3')
    )


def test_rights_of_the_same_kind_share_a_statement() -> None:
    tables = {("s", f"t{number}") for number in range(3)}
    text = '[schemas.s]\n[roles.r]\ngrants = [{ schema = "s", table = "*", privileges = ["insert", "select"] }]'
    grants = [sql for sql in sqls(planned(text, tables=tables)) if "TABLE" in sql]
    assert grants == ['GRANT INSERT, SELECT ON TABLE "s"."t0", "s"."t1", "s"."t2" TO ROLE "r"']


def test_a_thousand_grants_take_few_statements() -> None:
    tables = {(f"s{schema}", f"t{table}") for schema in range(50) for table in range(10)}
    schemas = "".join(f"[schemas.s{number}]\n" for number in range(50))
    roles = "".join(
        f"[roles.r{role}]\ngrants = ["
        + ", ".join(f'{{ schema = "s{schema}", table = "*", privileges = ["select"] }}' for schema in range(50))
        + "]\n"
        for role in range(2)
    )
    users = "".join(f'[users.u{number}]\nkind = "person"\nroles = ["r0"]\n' for number in range(200))
    made = planned(schemas + roles + users, tables=tables)
    assert sum(fact.kind is Kind.TABLE_GRANT for fact in made.create) == 1_000
    written = sqls(made)
    assert sum(sql.startswith("GRANT SELECT") for sql in written) == 10
    # One for each schema, role, user and membership, which share none in what can be parsed.
    assert len(written) == 10 + 50 + 2 + 200 + 200


def test_no_transaction_holds_more_than_the_data_api_takes_and_external_schemas_are_alone() -> None:
    text = '[external_schemas.e]\nzone = "raw"\n' + "".join(f"[schemas.s{number}]\n" for number in range(50))
    made = batches(planned(text))
    assert max(len(batch) for batch in made) <= MOST_IN_A_BATCH
    assert [len(batch) for batch in made if "EXTERNAL" in batch[0].sql] == [1]


def test_no_transaction_is_longer_than_the_data_api_takes() -> None:
    tables = {("s", f"{number:04}{'t' * 50}") for number in range(400)}
    roles = "".join(
        f'[roles.r{number}]\ngrants = [{{ schema = "s", table = "*", privileges = ["select"] }}]\n'
        for number in range(10)
    )
    made = batches(planned("[schemas.s]\n" + roles, tables=tables))
    sizes = [sum(len(statement.sql.encode()) for statement in batch) for batch in made]
    assert sum(sizes) > 2 * MOST_BYTES
    assert max(sizes) <= MOST_BYTES


def test_rights_go_before_others_come_and_a_policy_stands_before_its_table_can_be_read() -> None:
    old = '[schemas.s]\n[roles.r]\n[roles.q]\ngrants = [{ schema = "s", privileges = ["usage"] }]\n'
    new = (
        '[schemas.s]\n[roles.q]\n[roles.r]\ngrants = [{ schema = "s", table = "t", privileges = ["select"] }]\n'
        '[row_policies.p]\ncolumn = "team"\ntype = "varchar"\nvalues = ["it\'s"]\n'
        'attached = [{ schema = "s", table = "t", roles = ["r"] }]\n'
    )
    before = want(old, {("s", "t")}).facts
    written = sqls(planned(new, applied=before, actual=before, tables={("s", "t")}))
    assert [sql.split(" ")[0] for sql in written] == ["REVOKE", "CREATE", "ALTER", "ATTACH", "GRANT"]
    assert re.fullmatch(
        r"CREATE RLS POLICY \"p_[0-9a-f]{8}\" WITH \(\"team\" varchar\(256\)\) USING \(\"team\" IN \('it''s'\)\)",
        written[1],
    )


def test_a_policy_that_says_something_else_is_attached_before_the_old_one_goes() -> None:
    text = (
        '[schemas.s]\n[roles.r]\n[row_policies.p]\ncolumn = "c"\ntype = "integer"\nvalues = [1]\n'
        'attached = [{ schema = "s", table = "t", roles = ["r"] }]\n'
    )
    before = want(text, {("s", "t")}).facts
    written = sqls(planned(text.replace("[1]", "[2]"), applied=before, actual=before, tables={("s", "t")}))
    assert [sql.split(" ")[0] for sql in written] == ["CREATE", "ATTACH", "DETACH", "DROP"]


def test_drops_come_last_and_alone() -> None:
    text = "[schemas.s]\n[roles.r]\n"
    before = want(text).facts
    made = batches(planned("[schemas.x]", applied=before, actual=before, drop=True))
    assert [[one.sql for one in batch] for batch in made] == [
        ['CREATE SCHEMA "x"'],
        ['DROP ROLE "r"'],
        ['DROP SCHEMA "s"'],
    ]


# --- all statements -------------------------------------------------------------------------------------------

NAMES = st.text(alphabet=string.ascii_lowercase + string.digits + "_", min_size=1, max_size=12).map(lambda t: f"n{t}")
GRANTEES = st.one_of(
    NAMES.map(lambda name: f"role:{name}"),
    NAMES.map(lambda name: f"user:{name}"),
    NAMES.map(lambda name: f"group:{name}"),
    st.just("public"),
)
ROLES = NAMES.map(lambda name: f"role:{name}")
TABLE_WORDS = st.sampled_from(["select", "insert", "update", "delete"])
PARTS: dict[Kind, st.SearchStrategy[tuple[str, ...]]] = {
    Kind.SCHEMA: st.tuples(NAMES),
    Kind.EXTERNAL_SCHEMA: st.tuples(NAMES, NAMES, st.just(ROLE_ARN)),
    Kind.ROLE: st.tuples(NAMES),
    Kind.USER: st.tuples(NAMES),
    Kind.POWER: st.tuples(st.sampled_from(["superuser", "createdb", "syslog access"]), NAMES),
    Kind.CONNECTION_LIMIT: st.tuples(NAMES, st.integers(1, 500).map(str)),
    Kind.SECRET: st.tuples(NAMES, st.sampled_from(["single-user", "alternating-users"]), st.just("30")),
    Kind.MEMBER: st.tuples(NAMES, st.one_of(ROLES, NAMES.map(lambda name: f"user:{name}"))),
    Kind.DATABASE_GRANT: st.tuples(NAMES, st.sampled_from(["create", "temp", "usage"]), GRANTEES),
    Kind.SCHEMA_GRANT: st.tuples(NAMES, st.sampled_from(["usage", "create"]), GRANTEES),
    Kind.TABLE_GRANT: st.tuples(NAMES, NAMES, TABLE_WORDS, GRANTEES),
    Kind.COLUMN_GRANT: st.tuples(NAMES, NAMES, NAMES, st.sampled_from(["select", "update"]), GRANTEES),
    Kind.DEFAULT_GRANT: st.tuples(NAMES, NAMES, TABLE_WORDS, ROLES),
    Kind.ROW_POLICY: st.tuples(NAMES),
    Kind.ATTACHED: st.tuples(NAMES, NAMES, NAMES, ROLES),
    Kind.ROW_SECURITY: st.tuples(NAMES, NAMES),
}
FACTS = st.one_of([parts.map(lambda given, kind=kind: Fact(kind, given)) for kind, parts in PARTS.items()])  # type: ignore[misc]
VALUES = st.one_of(
    st.tuples(
        st.just("varchar"),
        st.lists(
            st.text(st.characters(codec="ascii", exclude_characters="\\\0", categories=("L", "N", "P", "S", "Zs"))),
            min_size=1,
        ).map(tuple),
        st.just(False),
    ),
    st.tuples(st.just("bigint"), st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1).map(tuple), st.just(False)),
    st.tuples(st.just("boolean"), st.lists(st.booleans(), min_size=1).map(tuple), st.just(False)),
    st.tuples(st.just("varchar"), st.just(()), st.just(True)),
)


@settings(max_examples=60, deadline=None)
@given(create=st.frozensets(FACTS, max_size=12), remove=st.frozensets(FACTS, max_size=12), said=VALUES)
def test_every_statement_that_can_be_made_parses_as_redshift(
    create: frozenset[Fact], remove: frozenset[Fact], said: tuple[str, tuple[str | int, ...], bool]
) -> None:
    sqlfluff = pytest.importorskip("sqlfluff", reason="the parser is in requirements-dev.txt")
    kind, values, equals_user = said
    policy = RowPolicy(name="p", column="c", type=kind, values=values, equals_user=equals_user)
    none: frozenset[Fact] = frozenset()
    made = Plan(
        create=create,
        remove=remove - create,
        missing=none,
        extra=none,
        kept=none,
        adopted=none,
        forgotten=none,
        waiting=(),
        open=(),
        replaced=frozenset(fact.parts[0] for fact in remove - create if fact.kind is Kind.EXTERNAL_SCHEMA),
        users=frozenset(login for fact in remove if fact.kind is Kind.SECRET for login in logins_of(fact)),
        policies={fact.parts[0]: policy for fact in create if fact.kind is Kind.ROW_POLICY},
    )
    for sql in sqls(made):
        if any(form.fullmatch(sql) for form in NOT_IN_THE_PARSER):
            continue
        sqlfluff.parse(sql, dialect="redshift")  # raises what it cannot parse
