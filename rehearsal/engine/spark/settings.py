"""The Spark settings under which a program that was written for AWS runs against the embedded endpoint.

It must not change what the program itself declares.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from rehearsal.engine.spark.classes import archive, environment, write_properties
from rehearsal.engine.spark.java import quick_start

_CATALOG = re.compile(r"spark\.sql\.catalog\.(\w+)")
_ICEBERG_CATALOGS = ("org.apache.iceberg.spark.SparkCatalog", "org.apache.iceberg.spark.SparkSessionCatalog")
_GIB = 1024**3
_LOGGING = """\
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd HH:mm:ss}} %p %c{{1}}: %m%n%ex
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = warn
"""


def endpoint_settings(declared: Mapping[str, str], *, endpoint_url: str, region: str) -> dict[str, str]:
    """What leads S3 and the Iceberg catalogs of ``declared`` settings to the endpoint, but nothing they declare.

    Args:
        declared: the settings of the program, such as ``spark.sql.catalog.lake`` and its properties.
        endpoint_url: where AWS's APIs are answered.
        region: of the played account.
    """
    settings = {
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.s3a.S3A",
        "spark.hadoop.fs.s3a.endpoint": endpoint_url,
        "spark.hadoop.fs.s3a.endpoint.region": region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        # Otherwise each write deletes the markers of the folders above it, which Glue's own client does not do.
        "spark.hadoop.fs.s3a.directory.marker.retention": "keep",
    }
    for name, value in declared.items():
        catalog = _CATALOG.fullmatch(name)
        if catalog and value in _ICEBERG_CATALOGS:
            settings |= {
                f"{name}.s3.endpoint": endpoint_url,
                f"{name}.s3.path-style-access": "true",
                f"{name}.glue.endpoint": endpoint_url,
                f"{name}.client.region": region,
            }
    return {name: value for name, value in settings.items() if name not in declared}


def write_configuration(
    folder: Path, declared: Mapping[str, str], *, endpoint_url: str, region: str, iceberg: bool
) -> dict[str, str]:
    """Write Spark's configuration into ``folder`` and give the environment of a process that starts Spark with it.

    Java resolves no host but this one, so that nothing reaches the network. Its log goes to ``spark.log``.

    Args:
        folder: where the process works; made by the caller.
        declared: the program's own settings; they win.
        endpoint_url: where AWS's APIs are answered.
        region: of the played account.
        iceberg: whether Iceberg's jars are on the class path.

    Raises:
        RehearsalError: there is no Java, or the jars were not fetched.
    """
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()}\n", "utf-8")
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING.format(file=folder / "spark.log"), "utf-8")
    settings = {
        "spark.master": "local[*]",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": f"{_driver_memory_gib()}g",
        "spark.driver.defaultJavaOptions": (
            f"{quick_start(archive())} -Duser.timezone=UTC -Djdk.net.hosts.file={hosts} "
            f"-Dlog4j2.configurationFile={logging.as_uri()}"
        ),
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Compiling an expression takes longer than working it out for the rows that a rehearsal has.
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        **endpoint_settings(declared, endpoint_url=endpoint_url, region=region),
        **declared,
    }
    properties = folder / "spark.properties"
    write_properties(properties, settings)
    return environment(properties, iceberg=iceberg)


def _driver_memory_gib() -> int:
    """A quarter of this machine's memory, at most what a worker of type G.1X gives the driver (10 GB)."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(10, memory // _GIB // 4))
