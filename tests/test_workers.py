"""The suite is divided between workers by groups, which a release of pytest has already ended without a word."""

from __future__ import annotations

import pytest


def test_a_worker_knows_the_group_of_a_test(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("loadgroup", False):
        pytest.skip("one process runs all tests: make test divides them")
    assert request.node.nodeid.endswith("@tests/test_workers.py")
