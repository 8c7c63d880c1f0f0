"""Writes a plan as Redshift's SQL, in the order that never shows more than is declared, in the fewest statements.

Nothing else makes SQL of names. Each declared identifier was held to the grammar of `contracts.warehouse.names`, what
was made by hand may have any name, and all are quoted, as literals are. There is no password in any statement.
Syntax: "GRANT", "REVOKE", "ALTER DEFAULT PRIVILEGES", "CREATE EXTERNAL SCHEMA", "CREATE RLS POLICY", "ATTACH RLS
POLICY", "CREATE USER" pages of the Redshift Database Developer Guide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from contracts.warehouse.model import RowPolicy
from contracts.warehouse.secrets import ALTERNATING_USERS, CLONE_SUFFIX
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.planning import Plan

MOST_IN_A_BATCH = 40
"""Statements of one `BatchExecuteStatement`, which is one transaction (Data API, API reference)."""

MOST_OBJECTS = 100
"""Objects named in one statement."""

MOST_BYTES = 90_000
"""Of the statements of a batch together: the Data API takes 100 kB of query text ("Quotas" page)."""

_Key = TypeVar("_Key", bound=Hashable)


class Statement(NamedTuple):
    """One statement, and the facts that it makes so, or ends."""

    sql: str
    facts: tuple[Fact, ...]
    ends: bool = False
    alone: bool = False
    """Whether it runs outside of any transaction with others."""


def batches(plan: Plan) -> list[list[Statement]]:
    """The statements of a plan; each inner list is one transaction.

    The order: what takes rights away, then containers, row policies, rights, and drops. What takes away shares no
    transaction with what gives, so that nothing that is wrong with a new right keeps an old one. Killed anywhere, the
    warehouse never shows anybody more than is declared or was shown before.
    """
    return [*_transactions(_taking(plan)), *_transactions(_giving(plan))]


def _transactions(statements: Iterable[Statement]) -> list[list[Statement]]:
    made: list[list[Statement]] = []
    size = 0
    for statement in statements:
        size += len(statement.sql.encode())
        full = made and (len(made[-1]) == MOST_IN_A_BATCH or size > MOST_BYTES)
        if statement.alone or not made or made[-1][0].alone or full:
            made.append([])
            size = len(statement.sql.encode())
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


def _taking(plan: Plan) -> Iterator[Statement]:
    remove = _by_kind(plan.remove)
    yield from _powers_taken(remove[Kind.POWER])
    yield from _rights("REVOKE", remove)
    yield from _disabled_logins(remove[Kind.SECRET], _by_kind(plan.create)[Kind.SECRET], plan.users)


def _giving(plan: Plan) -> Iterator[Statement]:
    create, remove = _by_kind(plan.create), _by_kind(plan.remove)
    limits = {fact.parts[0]: fact for fact in create[Kind.CONNECTION_LIMIT]}
    yield from (Statement(f"CREATE SCHEMA {quoted(f.parts[0])}", (f,)) for f in create[Kind.SCHEMA])
    yield from (Statement(f"CREATE ROLE {quoted(f.parts[0])}", (f,)) for f in create[Kind.ROLE])
    for fact in create[Kind.USER]:
        yield _create_user(fact, limits.pop(fact.parts[0], None))
    yield from (_drop("SCHEMA", fact) for fact in remove[Kind.EXTERNAL_SCHEMA] if fact.parts[0] in plan.replaced)
    for fact in create[Kind.EXTERNAL_SCHEMA]:
        yield _create_external_schema(fact)
    yield from (
        Statement(f"ALTER USER {quoted(user)} CONNECTION LIMIT {int(f.parts[1])}", (f,)) for user, f in limits.items()
    )
    dropped = {fact.parts[0] for fact in remove[Kind.USER]}
    for fact in remove[Kind.CONNECTION_LIMIT]:
        if fact.parts[0] not in limits and fact.parts[0] not in dropped:
            yield Statement(f"ALTER USER {quoted(fact.parts[0])} CONNECTION LIMIT UNLIMITED", (fact,), ends=True)
    yield from _new_policies(create, plan.policies)
    yield from _rights("GRANT", create)
    yield from _old_policies(remove)
    for kind, word in ((Kind.USER, "USER"), (Kind.ROLE, "ROLE"), (Kind.SCHEMA, "SCHEMA")):
        yield from (_drop(word, fact) for fact in remove[kind])
    yield from (_drop("SCHEMA", fact) for fact in remove[Kind.EXTERNAL_SCHEMA] if fact.parts[0] not in plan.replaced)


def _drop(word: str, fact: Fact) -> Statement:
    return Statement(f"DROP {word} {quoted(fact.parts[0])}", (fact,), ends=True, alone=True)


_POWERS_TAKEN = {"superuser": "NOCREATEUSER", "createdb": "NOCREATEDB", "syslog access": "SYSLOG ACCESS RESTRICTED"}


def _powers_taken(facts: Iterable[Fact]) -> Iterator[Statement]:
    """ "ALTER USER" page; nobody declared has any of them, so that none is ever given."""
    for fact in facts:
        power, user = fact.parts
        yield Statement(f"ALTER USER {quoted(user)} {_POWERS_TAKEN[power]}", (fact,), ends=True)


def _create_user(fact: Fact, limit: Fact | None) -> Statement:
    sql = f"CREATE USER {quoted(fact.parts[0])} PASSWORD DISABLE"
    if limit is None:
        return Statement(sql, (fact,))
    return Statement(f"{sql} CONNECTION LIMIT {int(limit.parts[1])}", (fact, limit))


def _create_external_schema(fact: Fact) -> Statement:
    schema, database, role_arn = fact.parts
    return Statement(
        f"CREATE EXTERNAL SCHEMA {quoted(schema)} FROM DATA CATALOG DATABASE {literal(database)} "
        f"IAM_ROLE {literal(role_arn)}",
        (fact,),
        alone=True,
    )


def _disabled_logins(gone: Iterable[Fact], coming: Iterable[Fact], users: Collection[str]) -> Iterator[Statement]:
    """Who has no secret any more logs in no more, dropped or not; a secret may only change the way it rotates."""
    still = {login for fact in coming for login in logins_of(fact)}
    for fact in gone:
        for login in logins_of(fact):
            if login in users and login not in still:
                yield Statement(f"ALTER USER {quoted(login)} PASSWORD DISABLE", (fact,), ends=True)


def logins_of(secret: Fact) -> tuple[str, ...]:
    """The database users that a secret's password is for, the one or the two in turn."""
    user, rotation, _ = secret.parts
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
        facts[Kind.DATABASE_GRANT],
        split=lambda parts: (parts[0], parts[1], parts[2]),
        on=lambda databases: "ON DATABASE " + ", ".join(quoted(database) for database in databases),
    )
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
                ends=verb == "REVOKE",
            )


