"""A declaration as frozen dataclasses: what there is to declare, and with which words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from contracts.warehouse.secrets import ALTERNATING_USERS, CLONE_SUFFIX, SINGLE_USER

FORMAT = 1
"""The newest form of items that this code reads."""

ZONES = ("raw", "transformed", "personal")
"""Zones of the lake that an external schema can show; each is one Glue database."""

ALL_TABLES = "*"

SCHEMA_PRIVILEGES = ("usage", "create")
EXTERNAL_PRIVILEGES = ("usage",)
TABLE_PRIVILEGES = ("select", "insert", "update", "delete")
COLUMN_PRIVILEGES = ("select", "update")

ROTATIONS = (ALTERNATING_USERS, SINGLE_USER)
"""Ways in which a service's password rotates, the usual one first; a person's has the second."""

POLICY_TYPES = ("varchar", "integer", "bigint", "date", "boolean")
"""Types of the column that a row policy looks at (a length is not written: varchar is varchar(256))."""


class DeclarationError(ValueError):
    """A declaration cannot be taken; the text has a line for each bad item: which, what, and what is allowed."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        """Keep the problems, each an item and a sentence."""
        self.problems = tuple(problems)
        lines = "\n".join(f"  {item}: {text}" for item, text in self.problems)
        count = len(self.problems)
        super().__init__(
            f"the declaration has {count} problem{'s' if count > 1 else ''}; nothing was changed:\n{lines}"
        )


class UserKind(Enum):
    """Who logs in; by it the password of a user rotates, unless the declaration says otherwise."""

    PERSON = "person"
    SERVICE = "service"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Privileges of a role on a schema, on a table (or all of a schema's, ``*``), or on columns of a table."""

    schema: str
    privileges: tuple[str, ...]
    table: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DefaultGrant:
    """Privileges of a role on the tables that a declared user, by any of its logins, makes in a schema from then on."""

    owner: str
    schema: str
    privileges: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A schema of the warehouse's own."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ExternalSchema:
    """A zone of the lake, seen as a schema; usage of it is the right to read all its tables."""

    name: str
    zone: str


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a kind of user may do; it also has the rights of the roles that it is a member of."""

    name: str
    member_of: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    default_grants: tuple[DefaultGrant, ...] = ()


@dataclass(frozen=True, kw_only=True)
class User:
    """A person or a service; rights come from roles alone."""

    name: str
    kind: UserKind
    rotation: str
    """One of `ROTATIONS`: whether its password changes in place, or a second database user takes turns with it."""
    roles: tuple[str, ...] = ()
    connection_limit: int | None = None

    @property
    def logins(self) -> tuple[str, ...]:
        """Names of its database users: two where they take turns.

        To the database they are two users: what one makes, the other does not own.
        """
        return (self.name, self.name + CLONE_SUFFIX) if self.rotation == ALTERNATING_USERS else (self.name,)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Where a row policy applies: to one table, for some roles."""

    schema: str
    table: str
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RowPolicy:
    """Which rows are shown: those whose column has one of the values, or the name of the user who asks.

    There are no free expressions: one would be a statement in disguise.
    """

    name: str
    column: str
    type: str
    values: tuple[str | int, ...] = ()
    equals_user: bool = False
    attached: tuple[Attachment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """All that a warehouse must have."""

    schemas: tuple[Schema, ...] = ()
    external_schemas: tuple[ExternalSchema, ...] = ()
    roles: tuple[Role, ...] = ()
    users: tuple[User, ...] = ()
    row_policies: tuple[RowPolicy, ...] = ()
