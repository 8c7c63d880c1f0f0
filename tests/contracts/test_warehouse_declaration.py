"""A declaration is read as written, or each thing that is wrong with it is said, with the item's name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.model import DeclarationError, ExternalSchema, Grant, User, UserKind
from contracts.warehouse.secrets import SINGLE_USER

STANDARD = Path(__file__).parents[2] / "config" / "warehouse" / "standard.toml"


def read(text: str) -> Any:
    return declaration_of(items_of(tomllib.loads("format = 1\n" + text)))


def said(text: str) -> str:
    with pytest.raises(DeclarationError) as caught:
        read(text)
    return str(caught.value)


def test_the_standard_declaration_can_be_taken() -> None:
    declaration = declaration_of(items_of(tomllib.loads(STANDARD.read_text())))
    ana = User(name="ana", kind=UserKind.PERSON, rotation=SINGLE_USER, roles=("analyst",), connection_limit=10)
    assert ana in declaration.users
    assert ExternalSchema(name="lake", zone="transformed") in declaration.external_schemas
    (analyst,) = (role for role in declaration.roles if role.name == "analyst")
    assert Grant(schema="sandbox", privileges=("usage", "create")) in analyst.grants


def test_no_role_of_analysts_reaches_what_is_personal_in_the_standard_declaration() -> None:
    declaration = declaration_of(items_of(tomllib.loads(STANDARD.read_text())))
    personal = {schema.name for schema in declaration.external_schemas if schema.zone == "personal"}
    having = {role.name for role in declaration.roles if personal & {grant.schema for grant in role.grants}}
    assert having == {"privacy_officer"}
    assert {parent for role in declaration.roles for parent in role.member_of}.isdisjoint(having)


def test_a_service_has_two_database_users_and_a_person_one() -> None:
    declaration = read('[users.app]\nkind = "service"\n[users.ana]\nkind = "person"\n')
    assert {user.name: user.logins for user in declaration.users} == {"app": ("app", "app_clone"), "ana": ("ana",)}


def test_a_service_with_single_user_rotation_has_one_database_user() -> None:
    (app,) = read('[users.app]\nkind = "service"\nrotation = "single-user"\n').users
    assert (app.logins, app.rotation) == (("app",), SINGLE_USER)
    (app,) = read('[users.app]\nkind = "service"\nrotation = "alternating-users"\n').users
    assert app.logins == ("app", "app_clone")


def test_every_service_of_the_standard_declaration_that_may_make_tables_has_one_database_user() -> None:
    declaration = declaration_of(items_of(tomllib.loads(STANDARD.read_text())))
    making = {role.name for role in declaration.roles for grant in role.grants if "create" in grant.privileges}
    services = [user for user in declaration.users if user.kind is UserKind.SERVICE and making & set(user.roles)]
    assert [(user.name, user.logins) for user in services] == [("report_builder", ("report_builder",))]


OWN_ROWS = """
[schemas.s]
[roles.narrow]
[roles.wide]
member_of = ["narrow"]
[row_policies.own]
column = "name"
type = "varchar"
equals_user = true
attached = [{ schema = "s", table = "t", roles = ["narrow"] }]
[users.app]
kind = "service"
"""


@pytest.mark.parametrize("role", ["narrow", "wide"])
def test_rows_by_user_are_refused_for_a_service_whose_users_take_turns(role: str) -> None:
    text = OWN_ROWS + f'roles = ["{role}"]\n'
    assert "row_policies.own: attached[0]: equals_user" in said(text)
    assert "asks as app and app_clone in turn; show it rows by values" in said(text)
    assert read(text + 'rotation = "single-user"\n').row_policies
    assert read(text.replace('"service"', '"person"')).row_policies
    assert read(text.replace("equals_user = true", 'values = ["app"]')).row_policies


def test_rows_by_user_are_taken_where_no_service_has_the_role() -> None:
    assert read(OWN_ROWS + 'roles = []\n[users.ana]\nkind = "person"\nroles = ["wide"]\n').row_policies


HOSTILE = (
    'x"; DROP TABLE t; --',
    "Robert'); --",
    "a b",
    "Ana",
    "1a",
    "",
    "a" * 64,
    "pg_toast",
    "select",
    "ａ",
    "a\u0000",
    "a-b",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("section", ["users", "roles", "schemas", "external_schemas", "row_policies"])
def test_a_name_that_is_none_is_an_error_that_names_the_item(section: str, name: str) -> None:
    bodies: dict[str, dict[str, object]] = {
        "users": {"kind": "person"},
        "external_schemas": {"zone": "raw"},
        "row_policies": {"column": "c", "type": "varchar", "values": ["x"]},
    }
    with pytest.raises(DeclarationError) as caught:
        declaration_of({f"{section}.{name}": {**bodies.get(section, {}), "format": 1}})
    ((item, text),) = caught.value.problems
    assert item == f"{section}.{name}"
    assert "the name " in text


@pytest.mark.parametrize(
    ("text", "item", "what"),
    [
        ('[users.ana]\nkind = "robot"', "users.ana", "kind is 'robot'; allowed are person, service"),
        ("[users.ana]", "users.ana", "kind is missing"),
        ('[users.ana]\nkind = "person"\nroles = ["boss"]', "users.ana", "'boss', which is not declared"),
        ('[users.ana]\nkind = "person"\nrole = "x"', "users.ana", "role: not known; allowed are kind"),
        ('[users.ana]\nkind = "person"\npassword = "x"', "users.ana", "password: not known"),
        ('[users.a]\nkind = "service"\nrotation = "x"', "users.a", "allowed are alternating-users, single-user"),
        ('[users.ana]\nkind = "person"\nrotation = "single-user"', "users.ana", "rotation: not known"),
        (
            '[schemas.s]\n[roles.a]\ndefault_grants = [{ owner = "u_clone", schema = "s", privileges = ["select"] }]\n'
            '[users.u]\nkind = "service"',
            "roles.a",
            "owner 'u_clone' is no declared user; declared are u",
        ),
        ('[users.ana]\nkind = "person"\nconnection_limit = 0', "users.ana", "allowed are 1 to 500"),
        ('[users.ana]\nkind = "person"\nconnection_limit = true', "users.ana", "allowed is a whole number"),
        ('[users.ana]\nkind = "person"\n[roles.ana]', "users.ana", "roles.ana has the name of its database user ana"),
        ('[users.a_clone]\nkind = "person"', "users.a_clone", "as the second user of a service does"),
        ('[users.rdsdb]\nkind = "person"', "users.rdsdb", "the database's own"),
        ("[schemas.information_schema]", "schemas.information_schema", "the database's own"),
        (
            '[schemas.s]\n[users.u]\nkind = "person"\n[roles.a]\n'
            'default_grants = [{ owner = "u", schema = "s", privileges = ["select"] }]',
            "roles.a",
            'grant it on table "*" of s too',
        ),
        ('[row_policies.p]\ncolumn = "c"\ntype = "varchar"\nvalues = ["a"]', "row_policies.p", "it hides nothing"),
        (
            '[row_policies.p]\ncolumn = "c"\ntype = "date"\nvalues = ["31.12.2026"]',
            "row_policies.p",
            "allowed is a date as a text",
        ),
        (
            '[row_policies.p]\ncolumn = "c"\ntype = "integer"\nvalues = [99999999999]',
            "row_policies.p",
            "allowed are -2147483648 to 2147483647",
        ),
        (
            '[schemas.s]\n[users.u]\nkind = "person"\n[roles.a]\n'
            'grants = [{ schema = "s", table = "*", privileges = ["select"] }]\n'
            'default_grants = [{ owner = "u", schema = "s", privileges = ["select"] }]\n'
            '[row_policies.p]\ncolumn = "c"\ntype = "varchar"\nvalues = ["x"]\n'
            'attached = [{ schema = "s", table = "t", roles = ["a"] }]',
            "row_policies.p",
            "would show every row from when it is made again until the next run",
        ),
        (f'[users.{"a" * 60}]\nkind = "service"', f"users.{'a' * 60}", "too long; allowed are 57"),
        ('[roles.a]\nmember_of = ["b"]\n[roles.b]\nmember_of = ["a"]', "roles.a", "in a circle: a → b → a"),
        ('[roles.a]\nmember_of = ["a"]', "roles.a", "in a circle: a → a"),
        ('[roles.a]\nmember_of = ["b", "b"]', "roles.a", "names something twice"),
        ('[roles.a]\ngrants = [{ schema = "s", privileges = ["usage"] }]', "roles.a", "schema 's' is not declared"),
        ('[schemas.s]\n[roles.a]\ngrants = [{ schema = "s", privileges = ["drop"] }]', "roles.a", "allowed are usage"),
        ('[schemas.s]\n[roles.a]\ngrants = [{ schema = "s", privileges = [] }]', "roles.a", "privileges is empty"),
        (
            '[schemas.s]\n[roles.a]\ngrants = [{ schema = "s", table = "t\\"", privileges = ["select"] }]',
            "roles.a",
            "table: the name",
        ),
        (
            "[schemas.s]\n[roles.a]\n"
            'grants = [{ schema = "s", table = "t", columns = ["c"], privileges = ["delete"] }]',
            "roles.a",
            "allowed are select, update",
        ),
        (
            '[schemas.s]\n[roles.a]\ngrants = [{ schema = "s", privileges = ["usage"] }, '
            '{ schema = "s", privileges = ["usage"] }]',
            "roles.a",
            "grants usage on s twice",
        ),
        (
            '[external_schemas.s]\nzone = "raw"\n[roles.a]\n'
            'grants = [{ schema = "s", table = "t", privileges = ["select"] }]',
            "roles.a",
            "leave table out and grant usage",
        ),
        (
            '[external_schemas.s]\nzone = "raw"\n[roles.a]\ngrants = [{ schema = "s", privileges = ["create"] }]',
            "roles.a",
            "allowed is usage",
        ),
        ('[external_schemas.s]\nzone = "gold"', "external_schemas.s", "allowed are raw, transformed, personal"),
        ('[external_schemas.s]\nzone = "raw"\n[schemas.s]', "external_schemas.s", "schemas.s has the same name"),
        (
            '[schemas.s]\n[roles.a]\ndefault_grants = [{ owner = "u", schema = "s", privileges = ["select"] }]',
            "roles.a",
            "owner 'u' is no declared user",
        ),
        ('[row_policies.p]\ncolumn = "c"\ntype = "varchar"', "row_policies.p", "give one of the two"),
        ('[row_policies.p]\ncolumn = "c"\ntype = "integer"\nvalues = ["1"]', "row_policies.p", "a whole number"),
        ('[row_policies.p]\ncolumn = "c"\ntype = "varchar"\nvalues = ["a\\\\"]', "row_policies.p", "no backslash"),
        (
            '[row_policies.p]\ncolumn = "c"\ntype = "varchar"\nvalues = ["a"]\n'
            'attached = [{ schema = "s", table = "t", roles = ["a"] }]',
            "row_policies.p",
            "no declared schema of the warehouse's own",
        ),
        ("[groups.g]", "groups.g", "there is no section 'groups'; allowed are schemas"),
    ],
)
def test_what_cannot_be_taken_is_an_error_that_names_the_item(text: str, item: str, what: str) -> None:
    lines = [line for line in said(text).splitlines() if line.startswith(f"  {item}: ")]
    assert any(what in line for line in lines), said(text)


def test_all_problems_are_told_at_once() -> None:
    told = said('[users.ana]\nkind = "x"\n[roles.select]\n')
    assert "2 problems; nothing was changed" in told
    assert "users.ana" in told
    assert "roles.select" in told


def test_an_item_of_a_newer_format_is_refused_by_name() -> None:
    with pytest.raises(DeclarationError, match=r"users\.ana: its format is 2, newer than what this code reads \(1\)"):
        declaration_of({"users.ana": {"format": 2, "kind": "person", "shoe_size": 44}})


@pytest.mark.parametrize("given", [None, 0, "1", True])
def test_an_item_without_a_format_is_refused(given: object) -> None:
    with pytest.raises(DeclarationError, match="its format is"):
        declaration_of({"users.ana": {"format": given, "kind": "person"}})


def test_a_document_without_tables_is_refused() -> None:
    with pytest.raises(DeclarationError, match=r"users: is 'ana'; write \[users.<name>\]"):
        items_of({"format": 1, "users": "ana"})
    with pytest.raises(DeclarationError, match="format: is missing"):
        items_of({})
