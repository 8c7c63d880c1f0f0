"""The jobs as they would be deployed: what each is given, and that it may touch what its entry says, nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from building_blocks.job_package import PACKAGES
from config import STAGES
from config.lake_jobs import JobSize, LakeJobs
from config.model import ConfigurationError, Part
from contracts.datasets import DATASETS
from contracts.jobs import JOBS, RUN_RECORDS, Job
from contracts.lake import LakeTable
from contracts.lake_tables import LAKE_TABLES
from contracts.lake_tables.data_sets import DATA_SETS
from glue_scripts.run_job import job_arguments
from spark_jobs.arguments import read
from tests.stacks.assembly import Assembly, Resource, as_list, synthesize
from tests.stacks.code import published
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, rendered, statements_of

ROOT = Path(__file__).resolve().parents[2]

WHY = {
    r"arn:[^:]+:s3:::amp-[a-z0-9]+-raw-[^/]+/events/type=[a-z_]+/\*": "Firehose names the files of a type.",
    r"arn:[^:]+:s3:::amp-[a-z0-9]+-raw-[^/]+/batch/\*": "Producers of batch files name them.",
    r"arn:[^:]+:s3:::amp-[a-z0-9]+-transformed-[^/]+/(transformed|personal)/[a-z_]+/\*": "Iceberg names files.",
    r"arn:[^:]+:s3:::amp-[a-z0-9]+-transformed-[^/]+/personal/batch_uploads_\*/\*": "Tables found as they come.",
    r"arn:[^:]+:s3:::amp-[a-z0-9]+-transformed-[^/]+/data_sets/[a-z_]+/\*": "Versions are named by a hash.",
    r"arn:[^:]+:glue:[^/]+table/amp_[a-z0-9]+_(raw|personal)/batch_uploads_\*": "Tables found as they come.",
    r"arn:[^:]+:logs:[^/]+log-group:/amp/[a-z0-9]+/LakeJobs/[a-z_]+/\*": "Glue names log groups and streams.",
    r"arn:[^:]+:s3:::amp-[a-z0-9]+-code-[^/]+/jobs/\*": "A run keeps the version of the code that it began with.",
    r"\*": "CloudWatch knows no resource for PutMetricData; its namespace is fixed by a condition.",
}
"""The only wildcards in a job's role, and why each stands."""


def _job(assembly: Assembly, job: Job) -> Resource:
    (found,) = (
        each
        for each in assembly.resources("AWS::Glue::Job")
        if each.properties["NonOverridableArguments"]["--job"] == job.name
    )
    return found


def _role(assembly: Assembly, job: Job) -> Resource:
    role = assembly.target("LakeJobs", _job(assembly, job).properties["Role"])
    assert role is not None
    return role


def _statements(assembly: Assembly, job: Job) -> list[dict[str, Any]]:
    return statements_of(assembly, _role(assembly, job))


def _stage(assembly: Assembly) -> str:
    name = assembly.templates["LakeJobs"]["Outputs"]["JobNames"]["Value"]
    return str(name.split("-")[1])


def _bucket(assembly: Assembly, zone: str) -> str:
    return f"arn:{PARTITION}:s3:::amp-{_stage(assembly)}-{zone}-{ACCOUNT}-{REGION}"


def _glue(kind: str) -> str:
    return f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}:{kind}"


def _table(assembly: Assembly, table: LakeTable) -> str:
    return _glue(f"table/amp_{_stage(assembly)}_{table.zone}/{table.name}")


def _file(assembly: Assembly, table: LakeTable) -> str:
    return f"{_bucket(assembly, 'transformed')}/{table.prefix}data/day=2026-11-18/part-0.parquet"


