"""The platform's own assembly, once a session, and rehearsals of it that start empty and are closed afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rehearsal.scenario.run import Options, Rehearsed
    from tests.rehearsal.proofs.played import Played, Rehearse


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates of stage dev, as a deployment has them."""
    from rehearsal.scenario.assembly import synthesize

    return synthesize("dev", folder=tmp_path_factory.mktemp("assembly"))


@pytest.fixture
def played(assembly: Path, tmp_path: Path) -> Iterator[Played]:
    """The platform, deployed and idle."""
    from tests.rehearsal.proofs.played import Played

    with Played(assembly, workspace=tmp_path) as running:
        yield running


@pytest.fixture
def run_rehearsal() -> Iterator[Rehearse]:
    """Rehearse as the command line does; what runs is ended after the test."""
    from rehearsal.scenario.run import rehearse
    from tests.rehearsal.proofs.played import silent

    with ExitStack() as stack:

        def run(options: Options) -> Rehearsed:
            done = rehearse(options, progress=silent)
            stack.callback(done.close)
            return done

        yield run