def _column_rights(verb: str, facts: Sequence[Fact]) -> Iterator[Statement]:
    columns: dict[tuple[str, str, str, str], list[Fact]] = defaultdict(list)
    for fact in facts:
        schema, table, _, privilege, grantee = fact.parts
        columns[schema, table, privilege, grantee].append(fact)
    for (schema, table, privilege, grantee), over in columns.items():
        names = ", ".join(quoted(fact.parts[2]) for fact in over)
        right = f"{_words((privilege,))} ({names}) ON TABLE {quoted(schema)}.{quoted(table)}"
        yield Statement(f"{verb} {right} {_to(verb, grantee)}", tuple(over), ends=verb == "REVOKE")


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
            ends=verb == "REVOKE",
        )


def _members(verb: str, facts: Sequence[Fact]) -> Iterator[Statement]:
    for fact in facts:
        role, member = fact.parts
        yield Statement(f"{verb} ROLE {quoted(role)} {_to(verb, member)}", (fact,), ends=verb == "REVOKE")


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
        table = f"{quoted(fact.parts[0])}.{quoted(fact.parts[1])}"
        yield Statement(f"ALTER TABLE {table} ROW LEVEL SECURITY OFF", (fact,), ends=True)
    for fact in facts[Kind.ROW_POLICY]:
        yield Statement(f"DROP RLS POLICY {quoted(fact.parts[0])}", (fact,), ends=True)


def _attachments(word: str, verb: str, facts: Iterable[Fact]) -> Iterator[Statement]:
    for fact in facts:
        policy, schema, table, grantee = fact.parts
        yield Statement(
            f"{word} RLS POLICY {quoted(policy)} ON {quoted(schema)}.{quoted(table)} {_to(verb, grantee)}",
            (fact,),
            ends=verb == "REVOKE",
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
