"""The forms that make and drop schemas, external ones among them, roles and users."""

from __future__ import annotations

import re

from rehearsal.engine.redshift.form import (
    ExternalSchema,
    Form,
    Statement,
    check_kinds,
    comma_separated,
    read_name,
    read_names,
    text_array,
)
from rehearsal.engine.redshift.reading import Reader, UnknownStatement, literal, quoted

_MD5 = re.compile(r"md5[0-9a-f]{32}")


def _create_schema(reader: Reader) -> Statement:
    absent = "IF NOT EXISTS " if reader.accept("IF", "NOT", "EXISTS") else ""
    name = read_name(reader)
    owner = f" AUTHORIZATION {quoted(read_name(reader))}" if reader.accept("AUTHORIZATION") else ""
    return Statement(kind="CREATE SCHEMA", postgres=(f"CREATE SCHEMA {absent}{quoted(name)}{owner}",))


def _create_external_schema(reader: Reader) -> Statement:
    or_nothing = reader.accept("IF", "NOT", "EXISTS")
    name = read_name(reader)
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
    names = read_names(reader)
    how = "CASCADE" if reader.accept("CASCADE") else "RESTRICT"
    if how == "RESTRICT":
        reader.accept("RESTRICT")
    # The tables of an external schema are the catalog's, so that they do not keep the schema.
    return Statement(
        kind="DROP SCHEMA",
        postgres=(
            f"SELECT pg_catalog.redshift_forget_external({text_array(names)})",
            f"DROP SCHEMA {present}{comma_separated(names)} {how}",
        ),
    )


def _create_role(reader: Reader) -> Statement:
    name = read_name(reader)
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
    name = read_name(reader)
    forced = reader.accept("FORCE")
    if not forced:
        reader.accept("RESTRICT")
    checks = [check_kinds(roles=[name])]
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
    name = read_name(reader)
    options, has_password = _user_options(reader)
    if not has_password:
        raise UnknownStatement(f'CREATE USER "{name}" needs PASSWORD; give DISABLE for none')
    return Statement(
        kind="CREATE USER",
        postgres=(f"CREATE ROLE {quoted(name)} LOGIN {' '.join(options)}",),
        modelled="PASSWORD DISABLE is a user of PostgreSQL without a password" if "PASSWORD NULL" in options else "",
    )


def _alter_user(reader: Reader) -> Statement:
    name = read_name(reader)
    options, _ = _user_options(reader)
    if not options:
        raise reader.fails("an option")
    return Statement(
        kind="ALTER USER",
        postgres=(check_kinds(users=[name]), f"ALTER ROLE {quoted(name)} {' '.join(options)}"),
        modelled="PASSWORD DISABLE is a user of PostgreSQL without a password" if "PASSWORD NULL" in options else "",
    )


def _drop_user(reader: Reader) -> Statement:
    present = reader.accept("IF", "EXISTS")
    name = read_name(reader)
    checks = () if present else (check_kinds(users=[name]),)
    # The login with temporary passwords goes with the user that it acts as.
    drops = (f"DROP ROLE IF EXISTS {quoted(each)}" for each in (f"IAM:{name}", name))
    return Statement(kind="DROP USER", postgres=(*checks, *drops))


FORMS: tuple[Form, ...] = (
    (("CREATE", "EXTERNAL", "SCHEMA"), _create_external_schema),
    (("CREATE", "SCHEMA"), _create_schema),
    (("CREATE", "ROLE"), _create_role),
    (("CREATE", "USER"), _create_user),
    (("ALTER", "USER"), _alter_user),
    (("DROP", "SCHEMA"), _drop_schema),
    (("DROP", "ROLE"), _drop_role),
    (("DROP", "USER"), _drop_user),
)
