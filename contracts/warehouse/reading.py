"""Reads items into a declaration, one by one: shapes, words and names; how they fit together is checked elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar, cast

from contracts.warehouse.model import (
    ALL_TABLES,
    COLUMN_PRIVILEGES,
    FORMAT,
    POLICY_TYPES,
    ROTATIONS,
    SCHEMA_PRIVILEGES,
    TABLE_PRIVILEGES,
    ZONES,
    Attachment,
    Declaration,
    DefaultGrant,
    ExternalSchema,
    Grant,
    Role,
    RowPolicy,
    Schema,
    User,
    UserKind,
)
from contracts.warehouse.names import LONGEST, problem_with
from contracts.warehouse.secrets import ALTERNATING_USERS, CLONE_SUFFIX, SINGLE_USER

_NO_WORDS: frozenset[str] = frozenset()
_Thing = TypeVar("_Thing")
_LONGEST_VALUE = 256
_MOST_CONNECTIONS = 500


class _Refused(Exception):
    """One thing is wrong with an item; the text says what, given and allowed."""


def read(items: Mapping[str, Mapping[str, object]], problems: list[tuple[str, str]]) -> Declaration:
    """The declaration of all items that can be read; what is wrong with the others is added to ``problems``."""
    found: dict[str, list[object]] = {section: [] for section in _SECTIONS}
    for item, body in sorted(items.items()):
        section, _, name = item.partition(".")
        try:
            if section not in _SECTIONS:
                raise _Refused(f"there is no section {section!r}; allowed are {', '.join(_SECTIONS)}")
            _check_format(body.get("format"))
            _check_name(name, longest=LONGEST)
            found[section].append(_SECTIONS[section](name, _Body({k: v for k, v in body.items() if k != "format"})))
        except _Refused as refused:
            problems.append((item, str(refused)))
    return Declaration(
        schemas=tuple(cast("list[Schema]", found["schemas"])),
        external_schemas=tuple(cast("list[ExternalSchema]", found["external_schemas"])),
        roles=tuple(cast("list[Role]", found["roles"])),
        users=tuple(cast("list[User]", found["users"])),
        row_policies=tuple(cast("list[RowPolicy]", found["row_policies"])),
    )


class _Body:
    """The keys of one item; each is taken once, and what nobody took is an error."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._left = dict(values)
        self._known: list[str] = []

    def take(self, key: str, kind: type[_Thing], *, default: _Thing | None = None) -> _Thing:
        self._known.append(key)
        value = self._left.pop(key, default)
        if value is None:
            raise _Refused(f"{key} is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _Refused(f"{key} is {value!r}; allowed is {_WORDS[kind]}")
        return value

    def has(self, key: str) -> bool:
        return key in self._left

    def one_of(self, key: str, allowed: Sequence[str], *, default: str | None = None) -> str:
        value = self.take(key, str, default=default)
        if value not in allowed:
            raise _Refused(f"{key} is {value!r}; allowed are {', '.join(allowed)}")
        return value

    def name(self, key: str, *, reserved: bool = True, default: str | None = None) -> str:
        value = self.take(key, str, default=default)
        _check_name(value, longest=LONGEST, reserved=reserved, what=f"{key}: ")
        return value

    def names(self, key: str, *, default: bool = True, reserved: bool = True) -> tuple[str, ...]:
        values = self._texts(key, default=default)
        for value in values:
            _check_name(value, longest=LONGEST, reserved=reserved, what=f"{key}: ")
        return values

    def words(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        values = self._texts(key, default=False)
        for value in values:
            if value not in allowed:
                raise _Refused(f"{key} holds {value!r}; allowed are {', '.join(allowed)}")
        return values

    def bodies(self, key: str) -> list[_Body]:
        values = self.take(key, list, default=[])
        for value in values:
            if not isinstance(value, Mapping):
                raise _Refused(f"{key} holds {value!r}; allowed is a table in braces")
        return [_Body(value) for value in values]

    def end(self) -> None:
        if self._left:
            raise _Refused(f"{', '.join(sorted(self._left))}: not known; allowed are {', '.join(self._known)}")

    def _texts(self, key: str, *, default: bool) -> tuple[str, ...]:
        values = self.take(key, list, default=[] if default else None)
        if not all(isinstance(value, str) for value in values):
            raise _Refused(f"{key} is {values!r}; allowed is a list of texts")
        if len(set(values)) < len(values):
            raise _Refused(f"{key} names something twice: {values!r}")
        if not values and not default:
            raise _Refused(f"{key} is empty; name at least one")
        return tuple(values)


_WHOLE: Mapping[str, int] = {"integer": 2**31, "bigint": 2**63}
"""The first number beyond a type ("Numeric types" page)."""

_WORDS: Mapping[type, str] = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}


def _check_format(given: object) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise _Refused(f"its format is {given!r}; allowed is {FORMAT}")
    if given > FORMAT:
        raise _Refused(
            f"its format is {given}, newer than what this code reads ({FORMAT}); deploy the newer code first"
        )


def _check_name(name: object, *, longest: int, reserved: bool = True, what: str = "") -> None:
    problem = (
        problem_with(name, longest=longest) if reserved else problem_with(name, longest=longest, reserved=_NO_WORDS)
    )
    if problem:
        raise _Refused(what + problem)


def _schema(name: str, body: _Body) -> Schema:
    body.end()
    return Schema(name=name)


def _external_schema(name: str, body: _Body) -> ExternalSchema:
    schema = ExternalSchema(name=name, zone=body.one_of("zone", ZONES))
    body.end()
    return schema


def _role(name: str, body: _Body) -> Role:
    role = Role(
        name=name,
        member_of=body.names("member_of"),
        grants=tuple(_grant(one) for one in body.bodies("grants")),
        default_grants=tuple(_default_grant(one) for one in body.bodies("default_grants")),
    )
    body.end()
    return role


def _grant(body: _Body) -> Grant:
    schema, no_columns = body.name("schema"), cast("tuple[str, ...]", ())
    table, columns = "", no_columns
    allowed: Sequence[str] = SCHEMA_PRIVILEGES
    if body.has("columns"):
        table, columns, allowed = (
            body.name("table", reserved=False),
            body.names("columns", reserved=False),
            COLUMN_PRIVILEGES,
        )
        if not columns:
            raise _Refused("columns is empty; name at least one, or leave it out for all")
    elif body.has("table"):
        table, allowed = body.take("table", str), TABLE_PRIVILEGES
        if table != ALL_TABLES:
            _check_name(table, longest=LONGEST, reserved=False, what="table: ")
    grant = Grant(schema=schema, privileges=body.words("privileges", allowed), table=table, columns=columns)
    body.end()
    return grant


def _default_grant(body: _Body) -> DefaultGrant:
    grant = DefaultGrant(
        owner=body.name("owner"), schema=body.name("schema"), privileges=body.words("privileges", TABLE_PRIVILEGES)
    )
    body.end()
    return grant


def _user(name: str, body: _Body) -> User:
    kind = UserKind(body.one_of("kind", [kind.value for kind in UserKind]))
    rotation = SINGLE_USER
    if kind is UserKind.SERVICE:
        _check_name(name, longest=LONGEST - len(CLONE_SUFFIX))
        rotation = body.one_of("rotation", ROTATIONS, default=ALTERNATING_USERS)
    if name.endswith(CLONE_SUFFIX):
        raise _Refused(
            f"the name {name!r} ends with {CLONE_SUFFIX}, as the second user of a service does; take another"
        )
    limit = body.take("connection_limit", int) if body.has("connection_limit") else None
    if limit is not None and not 1 <= limit <= _MOST_CONNECTIONS:
        raise _Refused(f"connection_limit is {limit}; allowed are 1 to {_MOST_CONNECTIONS}")
    user = User(name=name, kind=kind, rotation=rotation, roles=body.names("roles"), connection_limit=limit)
    body.end()
    return user


def _row_policy(name: str, body: _Body) -> RowPolicy:
    column, kind = body.name("column", reserved=False), body.one_of("type", POLICY_TYPES)
    equals_user = body.take("equals_user", bool, default=False)
    values = tuple(body.take("values", list, default=[]))
    if equals_user == bool(values):
        raise _Refused("values or equals_user = true says which rows are shown; give one of the two")
    if equals_user and kind != "varchar":
        raise _Refused(f"type is {kind!r}; a column that holds the user's name is varchar")
    for value in values:
        _check_value(value, kind)
    attached = tuple(_attachment(one) for one in body.bodies("attached"))
    body.end()
    return RowPolicy(name=name, column=column, type=kind, values=values, equals_user=equals_user, attached=attached)


def _check_value(value: object, kind: str) -> None:
    wanted = int if kind in {"integer", "bigint"} else bool if kind == "boolean" else str
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise _Refused(f"values holds {value!r}; allowed is {_WORDS[wanted]}, for the type is {kind}")
    if isinstance(value, int) and kind in _WHOLE and not -_WHOLE[kind] <= value < _WHOLE[kind]:
        raise _Refused(
            f"values holds {value}; allowed are {-_WHOLE[kind]} to {_WHOLE[kind] - 1}, for the type is {kind}"
        )
    if kind == "date" and not _is_date(value):
        raise _Refused(f'values holds {value!r}; allowed is a date as a text, such as "2026-11-21"')
    if isinstance(value, str) and (len(value) > _LONGEST_VALUE or not value.isprintable() or "\\" in value):
        raise _Refused(
            f"values holds {value[:_LONGEST_VALUE]!r}; allowed are {_LONGEST_VALUE} printable characters, no backslash"
        )


def _is_date(value: object) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _attachment(body: _Body) -> Attachment:
    attachment = Attachment(
        schema=body.name("schema"), table=body.name("table", reserved=False), roles=body.names("roles", default=False)
    )
    body.end()
    return attachment


_SECTIONS: Mapping[str, Callable[[str, _Body], object]] = {
    "schemas": _schema,
    "external_schemas": _external_schema,
    "roles": _role,
    "users": _user,
    "row_policies": _row_policy,
}
