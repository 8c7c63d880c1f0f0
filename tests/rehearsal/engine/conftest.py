"""Engines for tests: each starts empty and is closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.engine.assemblies import StartEngine

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

START = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def start_engine() -> Iterator[StartEngine]:
    """Start an engine on an assembly, at noon of 1 January 2030."""
    from rehearsal.engine.clock import Clock
    from rehearsal.engine.engine import Engine

    with ExitStack() as stack:

        def start(folder: Path) -> Engine:
            return stack.enter_context(Engine(folder, clock=Clock(start=START)))

        yield start
