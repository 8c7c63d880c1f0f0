"""Reads what is so in a warehouse out of its own catalogue, as facts.

Views: "SVV views" of the Redshift Database Developer Guide. What Redshift has by itself (system schemas, its own users
and roles, that everybody may use ``public`` and make temporary tables) is no fact. Not read: system privileges of
roles, rights on functions, and who owns what.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lambdas.configure_warehouse.data_api import DataApi, Row
from lambdas.configure_warehouse.facts import Fact, Kind, Table

SYSTEM_SCHEMAS = frozenset({"information_schema", "catalog_history", "pg_catalog", "pg_toast", "pg_internal"})
OWN_USERS = frozenset({"rdsdb"})
"""The service's own superuser."""

FEDERATED = ("IAM:", "IAMR:", "AWSIDC:")
"""What names of users begin with that the service makes when somebody comes by IAM; they are nobody's to declare."""

SCHEMAS = (
    "SELECT n.nspname, u.usename FROM pg_namespace n JOIN pg_user u ON u.usesysid = n.nspowner "
    "WHERE SUBSTRING(n.nspname, 1, 3) <> 'pg_'"
)
EXTERNAL_SCHEMAS = "SELECT schemaname, databasename, esoptions FROM svv_external_schemas"
TABLES = (
    "SELECT n.nspname, c.relname, u.usename, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_user u ON u.usesysid = c.relowner "
    "WHERE c.relkind IN ('r', 'v', 'm') AND SUBSTRING(n.nspname, 1, 3) <> 'pg_'"
)
ROLES = "SELECT role_name FROM svv_roles"
USERS = "SELECT user_name, connection_limit, superuser, createdb, syslog_access FROM svv_user_info"
USER_ROLES = "SELECT role_name, user_name FROM svv_user_grants"
ROLE_ROLES = "SELECT granted_role_name, role_name FROM svv_role_grants"
DATABASE_PRIVILEGES = (
    "SELECT database_name, privilege_type, identity_type, identity_name FROM svv_database_privileges "
    "WHERE database_name = current_database()"
)
SCHEMA_PRIVILEGES = "SELECT namespace_name, privilege_type, identity_type, identity_name FROM svv_schema_privileges"
TABLE_PRIVILEGES = (
    "SELECT namespace_name, relation_name, privilege_type, identity_type, identity_name FROM svv_relation_privileges"
)
COLUMN_PRIVILEGES = (
    "SELECT namespace_name, relation_name, column_name, privilege_type, identity_type, identity_name "
    "FROM svv_column_privileges"
)
DEFAULT_PRIVILEGES = (
    "SELECT owner_name, schema_name, privilege_type, grantee_type, grantee_name FROM svv_default_privileges "
    "WHERE object_type = 'RELATION'"
)
POLICIES = "SELECT polname FROM svv_rls_policy"
ATTACHED = "SELECT polname, relschema, relname, granteekind, grantee FROM svv_rls_attached_policy"
ROW_SECURITY = "SELECT relschema, relname FROM svv_rls_relation WHERE is_rls_on"

QUERIES = (
    SCHEMAS,
    EXTERNAL_SCHEMAS,
    TABLES,
    ROLES,
    USERS,
    USER_ROLES,
    ROLE_ROLES,
    DATABASE_PRIVILEGES,
    SCHEMA_PRIVILEGES,
    TABLE_PRIVILEGES,
    COLUMN_PRIVILEGES,
    DEFAULT_PRIVILEGES,
    POLICIES,
    ATTACHED,
    ROW_SECURITY,
)


class Seen(NamedTuple):
    """What a warehouse is like: the facts, and the tables with the numbers that a table made again does not keep."""

    facts: frozenset[Fact]
    tables: Mapping[Table, str]


def inspect(database: DataApi, *, admin_user: str, until: Callable[[], bool]) -> Seen:
    """Ask the database once, for one moment.

    Raises:
        StatementError: a query failed.
        StillRunningError: the time is up.
    """
    return seen(dict(zip(QUERIES, database.select(QUERIES, until=until), strict=True)), admin_user=admin_user)


