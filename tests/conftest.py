"""Which worker runs a test, and in which order."""

from __future__ import annotations

import pytest

collect_ignore = ["dags_in_airflow"]
"""They run in .venv-airflow, by tests/dags."""

LONGEST_FIRST = (
    "tests/stacks",
    "tests/operations",
    "tests/rehearsal/proofs",
    "tests/logic/rotate_password",
    "tests/rehearsal",
)
"""What takes minutes is begun first, so that no worker is left with it when the others are done."""


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module in one worker, which sets its fixtures up once.

    All of Spark is one group, for its session, and all of the stacks is, for the templates of three stages.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            module = item.nodeid.partition("::")[0]
            item.add_marker(pytest.mark.xdist_group("stacks" if module.startswith("tests/stacks") else module))
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    if mark is not None and mark.args == ("spark",):
        return -1
    return next((n for n, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder)), len(LONGEST_FIRST))
