"""A cluster on a real database, and the configuration function's logic at work on it; a test can kill it anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3

from contracts.warehouse.secrets import ALTERNATING_USERS, SINGLE_USER
from lambdas.configure_warehouse.clusters import Cluster
from lambdas.configure_warehouse.data_api import DataApi
from lambdas.configure_warehouse.declarations import Declarations
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.history import History
from lambdas.configure_warehouse.inspection import inspect
from lambdas.configure_warehouse.logic import Configuring, Outcome
from lambdas.configure_warehouse.requests import Request
from lambdas.configure_warehouse.user_secrets import UserSecrets
from lambdas.configure_warehouse.warehouse import Warehouse
from tests.rehearsal.engine.warehouse_assemblies import ADMIN, CLUSTER, DATABASE

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine


class Killed(BaseException):
    """The function ends here, as it does when its time is out: nothing after it runs."""


@dataclass
class Killer:
    """Lets so many calls through and then ends the function, before or after the call takes effect."""

    position: int = -1
    after: bool = False
    calls: list[str] = field(default_factory=list)

    def around(self, thing: Any, name: str, *arguments: Any, **named: Any) -> Any:
        """One call of a part of the function."""
        number = len(self.calls)
        self.calls.append(name)
        if number == self.position and not self.after:
            raise Killed(name)
        result = getattr(thing, name)(*arguments, **named)
        if number == self.position:
            raise Killed(name)
        return result


class Watched:
    """A part of the function whose effects are counted by a killer."""

    def __init__(self, thing: Any, killer: Killer, names: Collection[str]) -> None:
        self._thing, self._killer, self._names = thing, killer, names

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            return lambda *arguments, **named: self._killer.around(self._thing, name, *arguments, **named)
        return getattr(self._thing, name)


class SecretsInMemory:
    """Secrets that are there or not; what rotates them is another's."""

    def __init__(self) -> None:
        self.there: set[Fact] = set()

    def facts(self, expected: Collection[Fact]) -> frozenset[Fact]:
        return frozenset(self.there)

    def make(self, facts: Collection[Fact]) -> None:
        for fact in facts:
            self.there = {one for one in self.there if one.parts[0] != fact.parts[0]} | {fact}

    def remove(self, facts: Collection[Fact]) -> None:
        self.there -= set(facts)


class Configured:
    """One cluster and its configuration; time is the test's."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        environment = engine.administrator_environment()
        session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment["AWS_SESSION_TOKEN"],
            region_name=environment["AWS_REGION"],
        )
        dynamodb = session.resource("dynamodb", endpoint_url=engine.endpoint_url)
        self._tables = {key: _table(dynamodb, key) for key in ("declaration", "cluster")}
        self._folder = folder
        self.now = 1_800_000_000.0
        self.remaining = 300.0
        self.asked_again: list[Request] = []
        self.secrets = SecretsInMemory()
        role = next(one.arn for one in engine.resources() if one.logical_id == "SpectrumRole")
        self.cluster = Cluster(
            name=CLUSTER,
            cluster_identifier=CLUSTER,
            database=DATABASE,
            admin_user=ADMIN,
            declaration="standard",
            host="127.0.0.1",
            port=5439,
            spectrum_role_arn=role,
            secret_prefix="amp/test/warehouse/analytics/",
            databases=dict.fromkeys(("raw", "transformed", "personal"), "lake"),
        )
        self.declarations = Declarations(table=self._tables["declaration"], packaged=folder)

    def declare(self, items: dict[str, Any]) -> None:
        """Have the repository say so, and seed it."""
        (self._folder / "standard.json").write_text(json.dumps(items))
        self.declarations.seed("standard")

    def warehouse(self, killer: Killer | None = None) -> Warehouse:
        """The cluster as the logic takes it."""
        killer = killer or Killer()
        database = DataApi(
            client=self.engine.client("redshift-data"),
            cluster_identifier=CLUSTER,
            database=DATABASE,
            user=ADMIN,
            sleep=lambda _: time.sleep(0.005),
        )
        history = History(table=self._tables["cluster"], cluster=CLUSTER, now=lambda: self.now)
        return Warehouse(
            cluster=self.cluster,
            database=cast("DataApi", Watched(database, killer, {"submit", "wait"})),
            secrets=cast("UserSecrets", Watched(self.secrets, killer, {"make", "remove"})),
            history=cast("History", Watched(history, killer, {"lock", "running", "apply", "record", "unlock"})),
            redshift=self.engine.client("redshift"),
            rotation_days={SINGLE_USER: 30, ALTERNATING_USERS: 7},
        )

    def run(self, killer: Killer | None = None, **wish: bool) -> Outcome:
        """One invocation; `Killed` when the killer says so, after which time has passed and the lock has run out."""
        configuring = Configuring(
            declarations=self.declarations,
            remaining_seconds=lambda: self.remaining,
            ask_again=lambda request, _: self.asked_again.append(request),
        )
        try:
            return configuring.run(self.warehouse(killer), reason="test", **wish)
        except Killed:
            self.now += 1_000
            raise

    def planned(self, **wish: Any) -> Outcome:
        """What a plan says."""
        configuring = Configuring(
            declarations=self.declarations, remaining_seconds=lambda: self.remaining, ask_again=lambda *_: None
        )
        items = wish.pop("items", None)
        return configuring.planned(self.warehouse(), items=items, **{"repair": False, "drop": False, **wish})

    def facts(self) -> frozenset[Fact]:
        """What is so in the database and among the secrets."""
        seen = inspect(self.warehouse().database, admin_user=ADMIN, until=lambda: True)
        return seen.facts | self.secrets.facts(())


def kinds_of(facts: Collection[Fact]) -> set[Kind]:
    """Which kinds of facts there are."""
    return {fact.kind for fact in facts}


def _table(dynamodb: Any, key: str) -> Any:
    return dynamodb.create_table(
        TableName=key,
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"},
            {"AttributeName": "item", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