def seen(rows: dict[str, Sequence[Row]], *, admin_user: str) -> Seen:
    """The facts that rows of the `QUERIES` tell."""
    external = {str(schema): (str(database), _role_of(options)) for schema, database, options in rows[EXTERNAL_SCHEMAS]}
    own = [row for row in rows[TABLES] if row[0] not in external]
    owners = {(str(schema), str(table)): str(owner) for schema, table, owner, _ in own}
    schema_owners = {str(schema): str(owner) for schema, owner in rows[SCHEMAS]}
    facts: set[Fact] = set()
    facts.update(_containers(rows, external, admin_user))
    facts.update(_members(rows))
    for database, privilege, kind, name in rows[DATABASE_PRIVILEGES]:
        grantee = _grantee(kind, name, owner=admin_user)
        if grantee and (grantee != "public" or privilege.lower() == "create"):
            facts.add(Fact(Kind.DATABASE_GRANT, (database, privilege.lower(), grantee)))
    for schema, privilege, kind, name in rows[SCHEMA_PRIVILEGES]:
        grantee = _grantee(kind, name, owner=schema_owners.get(schema, ""))
        built_in = schema == "public" and grantee == "public" and privilege.lower() == "usage"
        if grantee and not built_in and not _of_the_system(schema):
            facts.add(Fact(Kind.SCHEMA_GRANT, (schema, privilege.lower(), grantee)))
    for schema, table, privilege, kind, name in rows[TABLE_PRIVILEGES]:
        grantee = _grantee(kind, name, owner=owners.get((schema, table), ""))
        if grantee and (schema, table) in owners and not _of_the_system(schema):
            facts.add(Fact(Kind.TABLE_GRANT, (schema, table, privilege.lower(), grantee)))
    for schema, table, column, privilege, kind, name in rows[COLUMN_PRIVILEGES]:
        grantee = _grantee(kind, name, owner=owners.get((schema, table), ""))
        if grantee and (schema, table) in owners and not _of_the_system(schema):
            facts.add(Fact(Kind.COLUMN_GRANT, (schema, table, column, privilege.lower(), grantee)))
    for owner, schema, privilege, kind, name in rows[DEFAULT_PRIVILEGES]:
        grantee = _grantee(kind, name, owner=owner)
        if grantee:
            facts.add(Fact(Kind.DEFAULT_GRANT, (owner, schema or "", privilege.lower(), grantee)))
    facts.update(_policies(rows))
    return Seen(facts=frozenset(facts), tables={(str(schema), str(table)): str(oid) for schema, table, _, oid in own})


def _containers(
    rows: dict[str, Sequence[Row]], external: Mapping[str, tuple[str, str]], admin_user: str
) -> Iterator[Fact]:
    for schema, _ in rows[SCHEMAS]:
        if schema not in external and schema != "public" and not _of_the_system(schema):
            yield Fact(Kind.SCHEMA, (schema,))
    for schema, (database, role) in external.items():
        yield Fact(Kind.EXTERNAL_SCHEMA, (schema, database, role))
    for (role,) in rows[ROLES]:
        if not role.startswith("sys:"):
            yield Fact(Kind.ROLE, (role,))
    for user, limit, superuser, createdb, syslog in rows[USERS]:
        if user == admin_user or not _declarable(user):
            continue
        yield Fact(Kind.USER, (user,))
        if str(limit).isdigit():
            yield Fact(Kind.CONNECTION_LIMIT, (user, str(limit)))
        if superuser:  # who may all, and sees the whole log
            yield Fact(Kind.POWER, ("superuser", user))
        elif syslog == "UNRESTRICTED":
            yield Fact(Kind.POWER, ("syslog access", user))
        if createdb:
            yield Fact(Kind.POWER, ("createdb", user))


def _role_of(options: str) -> str:
    """The role of an external schema's options, a JSON text ("SVV_EXTERNAL_SCHEMAS" page)."""
    return str(json.loads(options).get("IAM_ROLE", ""))


def _members(rows: dict[str, Sequence[Row]]) -> Iterator[Fact]:
    for role, user in rows[USER_ROLES]:
        if _declarable(user):
            yield Fact(Kind.MEMBER, (role, f"user:{user}"))
    for granted, role in rows[ROLE_ROLES]:
        if not role.startswith("sys:"):
            yield Fact(Kind.MEMBER, (granted, f"role:{role}"))


def _policies(rows: dict[str, Sequence[Row]]) -> Iterator[Fact]:
    for (policy,) in rows[POLICIES]:
        yield Fact(Kind.ROW_POLICY, (policy,))
    for policy, schema, table, kind, name in rows[ATTACHED]:
        yield Fact(Kind.ATTACHED, (policy, schema, table, _grantee(kind, name, owner="")))
    for schema, table in rows[ROW_SECURITY]:
        yield Fact(Kind.ROW_SECURITY, (schema, table))


def _grantee(kind: str, name: str, *, owner: str) -> str:
    """As facts write it; empty for an owner's own rights and for those of the service's own."""
    if kind == "public":
        return "public"
    if (kind == "user" and (name == owner or not _declarable(name))) or (kind == "role" and name.startswith("sys:")):
        return ""
    return f"{kind}:{name}"


def _declarable(user: str) -> bool:
    return user not in OWN_USERS and not user.startswith(FEDERATED)


def _of_the_system(schema: str) -> bool:
    return schema in SYSTEM_SCHEMAS or schema.startswith("pg_")
