"""A small rehearsal in an operator's hands: deployed, idle, with a catalog service of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

    It has a warehouse where the test is marked ``with_warehouse``, and EMR on EKS where it is marked ``with_cluster``.
    """
    warehouse, cluster = (
        request.node.get_closest_marker(name) is not None for name in ("with_warehouse", "with_cluster")
    )
    with _desk(assembly, tmp_path, monkeypatch, warehouse=warehouse, cluster=cluster) as made:
        yield made


@pytest.fixture(scope="module")
def warehouse_desk(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One platform with a warehouse for all tests of a module, which leave each other what they did."""
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        _desk(assembly, tmp_path_factory.mktemp("desk"), monkeypatch, warehouse=True) as made,
    ):
        yield made


@contextmanager
def _desk(
    assembly: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, *, warehouse: bool, cluster: bool = False
) -> Iterator[Desk]:
    from tests.operations.desk import Desk
    from tests.rehearsal.proofs.played import Played

    with Played(assembly, workspace=folder, warehouse=warehouse, emr=cluster) as running:
        running.settle()
        yield Desk(running, folder, monkeypatch)
