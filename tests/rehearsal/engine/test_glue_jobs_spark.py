"""A Glue job on real Spark: Iceberg through the embedded S3 and Glue catalog, under a minimal role."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rehearsal.engine.assemblies import LOGS, NEEDS, Json, StartEngine, allow, att
from tests.rehearsal.engine.job_assemblies import JOB, READ_ASSETS, job_assembly, printed, run_job

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("pyspark", reason=NEEDS)

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.spark.jars import jars

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

try:
    jars()
except RehearsalError as missing:
    pytest.skip(str(missing), allow_module_level=True)

pytestmark = pytest.mark.xdist_group("spark")

SCRIPT = """
import sys
from pyspark.sql import SparkSession

ARGUMENTS = dict(zip(sys.argv[1::2], sys.argv[2::2]))
spark = SparkSession.builder.getOrCreate()
rows = spark.read.schema("id string, day string, likes int").json("s3://raw/events/*/")
rows.groupBy("id", "day").max("likes").toDF("id", "day", "likes").createOrReplaceTempView("rows")
table = "lake.shelf.books"
spark.sql(f"CREATE TABLE IF NOT EXISTS {table} (id string, day string, likes int) USING iceberg "
          "PARTITIONED BY (day) LOCATION 's3://lake/transformed/books' TBLPROPERTIES ('format-version' = '2')")
spark.sql(f"ALTER TABLE {table} CREATE BRANCH IF NOT EXISTS audit")
spark.sql(f"MERGE INTO {table}.branch_audit t USING rows r ON t.id = r.id WHEN MATCHED THEN UPDATE SET * "
          "WHEN NOT MATCHED THEN INSERT *")
spark.sql("CALL lake.system.fast_forward('shelf.books', 'main', 'audit')")
print("ROWS", spark.table(table).count(), spark.conf.get("spark.sql.shuffle.partitions"))
"""
CONF = " --conf ".join(
    (
        "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
        "spark.sql.catalog.lake.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
        "spark.sql.catalog.lake.warehouse=s3://lake/transformed",
        "spark.sql.shuffle.partitions=2",
    )
)
CATALOG = allow(
    ["glue:GetDatabase", "glue:GetTable", "glue:CreateTable", "glue:UpdateTable"],
    *({"Fn::Sub": f"arn:aws:glue:${{AWS::Region}}:${{AWS::AccountId}}:{name}"} for name in
      ("catalog", "database/shelf", "table/shelf/*")),
)  # fmt: skip
READ = allow(["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::raw", "arn:aws:s3:::raw/events/*")
WRITE = allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::lake/transformed/books/*")
USE_KEY = allow(["kms:Decrypt", "kms:GenerateDataKey"], att("Key"))
FIRST = [("a", "2030-01-01", 1), ("b", "2030-01-02", 2)]
SECOND = [("b", "2030-01-02", 5), ("c", "2030-01-02", 3)]


def bucket(name: str) -> Json:
    """A bucket that is encrypted with the key."""
    by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": att("Key")}
    encryption = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": by_default}]}
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, "BucketEncryption": encryption}}


def lake(folder: Path, *statements: Json) -> Path:
    """An assembly with the job, a raw and a lake bucket and a database."""
    root = {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}
    owner = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    resources = {
        "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [owner]}}},
        "Raw": bucket("raw"),
        "Lake": bucket("lake"),
        "Shelf": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "shelf"}},
        },
    }
    arguments = {"--conf": CONF, "--datalake-formats": "iceberg"}
    return job_assembly(
        folder, SCRIPT, statements=(READ_ASSETS, LOGS, *statements), arguments=arguments, resources=resources
    )


def land(engine: Engine, name: str, rows: list[tuple[str, str, int]]) -> None:
    """Write rows as gzip JSON lines to the raw bucket."""
    lines = "".join(json.dumps({"id": i, "day": day, "likes": likes}) + "\n" for i, day, likes in rows)
    engine.client("s3").put_object(Bucket="raw", Key=f"events/{name}/x.json.gz", Body=gzip.compress(lines.encode()))


def stored(engine: Engine) -> list[tuple[str, str, int]]:
    """The table's rows as DuckDB reads them from the metadata file that the catalog names."""
    duckdb = pytest.importorskip("duckdb", reason=NEEDS)
    table = engine.client("glue").get_table(DatabaseName="shelf", Name="books")["Table"]
    connection = duckdb.connect()
    for extension in ("httpfs", "avro", "iceberg"):
        package = pytest.importorskip(f"duckdb_extension_{extension}", reason=NEEDS)
        folder = Path(package.__file__).parent
        (file,) = folder.rglob(f"{extension}.duckdb_extension")
        connection.execute(f"LOAD '{file}'")
    credentials = engine.administrator_environment()
    endpoint = engine.endpoint_url.removeprefix("http://")
    connection.execute(
        f"CREATE SECRET (TYPE s3, ENDPOINT '{endpoint}', URL_STYLE 'path', USE_SSL false, REGION 'us-east-1', "
        f"KEY_ID '{credentials['AWS_ACCESS_KEY_ID']}', SECRET '{credentials['AWS_SECRET_ACCESS_KEY']}', "
        f"SESSION_TOKEN '{credentials['AWS_SESSION_TOKEN']}')"
    )
    location = table["Parameters"]["metadata_location"]
    found: list[tuple[str, str, int]] = connection.execute(
        f"SELECT id, day, likes FROM iceberg_scan('{location}') ORDER BY id"  # noqa: S608
    ).fetchall()
    return found


@pytest.mark.campaign
def test_a_job_merges_into_an_iceberg_table_and_a_killed_one_leaves_it_whole(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(lake(tmp_path, CATALOG, READ, WRITE, USE_KEY))
    engine.deploy()
    land(engine, "1", FIRST)

    first = run_job(engine)

    assert first["JobRunState"] == "SUCCEEDED", first.get("ErrorMessage")
    assert "ROWS 2 2" in printed(engine)
    assert stored(engine) == FIRST
    assert engine.refusals == ()
    assert engine.problems == ()

    land(engine, "2", SECOND)
    engine.faults.kill_job_at(JOB, "glue:UpdateTable", nth=2, resource="*:table/shelf/books")
    killed = run_job(engine)

    assert (killed["JobRunState"], killed["ErrorMessage"]) == ("FAILED", "Command failed with exit code 137")
    assert stored(engine) == FIRST, "readers see main, which the killed run did not move"

    run_job(engine)
    assert stored(engine) == [("a", "2030-01-01", 1), ("b", "2030-01-02", 5), ("c", "2030-01-02", 3)]


def test_a_job_without_permission_to_write_says_which_it_lacks(tmp_path: Path, start_engine: StartEngine) -> None:
    read_only = allow(["s3:GetObject"], "arn:aws:s3:::lake/transformed/books/*")
    engine = start_engine(lake(tmp_path, CATALOG, READ, read_only, USE_KEY))
    engine.deploy()
    land(engine, "1", FIRST)

    run = run_job(engine)

    assert run["JobRunState"] == "FAILED"
    role_name = engine.resource("App", "JobRole").physical_id
    for part in ("s3:PutObject", "arn:aws:s3:::lake/transformed/books/", role_name):
        assert part in run["ErrorMessage"]
    assert {call.need.action for call in engine.refusals} == {"s3:PutObject"}