def test_every_entry_is_a_glue_job_and_no_other_is(assembly: Assembly) -> None:
    names = {each.properties["Name"] for each in assembly.resources("AWS::Glue::Job")}
    assert names == {f"amp-{_stage(assembly)}-{job.name.replace('_', '-')}" for job in JOBS}
    assert assembly.templates["LakeJobs"]["Outputs"]["JobNames"]["Value"].split(",") == [
        _job(assembly, job).properties["Name"] for job in JOBS
    ]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_reads_and_writes_the_tables_of_its_entry_and_no_other(assembly: Assembly, job: Job) -> None:
    statements = _statements(assembly, job)
    for table in LAKE_TABLES:
        writes = table in job.writes or table is RUN_RECORDS
        reads = writes or table in job.reads
        file, entry = _file(assembly, table), _table(assembly, table)
        for action in ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"):
            assert allowed(statements, action, file) == writes, (action, table.full_name)
        assert allowed(statements, "glue:UpdateTable", entry) == writes, table.full_name
        makes = writes and (table is RUN_RECORDS or not job.lists_files)
        assert allowed(statements, "glue:CreateTable", entry) == makes, table.full_name
        assert allowed(statements, "s3:GetObject", file) == reads, table.full_name
        assert allowed(statements, "glue:GetTable", entry) == reads, table.full_name
        bucket = _bucket(assembly, "transformed")
        assert allowed(statements, "s3:ListBucket", bucket, prefix=table.prefix) == (writes and job.lists_files)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_call_for_a_table_is_allowed_for_its_catalog_and_database_too(assembly: Assembly, job: Job) -> None:
    statements = _statements(assembly, job)
    for table in (*job.reads, *job.writes, RUN_RECORDS):
        database = _glue(f"database/amp_{_stage(assembly)}_{table.zone}")
        for action in ("glue:GetDatabase", "glue:GetTable"):
            assert allowed(statements, action, database), table.full_name
            assert allowed(statements, action, _glue("catalog")), table.full_name


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_reads_the_raw_prefixes_of_its_entry_and_writes_nothing_raw(assembly: Assembly, job: Job) -> None:
    statements = _statements(assembly, job)
    bucket = _bucket(assembly, "raw")
    every = {prefix for each in JOBS for prefix in each.raw_prefixes}
    for prefix in (*every, "quarantine/type=like/", "firehose-errors/processing-failed/", "operations/replays/"):
        file = f"{bucket}/{prefix}some.json.gz"
        assert allowed(statements, "s3:GetObject", file) == (prefix in job.raw_prefixes), prefix
        assert allowed(statements, "s3:ListBucket", bucket, prefix=prefix) == (prefix in job.raw_prefixes), prefix
        for action in ("s3:PutObject", "s3:DeleteObject"):
            assert not allowed(statements, action, file), prefix
    assert not allowed(statements, "s3:ListBucket", bucket, prefix="")


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_writes_and_lists_versions_of_the_data_sets_of_its_entry_and_of_no_other(
    assembly: Assembly, job: Job
) -> None:
    statements = _statements(assembly, job)
    bucket = _bucket(assembly, "transformed")
    for data_set in DATA_SETS:
        prefix = f"data_sets/{data_set.name}/"
        makes = data_set in job.data_sets
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert allowed(statements, action, f"{bucket}/{prefix}0123/manifest.json") == makes, (action, data_set.name)
        assert allowed(statements, "s3:ListBucket", bucket, prefix=f"{prefix}0123/") == makes, data_set.name
    arguments = _job(assembly, job).properties["NonOverridableArguments"]
    assert ("--transformed-bucket" in arguments) == bool(job.data_sets)
    assert not allowed(statements, "s3:PutObject", f"{bucket}/data_sets/other/0123/manifest.json")


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_looks_at_crawled_tables_only_if_it_says_so(assembly: Assembly, job: Job) -> None:
    statements = _statements(assembly, job)
    raw = f"table/amp_{_stage(assembly)}_raw"
    for dataset in DATASETS:
        name = f"{dataset.table_name}_anything" if dataset.by_folder else dataset.table_name
        assert allowed(statements, "glue:GetTables", _glue(f"{raw}/{name}")) == job.raw_catalog, name
        assert not allowed(statements, "glue:UpdateTable", _glue(f"{raw}/{name}")), name
    assert not allowed(statements, "glue:GetTable", _glue(f"{raw}/like"))


