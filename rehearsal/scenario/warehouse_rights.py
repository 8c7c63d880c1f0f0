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

from contracts.warehouse.model import ALL_TABLES, Declaration, Role, User

READ, ADD, CHANGE, REMOVE = "read", "add a row to", "change rows of", "remove rows from"
MAKE = "make a table in"

EVERYBODYS = "public"
"""The schema that every database has, and no declaration can name: nobody may make a table there."""


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
    """A table that there is.

    ``column`` is its first one, ``lake`` whether it is seen through an external schema, ``maker`` the database user who
    made it, where that is a declared one's.
    """

    schema: str
    name: str
    column: str
    lake: bool
    maker: str = ""

    def __str__(self) -> str:
        """As a person writes it."""
        return f"{self.schema}.{self.name}"


class Rights:
    """What a user may do by roles and roles of roles."""

    def __init__(self, user: User, declaration: Declaration) -> None:
        """Work it out."""
        self._logins = {one.name: one.logins for one in declaration.users}
        self._roles = _roles_of(user, declaration)
        self._granted = {
            (privilege, grant.schema, grant.table)
            for role in self._roles
            for grant in role.grants
            if not grant.columns
            for privilege in grant.privileges
        }

    def to_schema(self, privilege: str, schema: str) -> bool:
        """Whether the user has a privilege on a schema."""
        return (privilege, schema, "") in self._granted

    def to_make(self, schema: str) -> bool:
        """Whether the user may make a table in a schema."""
        return self.to_schema("create", schema) and self.to_schema("usage", schema)

    def to_table(self, privilege: str, table: Table, *, login: str) -> bool:
        """Whether the user, logged in as one of its database users, may do on a table what a privilege is for."""
        if not self.to_schema("usage", table.schema):
            return False
        if table.lake:
            return privilege == "select"
        granted = any((privilege, table.schema, name) in self._granted for name in (table.name, ALL_TABLES))
        return granted or table.maker == login or self.by_default(privilege, table)

    def by_default(self, privilege: str, table: Table) -> bool:
        """Whether the user may do it from the moment in which the table is made."""
        return self.to_schema("usage", table.schema) and any(
            default.schema == table.schema
            and privilege in default.privileges
            and table.maker in self._logins[default.owner]
            for role in self._roles
            for default in role.default_grants
        )


def tables_of(
    connection: psycopg.Connection[Any], declaration: Declaration, *, makers: Mapping[str, str]
) -> list[Table]:
    """Every table of the declared schemas, asked as the administrator.

    Args:
        connection: the administrator's.
        declaration: what is declared.
        makers: ``schema.table`` to the database user who made it and may do all with it.
    """
    lake = {schema.name for schema in declaration.external_schemas}
    own = {schema.name for schema in declaration.schemas}
    found = connection.execute(
        "SELECT n.nspname, c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1 "
        "WHERE c.relkind IN ('r', 'v', 'm', 'p') AND n.nspname = ANY(%s) ORDER BY 1, 2",
        [sorted(lake | own)],
    )
    return [
        Table(schema=schema, name=name, column=column, lake=schema in lake, maker=makers.get(f"{schema}.{name}", ""))
        for schema, name, column in found.fetchall()
    ]


def try_all(
    declaration: Declaration,
    tables: Sequence[Table],
    log_in: Callable[[str], AbstractContextManager[psycopg.Connection[Any]]],
) -> Iterator[Tried]:
    """Every user's attempt at every table and schema, that of everybody too.

    Args:
        declaration: what is declared.
        tables: what there is.
        log_in: gives a connection of a database user by name, in autocommit.
    """
    own = [one.name for one in declaration.schemas]
    schemas = [*own, *(one.name for one in declaration.external_schemas), EVERYBODYS]
    for user in declaration.users:
        rights = Rights(user, declaration)
        for login in user.logins:
            with log_in(login) as connection:
                for table in tables:
                    for doing, privilege, statement in _uses(table):
                        may, can = rights.to_table(privilege, table, login=login), _can(connection, statement)
                        yield Tried(user=login, doing=doing, schema=table.schema, table=table.name, may=may, can=can)
                for schema in schemas:
                    made = sql.SQL("CREATE TABLE {} (tried int)").format(sql.Identifier(schema, f"by_{login}"))
                    may, can = rights.to_make(schema), _can(connection, made)
                    yield Tried(user=login, doing=MAKE, schema=schema, table="", may=may, can=can)


def _uses(table: Table) -> Iterator[tuple[str, str, sql.Composed]]:
    """What can be done with a table: in words, the privilege that it takes, the statement, which needs no other."""
    name, column = sql.Identifier(table.schema, table.name), sql.Identifier(table.column)
    yield READ, "select", sql.SQL("SELECT * FROM {} LIMIT 1").format(name)
    yield ADD, "insert", sql.SQL("INSERT INTO {} DEFAULT VALUES").format(name)
    yield CHANGE, "update", sql.SQL("UPDATE {} SET {} = NULL").format(name, column)
    yield REMOVE, "delete", sql.SQL("DELETE FROM {}").format(name)


def _can(connection: psycopg.Connection[Any], statement: sql.Composed) -> bool:
    """Whether the database lets a user do it; it is not kept."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _roles_of(user: User, declaration: Declaration) -> list[Role]:
    """The roles that a user has, and those that these are members of."""
    roles = {role.name: role for role in declaration.roles}
    having: dict[str, Role] = {}
    ahead = list(user.roles)
    while ahead:
        name = ahead.pop()
        if name not in having:
            having[name] = roles[name]
            ahead.extend(roles[name].member_of)
    return list(having.values())
