"""The forms of row-level security: policies, what they are attached to, and whether they are on."""

from __future__ import annotations

from rehearsal.engine.redshift.expressions import check_expression, postgres_text
from rehearsal.engine.redshift.form import Form, Statement, check_kinds, read_name, read_qualified, text_array
from rehearsal.engine.redshift.grants import read_grantees
from rehearsal.engine.redshift.reading import Reader, UnknownStatement, literal
from rehearsal.engine.redshift.tables import read_type

_RLS = "restrictive policies of PostgreSQL beside one that permits all, so that several policies are joined by AND"


def _create_rls_policy(reader: Reader) -> Statement:
    name = read_name(reader)
    columns: tuple[tuple[str, str], ...] = ()
    if reader.accept("WITH"):
        reader.expect("(")
        columns = reader.listed(lambda: (read_name(reader), read_type(reader)))
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
            f"SELECT pg_catalog.redshift_create_policy({literal(name)}, {text_array(attributes)}, "
            f"{literal(postgres_text(condition))})",
        ),
        modelled=_RLS,
    )


def _drop_rls_policy(reader: Reader) -> Statement:
    present = reader.accept("IF", "EXISTS")
    name = read_name(reader)
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
    name = read_name(reader)
    reader.expect("ON")
    reader.accept("TABLE")
    tables = reader.listed(lambda: read_qualified(reader))
    reader.expect("TO" if verb == "ATTACH" else "FROM")
    grantees = read_grantees(reader)
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
    check = check_kinds(users=grantees.users, roles=grantees.roles, schemas=schemas, no_external=True)
    return Statement(kind=f"{verb} RLS POLICY", postgres=(check, *calls), modelled=_RLS)


def _alter_table(reader: Reader) -> Statement:
    table = read_qualified(reader)
    reader.expect("ROW", "LEVEL", "SECURITY")
    on = reader.accept("ON")
    if not on:
        reader.expect("OFF")
    if on and reader.accept("CONJUNCTION", "TYPE"):
        reader.expect("AND")
    call = f"pg_catalog.redshift_secure({literal(table[0])}, {literal(table[1])}, {str(on).lower()})"
    return Statement(
        kind="ALTER TABLE ROW LEVEL SECURITY",
        postgres=(check_kinds(schemas=[table[0]], no_external=True), f"SELECT {call}"),
        modelled=_RLS,
    )


FORMS: tuple[Form, ...] = (
    (("CREATE", "RLS", "POLICY"), _create_rls_policy),
    (("ALTER", "TABLE"), _alter_table),
    (("ATTACH", "RLS", "POLICY"), _attach_rls_policy),
    (("DETACH", "RLS", "POLICY"), _detach_rls_policy),
    (("DROP", "RLS", "POLICY"), _drop_rls_policy),
)
