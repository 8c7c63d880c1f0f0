"""A small rehearsal in an operator's hands: deployed, idle, with a catalog service of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.operations.desk import Desk


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of stage dev, as a deployment has them."""
    from rehearsal.scenario.assembly import synthesize

    return synthesize("dev", folder=tmp_path_factory.mktemp("assembly"))


@pytest.fixture
def desk(
    assembly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    """The platform, and the command line that reaches it.

    It has a warehouse where the test is marked ``with_warehouse``.
    """
    from tests.operations.desk import Desk
    from tests.rehearsal.proofs.played import Played

    warehouse = request.node.get_closest_marker("with_warehouse") is not None
    with Played(assembly, workspace=tmp_path, warehouse=warehouse) as running:
        running.settle()
        yield Desk(running, tmp_path, monkeypatch)
