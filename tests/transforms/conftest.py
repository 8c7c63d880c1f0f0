"""Spark for tests: one session a worker, and a desk with a lake of its own for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.session import local_session
from tests.transforms.desk import Desk

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FOR_SMALL_DATA = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
"""Compiling a query's code takes longer than a test's rows do; what it computes is the same."""


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    """A session with an Iceberg catalog `lake`; modules that use it are in the xdist group `spark`."""
    # Short queries are over before the JVM's second compiler pays for itself.
    os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    try:
        return local_session(tmp_path_factory.mktemp("warehouse"), FOR_SMALL_DATA)
    except RehearsalError as error:
        pytest.skip(str(error))


@pytest.fixture
def desk(spark: SparkSession, tmp_path: Path) -> Iterator[Desk]:
    """A raw zone in a folder, and databases that no other test uses."""
    found = Desk(spark=spark, raw=tmp_path / "raw", prefix=f"t{uuid.uuid4().hex[:8]}")
    found.raw.mkdir()
    yield found
    spark.catalog.clearCache()
