"""Makes a cluster what its declaration says: reads, compares, plans, runs, remembers; a second run does nothing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from contracts.warehouse.checking import check_admin
from contracts.warehouse.declaration import declaration_of
from contracts.warehouse.model import DeclarationError
from contracts.warehouse.secrets import ALTERNATING_USERS, SINGLE_USER
from lambdas.configure_warehouse.data_api import StatementError, StillRunningError
from lambdas.configure_warehouse.declarations import BeingSeededError, Declarations, Items, NoDeclarationError
from lambdas.configure_warehouse.facts import Fact, Kind, Table, wanted
from lambdas.configure_warehouse.history import HeldError, TooManyFactsError
from lambdas.configure_warehouse.inspection import inspect
from lambdas.configure_warehouse.planning import Plan, plan
from lambdas.configure_warehouse.requests import CONTINUED as TO_CONTINUE
from lambdas.configure_warehouse.requests import Request
from lambdas.configure_warehouse.statements import Statement, batches
from lambdas.configure_warehouse.warehouse import BrokenError, UnavailableError, Warehouse

SPARE_SECONDS = 30.0
"""What must be left of the invocation to begin another transaction."""

LOCK_SECONDS = 60.0
"""How long a lock outlives the invocation that took it."""

ASK_AGAIN_SECONDS = 60

CONFIGURED = "configured"
UNCHANGED = "unchanged"
CONTINUED = "continued"
HELD = "held"
UNAVAILABLE = "unavailable"
REFUSED = "refused"
FAILED = "failed"
RESULTS = (CONFIGURED, UNCHANGED, CONTINUED, HELD, UNAVAILABLE, REFUSED, FAILED)
"""How a run ends. `CONTINUED` and `HELD` asked for another; `REFUSED` is a bad declaration, `FAILED` a statement."""


class OutOfTimeError(Exception):
    """There is no time left to begin another transaction."""


class Outcome(NamedTuple):
    """How a run on one cluster ended."""

    cluster: str
    result: str
    lines: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    drift: int = 0
    open: int = 0
    """Row policies that hide nothing yet, because their table is not there."""
    changes: int = 0
    error: str = ""

    def told(self) -> dict[str, Any]:
        """For whoever invoked the function."""
        return {**self._asdict(), "lines": list(self.lines), "statements": list(self.statements)}


class Configuring:
    """The runs of one invocation.

    Args:
        declarations: where declarations are.
        remaining_seconds: of the invocation.
        ask_again: sends a message for a cluster, to be received after some seconds.
    """

    def __init__(
        self,
        *,
        declarations: Declarations,
        remaining_seconds: Callable[[], float],
        ask_again: Callable[[Request, int], None],
    ) -> None:
        """Remember what to work with."""
        self._declarations, self._remaining, self._ask_again = declarations, remaining_seconds, ask_again

    def seed(self, declaration: str) -> None:
        """Write the repository's items of a declaration into the table."""
        self._declarations.seed(declaration)

    def planned(self, warehouse: Warehouse, *, items: Items | None, repair: bool, drop: bool) -> Outcome:
        """What a run would do, by given items or those of the table; nothing is changed."""
        try:
            made, _, _ = self._plan(warehouse, items=items, repair=repair, drop=drop)
        except _EXPECTED as error:
            return _ended(warehouse, error)
        return _told(warehouse, made, UNCHANGED if made.empty else CONFIGURED, _sqls(made))

    def run(self, warehouse: Warehouse, *, reason: str, repair: bool = False, drop: bool = False) -> Outcome:
        """Make the cluster what is declared, as far as the time allows, and write down what was done."""
        run, name = uuid.uuid4().hex, warehouse.cluster.name
        again = Request(clusters=(name,), reason=TO_CONTINUE, repair=repair, drop=drop)
        try:
            left_running = warehouse.history.lock(run, seconds=self._remaining() + LOCK_SECONDS)
        except HeldError as error:
            self._ask_again(again, ASK_AGAIN_SECONDS)
            return Outcome(cluster=name, result=HELD, error=str(error))
        done: list[dict[str, Any]] = []
        asked = {"reason": reason, "repair": repair, "drop": drop, "transactions": done}
        running = ""
        try:
            outcome = self._locked(warehouse, run, left_running, done, repair=repair, drop=drop)
        except _EXPECTED as error:
            outcome = _ended(warehouse, error)
            if outcome.result == CONTINUED:
                running = error.statement_id if isinstance(error, StillRunningError) else ""
                self._ask_again(again, ASK_AGAIN_SECONDS)
        except Exception as error:
            # Nobody knows what it is: the message comes again, and must not find the cluster locked by this run.
            if done:
                warehouse.history.record(run, {**asked, "result": FAILED, "error": type(error).__name__})
            warehouse.history.unlock(run)
            raise
        if outcome.result != UNCHANGED or outcome.drift:
            told = {key: value for key, value in outcome.told().items() if key not in ("cluster", "statements")}
            warehouse.history.record(run, {**told, **asked})
        if running:
            warehouse.history.leave(run)
        else:
            warehouse.history.unlock(run)
        return outcome

    def _locked(
        self,
        warehouse: Warehouse,
        run: str,
        left_running: str,
        done: list[dict[str, Any]],
        *,
        repair: bool,
        drop: bool,
    ) -> Outcome:
        if left_running:
            self._wait_for_leftover(warehouse, left_running)
        made, before, tables = self._plan(warehouse, items=None, repair=repair, drop=drop)
        try:
            self._make(warehouse, run, made, before, tables, done)
        except StatementError:
            # A run that was killed between beginning a transaction and noting it, or a person, did the same meanwhile:
            # then another plan is left, and only then is it worth another try.
            again, before, tables = self._plan(warehouse, items=None, repair=repair, drop=drop)
            if again == made:
                raise
            made = again
            self._make(warehouse, run, made, before, tables, done)
        changes = sum(len(transaction["statements"]) for transaction in done)
        return _told(warehouse, made, UNCHANGED if made.empty else CONFIGURED, ())._replace(changes=changes)

    def _make(
        self,
        warehouse: Warehouse,
        run: str,
        made: Plan,
        before: Collection[Fact],
        tables: Mapping[Table, str],
        done: list[dict[str, Any]],
    ) -> None:
        applied = set(before)
        # Before logins are disabled: a rotation that comes between would set a password again.
        warehouse.secrets.remove(_leavers(made))
        for batch in batches(made):
            if self._remaining() < SPARE_SECONDS:
                raise OutOfTimeError("the time of this run is up; the rest is left to the next")
            self._transact(warehouse, run, batch, done)
            for statement in batch:
                facts = {fact for fact in statement.facts if fact.kind is not Kind.SECRET}
                applied = applied - facts if statement.ends else applied | facts
            warehouse.history.apply(applied, tables)
        warehouse.secrets.make(sorted(_secrets(made.create)))
        warehouse.history.apply(_now_applied(made, applied), tables)

    def _transact(self, warehouse: Warehouse, run: str, batch: list[Statement], done: list[dict[str, Any]]) -> None:
        sqls = [statement.sql for statement in batch]
        begun = warehouse.database.submit(sqls, token=uuid.uuid4().hex)
        # Noted before it is waited for, so that the record of a run that ends here names what may still go on.
        done.append({"seconds": "", "statements": [statement_hash(sql) for sql in sqls]})
        warehouse.history.running(run, begun)
        done[-1]["seconds"] = f"{warehouse.database.wait(begun, until=self._has_time).seconds:.3f}"

    def _wait_for_leftover(self, warehouse: Warehouse, statement_id: str) -> None:
        """An earlier run's transaction may still be at work, and would meet ours."""
        try:
            warehouse.database.wait(statement_id, until=self._has_time)
        except StatementError:
            return  # It changed nothing; what is still to do is in the plan.

    def _plan(
        self, warehouse: Warehouse, *, items: Items | None, repair: bool, drop: bool
    ) -> tuple[Plan, frozenset[Fact], Mapping[Table, str]]:
        """The plan, what earlier runs made so, and the tables that there are."""
        cluster = warehouse.cluster
        declaration = declaration_of(items) if items is not None else self._declarations.read(cluster.declaration)
        check_admin(declaration, cluster.admin_user)
        warehouse.check_available()
        seen = inspect(warehouse.database, admin_user=cluster.admin_user, until=self._has_time)
        needed = wanted(
            declaration,
            databases=cluster.databases,
            spectrum_role_arn=cluster.spectrum_role_arn,
            rotation_days=warehouse.rotation_days,
            tables=seen.tables,
        )
        before = warehouse.history.applied(seen.tables)
        actual = seen.facts | warehouse.secrets.facts(needed.facts | before)
        return plan(needed, applied=before, actual=actual, repair=repair, drop=drop), before, seen.tables

    def _has_time(self) -> bool:
        return self._remaining() > SPARE_SECONDS / 2


