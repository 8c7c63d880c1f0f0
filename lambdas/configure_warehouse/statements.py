"""Writes a plan as Redshift's SQL, in the order that never shows more than is declared, in the fewest statements.

Nothing else makes SQL of names. Each declared identifier was held to the grammar of `contracts.warehouse.names`, what
was made by hand may have any name, and all are quoted, as literals are. There is no password in any statement.
Syntax: "GRANT", "REVOKE", "ALTER DEFAULT PRIVILEGES", "CREATE EXTERNAL SCHEMA", "CREATE RLS POLICY", "ATTACH RLS
POLICY", "CREATE USER" pages of the Redshift Database Developer Guide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from contracts.warehouse.model import RowPolicy
from contracts.warehouse.secrets import ALTERNATING_USERS, CLONE_SUFFIX
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.planning import Plan

MOST_IN_A_BATCH = 40
"""Statements of one `BatchExecuteStatement`, which is one transaction (Data API, API reference)."""

MOST_OBJECTS = 100
"""Objects named in one statement, so that it stays far under the 100 kB that the Data API takes."""

_Key = TypeVar("_Key", bound=Hashable)


class Statement(NamedTuple):
    """One statement, and the facts that it makes so or ends."""

    sql: str
    facts: tuple[Fact, ...]
    alone: bool = False
    """Whether it runs outside of any transaction with others."""


def batches(plan: Plan, *, spectrum_role_arn: str) -> list[list[Statement]]:
    """The statements of a plan; each inner list is one transaction.

    The order: containers, then what takes rights away, then row policies, then rights, then drops. Killed anywhere, the
    warehouse never shows anybody more than is declared or was shown before.
    """
    made: list[list[Statement]] = []
    for statement in _statements(plan, spectrum_role_arn):
        if statement.alone or not made or made[-1][0].alone or len(made[-1]) == MOST_IN_A_BATCH:
            made.append([])
        made[-1].append(statement)
    return made


def quoted(name: str) -> str:
    """An identifier; any text is safe in it.

    Raises:
        ValueError: it holds NUL, which no identifier can.
    """
    if not name or "\0" in name:
        raise ValueError("an identifier is empty or holds NUL")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in single quotes.

    Raises:
        ValueError: it holds NUL, or a backslash, which Redshift may take for an escape.
    """
    if "\0" in text or "\\" in text:
        raise ValueError("a text holds NUL or a backslash")
    return "'" + text.replace("'", "''") + "'"


def _statements(plan: Plan, spectrum_role_arn: str) -> Iterator[Statement]:
    create, remove = _by_kind(plan.create), _by_kind(plan.remove)
    limits = {fact.parts[0]: fact for fact in create[Kind.CONNECTION_LIMIT]}
    yield from (Statement(f"CREATE SCHEMA {quoted(f.parts[0])}", (f,)) for f in create[Kind.SCHEMA])
    yield from (Statement(f"CREATE ROLE {quoted(f.parts[0])}", (f,)) for f in create[Kind.ROLE])
    for fact in create[Kind.USER]:
        yield _create_user(fact, limits.pop(fact.parts[0], None))
    for fact in create[Kind.EXTERNAL_SCHEMA]:
        yield _create_external_schema(fact, spectrum_role_arn)
    yield from (
        Statement(f"ALTER USER {quoted(user)} CONNECTION LIMIT {int(f.parts[1])}", (f,)) for user, f in limits.items()
    )
    dropped = {fact.parts[0] for fact in remove[Kind.USER]}
    for fact in remove[Kind.CONNECTION_LIMIT]:
        if fact.parts[0] not in limits and fact.parts[0] not in dropped:
            yield Statement(f"ALTER USER {quoted(fact.parts[0])} CONNECTION LIMIT UNLIMITED", (fact,))
    yield from _rights("REVOKE", remove)
    yield from _disabled_logins(remove[Kind.SECRET], create[Kind.SECRET])
    yield from _new_policies(create, plan.policies)
    yield from _rights("GRANT", create)
    yield from _old_policies(remove)
    for kind, word in (
        (Kind.USER, "USER"),
        (Kind.ROLE, "ROLE"),
        (Kind.SCHEMA, "SCHEMA"),
        (Kind.EXTERNAL_SCHEMA, "SCHEMA"),
    ):
        for fact in remove[kind]:
            yield Statement(f"DROP {word} {quoted(fact.parts[0])}", (fact,), alone=True)


