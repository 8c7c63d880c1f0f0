"""What the function keeps in DynamoDB: declarations that are never read half written, locks, and what was made so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from contracts.warehouse.model import DeclarationError
from lambdas.configure_warehouse import history as history_module
from lambdas.configure_warehouse.declarations import (
    SEEDING,
    BeingSeededError,
    Declarations,
    NoDeclarationError,
)
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.history import HeldError, History, TooManyFactsError

ANA = {"format": 1, "kind": "person", "roles": [], "connection_limit": 5}
FACTS = frozenset({Fact(Kind.SCHEMA, ("s",)), Fact(Kind.MEMBER, ("r", "user:ana"))})


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield


def table(key: str) -> Any:
    """A table as the stack makes it."""
    return boto3.resource("dynamodb").create_table(
        TableName=key,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"},
            {"AttributeName": "item", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


class Seeding:
    """A table of declarations, and a package whose file can be written."""

    def __init__(self, folder: Path) -> None:
        self.table = table("declaration")
        self.folder = folder
        self.declarations = Declarations(table=self.table, packaged=folder)

    def package(self, items: dict[str, Any]) -> None:
        (self.folder / "standard.json").write_text(json.dumps(items))

    def users(self) -> list[str]:
        return [user.name for user in self.declarations.read("standard").users]


@pytest.fixture
def seeding(tmp_path: Path) -> Seeding:
    return Seeding(tmp_path)


def test_a_seeded_declaration_is_read_back_whole(seeding: Seeding) -> None:
    seeding.package({"users.ana": ANA})
    assert seeding.declarations.seed("standard") == (("users.ana",), ())
    (ana,) = seeding.declarations.read("standard").users
    assert (ana.name, ana.connection_limit) == ("ana", 5)


def test_seeding_again_writes_nothing_and_a_changed_file_writes_what_changed(seeding: Seeding) -> None:
    seeding.package({"users.ana": ANA, "users.bo": ANA})
    seeding.declarations.seed("standard")
    assert seeding.declarations.seed("standard") == ((), ())
    seeding.package({"users.ana": {**ANA, "connection_limit": 6}})
    assert seeding.declarations.seed("standard") == (("users.ana",), ("users.bo",))
    assert seeding.users() == ["ana"]


def test_what_people_put_stays_and_what_they_changed_of_a_file_s_item_is_put_back(seeding: Seeding) -> None:
    seeding.package({"users.ana": ANA})
    seeding.declarations.seed("standard")
    seeding.table.put_item(Item={"declaration": "standard", "item": "users.zoe", **ANA})
    seeding.table.update_item(
        Key={"declaration": "standard", "item": "users.ana"},
        UpdateExpression="SET connection_limit = :limit",
        ExpressionAttributeValues={":limit": 99},
    )
    assert seeding.declarations.seed("standard") == (("users.ana",), ())
    assert seeding.users() == ["ana", "zoe"]


def test_a_declaration_that_is_half_written_is_not_read_until_it_is_whole(
    seeding: Seeding, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeding.package({"users.ana": ANA})
    with monkeypatch.context() as broken:
        broken.setattr(type(seeding.table), "batch_writer", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seeding.declarations.seed("standard")
    with pytest.raises(BeingSeededError):
        seeding.declarations.read("standard")
    seeding.declarations.seed("standard")
    assert seeding.users() == ["ana"]
    assert "Item" not in seeding.table.get_item(Key={"declaration": "standard", "item": SEEDING})


def test_an_empty_table_is_no_declaration(seeding: Seeding) -> None:
    with pytest.raises(NoDeclarationError, match="a deployment seeds it"):
        seeding.declarations.read("standard")


def test_a_hostile_item_in_the_table_is_an_error_that_names_it(seeding: Seeding) -> None:
    seeding.table.put_item(Item={"declaration": "standard", "item": 'users.x"; DROP USER y; --', **ANA})
    with pytest.raises(DeclarationError, match=r'users\.x"; DROP USER y; --: the name .* is not allowed'):
        seeding.declarations.read("standard")


# --- what was done --------------------------------------------------------------------------------------------


class Time:
    """A clock in a test's hands."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def history(time: Time) -> History:
    return History(table=table("cluster"), cluster="analytics", now=time)


def test_one_run_has_a_cluster_at_a_time(history: History) -> None:
    assert history.lock("a", seconds=60) == ""
    with pytest.raises(HeldError, match="another run is at work on cluster analytics"):
        history.lock("b", seconds=60)
    history.unlock("a")
    history.lock("b", seconds=60)


def test_a_lock_whose_run_was_killed_is_taken_over_with_the_statement_that_it_left(
    history: History, time: Time
) -> None:
    history.lock("a", seconds=60)
    history.running("a", "statement-1")
    time.now += 61
    assert history.lock("b", seconds=60) == "statement-1"
    with pytest.raises(HeldError, match="taken cluster analytics over"):
        history.running("a", "statement-2")
    history.unlock("a")
    with pytest.raises(HeldError):
        history.lock("c", seconds=60)


def test_what_was_made_so_is_remembered(history: History) -> None:
    assert history.applied({}) == frozenset()
    history.apply(FACTS, {})
    assert history.applied({}) == FACTS


def test_what_was_made_so_of_a_table_is_forgotten_when_another_has_its_name(history: History) -> None:
    schema = Fact(Kind.SCHEMA, ("s",))
    of_table = {
        Fact(Kind.TABLE_GRANT, ("s", "t", "select", "role:r")),
        Fact(Kind.COLUMN_GRANT, ("s", "t", "c", "select", "role:r")),
        Fact(Kind.ROW_SECURITY, ("s", "t")),
        Fact(Kind.ATTACHED, ("p", "s", "t", "role:r")),
    }
    history.apply({schema, *of_table}, {("s", "t"): "16400", ("s", "other"): "16401"})
    assert history.applied({("s", "t"): "16400"}) == {schema, *of_table}
    assert history.applied({}) == {schema, *of_table}
    assert history.applied({("s", "t"): "16999"}) == {schema}


def test_more_than_can_be_remembered_is_an_error_that_says_how_much(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "_MOST_BYTES", 100)
    with pytest.raises(TooManyFactsError, match=r"2 rights of cluster analytics take \d+ bytes; .* 100;"):
        history.apply({Fact(Kind.SCHEMA, ("s",)), Fact(Kind.ROLE, ("r",))}, {})


def test_twenty_thousand_facts_fit_into_one_item(history: History) -> None:
    many = {
        Fact(Kind.TABLE_GRANT, (f"schema_{n % 50}", f"table_{n}", "select", f"role:r{n % 7}")) for n in range(20_000)
    }
    history.apply(many, {})
    assert history.applied({}) == many


def test_a_run_is_recorded_with_what_it_did_and_expires(history: History, time: Time) -> None:
    history.record("a", {"result": "configured", "lines": [f"+ {n}" for n in range(1_500)], "seconds": 1.5})
    item: Any
    (item,) = boto3.resource("dynamodb").Table("cluster").scan()["Items"]
    assert item["item"] == "run#2027-01-15T08:00:00#a"
    assert (len(item["lines"]), item["lines_count"], item["seconds"]) == (1_000, 1_500, "1.5")
    assert int(item["expires_at"]) == int(time.now) + 400 * 86_400
