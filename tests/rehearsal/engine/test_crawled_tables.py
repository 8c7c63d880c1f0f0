"""What a crawler makes of files: tables by folder, partitions, schema changes under each policy, files left out."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, Json, StartEngine, allow, att
from tests.rehearsal.engine.crawled import (
    CONFIGURATION,
    DATABASE,
    columns,
    crawl,
    drop,
    lake,
    log,
    table,
    tables,
    withdraw,
)

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("duckdb", reason=NEEDS)

MERGING: Json = {
    **CONFIGURATION,
    "CrawlerOutput": {
        "Tables": {"AddOrUpdateBehavior": "MergeNewColumns"},
        "Partitions": {"AddOrUpdateBehavior": "InheritFromTable"},
    },
}


def partitions(engine: Any) -> dict[tuple[str, ...], list[str]]:
    """Values → names of the partition's own columns."""
    found = engine.client("glue").get_partitions(DatabaseName=DATABASE, TableName="shows")["Partitions"]
    return {tuple(one["Values"]): [column["Name"] for column in one["StorageDescriptor"]["Columns"]] for one in found}


def test_files_that_cannot_be_read_are_named_and_stop_nothing(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", '{"id": 1}\n')
    drop(engine, "b.json.gz", gzip.compress(b'{"id": 2, "packed": true}\n'))
    drop(engine, "corrupt.json.gz", gzip.compress(b'{"id": 3}\n' * 500)[:-12])
    drop(engine, "really.json", "id,name\n1,x\n2,y\n")
    drop(engine, "picture.json", b"\x89PNG\r\n\x1a\n\xff\xfe")
    drop(engine, "empty.json", b"")
    assert crawl(engine)["Status"] == "SUCCEEDED"
    assert columns(engine) == {"id": "int", "packed": "boolean"}
    assert table(engine)["Parameters"]["objectCount"] == "2"
    told = "\n".join(line for line in log(engine) if line.startswith("WARN"))
    for key, reason in (
        ("corrupt.json.gz", "corrupt gzip"),
        ("really.json", "it is csv, and most files of the table are json"),
        ("picture.json", "classification UNKNOWN"),
        ("empty.json", "the file is empty"),
    ):
        assert f"batch/shows/{key} is left out of table shows: {reason}" in told


def test_a_folder_of_nothing_readable_makes_no_table_and_names_its_files(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json.gz", b"plain")
    assert crawl(engine)["Status"] == "SUCCEEDED"
    assert tables(engine) == []
    assert "WARN : batch/shows/a.json.gz is left out: its name ends in .gz, and it is not gzip" in log(engine)


def test_each_folder_at_the_table_level_is_a_table_with_a_hive_name(tmp_path: Path, start_engine: StartEngine) -> None:
    path = {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, "/batch"]]}
    crawler = {
        "Targets": {"S3Targets": [{"Path": path}]},
        "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
        "TablePrefix": "Raw_",
    }
    engine = start_engine(lake(tmp_path, crawler=crawler))
    engine.deploy()
    drop(engine, "/batch/User-Profiles/a.json", '{"id": 1}\n')
    drop(engine, "/batch/shows/a.json", '{"id": 1}\n')
    drop(engine, "/batch/above.json", '{"id": 1}\n')
    crawl(engine)
    assert tables(engine) == ["raw_shows", "raw_user_profiles"]
    assert "WARN : batch/above.json is left out: it lies above the table level" in log(engine)


