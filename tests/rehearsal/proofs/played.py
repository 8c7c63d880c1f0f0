"""The platform under test: deployed, idle, and in a test's hands, which sends, breaks things and asks what became.

It must not judge: tests do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearsal.engine.clock import Clock
from rehearsal.scenario import investigation
from rehearsal.scenario.accounting import Account, GivenUp, Line, account
from rehearsal.scenario.catalog_service import CatalogService
from rehearsal.scenario.deployment import start
from rehearsal.scenario.lake import Lake
from rehearsal.scenario.run import Options, Rehearsed
from rehearsal.scenario.traffic import Change, Traffic, event_of

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
SETTLE_S = 60.0
Rehearse = Callable[[Options], Rehearsed]
"""Rehearses as the command line does."""


def silent(_phase: str, _how_far: str) -> None:
    """Progress that nobody watches."""


def small(assembly: Path, workspace: Path, **given: Any) -> Options:
    """Options of a rehearsal that holds every fault and takes a few seconds; the warehouse is left out."""
    sizes: dict[str, Any] = {
        "stage": "dev",
        "now": NOW,
        "count": 60,
        "minutes": 1,
        "population": {"shows": 10, "listeners": 20, "creators": 5},
        "warehouse": False,
    }
    return Options(**{**sizes, "fast": True, "assembly": assembly, "workspace": workspace, **given})


def like(event_id: str, **more: Any) -> bytes:
    """A good event."""
    body = {
        "event_id": event_id,
        "event_type": "like",
        "occurred_at": int(NOW.timestamp() * 1000),
        "user": {"id": "u-1"},
        "show": {"id": "show-1"},
        "like": {"count": 1},
        **more,
    }
    return json.dumps(body, ensure_ascii=False).encode()


class Played:
    """The platform in a played account, with a catalog service of its own and all clocks at `NOW`.

    Only with ``warehouse`` does it have one, and only with ``emr`` the cluster that runs jobs; with ``orchestration``
    it has both the cluster and the Airflow environment, and no Glue jobs.
    """

    def __init__(
        self,
        assembly: Path,
        *,
        workspace: Path,
        warehouse: bool = False,
        emr: bool = False,
        orchestration: bool = False,
    ) -> None:
        self._workspace = workspace
        self.catalog = CatalogService(token="proof")
        self.catalog.start()
        try:
            self.deployed = start(
                assembly,
                stage="dev",
                clock=Clock(start=NOW),
                catalog=self.catalog,
                warehouse=warehouse,
                emr=emr,
                orchestration=orchestration,
            )
        except BaseException:
            self.catalog.stop()
            raise
        self.engine = self.deployed.engine
        self.traffic = Traffic(self.deployed, self.catalog)
        self.lake: Lake | None = None

    def __enter__(self) -> Played:
        return self

    def __exit__(self, *_: object) -> None:
        if self.lake is not None:
            self.lake.close()
        self.engine.close()
        self.catalog.stop()

    def function(self, name: str) -> str:
        """The physical name of a function, by the start of its logical id."""
        (found,) = (
            one.physical_id
            for one in self.engine.resources()
            if one.type == "AWS::Lambda::Function" and one.logical_id.startswith(name)
        )
        return str(found)

    def announce(self, *show_ids: str, version: int = 1, serve: bool = True) -> None:
        """Announce one change of each show, which the catalog service has from then on (has not, without `serve`)."""
        self.traffic.announce(
            [
                Change(
                    at_s=0.0,
                    body=json.dumps({"show_id": show_id, "version": version}),
                    show_id=show_id,
                    version=version,
                    show={"id": show_id, "title": f"Show {show_id}", "version": version} if serve else None,
                )
                for show_id in show_ids
            ]
        )

    def announce_text(self, *bodies: str) -> None:
        """Announce what may be no change at all."""
        self.traffic.announce([Change(at_s=0.0, body=body, show_id=None) for body in bodies])

    def deliver(self) -> None:
        """Let the topic deliver, and nothing read the queue yet."""
        self.engine.advance(0)

    def put(self, *lines: bytes) -> None:
        """Put events on the stream, as the app does."""
        self.traffic.put([event_of(line, at_s=0.0) for line in lines])

    def settle(self) -> None:
        """Run until nothing moves."""
        self.engine.settle(timeout_s=SETTLE_S)

    def read(self) -> Lake:
        """The lake as it is now."""
        if self.lake is not None:
            self.lake.close()
        self.lake = Lake(self.engine.client("s3"), self.deployed.raw_bucket, self._workspace / "lake")
        return self.lake

    def account(self) -> Account:
        """What became of all that was sent."""
        lake, ledger = self.read(), self.traffic.ledger
        letters = investigation.dead_letters(self.deployed)
        return account(ledger.events, ledger.messages, lake.found(), letters, lake.given_up())

    def given_up(self) -> list[GivenUp]:
        """What lies below Firehose's error prefix."""
        return self.read().given_up()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the lake that was read last."""
        assert self.lake is not None, "read() or account() first"
        rows: list[tuple[Any, ...]] = self.lake.connection.execute(sql).fetchall()
        return rows

    def metric(self, name: str) -> int:
        """The sum of a metric of the functions."""
        return int(investigation.metric(self.engine, name))

    def outcomes(self, function: str) -> list[str]:
        """How each run of a function ended."""
        name = self.function(function)
        return [run.outcome for run in self.engine.invocations if run.function == name]


def line_of(book: Account, kind: str) -> Line:
    """The account's line of one type."""
    (found,) = (line for line in book.lines if line.type == kind)
    return found