def test_tables_that_are_found_as_they_come_belong_to_the_jobs_that_say_so(assembly: Assembly) -> None:
    entry = _glue(f"table/amp_{_stage(assembly)}_personal/batch_uploads_survey")
    file = f"{_bucket(assembly, 'transformed')}/personal/batch_uploads_survey/metadata/00000.metadata.json"
    for job in JOBS:
        statements = _statements(assembly, job)
        assert allowed(statements, "glue:UpdateTable", entry) == bool(job.open_tables), job.name
        makes = bool(job.open_tables) and not job.lists_files
        assert allowed(statements, "glue:CreateTable", entry) == makes, job.name
        assert allowed(statements, "glue:GetTables", entry) == job.lists_files, job.name
        assert allowed(statements, "s3:PutObject", file) == bool(job.open_tables), job.name


def test_no_job_drops_a_table_or_touches_a_database(assembly: Assembly) -> None:
    for job in JOBS:
        actions = {action for each in _statements(assembly, job) for action in as_list(each["Action"])}
        assert not [each for each in actions if each.startswith("glue:") and "Delete" in each], job.name
        assert {each for each in actions if "Database" in each} == {"glue:GetDatabase"}, job.name


def test_only_jobs_that_key_persons_read_the_secret_and_are_told_of_it(assembly: Assembly) -> None:
    (secret,) = (each for each in assembly.resources("AWS::SecretsManager::Secret") if each.stack == "DataLake")
    for job in JOBS:
        statements = _statements(assembly, job)
        assert allowed(statements, "secretsmanager:GetSecretValue", f"<{secret.id}>") == job.keys_persons, job.name
        arguments = _job(assembly, job).properties["NonOverridableArguments"]
        assert ("--person-key-secret" in arguments) == job.keys_persons, job.name
        if job.keys_persons:
            assert assembly.target("LakeJobs", arguments["--person-key-secret"]) == secret


def test_only_jobs_that_tell_readers_publish_and_only_on_their_topic(assembly: Assembly) -> None:
    for job in JOBS:
        topics = [
            topic
            for each in _statements(assembly, job)
            if "sns:Publish" in as_list(each["Action"])
            for topic in as_list(each["Resource"])
        ]
        arguments = _job(assembly, job).properties["NonOverridableArguments"]
        assert bool(topics) == job.tells_readers == ("--readers-topic" in arguments), job.name
        if topics:
            assert topics == [rendered(assembly, "LakeJobs", arguments["--readers-topic"])]
            assert topics[0].startswith("<Readers")


def test_keys_are_used_through_the_services_that_a_job_uses(assembly: Assembly) -> None:
    for job in JOBS:
        services = {
            str(each["Condition"]["StringEquals"]["kms:ViaService"]).partition(".")[0]
            for each in _statements(assembly, job)
            if any(action.startswith("kms:") for action in as_list(each["Action"]))
        }
        expected = {"s3"} | ({"secretsmanager"} if job.keys_persons else set())
        assert services == expected | ({"sns"} if job.tells_readers else set()), job.name


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_may_do_what_its_entry_asks_for_and_nothing_else(assembly: Assembly, job: Job) -> None:
    may = {action for each in _statements(assembly, job) for action in as_list(each["Action"])}
    asked = {
        *("cloudwatch:PutMetricData", "kms:Decrypt", "kms:GenerateDataKey"),
        *("glue:CreateTable", "glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"),
        *("logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        *(("s3:ListBucket",) if job.raw_prefixes or job.lists_files or job.data_sets else ()),
        *(("glue:GetTables",) if job.lists_files or job.raw_catalog else ()),
        *(("secretsmanager:GetSecretValue",) if job.keys_persons else ()),
        *(("sns:Publish",) if job.tells_readers else ()),
    }
    assert may == asked
    (trust,) = _role(assembly, job).properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "glue.amazonaws.com"}


