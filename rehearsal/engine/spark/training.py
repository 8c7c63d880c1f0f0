"""Writes the archive of Spark's classes: a Spark does a little of what jobs do, and the JVM keeps what it loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

from rehearsal.engine.server import MotoServer
from rehearsal.engine.spark.classes import environment, place, write_properties
from rehearsal.engine.spark.java import ARCHIVES, quick_start
from rehearsal.engine.spark.settings import endpoint_settings

_JOB = Path(__file__).with_name("training_job.py")
_TIMEOUT_S = 300
_REGION = "us-east-1"
_NAME = "training"
"""Of the bucket, the database and who asks for them."""
_CATALOG = "spark.sql.catalog.lake"
_SETTINGS = {
    "spark.master": "local[*]",
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    _CATALOG: "org.apache.iceberg.spark.SparkCatalog",
    f"{_CATALOG}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
    f"{_CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    f"{_CATALOG}.warehouse": f"s3://{_NAME}/lake",
}


def make_archive() -> bool:
    """Write the archive if there is none; whether there is one then.

    It takes half a minute and 200 MB, once for each Java and each set of jars; what was made for others is removed.
    A Java that cannot write one (before 13) goes without.

    Raises:
        RehearsalError: there is no Java, or the jars were not fetched.
    """
    archive = place()
    if archive.exists():
        return True
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    server = MotoServer()
    try:
        # In a folder of its own until it is whole: several may try at once.
        with tempfile.TemporaryDirectory(dir=ARCHIVES) as folder:
            written = Path(folder, archive.name)
            if not _train(f"http://{server.address[0]}:{server.address[1]}", written):
                return False
            for old in ARCHIVES.glob("spark-*.jsa"):
                old.unlink(missing_ok=True)
            written.replace(archive)
    finally:
        server.stop()
    return True


def _train(endpoint_url: str, written: Path) -> bool:
    session = boto3.Session(aws_access_key_id=_NAME, aws_secret_access_key=_NAME, region_name=_REGION)
    s3 = session.client("s3", endpoint_url=endpoint_url)
    s3.create_bucket(Bucket=_NAME)
    events = [{"id": f"{number}", "at": f"2026-01-0{number % 9 + 1}T00:00:00Z", "n": number} for number in range(50)]
    s3.put_object(Bucket=_NAME, Key="raw/events.json", Body="\n".join(map(json.dumps, events)).encode())
    s3.put_object(Bucket=_NAME, Key="raw/file.csv", Body=b"id,n\n1,2\n3,4\n")
    session.client("glue", endpoint_url=endpoint_url).create_database(DatabaseInput={"Name": _NAME})
    properties = written.with_name("spark.properties")
    java = f"{quick_start()} -XX:ArchiveClassesAtExit={written} -Duser.timezone=UTC"
    settings = {
        **_SETTINGS,
        "spark.driver.defaultJavaOptions": java,
        "spark.local.dir": str(written.parent),
        "spark.sql.warehouse.dir": str(written.parent),
        **endpoint_settings(_SETTINGS, endpoint_url=endpoint_url, region=_REGION),
    }
    write_properties(properties, settings)
    try:
        done = subprocess.run(
            [sys.executable, str(_JOB), f"s3://{_NAME}", _NAME],
            env={
                **os.environ,
                **environment(properties),
                "AWS_ACCESS_KEY_ID": _NAME,
                "AWS_SECRET_ACCESS_KEY": _NAME,
                "AWS_REGION": _REGION,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and written.exists()
