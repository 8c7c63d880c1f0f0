"""The jars that Spark needs beside its own: pinned, fetched once through Spark's package mechanism, then offline.

It must not reach the network unless it is asked to fetch.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyspark

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.java import java_home

# Hadoop as pyspark 3.5 carries it; Iceberg as EMR 7.13 and Glue 5.1 carry it, with the last patch of that line.
PACKAGES = (
    "org.apache.hadoop:hadoop-aws:3.3.4",
    "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.1",
    "org.apache.iceberg:iceberg-aws-bundle:1.10.1",
)
# What the packages resolve to, with SHA-256: a mirror that serves something else is refused.
FILES = {
    f"{name}.jar": digest
    for name, digest in (
        (
            "com.amazonaws_aws-java-sdk-bundle-1.12.262",
            "873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5",
        ),
        (
            "org.apache.hadoop_hadoop-aws-3.3.4",
            "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a",
        ),
        (
            "org.apache.iceberg_iceberg-aws-bundle-1.10.1",
            "86bf20892ea5b4c17688f19b075399885f6aa5303f6b2dc9f491e76ceef9633b",
        ),
        (
            "org.apache.iceberg_iceberg-spark-runtime-3.5_2.12-1.10.1",
            "39ea09e6c03550a300b9d9ab498949836d2d434e441da4c12a943a086e396940",
        ),
        (
            "org.wildfly.openssl_wildfly-openssl-1.0.7.Final",
            "9f7058778978ec2ad90c7224401a4b0013d93e0dd3fa0f72b25244ffa3507ca8",
        ),
    )
}
FOLDER = Path(__file__).resolve().parents[3] / ".cache" / "ivy" / "jars"
# Spark's own variable (SparkSubmitUtils) for a Maven repository in the place of Maven Central.
MIRROR_VARIABLE = "DEFAULT_ARTIFACT_REPOSITORY"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2/"
_REACH_TIMEOUT_S = 15
_FETCH_TIMEOUT_S = 1800


def jars() -> tuple[Path, ...]:
    """The files of all packages and of what they depend on.

    Raises:
        RehearsalError: they were not fetched yet.
    """
    missing = [name for name in FILES if not (FOLDER / name).is_file()]
    if missing:
        raise RehearsalError(
            f"Spark's jars are missing in {FOLDER}: {', '.join(missing)}. With access to Maven Central, or to a mirror "
            f"that {MIRROR_VARIABLE} names, fetch them once: python -m rehearsal.engine.spark"
        )
    return tuple(FOLDER / name for name in FILES)


def fetch() -> int:
    """Fetch the jars that are missing, some 390 MB in all; gives how many were.

    Raises:
        RehearsalError: no Java, no repository within reach, or a file that is not the pinned one.
    """
    missing = [name for name in FILES if not (FOLDER / name).is_file()]
    if missing:
        FOLDER.mkdir(parents=True, exist_ok=True)
        repository = os.environ.get(MIRROR_VARIABLE, MAVEN_CENTRAL)
        _reach(repository)
        with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
            _resolve(repository, Path(scratch))
            for name in missing:
                _adopt(Path(scratch, "jars", name), repository)
    return len(missing)


def _reach(repository: str) -> None:
    # Spark's resolver would try each file of each repository for minutes before it says so.
    try:
        urllib.request.urlopen(  # noqa: S310 — the address is Maven Central's or the user's own
            urllib.request.Request(repository, method="HEAD"),  # noqa: S310
            timeout=_REACH_TIMEOUT_S,
        ).close()
    except urllib.error.HTTPError:
        return  # it answers; whether it has the files is seen later
    except (OSError, ValueError) as error:
        raise RehearsalError(
            f"The Maven repository {repository} cannot be reached: {error}. Allow it, set https_proxy, or name a "
            f"mirror of Maven Central: {MIRROR_VARIABLE}=https://…/"
        ) from error


def _resolve(repository: str, scratch: Path) -> None:
    program = scratch / "nothing.py"
    program.write_text("", "utf-8")
    spark = Path(pyspark.__file__).parent
    try:
        done = subprocess.run(
            [
                str(spark / "bin" / "spark-submit"),
                *("--packages", ",".join(PACKAGES)),
                *("--conf", f"spark.jars.ivy={scratch}"),
                *("--driver-java-options", " ".join(_proxy_options())),
                str(program),
            ],
            env={
                **os.environ,
                "JAVA_HOME": str(java_home()),
                "SPARK_HOME": str(spark),
                "PYSPARK_PYTHON": sys.executable,
                "SPARK_LOCAL_IP": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=_FETCH_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RehearsalError(
            f"Spark's jars did not come from {repository} within {_FETCH_TIMEOUT_S} s; try again, or name a nearer "
            f"mirror: {MIRROR_VARIABLE}=https://…/"
        ) from error
    if done.returncode:
        why = [line.strip(": \t") for line in done.stderr.splitlines() if ": not found" in line or "Error" in line]
        raise RehearsalError(
            f"Spark could not fetch its jars from {repository}: {'; '.join(why[:3])}. Is it a Maven repository with "
            f"{', '.join(PACKAGES)}? Name another: {MIRROR_VARIABLE}=https://…/"
        )


def _proxy_options() -> Iterator[str]:
    """Java does not read the variables http_proxy and https_proxy."""
    for scheme, address in urllib.request.getproxies().items():
        proxy = urllib.parse.urlsplit(address)
        if scheme in ("http", "https") and proxy.hostname:
            yield f"-D{scheme}.proxyHost={proxy.hostname}"
            yield f"-D{scheme}.proxyPort={proxy.port or 80}"


def _adopt(file: Path, repository: str) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "no file"
    if found != FILES[file.name]:
        raise RehearsalError(
            f"{file.name} from {repository} has SHA-256 {found}, pinned is {FILES[file.name]}; use another mirror"
        )
    file.replace(FOLDER / file.name)