def test_every_wildcard_of_a_job_is_one_that_is_explained(assembly: Assembly) -> None:
    used = set()
    for job in JOBS:
        for statement in _statements(assembly, job):
            assert not [action for action in as_list(statement["Action"]) if "*" in action], (job.name, statement)
            for resource in as_list(statement["Resource"]):
                if "*" not in resource:
                    continue
                explained = {pattern for pattern in WHY if re.fullmatch(pattern, resource)}
                assert explained, (job.name, resource)
                used |= explained
                if resource == "*":
                    assert statement["Action"] == "cloudwatch:PutMetricData", job.name
                    assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Glue"}}, job.name
    assert used == set(WHY)


def test_a_job_writes_its_own_logs_which_are_ours_and_do_not_stay_for_ever(assembly: Assembly) -> None:
    (security,) = (
        each.properties for each in assembly.resources("AWS::Glue::SecurityConfiguration") if each.stack == "LakeJobs"
    )
    encryption = security["EncryptionConfiguration"]
    key = assembly.target("LakeJobs", encryption["CloudWatchEncryption"]["KmsKeyArn"])
    for job in JOBS:
        glue_job, role = _job(assembly, job), _role(assembly, job)
        assert rendered(assembly, "LakeJobs", glue_job.properties["SecurityConfiguration"]) == security["Name"]
        prefix = glue_job.properties["DefaultArguments"]["--custom-logGroup-prefix"]
        statements = _statements(assembly, job)
        for kind in ("output", "error"):
            name = f"{prefix}/{security['Name']}-role/<{role.id}>/{kind}"
            (group,) = (
                each
                for each in assembly.resources("AWS::Logs::LogGroup")
                if rendered(assembly, each.stack, each.properties["LogGroupName"]) == name
            )
            assert group.properties["RetentionInDays"] > 0
            assert assembly.target("LakeJobs", group.properties["KmsKeyId"]) == key
            assert group.id in glue_job.body["DependsOn"]
            stream = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{name}:log-stream:jr_1-driver"
            assert allowed(statements, "logs:PutLogEvents", stream)
        others = [each for each in JOBS if each is not job]
        for other in others:
            theirs = _job(assembly, other).properties["DefaultArguments"]["--custom-logGroup-prefix"]
            stream = f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{theirs}/output:log-stream:jr_1-driver"
            assert not allowed(statements, "logs:PutLogEvents", stream), (job.name, other.name)


def test_a_policy_fits_into_what_iam_takes_even_under_the_longest_names(tmp_path: Path) -> None:
    assembly = synthesize(replace(STAGES["prod"], name="preprodten"), tmp_path)
    for job in JOBS:
        role = _role(assembly, job)
        inline = sum(_characters(assembly, each["PolicyDocument"]) for each in role.properties["Policies"])
        assert inline <= 10_240, f"{job.name}: inline policies of a role hold 10,240 characters, these {inline}"
        for arn in role.properties["ManagedPolicyArns"]:
            policy = assembly.target("LakeJobs", arn)
            assert policy is not None
            managed = _characters(assembly, policy.properties["PolicyDocument"])
            assert managed <= 6_144, f"{job.name}: a managed policy holds 6,144 characters, this one {managed}"


def _characters(assembly: Assembly, document: dict[str, Any]) -> int:
    return len(json.dumps(rendered(assembly, "LakeJobs", document), separators=(",", ":")))


def test_the_script_and_the_packages_are_the_repository_s_files(assembly: Assembly) -> None:
    files = published(assembly)
    for job in JOBS:
        properties = _job(assembly, job).properties
        script = rendered(assembly, "LakeJobs", properties["Command"]["ScriptLocation"])
        packages = rendered(assembly, "LakeJobs", properties["DefaultArguments"]["--extra-py-files"])
        assert files[script].read_bytes() == (ROOT / "glue_scripts" / "run_job.py").read_bytes()
        folder = files[packages]
        shipped = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
        ours = {file.relative_to(ROOT).as_posix(): file for name in PACKAGES for file in (ROOT / name).rglob("*.py")}
        assert set(shipped) == set(ours)
        assert all(file.read_bytes() == ours[name].read_bytes() for name, file in shipped.items())


