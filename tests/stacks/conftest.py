"""Each stage is synthesized once per session, without the judges, which have a test of their own."""

import pytest

from config import STAGES
from tests.stacks.assembly import Assembly, synthesize


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """The assembly of each stage, by name, as a deployment without any flag would have it."""
    return {name: synthesize(stage, tmp_path_factory.mktemp(name)) for name, stage in STAGES.items()}


@pytest.fixture(params=list(STAGES))
def assembly(request: pytest.FixtureRequest, assemblies: dict[str, Assembly]) -> Assembly:
    """Each stage's assembly in turn."""
    return assemblies[request.param]


@pytest.fixture
def dev(assemblies: dict[str, Assembly]) -> Assembly:
    return assemblies["dev"]