def test_a_table_of_another_place_keeps_its_name(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    other = {"Name": "shows", "StorageDescriptor": {"Location": "s3://elsewhere/shows/", "Columns": []}}
    engine.client("glue").create_table(DatabaseName=DATABASE, TableInput=other)
    drop(engine, "a.json", '{"id": 1}\n')
    crawl(engine)
    kept, made = tables(engine)
    assert (kept, made[:6], len(made)) == ("shows", "shows_", 38)


def test_folders_below_a_table_are_partitions(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "Day=1/region=eu/a.json", '{"id": 1}\n')
    drop(engine, "Day=2/region=us/a.json", '{"id": 1, "extra": 1.5}\n')
    drop(engine, "astray.json", '{"id": 1}\n')
    crawl(engine)
    keys = [(key["Name"], key["Type"]) for key in table(engine)["PartitionKeys"]]
    assert keys == [("day", "string"), ("region", "string")]
    assert columns(engine) == {"id": "int", "extra": "double"}
    assert partitions(engine) == {("1", "eu"): ["id"], ("2", "us"): ["id", "extra"]}
    assert any(
        "astray.json is left out of table shows: it does not lie in folders day/region" in x for x in log(engine)
    )
    drop(engine, "Day=3/region=eu/a.json", '{"id": 1}\n')
    withdraw(engine, "Day=1/region=eu/a.json")
    crawl(engine)
    assert set(partitions(engine)) == {("1", "eu"), ("2", "us"), ("3", "eu")}
    assert any("1 partitions of table shows no longer exist" in line for line in log(engine))


def test_plain_folders_are_numbered_partitions_and_go_when_told_to(tmp_path: Path, start_engine: StartEngine) -> None:
    crawler = {"SchemaChangePolicy": {"DeleteBehavior": "DELETE_FROM_DATABASE"}}
    engine = start_engine(lake(tmp_path, crawler=crawler))
    engine.deploy()
    drop(engine, "2030/a.json", '{"id": 1}\n')
    drop(engine, "2031/a.json", '{"id": 1}\n')
    crawl(engine)
    assert [key["Name"] for key in table(engine)["PartitionKeys"]] == ["partition_0"]
    withdraw(engine, "2030/a.json")
    crawl(engine)
    assert set(partitions(engine)) == {("2031",)}


def test_partitions_that_inherit_have_the_columns_of_the_table(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path, configuration=MERGING))
    engine.deploy()
    drop(engine, "day=1/a.json", '{"id": 1}\n')
    crawl(engine)
    drop(engine, "day=2/a.json", '{"id": 1, "extra": 1}\n')
    crawl(engine)
    assert partitions(engine) == {("1",): ["id", "extra"], ("2",): ["id", "extra"]}


def test_a_changed_schema_updates_the_table_as_a_new_version(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy()
    drop(engine, "a.json", '{"id": 1, "count": 1, "price": 1, "code": 7}\n')
    crawl(engine)
    assert columns(engine) == {"id": "int", "count": "int", "price": "int", "code": "int"}
    drop(engine, "b.json", '{"id": 1, "count": 5000000000, "price": 1.5, "code": "x", "added": true}\n')
    crawl(engine)
    wider = {"id": "int", "count": "bigint", "price": "double", "code": "string", "added": "boolean"}
    assert columns(engine) == wider
    assert table(engine)["VersionId"] == "2"
    drop(engine, "b.json", '{"id": 1}\n')
    withdraw(engine, "a.json")
    crawl(engine)
    assert columns(engine) == {"id": "int"}


def test_merging_adds_columns_and_changes_no_other(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path, configuration=MERGING))
    engine.deploy()
    drop(engine, "a.json", '{"id": 1, "gone": 1}\n')
    crawl(engine)
    drop(engine, "a.json", '{"id": "x", "added": 1}\n')
    crawl(engine)
    assert columns(engine) == {"id": "int", "gone": "int", "added": "int"}


def test_merging_deprecates_a_table_whose_format_changed(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path, configuration=MERGING))
    engine.deploy()
    drop(engine, "a.json", '{"id": 1}\n')
    crawl(engine)
    drop(engine, "a.json", "id,name\n1,x\n2,y\n")
    crawl(engine)
    assert "DEPRECATED_BY_CRAWLER" in table(engine)["Parameters"]
    assert "WARN : Table shows is json, its files are csv: resolve it" in log(engine)


def test_a_policy_to_log_leaves_the_table_and_adds_partitions(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(lake(tmp_path, crawler={"SchemaChangePolicy": {"UpdateBehavior": "LOG"}}))
    engine.deploy()
    drop(engine, "day=1/a.json", '{"id": 1}\n')
    crawl(engine)
    drop(engine, "day=2/a.json", '{"id": 1, "extra": 1}\n')
    crawl(engine)
    assert columns(engine) == {"id": "int"}
    assert set(partitions(engine)) == {("1",), ("2",)}
    assert "INFO : Table shows has changed, and the schema change policy says to log only" in log(engine)


def test_more_tables_than_the_threshold_fail_the_crawl(tmp_path: Path, start_engine: StartEngine) -> None:
    path = {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, "/batch/"]]}
    crawler = {"Targets": {"S3Targets": [{"Path": path}]}, "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"}}
    limited = {**CONFIGURATION, "CrawlerOutput": {"Tables": {"TableThreshold": 1}}}
    engine = start_engine(lake(tmp_path, crawler=crawler, configuration=limited))
    engine.deploy()
    drop(engine, "a.json", '{"id": 1}\n')
    drop(engine, "/batch/creators/a.json", '{"id": 1}\n')
    last = crawl(engine)
    assert (last["Status"], "TableThreshold is 1" in last["ErrorMessage"]) == ("FAILED", True)
    assert tables(engine) == []


