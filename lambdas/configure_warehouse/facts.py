"""What is true of a warehouse, one fact at a time, so that plans are differences of sets.

A fact is its kind and some texts; what each kind's texts are stands beside it. It must not know SQL.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from hashlib import sha256
from typing import NamedTuple

from contracts.warehouse.model import ALL_TABLES, Declaration, Role, RowPolicy, User


class Kind(Enum):
    """The kinds of facts, in the order in which people read them."""

    SCHEMA = "schema"
    EXTERNAL_SCHEMA = "external schema"
    ROLE = "role"
    USER = "user"
    POWER = "power"
    CONNECTION_LIMIT = "connection limit"
    SECRET = "secret"  # noqa: S105 - a word
    MEMBER = "member"
    DATABASE_GRANT = "database grant"
    SCHEMA_GRANT = "schema grant"
    TABLE_GRANT = "table grant"
    COLUMN_GRANT = "column grant"
    DEFAULT_GRANT = "default grant"
    ROW_POLICY = "row policy"
    ATTACHED = "attached policy"
    ROW_SECURITY = "row security"


class Fact(NamedTuple):
    """One thing that is so."""

    kind: Kind
    parts: tuple[str, ...]

    def __str__(self) -> str:
        """A sentence's part, for people."""
        return _SENTENCES[self.kind].format(*self.parts)


_SENTENCES: Mapping[Kind, str] = {
    Kind.SCHEMA: "schema {0}",
    Kind.EXTERNAL_SCHEMA: "external schema {0} over Glue database {1}, read as {2}",
    Kind.ROLE: "role {0}",
    Kind.USER: "user {0}",
    Kind.POWER: "user {1} with {0}",
    Kind.CONNECTION_LIMIT: "user {0} limited to {1} connections",
    Kind.SECRET: "secret of {0}, rotated as {1} every {2} days",
    Kind.MEMBER: "{1} has role {0}",
    Kind.DATABASE_GRANT: "{1} on database {0} to {2}",
    Kind.SCHEMA_GRANT: "{1} on schema {0} to {2}",
    Kind.TABLE_GRANT: "{2} on {0}.{1} to {3}",
    Kind.COLUMN_GRANT: "{3} on column {2} of {0}.{1} to {4}",
    Kind.DEFAULT_GRANT: "{2} on tables that {0} will make in {1} to {3}",
    Kind.ROW_POLICY: "row policy {0}",
    Kind.ATTACHED: "row policy {0} on {1}.{2} for {3}",
    Kind.ROW_SECURITY: "row-level security of {0}.{1}",
}
"""The texts of each kind: who is granted to is written as ``role:<name>``, ``user:<name>``, ``group:<name>``,
``public``."""

Table = tuple[str, str]
"""Schema and table."""

OF_TABLES = frozenset({Kind.TABLE_GRANT, Kind.COLUMN_GRANT, Kind.ROW_SECURITY, Kind.ATTACHED})
"""Kinds of facts that go with a table when it is dropped."""


def table_of(fact: Fact) -> Table | None:
    """The table with which the fact goes; None for one that outlives tables."""
    if fact.kind not in OF_TABLES:
        return None
    first = 1 if fact.kind is Kind.ATTACHED else 0
    return fact.parts[first], fact.parts[first + 1]


class Wanted(NamedTuple):
    """The facts that a declaration asks for, the policies by the names that they have in the warehouse, and the
    declared rights on tables that are not there yet; ``open`` are those of them that would hide rows."""

    facts: frozenset[Fact]
    policies: Mapping[str, RowPolicy]
    waiting: tuple[str, ...]
    open: tuple[str, ...]


