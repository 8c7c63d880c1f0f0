"""Recognises Redshift's statements form by form and says what PostgreSQL runs in the place of each.

It must not run anything, and must not let a statement through that it has not read to its end.

Syntax: Amazon Redshift Database Developer Guide, "SQL commands", and the page of each command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rehearsal.engine.redshift.expressions import check_expression, postgres_text
from rehearsal.engine.redshift.reading import Reader, Token, UnknownStatement, literal, quoted

_MD5 = re.compile(r"md5[0-9a-f]{32}")
_NAME_LIMIT_BYTES = 63
_TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES", "TRUNCATE", "TRIGGER")
_TYPES = {
    "SMALLINT": "smallint", "INT2": "smallint", "INTEGER": "integer", "INT": "integer", "INT4": "integer",
    "BIGINT": "bigint", "INT8": "bigint", "REAL": "real", "FLOAT4": "real", "FLOAT8": "double precision",
    "FLOAT": "double precision", "BOOLEAN": "boolean", "BOOL": "boolean", "DATE": "date", "TEXT": "varchar(256)",
    "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamptz", "SUPER": "jsonb", "VARBYTE": "bytea",
}  # fmt: skip
_SIZED_TYPES = {"VARCHAR": "varchar", "CHAR": "char", "DECIMAL": "decimal", "NUMERIC": "decimal"}


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


def read_statement(sql: str) -> Statement:
    """Read one statement.

    Raises:
        UnknownStatement: it is none of the forms that the rehearsal plays, or Redshift would refuse it.
    """
    reader = Reader(sql)
    for words, read in _FORMS:
        if reader.accept(*words):
            statement = read(reader)
            reader.end()
            return statement
    raise reader.fails("a statement")


# --- schemas, roles, users ------------------------------------------------------------------------------


def _name(reader: Reader) -> str:
    name = reader.identifier()
    if len(name.encode()) > _NAME_LIMIT_BYTES:
        raise UnknownStatement(f"the name {name!r} has more than {_NAME_LIMIT_BYTES} bytes, PostgreSQL's limit")
    return name


def _names(reader: Reader) -> tuple[str, ...]:
    return reader.listed(lambda: _name(reader))


def _qualified(reader: Reader) -> tuple[str, str]:
    first = _name(reader)
    return (first, _name(reader)) if reader.accept(".") else ("public", first)


def _relation(table: tuple[str, str]) -> str:
    return f"{quoted(table[0])}.{quoted(table[1])}"


def _comma(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _array(names: Sequence[str]) -> str:
    return f"ARRAY[{', '.join(literal(name) for name in names)}]::text[]"


def _create_schema(reader: Reader) -> Statement:
    absent = "IF NOT EXISTS " if reader.accept("IF", "NOT", "EXISTS") else ""
    name = _name(reader)
    owner = f" AUTHORIZATION {quoted(_name(reader))}" if reader.accept("AUTHORIZATION") else ""
    return Statement(kind="CREATE SCHEMA", postgres=(f"CREATE SCHEMA {absent}{quoted(name)}{owner}",))


def _create_external_schema(reader: Reader) -> Statement:
    or_nothing = reader.accept("IF", "NOT", "EXISTS")
    name = _name(reader)
    reader.expect("FROM", "DATA", "CATALOG")
    reader.expect("DATABASE")
    database = reader.text()
    reader.expect("IAM_ROLE")
    schema = ExternalSchema(name=name, database=database, role_arn=reader.text(), or_nothing=or_nothing)
    absent = "IF NOT EXISTS " if or_nothing else ""
    return Statement(
        kind="CREATE EXTERNAL SCHEMA",
        postgres=(f"CREATE SCHEMA {absent}{quoted(name)}",),
        modelled="a schema of empty tables with the columns that the Glue Data Catalog names",
        external_schema=schema,
    )


def _drop_schema(reader: Reader) -> Statement:
    present = "IF EXISTS " if reader.accept("IF", "EXISTS") else ""
    names = _names(reader)
    how = "CASCADE" if reader.accept("CASCADE") else "RESTRICT"
    if how == "RESTRICT":
        reader.accept("RESTRICT")
    # The tables of an external schema are the catalog's, so that they do not keep the schema.
    return Statement(
        kind="DROP SCHEMA",
        postgres=(
            f"SELECT pg_catalog.redshift_forget_external({_array(names)})",
            f"DROP SCHEMA {present}{_comma(names)} {how}",
        ),
    )


def _create_role(reader: Reader) -> Statement:
    name = _name(reader)
    # Amazon Redshift Database Developer Guide, "Considerations for role usage in RBAC".
    if name.startswith("sys:") or any(sign in name for sign in ":/\\.\n"):
        raise UnknownStatement(f"the role name {name!r} begins with sys: or holds one of : / \\ . and line ends")
    return Statement(
        kind="CREATE ROLE",
        postgres=(
            f"CREATE ROLE {quoted(name)} NOLOGIN",
            f"SELECT pg_catalog.redshift_note_role({literal(name)})",
        ),
        modelled="a role of PostgreSQL that cannot log in",
    )


def _drop_role(reader: Reader) -> Statement:
    name = _name(reader)
    forced = reader.accept("FORCE")
    if not forced:
        reader.accept("RESTRICT")
    checks = [_check(roles=[name])]
    if not forced:
        checks.append(f"SELECT pg_catalog.redshift_check_unused({literal(name)})")
    return Statement(
        kind="DROP ROLE",
        postgres=(*checks, f"DROP ROLE {quoted(name)}"),
        modelled="a role of PostgreSQL that cannot log in",
    )


def _user_options(reader: Reader) -> tuple[list[str], bool]:
    options, disabled_or_hashed = [], False
    reader.accept("WITH")
    while not reader.done:
        if reader.accept("PASSWORD"):
            disabled_or_hashed = True
            options.append("PASSWORD NULL" if reader.accept("DISABLE") else f"PASSWORD {_hash(reader)}")
        elif reader.accept("CONNECTION", "LIMIT"):
            limit = -1 if reader.accept("UNLIMITED") else reader.number()
            options.append(f"CONNECTION LIMIT {limit}")
        elif reader.accept("CREATEUSER"):
            options.append("SUPERUSER")
        elif reader.accept("NOCREATEUSER"):
            options.append("NOSUPERUSER")
        elif reader.accept("CREATEDB"):
            options.append("CREATEDB")
        elif reader.accept("NOCREATEDB"):
            options.append("NOCREATEDB")
        else:
            raise reader.fails("PASSWORD, CONNECTION LIMIT, [NO]CREATEDB or [NO]CREATEUSER")
    return options, disabled_or_hashed


def _hash(reader: Reader) -> str:
    given = reader.text()
    if given.lower().startswith("sha256"):
        raise UnknownStatement(
            "a sha256 hash as password: Redshift takes it, and then asks clients for an authentication that libpq "
            "does not know; send md5 followed by the hex md5 of password and user name"
        )
    if not _MD5.fullmatch(given):
        raise UnknownStatement("a password in clear text, which would be kept in the statement's text; send a hash")
    return literal(given)


def _create_user(reader: Reader) -> Statement:
    name = _name(reader)
    options, has_password = _user_options(reader)
    if not has_password:
        raise UnknownStatement(f'CREATE USER "{name}" needs PASSWORD; give DISABLE for none')
    return Statement(
        kind="CREATE USER",
        postgres=(f"CREATE ROLE {quoted(name)} LOGIN {' '.join(options)}",),
        modelled="PASSWORD DISABLE is a user of PostgreSQL without a password" if "PASSWORD NULL" in options else "",
    )


def _alter_user(reader: Reader) -> Statement:
    name = _name(reader)
    options, _ = _user_options(reader)
    if not options:
        raise reader.fails("an option")
    return Statement(
        kind="ALTER USER",
        postgres=(_check(users=[name]), f"ALTER ROLE {quoted(name)} {' '.join(options)}"),
        modelled="PASSWORD DISABLE is a user of PostgreSQL without a password" if "PASSWORD NULL" in options else "",
    )


def _drop_user(reader: Reader) -> Statement:
    present = reader.accept("IF", "EXISTS")
    name = _name(reader)
    checks = () if present else (_check(users=[name]),)
    # The login with temporary passwords goes with the user that it acts as.
    drops = (f"DROP ROLE IF EXISTS {quoted(each)}" for each in (f"IAM:{name}", name))
    return Statement(kind="DROP USER", postgres=(*checks, *drops))


# --- grants ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Grantees:
    users: tuple[str, ...]
    roles: tuple[str, ...]
    public: bool

    @property
    def sql(self) -> str:
        return ", ".join([*(quoted(name) for name in (*self.users, *self.roles)), *(["PUBLIC"] if self.public else [])])


def _grantees(reader: Reader) -> _Grantees:
    users: list[str] = []
    roles: list[str] = []
    public = False

    def one() -> None:
        nonlocal public
        following = reader.peek(1)
        if reader.accept("PUBLIC"):
            public = True
        elif following is not None and following.kind in ("name", "word") and reader.accept("ROLE"):
            roles.append(_name(reader))
        elif following is not None and following.kind in ("name", "word") and reader.accept("GROUP"):
            raise UnknownStatement("groups are not played; grant to roles")
        else:
            users.append(_name(reader))

    reader.listed(one)
    return _Grantees(users=tuple(users), roles=tuple(roles), public=public)


def _check(
    *, users: Sequence[str] = (), roles: Sequence[str] = (), schemas: Sequence[str] = (), no_external: bool = False
) -> str:
    """PostgreSQL's own names do not tell users from roles, nor external schemas from others; these checks do."""
    calls = []
    if users:
        calls.append(f"pg_catalog.redshift_check_users({_array(users)})")
    if roles:
        calls.append(f"pg_catalog.redshift_check_roles({_array(roles)})")
    if schemas and no_external:
        calls.append(f"pg_catalog.redshift_check_not_external({_array(schemas)})")
    return f"SELECT {', '.join(calls)}" if calls else "SELECT 1"


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
    roles = [_name(reader)]
    while reader.accept(","):
        reader.expect("ROLE")
        roles.append(_name(reader))
    reader.expect("TO" if verb == "GRANT" else "FROM")
    grantees = _grantees(reader)
    if grantees.public:
        raise UnknownStatement("a role is granted to users and roles, not to PUBLIC")
    option = ""
    if verb == "GRANT" and reader.accept("WITH", "ADMIN", "OPTION"):
        option = " WITH ADMIN OPTION"
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"{verb} ROLE",
        postgres=(
            _check(users=grantees.users, roles=(*roles, *grantees.roles)),
            f"{verb} {_comma(roles)} {word} {grantees.sql}{option}",
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
            columns = _names(reader)
            reader.expect(")")
        return privilege

    privileges = reader.listed(one)
    if columns and len(privileges) > 1:
        raise UnknownStatement("columns go with one privilege in a statement")
    return privileges, columns


def _to_whom(reader: Reader, verb: str, option: bool) -> tuple[_Grantees, str, str]:
    reader.expect("TO" if verb == "GRANT" else "FROM")
    grantees = _grantees(reader)
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
    schemas = _names(reader)
    grantees, start, end = _to_whom(reader, verb, option)
    given = _allowed(privileges, ("USAGE", "CREATE"), "schema")
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"{verb} ON SCHEMA",
        postgres=(
            _check(users=grantees.users, roles=grantees.roles),
            f"{start}{given} ON SCHEMA {_comma(schemas)} {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


def _on_database(reader: Reader, verb: str, privileges: Sequence[str], option: bool) -> Statement:
    databases = _names(reader)
    grantees, start, end = _to_whom(reader, verb, option)
    given = _allowed(privileges, ("CREATE", "TEMPORARY", "TEMP"), "database")
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"{verb} ON DATABASE",
        postgres=(
            _check(users=grantees.users, roles=grantees.roles),
            f"{start}{given} ON DATABASE {_comma(databases)} {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


def _on_tables(reader: Reader, verb: str, privileges: Sequence[str], columns: Sequence[str], option: bool) -> Statement:
    if reader.accept("ALL", "TABLES", "IN", "SCHEMA"):
        kind, schemas = f"{verb} ON ALL TABLES IN SCHEMA", _names(reader)
        target = f"ALL TABLES IN SCHEMA {_comma(schemas)}"
        if columns:
            raise UnknownStatement("columns go with one table")
    else:
        reader.accept("TABLE")
        tables = reader.listed(lambda: _qualified(reader))
        schemas = tuple(dict.fromkeys(schema for schema, _ in tables))
        kind = f"{verb} ON COLUMNS" if columns else f"{verb} ON TABLE"
        target = f"TABLE {', '.join(_relation(table) for table in tables)}"
    grantees, start, end = _to_whom(reader, verb, option)
    _allowed(privileges, _TABLE_PRIVILEGES, "table")
    # PostgreSQL's ALL holds privileges that Redshift does not have.
    given = ", ".join(_TABLE_PRIVILEGES if "ALL" in privileges and not columns else privileges)
    listed = f" ({_comma(columns)})" if columns else ""
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=kind,
        postgres=(
            _check(users=grantees.users, roles=grantees.roles, schemas=schemas, no_external=True),
            f"{start}{given}{listed} ON {target} {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


def _alter_default_privileges(reader: Reader) -> Statement:
    owners = _names(reader) if reader.accept("FOR", "USER") else ()
    schemas = _names(reader) if reader.accept("IN", "SCHEMA") else ()
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
    of = f"FOR ROLE {_comma(owners)} " if owners else ""
    within = f"IN SCHEMA {_comma(schemas)} " if schemas else ""
    word = "TO" if verb == "GRANT" else "FROM"
    return Statement(
        kind=f"ALTER DEFAULT PRIVILEGES {verb}",
        postgres=(
            _check(users=(*owners, *grantees.users), roles=grantees.roles),
            f"ALTER DEFAULT PRIVILEGES {of}{within}{start}{given} ON TABLES {word} {grantees.sql}{end}",
        ),
        modelled="the word ROLE is left out" if grantees.roles else "",
    )


# --- row-level security ------------------------------------------------------------------------------------

_RLS = "restrictive policies of PostgreSQL beside one that permits all, so that several policies are joined by AND"


def _create_rls_policy(reader: Reader) -> Statement:
    name = _name(reader)
    columns: tuple[tuple[str, str], ...] = ()
    if reader.accept("WITH"):
        reader.expect("(")
        columns = reader.listed(lambda: (_name(reader), _type(reader)))
        reader.expect(")")
    reader.expect("USING")
    condition = reader.parenthesised()
    check_expression(condition)
    if any(token.kind == "parameter" for token in condition):
        raise UnknownStatement("a policy takes no parameters")
    attributes = [f"{column}:{kind}" for column, kind in columns]
    return Statement(
        kind="CREATE RLS POLICY",
        postgres=(
            f"SELECT pg_catalog.redshift_create_policy({literal(name)}, {_array(attributes)}, "
            f"{literal(postgres_text(condition))})",
        ),
        modelled=_RLS,
    )


def _drop_rls_policy(reader: Reader) -> Statement:
    present = reader.accept("IF", "EXISTS")
    name = _name(reader)
    cascade = reader.accept("CASCADE")
    if not cascade:
        reader.accept("RESTRICT")
    call = f"pg_catalog.redshift_drop_policy({literal(name)}, {str(present).lower()}, {str(cascade).lower()})"
    return Statement(kind="DROP RLS POLICY", postgres=(f"SELECT {call}",), modelled=_RLS)


def _attach_rls_policy(reader: Reader) -> Statement:
    return _attaching(reader, "ATTACH")


def _detach_rls_policy(reader: Reader) -> Statement:
    return _attaching(reader, "DETACH")


def _attaching(reader: Reader, verb: str) -> Statement:
    name = _name(reader)
    reader.expect("ON")
    reader.accept("TABLE")
    tables = reader.listed(lambda: _qualified(reader))
    reader.expect("TO" if verb == "ATTACH" else "FROM")
    grantees = _grantees(reader)
    whom = [
        *(("user", user) for user in grantees.users),
        *(("role", role) for role in grantees.roles),
        *([("public", "public")] if grantees.public else []),
    ]
    calls = [
        f"SELECT pg_catalog.redshift_{verb.lower()}_policy({literal(name)}, {literal(schema)}, {literal(table)}, "
        f"{literal(kind)}, {literal(grantee)})"
        for schema, table in tables
        for kind, grantee in whom
    ]
    schemas = tuple(dict.fromkeys(schema for schema, _ in tables))
    check = _check(users=grantees.users, roles=grantees.roles, schemas=schemas, no_external=True)
    return Statement(kind=f"{verb} RLS POLICY", postgres=(check, *calls), modelled=_RLS)


def _alter_table(reader: Reader) -> Statement:
    table = _qualified(reader)
    reader.expect("ROW", "LEVEL", "SECURITY")
    on = reader.accept("ON")
    if not on:
        reader.expect("OFF")
    if on and reader.accept("CONJUNCTION", "TYPE"):
        reader.expect("AND")
    call = f"pg_catalog.redshift_secure({literal(table[0])}, {literal(table[1])}, {str(on).lower()})"
    return Statement(
        kind="ALTER TABLE ROW LEVEL SECURITY",
        postgres=(_check(schemas=[table[0]], no_external=True), f"SELECT {call}"),
        modelled=_RLS,
    )


# --- tables and rows ---------------------------------------------------------------------------------------


def _type(reader: Reader) -> str:
    word = reader.take().text.upper()
    if word == "DOUBLE":
        reader.expect("PRECISION")
        return "double precision"
    if word == "CHARACTER":
        word = "VARCHAR" if reader.accept("VARYING") else "CHAR"
    if word in _SIZED_TYPES:
        if not reader.accept("("):
            return {"varchar": "varchar(256)", "char": "char(1)", "decimal": "decimal(18, 0)"}[_SIZED_TYPES[word]]
        # 65,535 is what MAX stands for.
        sizes = reader.listed(lambda: 65_535 if reader.accept("MAX") else reader.number())
        reader.expect(")")
        return f"{_SIZED_TYPES[word]}({', '.join(str(size) for size in sizes)})"
    if word not in _TYPES:
        raise UnknownStatement(f"the type {word} is not played; {', '.join((*_TYPES, *_SIZED_TYPES))} are")
    return _TYPES[word]


def _create_table(reader: Reader) -> Statement:
    absent = "IF NOT EXISTS " if reader.accept("IF", "NOT", "EXISTS") else ""
    table = _qualified(reader)
    dropped: list[str] = []

    def column() -> str:
        text = f"{quoted(_name(reader))} {_type(reader)}"
        while True:
            if reader.accept("NOT", "NULL"):
                text += " NOT NULL"
            elif reader.accept("NULL"):
                continue
            elif reader.accept("ENCODE"):
                reader.take()
                dropped.append("ENCODE")
            elif reader.accept("DISTKEY"):
                dropped.append("DISTKEY")
            elif reader.accept("SORTKEY"):
                dropped.append("SORTKEY")
            else:
                return text

    reader.expect("(")
    columns = reader.listed(column)
    reader.expect(")")
    while not reader.done:
        if reader.accept("DISTSTYLE"):
            reader.take()
            dropped.append("DISTSTYLE")
        elif reader.accept("DISTKEY"):
            reader.parenthesised()
            dropped.append("DISTKEY")
        else:
            reader.accept("COMPOUND")
            reader.expect("SORTKEY")
            if not reader.accept("AUTO"):
                reader.parenthesised()
            dropped.append("SORTKEY")
    return Statement(
        kind="CREATE TABLE",
        postgres=(f"CREATE TABLE {absent}{_relation(table)} ({', '.join(columns)})",),
        modelled=f"{', '.join(sorted(set(dropped)))} left out" if dropped else "",
    )


def _drop_table(reader: Reader) -> Statement:
    present = "IF EXISTS " if reader.accept("IF", "EXISTS") else ""
    tables = reader.listed(lambda: _qualified(reader))
    return Statement(
        kind="DROP TABLE", postgres=(f"DROP TABLE {present}{', '.join(_relation(table) for table in tables)}",)
    )


def _create_view(reader: Reader) -> Statement:
    view = _qualified(reader)
    reader.expect("AS")
    query = reader.rest()
    _check_query(query)
    return Statement(kind="CREATE VIEW", postgres=(f"CREATE VIEW {_relation(view)} AS {postgres_text(query)}",))


def _insert(reader: Reader) -> Statement:
    table = _qualified(reader)
    columns = ""
    if reader.accept("("):
        columns = f" ({_comma(_names(reader))})"
        reader.expect(")")
    return _dml("INSERT", f"INSERT INTO {_relation(table)}{columns}", reader)


def _update(reader: Reader) -> Statement:
    table = _qualified(reader)
    return _dml("UPDATE", f"UPDATE {_relation(table)}", reader)


def _delete(reader: Reader) -> Statement:
    table = _qualified(reader)
    return _dml("DELETE", f"DELETE FROM {_relation(table)}", reader)  # noqa: S608 — the name is quoted


def _dml(kind: str, start: str, reader: Reader) -> Statement:
    rest = reader.rest()
    check_expression(rest)
    return Statement(kind=kind, postgres=(f"{start} {postgres_text(rest)}".strip(),))


def _check_query(tokens: Sequence[Token]) -> None:
    if not tokens or tokens[0].text.upper() not in ("SELECT", "WITH"):
        raise UnknownStatement("a query begins with SELECT or WITH")
    check_expression(tokens)


def _query(first: str) -> Callable[[Reader], Statement]:
    def read(reader: Reader) -> Statement:
        rest = reader.rest()
        check_expression(rest)
        return Statement(kind="SELECT", postgres=(f"{first} {postgres_text(rest)}",), answers=True)

    return read


_FORMS: tuple[tuple[tuple[str, ...], Callable[[Reader], Statement]], ...] = (
    (("CREATE", "EXTERNAL", "SCHEMA"), _create_external_schema),
    (("CREATE", "SCHEMA"), _create_schema),
    (("CREATE", "ROLE"), _create_role),
    (("CREATE", "USER"), _create_user),
    (("CREATE", "RLS", "POLICY"), _create_rls_policy),
    (("CREATE", "TABLE"), _create_table),
    (("CREATE", "VIEW"), _create_view),
    (("ALTER", "USER"), _alter_user),
    (("ALTER", "DEFAULT", "PRIVILEGES"), _alter_default_privileges),
    (("ALTER", "TABLE"), _alter_table),
    (("ATTACH", "RLS", "POLICY"), _attach_rls_policy),
    (("DETACH", "RLS", "POLICY"), _detach_rls_policy),
    (("DROP", "RLS", "POLICY"), _drop_rls_policy),
    (("DROP", "SCHEMA"), _drop_schema),
    (("DROP", "ROLE"), _drop_role),
    (("DROP", "USER"), _drop_user),
    (("DROP", "TABLE"), _drop_table),
    (("GRANT",), _grant),
    (("REVOKE",), _revoke),
    (("INSERT", "INTO"), _insert),
    (("UPDATE",), _update),
    (("DELETE", "FROM"), _delete),
    (("SELECT",), _query("SELECT")),
    (("WITH",), _query("WITH")),
)