def test_a_job_reads_every_version_of_its_code_and_changes_none(assembly: Assembly) -> None:
    code = _bucket(assembly, "code")
    for job in JOBS:
        statements = _statements(assembly, job)
        for version in ("0123456789abcdef", "fedcba9876543210"):
            assert allowed(statements, "s3:GetObject", f"{code}/jobs/{version}/packages.zip")
            assert not allowed(statements, "s3:PutObject", f"{code}/jobs/{version}/packages.zip")
        assert not allowed(statements, "s3:GetObject", f"{code}/airflow/dags/hourly.py")


def test_the_entry_understands_what_glue_starts_it_with(assembly: Assembly) -> None:
    for job in JOBS:
        properties = _job(assembly, job).properties
        given = rendered(
            assembly, "LakeJobs", {**properties["DefaultArguments"], **properties["NonOverridableArguments"]}
        )
        argv = [part for pair in given.items() for part in pair]
        argv += ["--JOB_NAME", properties["Name"], "--JOB_RUN_ID", "jr_1", "--JOB_ID", "j_1", "--days", "3"]
        understood = read(job_arguments(argv), now=datetime(2026, 11, 21, 8, 30, tzinfo=UTC))
        assert understood.job == job.name
        assert understood.run_id == "jr_1"
        assert understood.window.start == datetime(2026, 11, 18, tzinfo=UTC)
        assert understood.raw_root == f"s3://{_bucket(assembly, 'raw').rpartition(':')[2]}/"
        assert understood.catalog == "lake"
        assert understood.database_prefix == f"amp_{_stage(assembly)}"
        assert (understood.person_key_secret is not None) == job.keys_persons
        assert (understood.readers_topic is not None) == job.tells_readers


def test_the_settings_of_spark_declare_the_lake_and_nothing_secret(assembly: Assembly) -> None:
    for job in JOBS:
        argument = rendered(assembly, "LakeJobs", _job(assembly, job).properties["DefaultArguments"]["--conf"])
        settings = dict(each.split("=", 1) for each in argument.split(" --conf "))
        assert settings["spark.sql.catalog.lake"] == "org.apache.iceberg.spark.SparkCatalog"
        assert settings["spark.sql.catalog.lake.catalog-impl"] == "org.apache.iceberg.aws.glue.GlueCatalog"
        assert settings["spark.sql.catalog.lake.io-impl"] == "org.apache.iceberg.aws.s3.S3FileIO"
        assert (
            settings["spark.sql.catalog.lake.warehouse"]
            == f"s3://{_bucket(assembly, 'transformed').rpartition(':')[2]}"
        )
        assert not any(" " in each for each in settings.values())


def test_a_failed_run_is_told_to_the_alarm_topic_by_a_role_that_can_do_nothing_else(assembly: Assembly) -> None:
    (rule,) = (each for each in assembly.resources("AWS::Events::Rule") if each.stack == "LakeJobs")
    pattern = rule.properties["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.glue"], ["Glue Job State Change"])
    assert pattern["detail"]["state"] == ["FAILED", "TIMEOUT", "ERROR"]
    assert pattern["detail"]["jobName"] == [_job(assembly, job).properties["Name"] for job in JOBS]
    (target,) = rule.properties["Targets"]
    topic = assembly.target("LakeJobs", target["Arn"])
    assert topic is not None
    assert topic.id.startswith("Alarms")
    text = target["InputTransformer"]["InputTemplate"]
    assert "docs/runbooks/a-job-failed.md" in text
    assert set(re.findall(r"<(\w+)>", text)) == set(target["InputTransformer"]["InputPathsMap"])
    assert "message" not in json.dumps(target["InputTransformer"]), "what a failure says may quote a value"
    role = assembly.target("LakeJobs", target["RoleArn"])
    assert role is not None
    actions = {action: each["Resource"] for each in statements_of(assembly, role) for action in as_list(each["Action"])}
    assert set(actions) == {"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"}
    assert actions["sns:Publish"] == f"<{topic.id}>"
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    source = rendered(assembly, "LakeJobs", trust["Condition"]["ArnLike"]["aws:SourceArn"])
    assert source == f"arn:{PARTITION}:events:{REGION}:{ACCOUNT}:rule/Amp-{_stage(assembly)}-LakeJobs-*"


