"""The class path of every Spark here, and the archive of its classes, with which one starts in half the time.

"Class Data Sharing" page of the java command: an archive of an application's classes fits where the class path begins
as it did when the archive was written, and the JVM and the files are the same. So every Spark has the one class path
that `environment` gives. It must not start one: `training` does.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pyspark

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import jars
from rehearsal.engine.spark.java import ARCHIVES, java_home


def environment(properties: Path | None = None, *, iceberg: bool = True) -> dict[str, str]:
    """The environment of a process that starts Spark, with the settings of a properties file where one is given.

    Raises:
        RehearsalError: there is no Java, or the jars were not fetched.
    """
    submitted = ["--properties-file", str(properties)] if properties else []
    return {
        "JAVA_HOME": str(java_home()),
        "SPARK_HOME": str(_home()),
        # A folder of its own for settings would come first on the class path. This one is not there.
        "SPARK_CONF_DIR": str(_home() / "conf"),
        "PYSPARK_SUBMIT_ARGS": shlex.join([*submitted, "pyspark-shell"]),
        # On the class path itself, because jars of spark.jars are copied at each start.
        "SPARK_DIST_CLASSPATH": os.pathsep.join(str(file) for file in jars() if iceberg or "iceberg" not in file.name),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }


def write_properties(file: Path, settings: Mapping[str, str]) -> None:
    """Write settings as Spark reads them.

    Raises:
        RehearsalError: a value has several lines.
    """
    file.write_text("".join(f"{name} {_escaped(value)}\n" for name, value in settings.items()), "utf-8")


def archive() -> Path | None:
    """The archive that fits this Java, these jars and this Spark; None when none was made."""
    file = place()
    return file if file.exists() else None


def place() -> Path:
    """Where the archive lies; its name tells this Java, these jars and this Spark."""
    files = [*sorted((_home() / "jars").iterdir()), *jars(), java_home() / "lib" / "modules"]
    known = [f"{file} {made.st_size} {made.st_mtime_ns}" for file in files if (made := file.stat())]
    return ARCHIVES / f"spark-{sha256(chr(10).join(known).encode()).hexdigest()[:16]}.jsa"


def _home() -> Path:
    return Path(pyspark.__file__).parent


def _escaped(value: str) -> str:
    """A value of a Java properties file."""
    if "\n" in value:
        raise RehearsalError(f"Spark setting: given a value of several lines, {value!r}; allowed is one line")
    return value.replace("\\", "\\\\")
