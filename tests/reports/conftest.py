"""A lake of small rows in DuckDB, on which models are run as they are compiled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

duckdb = pytest.importorskip("duckdb", reason="reports run on DuckDB, which requirements-dev.txt brings")

from tests.reports.small_lake import SmallLake  # noqa: E402 - after what it needs


@pytest.fixture
def lake() -> Iterator[SmallLake]:
    """Every source there is, empty."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield SmallLake(connection)