def test_that_nothing_runs_the_job_of_events_raises_an_alarm(tmp_path: Path) -> None:
    parts = frozenset({Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS})
    assembly = synthesize(replace(STAGES["prod"], parts=parts), tmp_path)
    (alarm,) = (each.properties for each in assembly.resources("AWS::CloudWatch::Alarm") if each.stack == "LakeJobs")
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("Glue", "glue.succeed.ALL", "Sum")
    (job,) = (each for each in JOBS if each.name == "events")
    assert {each["Name"]: each["Value"] for each in alarm["Dimensions"]} == {
        "JobName": _job(assembly, job).properties["Name"],
        "JobRunId": "ALL",
        "ObservabilityGroup": "error",
        "Type": "count",
    }
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3600 * STAGES[_stage(assembly)].lake_jobs.max_quiet_hours
    assert alarm["TreatMissingData"] == "breaching", "what never ran sends no metric"
    assert _job(assembly, job).properties["DefaultArguments"]["--enable-observability-metrics"] == "true"


def test_where_jobs_run_on_emr_no_alarm_waits_for_runs_on_glue(assembly: Assembly) -> None:
    assert not [each for each in assembly.resources("AWS::CloudWatch::Alarm") if each.stack == "LakeJobs"]
    (canary,) = (
        each.properties
        for each in assembly.resources("AWS::CloudWatch::Alarm")
        if each.properties.get("MetricName") == "PathBroken"
    )
    assert canary["TreatMissingData"] == "breaching", "Airflow's canary looks instead"


def test_a_size_in_the_configuration_reaches_its_job_alone(tmp_path: Path) -> None:
    large = JobSize(
        worker_type="G.2X",
        max_workers=20,
        timeout_minutes=240,
        retries=0,
        shuffle_partitions=64,
        max_concurrent_runs=2,
    )
    stage = replace(
        STAGES["dev"],
        parts=frozenset({Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS}),
        lake_jobs=LakeJobs(sizes={"events": large, "maintenance": JobSize(flexible=True)}),
    )
    assembly = synthesize(stage, tmp_path)
    jobs = {job.name: _job(assembly, job).properties for job in JOBS}
    events = jobs["events"]
    assert (events["WorkerType"], events["NumberOfWorkers"], events["Timeout"]) == ("G.2X", 20, 240)
    assert events["MaxRetries"] == 0
    assert events["NonOverridableArguments"]["--shuffle-partitions"] == "64"
    assert jobs["maintenance"]["ExecutionClass"] == "FLEX"
    assert events["ExecutionProperty"]["MaxConcurrentRuns"] == 2
    assert jobs["shows"]["ExecutionClass"] == "STANDARD"
    assert jobs["shows"]["MaxRetries"] == 1
    assert jobs["shows"]["ExecutionProperty"]["MaxConcurrentRuns"] == 1
    assert "--shuffle-partitions" not in jobs["shows"]["NonOverridableArguments"]


@pytest.mark.parametrize(
    "settings",
    [LakeJobs(sizes={"sessions": JobSize(max_concurrent_runs=2)}), LakeJobs(size=JobSize(max_concurrent_runs=2))],
)
def test_a_job_of_which_one_run_would_not_see_what_another_does_runs_alone(settings: LakeJobs, tmp_path: Path) -> None:
    stage = replace(STAGES["dev"], parts=frozenset({Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS}), lake_jobs=settings)
    with pytest.raises(ConfigurationError, match=r"given: \[.*'sessions'.*\]; allowed: events; fix:"):
        synthesize(stage, tmp_path)


def test_a_size_for_a_job_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    stage = replace(STAGES["dev"], lake_jobs=LakeJobs(sizes={"event": JobSize()}))
    with pytest.raises(ConfigurationError, match=r"given: \['event'\]; allowed: .*events.*fix:"):
        synthesize(replace(stage, parts=frozenset({Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS})), tmp_path)
