"""Virtual time: it runs, it jumps, it never goes back, and machine time can still be told."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

pytest.importorskip("time_machine", reason="the clock needs the packages of requirements-dev.txt")

from rehearsal.engine.clock import Clock

START = datetime(2030, 1, 1, tzinfo=UTC)


def test_the_process_follows_the_clock_and_gets_its_time_back() -> None:
    before = time.time()
    with Clock(start=START) as clock:
        clock.advance(3600)
        assert datetime.now(UTC).replace(microsecond=0, second=0) == START.replace(hour=1)
        assert abs(clock.time() - time.time()) < 1
    assert abs(time.time() - before) < 60


def test_jumps_are_counted_apart_from_machine_time() -> None:
    with Clock(start=START) as clock:
        clock.advance(600)
        clock.advance_to(START.timestamp() + 900)
        clock.advance_to(START.timestamp())
        assert 899 < clock.jumped_seconds <= 900
        assert clock.real_seconds < 60


def test_threads_keep_waiting_in_machine_time() -> None:
    with Clock(start=START) as clock:
        before = time.monotonic()
        clock.advance(10_000)
        assert time.monotonic() - before < 60


def test_time_never_goes_back() -> None:
    with Clock(start=START) as clock, pytest.raises(ValueError, match="time never goes back"):
        clock.advance(-1)


def test_a_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        Clock(start=datetime(2030, 1, 1))  # noqa: DTZ001 — the mistake under test
