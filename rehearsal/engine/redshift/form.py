"""What reading a statement gives, and how names are read in all of them.

It must not know a form: `principals`, `grants`, `row_security` and `tables` do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rehearsal.engine.redshift.reading import Reader, UnknownStatement, literal, quoted

_NAME_LIMIT_BYTES = 63


@dataclass(frozen=True, kw_only=True)
class ExternalSchema:
    """What ``CREATE EXTERNAL SCHEMA`` says: a database of the Glue Data Catalog, read with a role."""

    name: str
    database: str
    role_arn: str
    or_nothing: bool


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement that has been read.

    Attributes:
        kind: its form, without names: ``GRANT ON SCHEMA``.
        postgres: what PostgreSQL runs instead, in order; the last gives the result.
        modelled: why it is not the same in PostgreSQL; empty when it is.
        external_schema: what the tables of are to be made beside ``postgres``.
        answers: whether it gives rows.
    """

    kind: str
    postgres: tuple[str, ...]
    modelled: str = ""
    external_schema: ExternalSchema | None = None
    answers: bool = False


Form = tuple[tuple[str, ...], Callable[[Reader], Statement]]
"""The words that a statement begins with, and what reads the rest of it."""


def read_name(reader: Reader) -> str:
    name = reader.identifier()
    if len(name.encode()) > _NAME_LIMIT_BYTES:
        raise UnknownStatement(f"the name {name!r} has more than {_NAME_LIMIT_BYTES} bytes, PostgreSQL's limit")
    return name


def read_names(reader: Reader) -> tuple[str, ...]:
    return reader.listed(lambda: read_name(reader))


def read_qualified(reader: Reader) -> tuple[str, str]:
    first = read_name(reader)
    return (first, read_name(reader)) if reader.accept(".") else ("public", first)


def relation(table: tuple[str, str]) -> str:
    return f"{quoted(table[0])}.{quoted(table[1])}"


def comma_separated(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def text_array(names: Sequence[str]) -> str:
    return f"ARRAY[{', '.join(literal(name) for name in names)}]::text[]"


def check_kinds(
    *, users: Sequence[str] = (), roles: Sequence[str] = (), schemas: Sequence[str] = (), no_external: bool = False
) -> str:
    """PostgreSQL's own names do not tell users from roles, nor external schemas from others; these checks do."""
    calls = []
    if users:
        calls.append(f"pg_catalog.redshift_check_users({text_array(users)})")
    if roles:
        calls.append(f"pg_catalog.redshift_check_roles({text_array(roles)})")
    if schemas and no_external:
        calls.append(f"pg_catalog.redshift_check_not_external({text_array(schemas)})")
    return f"SELECT {', '.join(calls)}" if calls else "SELECT 1"