_EXPECTED = (
    DeclarationError,
    NoDeclarationError,
    BeingSeededError,
    UnavailableError,
    StatementError,
    StillRunningError,
    OutOfTimeError,
    HeldError,
    BrokenError,
    TooManyFactsError,
)


def statement_hash(sql: str) -> str:
    """By which a record names a statement without telling it."""
    return sha256(sql.encode()).hexdigest()[:16]


def _ended(warehouse: Warehouse, error: Exception) -> Outcome:
    match error:
        case StillRunningError() | OutOfTimeError() | BeingSeededError() | HeldError():
            result = CONTINUED
        case UnavailableError():
            result = UNAVAILABLE
        case StatementError() | BrokenError() | TooManyFactsError():
            result = FAILED
        case _:
            result = REFUSED
    return Outcome(cluster=warehouse.cluster.name, result=result, error=str(error))


def _told(warehouse: Warehouse, made: Plan, result: str, sqls: tuple[str, ...]) -> Outcome:
    return Outcome(
        cluster=warehouse.cluster.name,
        result=result,
        lines=tuple(made.lines()),
        statements=sqls,
        drift=len(made.missing) + len(made.extra),
        open=len(made.open),
    )


def _sqls(made: Plan) -> tuple[str, ...]:
    return tuple(statement.sql for batch in batches(made) for statement in batch)


def _secrets(facts: Collection[Fact]) -> set[Fact]:
    return {fact for fact in facts if fact.kind is Kind.SECRET}


def _now_applied(made: Plan, applied: set[Fact]) -> set[Fact]:
    """What is declared and there, what was made and is gone by hand, and what stays though it is not declared."""
    return ((applied | made.adopted) - _secrets(made.remove) - made.forgotten) | _secrets(made.create)


def _leavers(made: Plan) -> list[Fact]:
    """Secrets whose users are not declared any more; one that only rotates in another way stays."""
    again = {fact.parts[0] for fact in _secrets(made.create)}
    return sorted(fact for fact in _secrets(made.remove) if fact.parts[0] not in again)


def rotation_days(*, person: int, service: int) -> Mapping[str, int]:
    """Days between rotations, by the way of rotation."""
    return {SINGLE_USER: person, ALTERNATING_USERS: service}
