"""Whom and what the rehearsal of a warehouse is played with: chosen from a declaration by what it says, not by names.

Each choice is None, or empty, where the declaration has nothing of the kind; the chapter that needs it is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from contracts.warehouse.model import ALL_TABLES, Declaration, User, UserKind
from rehearsal.scenario.warehouse_rights import Rights, Table

REPORT_TABLE = "rehearsed_report"
"""The table that a chapter has made: a name that no declaration is likely to have a grant or a policy for."""

STRAY_USER = "rehearsed_stray"
"""A database user that somebody makes by hand."""


class Making(NamedTuple):
    """Who makes a table, and in which schema."""

    user: User
    schema: str

    def table(self, login: str) -> Table:
        """The table, made by one of the user's database users."""
        return Table(schema=self.schema, name=REPORT_TABLE, column="day", lake=False, maker=login)


def making(declaration: Declaration) -> Making | None:
    """A user who may make tables in a schema of the warehouse's own; a service before a person."""
    for user in _services_first(declaration):
        rights = Rights(user, declaration)
        for schema in declaration.schemas:
            if rights.to_make(schema.name):
                return Making(user, schema.name)
    return None


def reading_at_once(declaration: Declaration, made: Making) -> User | None:
    """Another user, who may read the table from the moment in which it is made; a service before a person."""
    table = made.table(made.user.name)
    others = (user for user in _services_first(declaration) if user != made.user)
    return next((user for user in others if Rights(user, declaration).by_default("select", table)), None)


def usage_granted(declaration: Declaration) -> tuple[str, str] | None:
    """A role and a schema that it has the usage of; one over the lake before another."""
    own = {schema.name for schema in declaration.schemas}
    found = [
        (role.name, grant.schema)
        for role in declaration.roles
        for grant in role.grants
        if not grant.table and "usage" in grant.privileges
    ]
    return min(found, key=lambda one: one[1] in own, default=None)


def not_removing(declaration: Declaration, made: Making) -> str | None:
    """A role that may not remove rows from the table that is made."""
    for role in declaration.roles:
        granted = [one.privileges for one in role.grants if (one.schema, one.table) == (made.schema, ALL_TABLES)]
        granted += [one.privileges for one in role.default_grants if one.schema == made.schema]
        if not any("delete" in privileges for privileges in granted):
            return role.name
    return None


def person_reading(declaration: Declaration, tables: Sequence[Table]) -> tuple[User, Table] | None:
    """A person and a table that they may read by a role, and did not make; one of the lake before another."""
    for table in sorted(tables, key=lambda table: not table.lake):
        for user in declaration.users:
            may = Rights(user, declaration).to_table("select", table, login=user.name)
            if user.kind is UserKind.PERSON and may and table.maker not in user.logins:
                return user, table
    return None


def last_person(declaration: Declaration) -> User | None:
    """A person to leave."""
    people = [user for user in declaration.users if user.kind is UserKind.PERSON]
    return people[-1] if people else None


def rotating(declaration: Declaration) -> list[User]:
    """A user of each kind and way of rotation that there is."""
    first: dict[tuple[UserKind, str], User] = {}
    for user in declaration.users:
        first.setdefault((user.kind, user.rotation), user)
    return sorted(first.values(), key=lambda user: (user.kind.value, user.rotation))


def _services_first(declaration: Declaration) -> list[User]:
    return sorted(declaration.users, key=lambda user: user.kind is not UserKind.SERVICE)
