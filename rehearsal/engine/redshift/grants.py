"""The forms that give and take rights and roles, and rights on tables to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.engine.redshift.form import (
    Form,
    Statement,
    check_kinds,
    comma_separated,
    read_name,
    read_names,
    read_qualified,
    relation,
)
from rehearsal.engine.redshift.reading import Reader, UnknownStatement, quoted

_TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "TRUNCATE", "TRIGGER")


@dataclass(frozen=True, kw_only=True)
class Grantees:
    users: tuple[str, ...]
    roles: tuple[str, ...]
    public: bool

    @property
    def sql(self) -> str:
        return ", ".join([*(quoted(name) for name in (*self.users, *self.roles)), *(["PUBLIC"] if self.public else [])])


def read_grantees(reader: Reader) -> Grantees:
    users: list[str] = []
    roles: list[str] = []
    public = False

    def one() -> None:
        nonlocal public
        following = reader.peek(1)
        if reader.accept("PUBLIC"):
            public = True
        elif following is not None and following.kind in ("name", "word") and reader.accept("ROLE"):
            roles.append(read_name(reader))
        elif following is not None and following.kind in ("name", "word") and reader.accept("GROUP"):
            raise UnknownStatement("groups are not played; grant to roles")
        else:
            users.append(read_name(reader))

    reader.listed(one)
    return Grantees(users=tuple(users), roles=tuple(roles), public=public)


def _grant(reader: Reader) -> Statement:
    return _granting(reader, "GRANT")


def _revoke(reader: Reader) -> Statement:
    return _granting(reader, "REVOKE")


def _granting(reader: Reader, verb: str) -> Statement:
    following = reader.peek(1)
    if following is not None and following.kind in ("name", "word") and reader.accept("ROLE"):
        return _role_granting(reader, verb)
    option = verb == "REVOKE" and reader.accept("GRANT", "OPTION", "FOR")
    privileges, columns = _privileges(reader)
    reader.expect("ON")
    if reader.accept("SCHEMA"):
        return _on_schemas(reader, verb, privileges, option)
    if reader.accept("DATABASE"):
        return _on_database(reader, verb, privileges, option)
    return _on_tables(reader, verb, privileges, columns, option)


def _role_granting(reader: Reader, verb: str) -> Statement:
    roles = [read_name(reader)]
    while reader.accept(","):
        reader.expect("ROLE")
        roles.append(read_name(reader))
    reader.expect("TO" if verb == "GRANT" else "FROM")
    grantees = read_grantees(reader)
    if grantees.public:
        raise UnknownStatement("a role is granted to users and roles, not to PUBLIC")
    option = ""
    if verb == "GRANT" and reader.accept("WITH", "ADMIN", "OPTION"):
        option = " WITH ADMIN OPTION"
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"{verb} ROLE",
        postgres=(
            check_kinds(users=grantees.users, roles=(*roles, *grantees.roles)),
            f"{verb} {comma_separated(roles)} {word} {grantees.sql}{option}",
        ),
        modelled="membership in a role of PostgreSQL",
    )


def _privileges(reader: Reader) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if reader.accept("ALL"):
        reader.accept("PRIVILEGES")
        return ("ALL",), ()
    columns: tuple[str, ...] = ()

    def one() -> str:
        nonlocal columns
        privilege = reader.take().text.upper()
        if reader.accept("("):
            if privilege not in ("SELECT", "UPDATE"):
                raise UnknownStatement(f"columns go with SELECT and UPDATE, not {privilege}")
            columns = read_names(reader)
            reader.expect(")")
        return privilege

    privileges = reader.listed(one)
    if columns and len(privileges) > 1:
        raise UnknownStatement("columns go with one privilege in a statement")
    return privileges, columns


def _to_whom(reader: Reader, verb: str, option: bool) -> tuple[Grantees, str, str]:
    reader.expect("TO" if verb == "GRANT" else "FROM")
    grantees = read_grantees(reader)
    with_option = ""
    if verb == "GRANT" and reader.accept("WITH", "GRANT", "OPTION"):
        if grantees.roles or grantees.public:
            raise UnknownStatement("WITH GRANT OPTION goes with users alone")
        with_option = " WITH GRANT OPTION"
    return grantees, f"{verb} {'GRANT OPTION FOR ' if option else ''}", with_option


def _allowed(given: Sequence[str], allowed: Sequence[str], what: str) -> str:
    for privilege in given:
        if privilege != "ALL" and privilege not in allowed:
            raise UnknownStatement(f"the privilege {privilege} on a {what} is not played; {', '.join(allowed)} are")
    return ", ".join(given)


def _on_schemas(reader: Reader, verb: str, privileges: Sequence[str], option: bool) -> Statement:
    schemas = read_names(reader)
    grantees, start, end = _to_whom(reader, verb, option)
    given = _allowed(privileges, ("USAGE", "CREATE"), "schema")
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"{verb} ON SCHEMA",
        postgres=(
            check_kinds(users=grantees.users, roles=grantees.roles),
            f"{start}{given} ON SCHEMA {comma_separated(schemas)} {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


def _on_database(reader: Reader, verb: str, privileges: Sequence[str], option: bool) -> Statement:
    databases = read_names(reader)
    grantees, start, end = _to_whom(reader, verb, option)
    given = _allowed(privileges, ("CREATE", "TEMPORARY", "TEMP"), "database")
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"{verb} ON DATABASE",
        postgres=(
            check_kinds(users=grantees.users, roles=grantees.roles),
            f"{start}{given} ON DATABASE {comma_separated(databases)} {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


def _on_tables(reader: Reader, verb: str, privileges: Sequence[str], columns: Sequence[str], option: bool) -> Statement:
    if reader.accept("ALL", "TABLES", "IN", "SCHEMA"):
        kind, schemas = f"{verb} ON ALL TABLES IN SCHEMA", read_names(reader)
        target = f"ALL TABLES IN SCHEMA {comma_separated(schemas)}"
        if columns:
            raise UnknownStatement("columns go with one table")
    else:
        reader.accept("TABLE")
        tables = reader.listed(lambda: read_qualified(reader))
        schemas = tuple(dict.fromkeys(schema for schema, _ in tables))
        kind = f"{verb} ON COLUMNS" if columns else f"{verb} ON TABLE"
        target = f"TABLE {', '.join(relation(table) for table in tables)}"
    grantees, start, end = _to_whom(reader, verb, option)
    _allowed(privileges, _TABLE_PRIVILEGES, "table")
    # PostgreSQL's ALL holds privileges that Redshift does not have.
    given = ", ".join(_TABLE_PRIVILEGES if "ALL" in privileges and not columns else privileges)
    listed = f" ({comma_separated(columns)})" if columns else ""
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=kind,
        postgres=(
            check_kinds(users=grantees.users, roles=grantees.roles, schemas=schemas, no_external=True),
            f"{start}{given}{listed} ON {target} {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


def _alter_default_privileges(reader: Reader) -> Statement:
    owners = read_names(reader) if reader.accept("FOR", "USER") else ()
    schemas = read_names(reader) if reader.accept("IN", "SCHEMA") else ()
    verb = "GRANT" if reader.accept("GRANT") else "REVOKE"
    option = False
    if verb == "REVOKE":
        reader.expect("REVOKE")
        option = reader.accept("GRANT", "OPTION", "FOR")
    privileges, columns = _privileges(reader)
    reader.expect("ON", "TABLES")
    grantees, start, end = _to_whom(reader, verb, option)
    _allowed(privileges, _TABLE_PRIVILEGES, "table")
    if columns:
        raise UnknownStatement("default privileges know no columns")
    given = ", ".join(_TABLE_PRIVILEGES if "ALL" in privileges else privileges)
    of = f"FOR ROLE {comma_separated(owners)} " if owners else ""
    within = f"IN SCHEMA {comma_separated(schemas)} " if schemas else ""
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"ALTER DEFAULT PRIVILEGES {verb}",
        postgres=(
            check_kinds(users=(*owners, *grantees.users), roles=grantees.roles),
            f"ALTER DEFAULT PRIVILEGES {of}{within}{start}{given} ON TABLES {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


FORMS: tuple[Form, ...] = (
    (("ALTER", "DEFAULT", "PRIVILEGES"), _alter_default_privileges),
    (("GRANT",), _grant),
    (("REVOKE",), _revoke),
)