def _create_user(fact: Fact, limit: Fact | None) -> Statement:
    sql = f"CREATE USER {quoted(fact.parts[0])} PASSWORD DISABLE"
    if limit is None:
        return Statement(sql, (fact,))
    return Statement(f"{sql} CONNECTION LIMIT {int(limit.parts[1])}", (fact, limit))


def _create_external_schema(fact: Fact, role_arn: str) -> Statement:
    schema, database = fact.parts
    return Statement(
        f"CREATE EXTERNAL SCHEMA {quoted(schema)} FROM DATA CATALOG DATABASE {literal(database)} "
        f"IAM_ROLE {literal(role_arn)}",
        (fact,),
        alone=True,
    )


def _disabled_logins(gone: Iterable[Fact], coming: Iterable[Fact]) -> Iterator[Statement]:
    """Who has no secret any more logs in no more, dropped or not; a secret may only change the way it rotates."""
    still = {login for fact in coming for login in logins_of(fact)}
    for fact in gone:
        for login in logins_of(fact):
            if login in still:
                continue
            yield Statement(f"ALTER USER {quoted(login)} PASSWORD DISABLE", (fact,))


def logins_of(secret: Fact) -> tuple[str, ...]:
    """The database users that a secret's password is for, the one or the two in turn."""
    user, rotation = secret.parts
    return (user, user + CLONE_SUFFIX) if rotation == ALTERNATING_USERS else (user,)


def _rights(verb: str, facts: Mapping[Kind, Sequence[Fact]]) -> Iterator[Statement]:
    """Rights given or taken: those of the same privileges to the same grantees share a statement.

    Memberships are taken first and given last: with them go all rights of a role.
    """
    members = list(_members(verb, facts[Kind.MEMBER]))
    if verb == "REVOKE":
        yield from members
    yield from _grouped(
        verb,
        facts[Kind.SCHEMA_GRANT],
        split=lambda parts: (parts[0], parts[1], parts[2]),
        on=lambda schemas: "ON SCHEMA " + ", ".join(quoted(schema) for schema in schemas),
    )
    yield from _grouped(
        verb,
        facts[Kind.TABLE_GRANT],
        split=lambda parts: ((parts[0], parts[1]), parts[2], parts[3]),
        on=lambda tables: "ON TABLE " + ", ".join(f"{quoted(s)}.{quoted(t)}" for s, t in tables),
    )
    yield from _column_rights(verb, facts[Kind.COLUMN_GRANT])
    yield from _default_rights(verb, facts[Kind.DEFAULT_GRANT])
    if verb == "GRANT":
        yield from members


def _grouped(
    verb: str,
    facts: Sequence[Fact],
    *,
    split: Callable[[tuple[str, ...]], tuple[_Key, str, str]],
    on: Callable[[Sequence[_Key]], str],
) -> Iterator[Statement]:
    """One statement for each grantee and set of privileges, over all objects that have just these.

    Redshift takes several grantees too; with one, each statement can be parsed by others than Redshift.
    """
    held: dict[tuple[str, _Key], dict[str, Fact]] = defaultdict(dict)
    for fact in facts:
        thing, privilege, grantee = split(fact.parts)
        held[grantee, thing][privilege] = fact
    things: dict[tuple[str, tuple[str, ...]], list[_Key]] = defaultdict(list)
    for (grantee, thing), privileges in held.items():
        things[grantee, tuple(sorted(privileges))].append(thing)
    for (grantee, words), over in things.items():
        for start in range(0, len(over), MOST_OBJECTS):
            objects = over[start : start + MOST_OBJECTS]
            yield Statement(
                f"{verb} {_words(words)} {on(objects)} {_to(verb, grantee)}",
                tuple(held[grantee, thing][word] for thing in objects for word in words),
            )


def _column_rights(verb: str, facts: Sequence[Fact]) -> Iterator[Statement]:
    columns: dict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        schema, table, _, privilege, grantee = fact.parts
        columns[schema, table, privilege, grantee].append(fact)
    for (schema, table, privilege, grantee), over in columns.items():
        names = ", ".join(quoted(fact.parts[2]) for fact in over)
        right = f"{_words((privilege,))} ({names}) ON TABLE {quoted(schema)}.{quoted(table)}"
        yield Statement(f"{verb} {right} {_to(verb, grantee)}", tuple(over))