def wanted(
    declaration: Declaration,
    *,
    databases: Mapping[str, str],
    spectrum_role_arn: str,
    rotation_days: Mapping[str, int],
    tables: Collection[Table],
) -> Wanted:
    """What must be so.

    Args:
        declaration: checked as a whole.
        databases: Glue database by zone.
        spectrum_role_arn: the role as which external schemas read the lake.
        rotation_days: days between rotations, by the way of rotation.
        tables: the tables and views that there are; rights on ``*`` are rights on each of a schema.
    """
    facts: set[Fact] = set()
    waiting: list[str] = []
    uncovered: list[str] = []
    facts.update(Fact(Kind.SCHEMA, (schema.name,)) for schema in declaration.schemas)
    facts.update(
        Fact(Kind.EXTERNAL_SCHEMA, (schema.name, databases[schema.zone], spectrum_role_arn))
        for schema in declaration.external_schemas
    )
    logins = {user.name: user.logins for user in declaration.users}
    for role in declaration.roles:
        facts.update(_of_role(role, tables, logins, waiting))
    for user in declaration.users:
        facts.update(_of_user(user, rotation_days))
    policies = {policy_name(policy): policy for policy in declaration.row_policies}
    for name, policy in policies.items():
        facts.update(_of_policy(name, policy, tables, uncovered))
    return Wanted(
        facts=frozenset(facts),
        policies=policies,
        waiting=tuple(sorted({*waiting, *uncovered})),
        open=tuple(sorted(set(uncovered))),
    )


def policy_name(policy: RowPolicy) -> str:
    """A policy's name in the warehouse: its own and a digest of what it says.

    So a policy is never changed: the new one is attached before the old one goes, and no row shows in between.
    """
    said = json.dumps([policy.column, policy.type, list(policy.values), policy.equals_user])
    return f"{policy.name[:54]}_{sha256(said.encode()).hexdigest()[:8]}"


def to_json(facts: Collection[Fact]) -> str:
    """The facts as text, equal for equal sets."""
    return json.dumps(sorted([fact.kind.value, *fact.parts] for fact in facts), separators=(",", ":"))


def from_json(text: str) -> frozenset[Fact]:
    """The facts of `to_json`."""
    return frozenset(Fact(Kind(kind), tuple(parts)) for kind, *parts in json.loads(text))


def _of_role(
    role: Role, tables: Collection[Table], logins: Mapping[str, tuple[str, ...]], waiting: list[str]
) -> Iterator[Fact]:
    yield Fact(Kind.ROLE, (role.name,))
    to = f"role:{role.name}"
    for parent in role.member_of:
        yield Fact(Kind.MEMBER, (parent, to))
    for grant in role.grants:
        if not grant.table:
            for privilege in grant.privileges:
                yield Fact(Kind.SCHEMA_GRANT, (grant.schema, privilege, to))
            continue
        if grant.table == ALL_TABLES:
            over = [table for table in tables if table[0] == grant.schema]
        elif (grant.schema, grant.table) in tables:
            over = [(grant.schema, grant.table)]
        else:
            over = []
            waiting.append(f"{to.removeprefix('role:')} waits for table {grant.schema}.{grant.table}")
        for schema, table in over:
            for privilege in grant.privileges:
                for column in grant.columns:
                    yield Fact(Kind.COLUMN_GRANT, (schema, table, column, privilege, to))
                if not grant.columns:
                    yield Fact(Kind.TABLE_GRANT, (schema, table, privilege, to))
    for default in role.default_grants:
        for owner in logins[default.owner]:
            for privilege in default.privileges:
                yield Fact(Kind.DEFAULT_GRANT, (owner, default.schema, privilege, to))


def _of_user(user: User, rotation_days: Mapping[str, int]) -> Iterator[Fact]:
    yield Fact(Kind.SECRET, (user.name, user.rotation, str(rotation_days[user.rotation])))
    for login in user.logins:
        yield Fact(Kind.USER, (login,))
        if user.connection_limit is not None:
            yield Fact(Kind.CONNECTION_LIMIT, (login, str(user.connection_limit)))
        for role in user.roles:
            yield Fact(Kind.MEMBER, (role, f"user:{login}"))


def _of_policy(name: str, policy: RowPolicy, tables: Collection[Table], uncovered: list[str]) -> Iterator[Fact]:
    yield Fact(Kind.ROW_POLICY, (name,))
    for attachment in policy.attached:
        if (attachment.schema, attachment.table) not in tables:
            uncovered.append(f"row policy {policy.name} waits for table {attachment.schema}.{attachment.table}")
            continue
        yield Fact(Kind.ROW_SECURITY, (attachment.schema, attachment.table))
        for role in attachment.roles:
            yield Fact(Kind.ATTACHED, (name, attachment.schema, attachment.table, f"role:{role}"))
