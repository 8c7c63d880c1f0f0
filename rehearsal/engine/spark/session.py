"""A small Spark session in this process, for whatever checks DataFrames; must not reach beyond this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import SparkSession

from rehearsal.engine.spark.classes import archive, environment
from rehearsal.engine.spark.java import java_home, quick_start

__all__ = ["java_home", "local_session"]

CATALOG = "lake"
_LOGGING = Path(__file__).with_name("log4j2.properties")


def local_session(warehouse: Path, conf: Mapping[str, str] | None = None) -> SparkSession:
    """A session on two local threads, in UTC, with Iceberg and a catalog ``lake`` of tables below ``warehouse``.

    The first call of a process starts its Spark, which takes some seconds; each later one gives another session of
    it, with tables and temporary views of its own. The process itself is put on UTC, because Spark gives Python
    timestamps in the process's time zone.

    Args:
        warehouse: folder of the catalog's tables; made when absent.
        conf: further settings; those of Spark itself (not of SQL) take effect at the first call alone.

    Raises:
        RehearsalError: there is no Java, or the jars were not fetched.

    Example:
        >>> spark = local_session(Path("warehouse"))
        >>> spark.sql("CREATE TABLE lake.sales.orders (id string) USING iceberg")
    """
    os.environ.update(environment(), TZ="UTC")
    time.tzset()
    warehouse.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.master("local[2]").appName("local")
    for name, value in {**_process_settings(), **(conf or {})}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate().newSession()
    for name, value in {**_session_settings(warehouse), **(conf or {})}.items():
        if name.startswith("spark.sql.catalog.") or session.conf.isModifiable(name):
            session.conf.set(name, value)
    return session


def _process_settings() -> dict[str, str]:
    return {
        "spark.driver.defaultJavaOptions": (
            f"{quick_start(archive())} -Duser.timezone=UTC -Dlog4j2.configurationFile={_LOGGING.as_uri()}"
        ),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    }


def _session_settings(warehouse: Path) -> dict[str, str]:
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
        f"spark.sql.catalog.{CATALOG}.type": "hadoop",
        f"spark.sql.catalog.{CATALOG}.warehouse": warehouse.resolve().as_uri(),
    }