def test_a_custom_classifier_reads_headers_of_text_alone(tmp_path: Path, start_engine: StartEngine) -> None:
    rules = {"Name": "people", "ContainsHeader": "PRESENT", "Delimiter": ";", "QuoteSymbol": '"'}
    more = {"Classifier": {"Type": "AWS::Glue::Classifier", "Properties": {"CsvClassifier": rules}}}
    engine = start_engine(lake(tmp_path, crawler={"Classifiers": [{"Ref": "Classifier"}]}, more=more))
    engine.deploy()
    drop(engine, "a.csv", '\ufeffName;Bio\nann;"likes\nnew lines"\nbob;none\n')
    crawl(engine)
    found = table(engine)
    assert columns(engine) == {"name": "string", "bio": "string"}
    assert found["Parameters"]["skip.header.line.count"] == "1"
    assert found["Parameters"]["recordCount"] == "2"
    assert found["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
        "Parameters": {"separatorChar": ";", "quoteChar": '"', "escapeChar": "\\"},
    }


def test_the_elements_of_an_array_are_rows_for_a_custom_classifier_alone(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    more = {"Classifier": {"Type": "AWS::Glue::Classifier", "Properties": {"JsonClassifier": {"JsonPath": "$[*]"}}}}
    engine = start_engine(lake(tmp_path, crawler={"Classifiers": [{"Ref": "Classifier"}]}, more=more))
    engine.deploy()
    drop(engine, "a.json", '[{"id": 1}, {"id": 2}]')
    crawl(engine)
    assert columns(engine) == {"id": "int"}


def sealed(template: Json, missing: str) -> Json:
    """The lake with bucket, queue and log under one key, and one permission taken away."""
    resources = template["Resources"]
    root = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    logs = {"Service": {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}}
    principals = {"root": root, "logs": logs, "sns": {"Service": "sns.amazonaws.com"}}
    trusting = [
        {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
        for name, principal in principals.items()
        if name != missing
    ]
    key_policy = {"Version": "2012-10-17", "Statement": trusting}
    resources["Key"] = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": key_policy}}
    encryption = {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": att("Key")}
    resources["Security"] = {
        "Type": "AWS::Glue::SecurityConfiguration",
        "Properties": {"Name": "sealed", "EncryptionConfiguration": {"CloudWatchEncryption": encryption}},
    }
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": att("Key")}}
    resources["Bucket"]["Properties"]["BucketEncryption"] = {"ServerSideEncryptionConfiguration": [rule]}
    resources["Events"]["Properties"] = {"KmsMasterKeyId": att("Key")}
    resources["Crawler"]["Properties"]["CrawlerSecurityConfiguration"] = {"Ref": "Security"}
    grants = {
        "kms:Decrypt": allow(["kms:Decrypt"], att("Key")),
        "logs:AssociateKmsKey": allow(["logs:AssociateKmsKey"], "*"),
    }
    statements = resources["CrawlerRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    statements += [grant for action, grant in grants.items() if action != missing]
    return template


@pytest.mark.parametrize(
    ("missing", "refused"),
    [
        ("", ""),
        ("kms:Decrypt", "kms:Decrypt"),
        ("logs:AssociateKmsKey", "logs:AssociateKmsKey"),
        ("logs", "logs.us-east-1.amazonaws.com is not authorized to perform: kms:"),
    ],
)
def test_encrypted_files_queues_and_logs_need_their_keys(
    tmp_path: Path, start_engine: StartEngine, missing: str, refused: str
) -> None:
    engine = start_engine(lake(tmp_path))
    engine.deploy(mutate={"App": lambda template: sealed(template, missing)})
    drop(engine, "a.json", '{"id": 1}\n')
    last = crawl(engine)
    if refused:
        assert (last["Status"], refused in last["ErrorMessage"]) == ("FAILED", True)
        return
    assert last["Status"] == "SUCCEEDED"
    role = engine.resource("App", "CrawlerRole").physical_id
    group = f"/aws-glue/crawlers-role/{role}-sealed"
    assert log(engine, group)
    (found,) = engine.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["kmsKeyId"] == engine.resource("App", "Key").arn