def _default_rights(verb: str, facts: Sequence[Fact]) -> Iterator[Statement]:
    same: dict[tuple[str, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        owner, schema, _, grantee = fact.parts
        same[owner, schema, grantee].append(fact)
    for (owner, schema, grantee), over in same.items():
        words = _words(fact.parts[2] for fact in over)
        yield Statement(
            f"ALTER DEFAULT PRIVILEGES FOR USER {quoted(owner)} IN SCHEMA {quoted(schema)} "
            f"{verb} {words} ON TABLES {_to(verb, grantee)}",
            tuple(over),
        )


def _members(verb: str, facts: Sequence[Fact]) -> Iterator[Statement]:
    for fact in facts:
        role, member = fact.parts
        yield Statement(f"{verb} ROLE {quoted(role)} {_to(verb, member)}", (fact,))


def _new_policies(facts: Mapping[Kind, Sequence[Fact]], policies: Mapping[str, RowPolicy]) -> Iterator[Statement]:
    """A policy is attached before its table's rights are given; with row security on and no policy no row shows."""
    for fact in facts[Kind.ROW_POLICY]:
        yield Statement(_policy(fact.parts[0], policies[fact.parts[0]]), (fact,))
    for fact in facts[Kind.ROW_SECURITY]:
        yield Statement(f"ALTER TABLE {quoted(fact.parts[0])}.{quoted(fact.parts[1])} ROW LEVEL SECURITY ON", (fact,))
    yield from _attachments("ATTACH", "GRANT", facts[Kind.ATTACHED])


def _old_policies(facts: Mapping[Kind, Sequence[Fact]]) -> Iterator[Statement]:
    yield from _attachments("DETACH", "REVOKE", facts[Kind.ATTACHED])
    for fact in facts[Kind.ROW_SECURITY]:
        yield Statement(f"ALTER TABLE {quoted(fact.parts[0])}.{quoted(fact.parts[1])} ROW LEVEL SECURITY OFF", (fact,))
    for fact in facts[Kind.ROW_POLICY]:
        yield Statement(f"DROP RLS POLICY {quoted(fact.parts[0])}", (fact,))


def _attachments(word: str, verb: str, facts: Iterable[Fact]) -> Iterator[Statement]:
    for fact in facts:
        policy, schema, table, grantee = fact.parts
        yield Statement(
            f"{word} RLS POLICY {quoted(policy)} ON {quoted(schema)}.{quoted(table)} {_to(verb, grantee)}", (fact,)
        )


def _policy(name: str, policy: RowPolicy) -> str:
    column = quoted(policy.column)
    if policy.equals_user:
        shown = f"{column} = current_user"
    else:
        values = ", ".join(literal(value) if isinstance(value, str) else str(value).upper() for value in policy.values)
        shown = f"{column} IN ({values})"
    kind = "varchar(256)" if policy.type == "varchar" else policy.type
    return f"CREATE RLS POLICY {quoted(name)} WITH ({column} {kind}) USING ({shown})"


def _words(privileges: Iterable[str]) -> str:
    known = [privilege.upper() for privilege in sorted(privileges)]
    if not all(word.isalpha() and word.isascii() for word in known):
        raise ValueError(f"a privilege is no word: {known!r}")
    return ", ".join(known)


def _to(verb: str, grantee: str) -> str:
    return f"{'TO' if verb == 'GRANT' else 'FROM'} {_grantee(grantee)}"


def _grantee(grantee: str) -> str:
    kind, _, name = grantee.partition(":")
    prefixes = {"role": "ROLE ", "group": "GROUP ", "user": ""}
    return "PUBLIC" if grantee == "public" else prefixes[kind] + quoted(name)


def _by_kind(facts: Iterable[Fact]) -> Mapping[Kind, Sequence[Fact]]:
    found: dict[Kind, list[Fact]] = {kind: [] for kind in Kind}
    for fact in sorted(facts, key=lambda fact: fact.parts):
        found[fact.kind].append(fact)
    return found
