"""Two rotations of one secret at the same time, in every order of their steps and of their calls that a seed gives."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.rotate_password.errors import RotationError
from tests.logic.rotate_password.played import STEPS, Calls, Warehouse

BLOCKED_SECONDS = 0.3
"""A call that has not come back after so long waits for the other rotation."""


def seeds(count: int) -> list[Any]:
    """Two with each run of the suite, all with the campaign."""
    return [pytest.param(seed, marks=pytest.mark.campaign if seed > 1 else ()) for seed in range(count)]


@pytest.mark.parametrize("seed", seeds(6))
@pytest.mark.parametrize("kind", ["person", "service"])
def test_whatever_the_order_of_steps_a_services_secret_logs_in(warehouse: Warehouse, kind: str, seed: int) -> None:
    """Steps of two rotations, out of order, repeated and too late; a person logs in again when one has finished."""
    chance = random.Random(seed)  # noqa: S311
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    tokens = [warehouse.begin(name)]
    refused = 0
    for _ in range(24):
        if chance.random() < 0.1:
            tokens = [*tokens, warehouse.begin(name)][-2:]
        step, token = chance.choice(STEPS), chance.choice(tokens)
        try:
            warehouse.step(step, name, token)
        except RotationError:
            refused += 1
        else:
            assert step != "finishSecret" or warehouse.current_logs_in(name)
        assert kind == "person" or warehouse.current_logs_in(name)
    assert 0 < refused < 24
    warehouse.rotate(name)
    assert warehouse.current_logs_in(name)


class Rotation(threading.Thread):
    """A rotation that makes each of its calls only when it is its turn."""

    def __init__(self, warehouse: Warehouse, name: str, token: str) -> None:
        super().__init__(daemon=True)
        self._warehouse, self._name, self._token = warehouse, name, token
        self._turn, self._stands = threading.Semaphore(0), threading.Event()
        self.error: RotationError | None = None
        self.next_call = ""
        """The call that it stands before."""
        self.start()
        self._stands.wait()

    def run(self) -> None:
        try:
            for step in STEPS:
                self._warehouse.step(step, self._name, self._token, Calls(self._warehouse, before=self._wait))
        except RotationError as error:
            self.error = error
        finally:
            self._stands.set()

    def _wait(self, call: str) -> None:
        self.next_call = call
        self._stands.set()
        self._turn.acquire()

    def go_on(self) -> None:
        """Let it make one call, and wait until it stands before the next, has ended, or is blocked in that call."""
        if self._stands.is_set():
            self._stands.clear()
            self._turn.release()
        self._stands.wait(BLOCKED_SECONDS)

    def go_before(self, call: str) -> None:
        """Let it go on until it stands before the next such call."""
        self.go_on()
        while self.next_call != call:
            assert self.is_alive()
            self.go_on()

    def end(self) -> None:
        """Let it go on to its end."""
        while self.is_alive():
            self.go_on()


def together(
    rotations: list[Rotation], choose: Callable[[list[Rotation]], Rotation], check: Callable[[], None]
) -> None:
    """Let the rotations make their calls one at a time; check what must hold after each."""
    while running := [one for one in rotations if one.is_alive()]:
        choose(running).go_on()
        check()


@pytest.mark.parametrize("seed", seeds(5))
@pytest.mark.parametrize("kind", ["person", "service"])
def test_whatever_the_order_of_calls_a_services_secret_logs_in(warehouse: Warehouse, kind: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    checks = 0

    def check() -> None:
        nonlocal checks
        checks += 1
        assert kind == "person" or warehouse.current_logs_in(name)

    first = Rotation(warehouse, name, warehouse.begin(name))
    for _ in range(chance.randrange(40)):
        first.go_on()
        check()
    second = Rotation(warehouse, name, warehouse.begin(name))
    together([first, second], chance.choice, check)
    assert checks > 20
    if None in (first.error, second.error):
        assert warehouse.current_logs_in(name), "one has finished"
    warehouse.rotate(name)
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize("seed", seeds(3))
def test_the_same_rotation_twice_at_once_ends_well(warehouse: Warehouse, seed: int) -> None:
    """Secrets Manager calls a function again whose answer it did not get."""
    chance = random.Random(seed)  # noqa: S311
    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    twice = [Rotation(warehouse, name, token), Rotation(warehouse, name, token)]

    def check() -> None:
        assert warehouse.current_logs_in(name)

    together(twice, chance.choice, check)
    warehouse.take(name, token)
    assert warehouse.stages(name)[token] == ["AWSCURRENT"]
    assert warehouse.current_logs_in(name)


def test_a_rotation_waits_for_another_of_the_same_user_and_then_sees_what_it_did(warehouse: Warehouse) -> None:
    """One is about to become current, the other about to set the same user's password."""
    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    first = Rotation(warehouse, name, token)
    first.go_before("move_current")
    late = warehouse.begin(name)
    second = Rotation(warehouse, name, late)
    second.go_before("ALTER USER")
    second.go_on()
    assert second.next_call == "ALTER USER", "it waits for the lock"
    first.end()
    second.end()
    assert (first.error, warehouse.stages(name)[token]) == (None, ["AWSCURRENT"])
    assert second.error is not None
    assert warehouse.current_logs_in(name)
    with pytest.raises(RotationError, match="was given up: it is for etl, and so is the current version"):
        warehouse.step("setSecret", name, late)
    warehouse.rotate(name)
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize("kind", ["person", "service"])
def test_a_step_that_slept_while_another_rotation_finished_sets_no_password(warehouse: Warehouse, kind: str) -> None:
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    asleep = Rotation(warehouse, name, warehouse.begin(name))
    asleep.go_before("ALTER USER")
    warehouse.rotate(name)
    asleep.end()
    assert "is not the pending one" in str(asleep.error)
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize("kind", ["person", "service"])
def test_a_secret_that_is_deleted_meanwhile_gets_no_password_set(warehouse: Warehouse, kind: str) -> None:
    """Whoever is not declared any more has the secret deleted and the login disabled, in this order."""
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    late = Rotation(warehouse, name, token)
    late.go_before("ALTER USER")
    pending = warehouse.value(name, VersionId=token)
    warehouse.secrets.delete_secret(SecretId=name, RecoveryWindowInDays=30)
    late.end()
    assert "did not carry out GetSecretValue" in str(late.error)
    assert not warehouse.logs_in(pending)
