"""The order in which tests run."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The group that takes longest first: one worker does it while the other does the rest, and neither waits."""
    items.sort(key=lambda item: not any(mark.args == ("spark",) for mark in item.iter_markers("xdist_group")))
