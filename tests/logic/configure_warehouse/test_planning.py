"""A plan is the difference of what is declared, was made and is there; changes by hand are told, not undone."""

from __future__ import annotations

import pytest

from lambdas.configure_warehouse.facts import Fact, Kind, from_json, to_json
from tests.logic.configure_warehouse.declared import planned, sqls, want

TEXT = """
[schemas.s]
[roles.r]
grants = [{ schema = "s", privileges = ["usage"] }, { schema = "s", table = "*", privileges = ["select"] }]
[users.ana]
kind = "person"
roles = ["r"]
"""
TABLES = {("s", "t")}
ALL = want(TEXT, TABLES).facts
USAGE = Fact(Kind.SCHEMA_GRANT, ("s", "usage", "role:r"))
MEMBER = Fact(Kind.MEMBER, ("r", "user:ana"))


def test_a_new_warehouse_gets_all_that_is_declared() -> None:
    made = planned(TEXT, tables=TABLES)
    assert made.create == ALL
    assert made.remove == made.missing == made.extra == frozenset()


def test_a_second_run_does_nothing() -> None:
    made = planned(TEXT, applied=ALL, actual=ALL, tables=TABLES)
    assert made.empty
    assert made.lines() == []


def test_what_is_there_already_is_taken_over_without_a_word() -> None:
    made = planned(TEXT, actual=ALL, tables=TABLES)
    assert made.empty
    assert made.adopted == ALL


def test_what_is_no_longer_declared_is_taken_away() -> None:
    made = planned(TEXT.replace('roles = ["r"]', ""), applied=ALL, actual=ALL, tables=TABLES)
    assert made.remove == {MEMBER}
    assert made.lines() == ["- user:ana has role r"]


def test_a_right_taken_away_by_hand_is_told_and_given_back_only_when_told_to() -> None:
    made = planned(TEXT, applied=ALL, actual=ALL - {USAGE}, tables=TABLES)
    assert made.empty
    assert made.missing == {USAGE}
    assert made.lines() == ["! gone by hand: usage on schema s to role:r"]
    assert planned(TEXT, applied=ALL, actual=ALL - {USAGE}, tables=TABLES, repair=True).create == {USAGE}


def test_a_right_given_by_hand_is_told_and_taken_only_when_told_to() -> None:
    extra = Fact(Kind.TABLE_GRANT, ("s", "t", "delete", "user:ana"))
    made = planned(TEXT, applied=ALL, actual=ALL | {extra}, tables=TABLES)
    assert made.empty
    assert made.extra == {extra}
    assert planned(TEXT, applied=ALL, actual=ALL | {extra}, tables=TABLES, repair=True).remove == {extra}


def test_a_user_who_is_not_declared_any_more_loses_all_rights_and_stays_until_the_drop_is_allowed() -> None:
    text = TEXT.split("[users.ana]")[0]
    user, secret = Fact(Kind.USER, ("ana",)), Fact(Kind.SECRET, ("ana", "single-user", "30"))
    made = planned(text, applied=ALL, actual=ALL, tables=TABLES)
    assert made.remove == {MEMBER, secret}
    assert made.kept == {user}
    assert planned(text, applied=ALL, actual=ALL, tables=TABLES, drop=True).remove == {MEMBER, secret, user}


def test_a_user_whose_secret_is_gone_already_is_still_kept_from_logging_in() -> None:
    secret = Fact(Kind.SECRET, ("ana", "single-user", "30"))
    made = planned(TEXT.split("[users.ana]")[0], applied=ALL, actual=ALL - {secret}, tables=TABLES)
    assert secret in made.remove
    assert 'ALTER USER "ana" PASSWORD DISABLE' in sqls(made)


def test_a_service_that_becomes_a_person_goes_on_logging_in_and_its_second_user_does_not() -> None:
    service = '[users.app]\nkind = "service"'
    before = want(service).facts
    made = planned(service.replace("service", "person"), applied=before, actual=before)
    assert [sql for sql in sqls(made) if "PASSWORD" in sql] == ['ALTER USER "app_clone" PASSWORD DISABLE']


def test_a_service_that_gets_single_user_rotation_loses_its_second_user_and_keeps_its_secret() -> None:
    service = '[users.app]\nkind = "service"'
    before = want(service).facts
    made = planned(service + '\nrotation = "single-user"', applied=before, actual=before)
    assert made.create == {Fact(Kind.SECRET, ("app", "single-user", "30"))}
    assert [sql for sql in sqls(made) if "PASSWORD" in sql] == ['ALTER USER "app_clone" PASSWORD DISABLE']


@pytest.mark.parametrize(
    ("rotation", "owners"), [("alternating-users", {"app", "app_clone"}), ("single-user", {"app"})]
)
def test_default_grants_of_a_service_s_tables_are_those_of_each_of_its_database_users(
    rotation: str, owners: set[str]
) -> None:
    text = f"""
[schemas.s]
[roles.r]
grants = [{{ schema = "s", table = "*", privileges = ["select"] }}]
default_grants = [{{ owner = "app", schema = "s", privileges = ["select"] }}]
[users.app]
kind = "service"
rotation = "{rotation}"
"""
    defaults = {fact for fact in want(text).facts if fact.kind is Kind.DEFAULT_GRANT}
    assert defaults == {Fact(Kind.DEFAULT_GRANT, (owner, "s", "select", "role:r")) for owner in owners}


def test_a_user_made_by_hand_is_not_dropped_by_a_repair_alone() -> None:
    intruder = Fact(Kind.USER, ("mallory",))
    assert planned(TEXT, applied=ALL, actual=ALL | {intruder}, tables=TABLES, repair=True).kept == {intruder}
    made = planned(TEXT, applied=ALL, actual=ALL | {intruder}, tables=TABLES, repair=True, drop=True)
    assert made.remove == {intruder}


def test_a_table_that_is_new_gets_the_rights_on_all_tables() -> None:
    made = planned(TEXT, applied=ALL, actual=ALL, tables={("s", "t"), ("s", "new")})
    assert made.create == {Fact(Kind.TABLE_GRANT, ("s", "new", "select", "role:r"))}


def test_a_right_on_a_table_that_is_not_there_yet_waits_for_it() -> None:
    text = '[schemas.s]\n[roles.r]\ngrants = [{ schema = "s", table = "later", privileges = ["select"] }]'
    made = planned(text)
    assert {fact.kind for fact in made.create} == {Kind.SCHEMA, Kind.ROLE}
    assert made.lines()[-1] == "… r waits for table s.later"


def test_facts_are_the_same_after_they_were_kept_as_text() -> None:
    assert from_json(to_json(ALL)) == ALL
