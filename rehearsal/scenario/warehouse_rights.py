"""What each database user may do by the declaration, and what each really can: tried, as that user.

The expectation is worked out here anew, from the declaration alone, so that a mistake of the function that makes
declarations true is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from contracts.warehouse.model import ALL_TABLES, Declaration, User

READ, ADD, MAKE = "read", "add a row to", "make a table in"


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One thing that a user tried: ``may`` is what the declaration says, ``can`` what the database let them do."""

    user: str
    doing: str
    schema: str
    table: str
    may: bool
    can: bool

    @property
    def what(self) -> str:
        """For people."""
        return f"{self.doing} {self.schema}{'.' if self.table else ''}{self.table}"


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that there is; ``lake`` when it is seen through an external schema."""

    schema: str
    name: str
    lake: bool


def tables_of(connection: psycopg.Connection[Any], declaration: Declaration) -> list[Table]:
    """Every table of the declared schemas, asked as the administrator."""
    lake = {schema.name for schema in declaration.external_schemas}
    own = {schema.name for schema in declaration.schemas}
    found = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'v', 'm', 'p') AND n.nspname = ANY(%s) ORDER BY 1, 2",
        [sorted(lake | own)],
    )
    return [Table(schema=schema, name=name, lake=schema in lake) for schema, name in found.fetchall()]


def try_all(
    declaration: Declaration,
    tables: Sequence[Table],
    log_in: Callable[[str], AbstractContextManager[psycopg.Connection[Any]]],
    *,
    owners: Mapping[str, str],
) -> Iterator[Tried]:
    """Every user's attempt at every table and schema.

    Args:
        declaration: what is declared.
        tables: what there is.
        log_in: gives a connection of a database user by name, in autocommit.
        owners: ``schema.table`` to the user who made it and may do all with it.
    """
    for user in declaration.users:
        rights = _rights_of(user, declaration)
        for login in user.logins:
            with log_in(login) as connection:
                yield from _tables_tried(connection, login, tables, rights, owners)
                own = [one.name for one in declaration.schemas]
                for schema in own + [one.name for one in declaration.external_schemas]:
                    may = ("create", schema, "") in rights and ("usage", schema, "") in rights
                    made = sql.SQL("CREATE TABLE {} (tried int)").format(sql.Identifier(schema, f"by_{login}"))
                    yield Tried(user=login, doing=MAKE, schema=schema, table="", may=may, can=_can(connection, made))


def _tables_tried(
    connection: psycopg.Connection[Any],
    login: str,
    tables: Sequence[Table],
    rights: frozenset[tuple[str, str, str]],
    owners: Mapping[str, str],
) -> Iterator[Tried]:
    for table in tables:
        owned = owners.get(f"{table.schema}.{table.name}") == login
        usage = ("usage", table.schema, "") in rights
        of_table = {
            word for word, *where in rights if where in ([table.schema, table.name], [table.schema, ALL_TABLES])
        }
        name = sql.Identifier(table.schema, table.name)
        may_read = usage and (table.lake or owned or "select" in of_table)
        may_add = usage and not table.lake and (owned or "insert" in of_table)
        for doing, may, statement in (
            (READ, may_read, sql.SQL("SELECT * FROM {} LIMIT 1").format(name)),
            (ADD, may_add, sql.SQL("INSERT INTO {} DEFAULT VALUES").format(name)),
        ):
            can = _can(connection, statement)
            yield Tried(user=login, doing=doing, schema=table.schema, table=table.name, may=may, can=can)


def _can(connection: psycopg.Connection[Any], statement: sql.Composed) -> bool:
    """Whether the database lets a user do it; it is not kept."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _rights_of(user: User, declaration: Declaration) -> frozenset[tuple[str, str, str]]:
    """Privilege, schema and table (empty for the schema itself) that a user has by roles and roles of roles."""
    roles = {role.name: role for role in declaration.roles}
    having: set[str] = set()
    ahead = list(user.roles)
    while ahead:
        name = ahead.pop()
        if name not in having:
            having.add(name)
            ahead.extend(roles[name].member_of)
    return frozenset(
        (privilege, grant.schema, grant.table)
        for name in having
        for grant in roles[name].grants
        if not grant.columns
        for privilege in grant.privileges
    )
