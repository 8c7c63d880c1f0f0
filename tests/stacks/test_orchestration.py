"""Airflow as it would be deployed: what it is told, what it may do, where it stands, and what tells of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from building_blocks.airflow_files import CONSTRAINTS, lay_out, pinned, requirements
from building_blocks.function_package import PackagingError
from config import STAGES
from config.model import ConfigurationError, Part
from config.network import Egress, ExistingVpc, Network
from config.orchestration import AIRFLOW_VERSION, Orchestration
from contracts.datasets import DATASETS
from contracts.jobs import JOBS
from contracts.lake_tables.events import EVENT_TABLES
from lambdas.publish_code.publication import read
from tests.stacks.assembly import Assembly, Resource, as_list, synthesize
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, rendered, statements_of

STACK = "Orchestration"
ROOT = Path(__file__).resolve().parents[2]
ON_GLUE = frozenset({Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS, Part.ORCHESTRATION})


@pytest.fixture(scope="module")
def glue(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """A stage without a cluster."""
    return synthesize(replace(STAGES["dev"], parts=ON_GLUE), tmp_path_factory.mktemp("glue"))


def _environment(assembly: Assembly) -> Resource:
    return assembly.one("AWS::MWAA::Environment")


def _stage(assembly: Assembly) -> str:
    return str(_environment(assembly).properties["Name"].split("-")[1])


def _told(assembly: Assembly) -> dict[str, str]:
    options = rendered(assembly, STACK, _environment(assembly).properties["AirflowConfigurationOptions"])
    return {name.removeprefix("amp."): value for name, value in options.items() if name.startswith("amp.")}


def _role(assembly: Assembly) -> Resource:
    role = assembly.target(STACK, _environment(assembly).properties["ExecutionRoleArn"])
    assert role is not None
    return role


def _statements(assembly: Assembly) -> list[dict[str, Any]]:
    role = _role(assembly)
    found = []
    for arn in role.properties.get("ManagedPolicyArns", []):
        policy = assembly.target(STACK, arn)
        assert policy is not None
        found += rendered(assembly, policy.stack, policy.properties["PolicyDocument"]["Statement"])
    own = [each["PolicyDocument"]["Statement"] for each in role.properties["Policies"]]
    return found + [rendered(assembly, STACK, each) for document in own for each in document]


def _bucket(assembly: Assembly, zone: str) -> str:
    return f"amp-{_stage(assembly)}-{zone}-{ACCOUNT}-{REGION}"


# --- what it is ---------------------------------------------------------------------------------------


def test_the_version_is_the_one_whose_pins_dags_are_tested_on(assembly: Assembly) -> None:
    assert _environment(assembly).properties["AirflowVersion"] == AIRFLOW_VERSION == pinned("apache-airflow")


def test_the_web_server_is_private_in_every_stage(assembly: Assembly) -> None:
    assert _environment(assembly).properties["WebserverAccessMode"] == "PRIVATE_ONLY"


def test_the_key_is_that_of_the_bucket_which_is_versioned_and_closed(assembly: Assembly) -> None:
    """As MWAA asks for ("Create an Amazon S3 bucket for Amazon MWAA" page)."""
    properties = _environment(assembly).properties
    bucket = assembly.target(STACK, properties["SourceBucketArn"])
    assert bucket is not None
    encryption = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    key = assembly.target(bucket.stack, encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
    assert key == assembly.target(STACK, properties["KmsKey"])
    assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_logs_of_all_five_kinds_lie_in_groups_of_ours_that_the_key_may_encrypt(assembly: Assembly) -> None:
    environment = _environment(assembly)
    levels = environment.properties["LoggingConfiguration"]
    kinds = {"DagProcessing": "DAGProcessing", "Webserver": "WebServer"}
    groups = {
        str(each.properties["LogGroupName"]): each
        for each in assembly.resources("AWS::Logs::LogGroup")
        if str(each.properties["LogGroupName"]).startswith("airflow-")
    }
    assert set(groups) == {
        f"airflow-{environment.properties['Name']}-{kinds.get(kind, kind)}"
        for kind in (each.removesuffix("Logs") for each in levels)
    }
    assert len(groups) == 5
    key = assembly.target(STACK, environment.properties["KmsKey"])
    assert key is not None
    names = [
        flat
        for statement in rendered(assembly, key.stack, key.properties["KeyPolicy"]["Statement"])
        for flat in [statement.get("Condition", {}).get("ArnLike", {}).get("kms:EncryptionContext:aws:logs:arn", "")]
    ]
    assert f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:airflow-{environment.properties['Name']}-*" in names
    for group in groups.values():
        assert group.properties["RetentionInDays"] == STAGES[_stage(assembly)].operations.log_retention_days
        assert assembly.target(STACK, group.properties["KmsKeyId"]) == key
        assert group.id in environment.body["DependsOn"], "or MWAA makes it, to keep for ever"
    assert {each["Enabled"] for each in levels.values()} == {True}
    assert levels["TaskLogs"]["LogLevel"] == STAGES[_stage(assembly)].orchestration.task_log_level


# --- what it reads ------------------------------------------------------------------------------------


def _published(assembly: Assembly) -> tuple[Resource, dict[str, Path]]:
    (publication,) = (each for each in assembly.resources("Custom::PublishedCode") if each.stack == STACK)
    manifest = json.loads((assembly.folder / f"{STACK}.assets.json").read_text())
    staged = {
        destination["objectKey"]: assembly.folder / file["source"]["path"]
        for file in manifest["files"].values()
        for destination in file["destinations"].values()
    }
    return publication, staged


def test_dags_lie_in_their_folder_with_the_contracts_and_constraints_beside_them(assembly: Assembly) -> None:
    publication, staged = _published(assembly)
    (folder,) = read(publication.properties).folders
    assert folder.prefix == f"{_environment(assembly).properties['DagS3Path']}/"
    published = staged[folder.asset]
    found = {file.relative_to(published).as_posix(): file for file in published.rglob("*") if file.is_file()}
    ours = {
        **{file.relative_to(ROOT / "dags").as_posix(): file for file in (ROOT / "dags").rglob("*.py")},
        **{file.relative_to(ROOT).as_posix(): file for file in (ROOT / "contracts").rglob("*.py")},
        ".airflowignore": ROOT / "dags" / ".airflowignore",
        CONSTRAINTS: ROOT / CONSTRAINTS,
    }
    assert set(found) == set(ours)
    assert all(file.read_bytes() == ours[name].read_bytes() for name, file in found.items())


def test_the_requirements_name_their_version_and_the_constraints_by_mwaa_s_path(assembly: Assembly) -> None:
    publication, staged = _published(assembly)
    (file,) = read(publication.properties).files
    properties = _environment(assembly).properties
    assert properties["RequirementsS3Path"] == file.key
    version = properties["RequirementsS3ObjectVersion"]["Fn::GetAtt"]
    assert version == [publication.id, f"{file.name}Version"], "by which the environment waits for all its files"
    lines = staged[file.asset].read_text().splitlines()
    assert lines[0] == f'--constraint "/usr/local/airflow/dags/{CONSTRAINTS}"'
    assert "--no-index" in lines
    assert f"apache-airflow-providers-amazon=={pinned('apache-airflow-providers-amazon')}" in lines


def test_other_requirements_lie_elsewhere_so_that_an_environment_can_be_rolled_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from building_blocks import airflow_files

    before = airflow_files.requirements_key()
    assert airflow_files.requirements_key() == before
    monkeypatch.setattr(airflow_files, "REQUIRED", ())
    assert airflow_files.requirements_key() != before


def test_a_package_that_mwaa_does_not_bring_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from building_blocks import airflow_files

    monkeypatch.setattr(airflow_files, "REQUIRED", ("left-pad",))
    with pytest.raises(PackagingError, match="no pin of left-pad"):
        requirements()


def test_two_layouts_of_the_dags_have_the_same_bytes(tmp_path: Path) -> None:
    layouts = []
    for name in ("one", "two"):
        lay_out(target=tmp_path / name)
        files = (tmp_path / name).rglob("*")
        layouts.append({file.relative_to(tmp_path / name): file.read_bytes() for file in files if file.is_file()})
    assert layouts[0] == layouts[1]


# --- what DAGs are told -------------------------------------------------------------------------------


def test_dags_are_told_of_their_stage(assembly: Assembly) -> None:
    told, stage = _told(assembly), _stage(assembly)
    assert told["stage"] == stage
    assert told["environment_name"] == f"amp-{stage}"
    assert told["code_bucket"] == told["canary_bucket"] == _bucket(assembly, "code")
    assert told["raw_bucket"] == _bucket(assembly, "raw")
    assert told["metrics_namespace"] == f"Amp/{stage}"
    assert told["notices_topic_arn"].startswith("<Alarms")
    assert told["catalogued_queue_url"].startswith("<Catalogued")
    assert told["canary_prefix"].endswith("/")
    assert told["schedules"] == "on"
    assert told.get("schedule_from") == STAGES[stage].orchestration.schedule_from


def test_a_stage_with_a_cluster_submits_to_it(assembly: Assembly) -> None:
    told = _told(assembly)
    assert told["engine"] == "emr"
    assert told["virtual_cluster_id"].startswith("<Emr")
    assert told["job_templates_parameter"] == f"/amp/{_stage(assembly)}/emr-on-eks/job-templates"
    assert len(told["zones"].split(",")) == STAGES[_stage(assembly)].emr_on_eks.network.zones
    assert "glue_job_names" not in told
    policies = [assembly.target(STACK, arn) for arn in _role(assembly).properties["ManagedPolicyArns"]]
    assert [(each.stack, each.id[:15]) for each in policies if each] == [("EmrOnEks", "SubmitterPolicy")]
    actions = {action for each in _statements(assembly) for action in as_list(each["Action"])}
    assert "glue:StartJobRun" not in actions


def test_a_stage_without_a_cluster_starts_the_glue_jobs(glue: Assembly) -> None:
    told = _told(glue)
    assert told["engine"] == "glue"
    names = dict(each.split("=") for each in told["glue_job_names"].split(","))
    assert names == {job.name: f"amp-dev-{job.name.replace('_', '-')}" for job in JOBS}
    assert not {"virtual_cluster_id", "job_templates_parameter", "zones"} & set(told)
    statements = _statements(glue)
    for action in ("StartJobRun", "GetJobRun", "GetJobRuns", "GetJob", "BatchStopJobRun"):
        for name in names.values():
            assert allowed(statements, f"glue:{action}", f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}:job/{name}")
        assert not allowed(statements, f"glue:{action}", f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}:job/other")
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert not [action for action in actions if action.startswith("emr-containers:")]


def test_an_option_is_text_of_a_length_that_mwaa_takes(assembly: Assembly) -> None:
    options = _environment(assembly).properties["AirflowConfigurationOptions"]
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in options)
    assert len(json.dumps(rendered(assembly, STACK, options))) < 65_536


# --- what it may do -----------------------------------------------------------------------------------


def test_a_dag_does_what_it_is_there_for_and_no_more(assembly: Assembly) -> None:
    statements, stage = _statements(assembly), _stage(assembly)
    code, raw = (f"arn:{PARTITION}:s3:::{_bucket(assembly, zone)}" for zone in ("code", "raw"))
    glue_arn = f"arn:{PARTITION}:glue:{REGION}:{ACCOUNT}"
    assert allowed(statements, "s3:GetObject", f"{code}/jobs/current.json")
    assert allowed(statements, "s3:PutObject", f"{code}/canary/2026-11-18T08.json")
    assert allowed(statements, "s3:ListBucket", raw, prefix="events/type=like/arrival=2026-11-18-08/")
    for table in EVENT_TABLES.values():
        assert allowed(statements, "glue:GetTable", f"{glue_arn}:table/amp_{stage}_transformed/{table.name}")
    for action, resource in (
        ("s3:PutObject", f"{code}/jobs/current.json"),
        ("s3:PutObject", f"{code}/airflow/dags/hourly.py"),
        ("s3:GetObject", f"{raw}/events/type=like/arrival=2026-11-18-08/1.json.gz"),
        ("s3:DeleteObject", f"{code}/canary/2026-11-18T08.json"),
        ("glue:GetTable", f"{glue_arn}:table/amp_{stage}_personal/listeners"),
    ):
        assert not allowed(statements, action, resource), (action, resource)
    assert not allowed(statements, "s3:ListBucket", raw, prefix="batch/")


def test_metrics_go_to_airflow_s_namespaces_and_the_stage_s(assembly: Assembly) -> None:
    (statement,) = (each for each in _statements(assembly) if each["Action"] == "cloudwatch:PutMetricData")
    assert statement["Condition"]["StringEquals"]["cloudwatch:namespace"] == [
        "AmazonMWAA",
        "AWS/MWAA",
        f"Amp/{_stage(assembly)}",
    ]


def test_only_mwaa_takes_on_the_role_and_only_for_this_environment(assembly: Assembly) -> None:
    trust = rendered(assembly, STACK, _role(assembly).properties["AssumeRolePolicyDocument"]["Statement"])
    services = {service for each in trust for service in as_list(each["Principal"]["Service"])}
    assert services == {"airflow.amazonaws.com", "airflow-env.amazonaws.com"}
    for each in trust:
        assert each["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT
        source = each["Condition"]["ArnLike"]["aws:SourceArn"]
        assert source == f"arn:{PARTITION}:airflow:{REGION}:{ACCOUNT}:environment/amp-{_stage(assembly)}"


def test_the_policies_fit_into_what_iam_takes_under_the_longest_names(tmp_path: Path) -> None:
    for parts in (ON_GLUE, ON_GLUE | {Part.EMR_ON_EKS}):
        stage = replace(STAGES["prod"], name="preprodten", parts=frozenset(parts))
        assembly = synthesize(stage, tmp_path / str(len(parts)))
        documents = [each["PolicyDocument"] for each in _role(assembly).properties["Policies"]]
        text = json.dumps(rendered(assembly, STACK, documents), separators=(",", ":"))
        assert len(text) <= 10_240


# --- the queue of catalogued drops --------------------------------------------------------------------


def _rule(assembly: Assembly) -> dict[str, Any]:
    (rule,) = (each for each in assembly.resources("AWS::Events::Rule") if each.stack == STACK)
    return rule.properties


def test_each_crawl_of_a_batch_dataset_that_succeeded_is_told(assembly: Assembly) -> None:
    """The detail is that of the page "Automating AWS Glue with EventBridge"."""
    pattern = _rule(assembly)["EventPattern"]
    names = {f"amp-{_stage(assembly)}-batch-{dataset.name}" for dataset in DATASETS}
    for name in (*names, "another"):
        for state in ("Started", "Succeeded", "Failed"):
            event: dict[str, Any] = {
                "source": "aws.glue",
                "detail-type": "Glue Crawler State Change",
                "detail": {"crawlerName": name, "state": state},
            }
            assert _matches(pattern, event) == (name in names and state == "Succeeded"), event


def _matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    return all(
        _matches(wanted, event[name]) if isinstance(wanted, dict) else event[name] in wanted
        for name, wanted in pattern.items()
    )


def test_the_rule_sends_under_a_role_of_its_own_to_the_queue_that_dags_are_told_of(assembly: Assembly) -> None:
    (target,) = _rule(assembly)["Targets"]
    queue = assembly.target(STACK, target["Arn"])
    assert queue is not None
    assert _told(assembly)["catalogued_queue_url"] == f"<{queue.id}>"
    role = assembly.target(STACK, target["RoleArn"])
    assert role is not None
    assert {action for each in statements_of(assembly, role) for action in as_list(each["Action"])} == {
        "sqs:SendMessage",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    source = rendered(assembly, STACK, trust["Condition"]["ArnLike"]["aws:SourceArn"])
    assert source.endswith(f":rule/Amp-{_stage(assembly)}-Orchestration-*")


def test_airflow_takes_messages_off_the_queue_and_sends_none(assembly: Assembly) -> None:
    statements = _statements(assembly)
    queue = _told(assembly)["catalogued_queue_url"]
    assert allowed(statements, "sqs:ReceiveMessage", queue)
    assert allowed(statements, "sqs:DeleteMessage", queue)
    assert not allowed(statements, "sqs:SendMessage", queue)


# --- where it stands ----------------------------------------------------------------------------------


def test_it_stands_in_two_private_subnets_and_waits_for_the_way_out(assembly: Assembly) -> None:
    environment = _environment(assembly)
    subnets = [assembly.target(STACK, each) for each in environment.properties["NetworkConfiguration"]["SubnetIds"]]
    assert len(subnets) == 2
    for subnet in subnets:
        assert subnet is not None
        assert subnet.properties["MapPublicIpOnLaunch"] is False
        assert subnet.id.startswith("NetworkIsolated")
    waits = {assembly.templates[STACK]["Resources"][id]["Type"] for id in environment.body["DependsOn"]}
    assert {"AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::VPCEndpoint"} <= waits


def test_the_security_group_lets_in_its_own_members_alone(assembly: Assembly) -> None:
    (id,) = _environment(assembly).properties["NetworkConfiguration"]["SecurityGroupIds"]
    group = assembly.target(STACK, id)
    assert group is not None
    assert not group.properties.get("SecurityGroupIngress")
    rules = [each.properties for each in assembly.resources("AWS::EC2::SecurityGroupIngress") if each.stack == STACK]
    assert {each["FromPort"] for each in rules} == {443, 5432}
    for rule in rules:
        assert assembly.target(STACK, rule["SourceSecurityGroupId"]) == group
        assert assembly.target(STACK, rule["GroupId"]) == group


def _with(tmp_path: Path, **settings: Any) -> Assembly:
    orchestration = replace(STAGES["dev"].orchestration, **settings)
    return synthesize(replace(STAGES["dev"], parts=ON_GLUE, orchestration=orchestration), tmp_path)


def test_the_web_server_is_reached_from_the_ranges_that_are_named(tmp_path: Path) -> None:
    assembly = _with(tmp_path, web_cidrs=("10.8.0.0/16",))
    (id,) = _environment(assembly).properties["NetworkConfiguration"]["SecurityGroupIds"]
    group = assembly.target(STACK, id)
    assert group is not None
    (rule,) = group.properties["SecurityGroupIngress"]
    assert (rule["CidrIp"], rule["FromPort"], rule["ToPort"]) == ("10.8.0.0/16", 443, 443)


def test_without_a_way_out_each_service_that_is_called_has_an_endpoint(tmp_path: Path) -> None:
    assembly = _with(tmp_path, egress=Egress.ENDPOINTS)
    assert not [each for each in assembly.resources("AWS::EC2::NatGateway") if each.stack == STACK]
    services = {
        rendered(assembly, STACK, each.properties["ServiceName"]).partition(f"{REGION}.")[2]
        for each in assembly.resources("AWS::EC2::VPCEndpoint")
        if each.stack == STACK
    }
    own = {"airflow.api", "airflow.env", "airflow.ops", "kms", "logs", "monitoring", "sqs", "s3"}
    assert services == own | {"glue", "sns"}


def test_an_existing_vpc_is_taken_as_it_is(tmp_path: Path) -> None:
    existing = ExistingVpc(
        vpc_id="vpc-0123456789abcdef0",
        cidr="10.9.0.0/16",
        subnet_ids=("subnet-0123456789abcdef0", "subnet-0123456789abcdef1"),
        zones=("eu-west-1a", "eu-west-1b"),
    )
    assembly = _with(tmp_path, network=Network(existing=existing))
    assert not [each for each in assembly.resources("AWS::EC2::VPC") if each.stack == STACK]
    network = _environment(assembly).properties["NetworkConfiguration"]
    assert network["SubnetIds"] == list(existing.subnet_ids)


# --- what tells of it ---------------------------------------------------------------------------------


def test_alarms_watch_airflow_by_the_names_and_dimensions_that_mwaa_documents(assembly: Assembly) -> None:
    name = _environment(assembly).properties["Name"]
    alarms = {
        each.properties["MetricName"]: each.properties
        for each in assembly.resources("AWS::CloudWatch::Alarm")
        if each.properties.get("Namespace") == "AmazonMWAA"
    }
    dimensions = {
        metric: {each["Name"]: each["Value"] for each in alarm["Dimensions"]} for metric, alarm in alarms.items()
    }
    assert dimensions == {
        "SchedulerHeartbeat": {"Function": "Scheduler", "Environment": name},
        "ImportErrors": {"Function": "DAG Processing", "Environment": name},
    }
    heartbeat = alarms["SchedulerHeartbeat"]
    assert (heartbeat["Statistic"], heartbeat["ComparisonOperator"]) == ("Sum", "LessThanThreshold")
    assert heartbeat["TreatMissingData"] == "breaching", "what does not beat sends nothing"
    (queue,) = (
        each.properties
        for each in assembly.resources("AWS::CloudWatch::Alarm")
        if each.properties.get("Namespace") == "AWS/MWAA"
    )
    assert queue["MetricName"] == "ApproximateAgeOfOldestTask", (
        "QueuedTasks of Airflow's own counts what is not sent yet"
    )
    assert queue["Dimensions"] == [{"Name": "Environment", "Value": name}]
    assert queue["Threshold"] == STAGES[_stage(assembly)].orchestration.queued_minutes * 60


def test_attempts_that_fail_are_watched_by_the_count_of_the_dags(assembly: Assembly) -> None:
    (alarm,) = (
        each.properties
        for each in assembly.resources("AWS::CloudWatch::Alarm")
        if each.properties.get("MetricName") == "AttemptsFailed"
    )
    namespace = _told(assembly)["metrics_namespace"]
    assert alarm["Namespace"] == namespace
    assert alarm["Dimensions"] == [{"Name": "Stage", "Value": _stage(assembly)}]
    assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 3600, 1)
    assert alarm["Threshold"] == STAGES[_stage(assembly)].orchestration.failed_attempts
    assert alarm["TreatMissingData"] == "notBreaching", "nothing is sent while nothing fails"
    assert "docs/runbooks/a-task-failed.md" in alarm["AlarmDescription"]


def test_a_canary_that_does_not_prove_the_path_raises_an_alarm(assembly: Assembly) -> None:
    (alarm,) = (
        each.properties
        for each in assembly.resources("AWS::CloudWatch::Alarm")
        if each.properties.get("MetricName") == "PathBroken"
    )
    assert alarm["Namespace"] == _told(assembly)["metrics_namespace"]
    assert alarm["Dimensions"] == [{"Name": "Stage", "Value": _stage(assembly)}]
    assert alarm["TreatMissingData"] == "breaching"


# --- what cannot be configured ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"environment_class": "mw1.micro"}, "environment_class is unknown; given: 'mw1.micro'"),
        ({"min_workers": 4, "max_workers": 3}, "min_workers is out of range; given: 4; allowed: 1 to 3"),
        ({"max_workers": 26}, "max_workers is out of range"),
        ({"schedulers": 1}, "schedulers is out of range"),
        ({"nat_gateways": 3}, "nat_gateways is out of range"),
        ({"task_log_level": "DEBUG"}, "task_log_level is unknown"),
        ({"maintenance_window": "SUN:03:15"}, "maintenance_window is no start of a window"),
        ({"schedule_from": "2026-13-01"}, "schedule_from is no day"),
        ({"network": Network(zones=3)}, "has not the subnets that MWAA takes"),
        ({"web_cidrs": ("0.0.0.0/0",)}, "web_cidrs names what is no range of private addresses"),
        ({"web_cidrs": ("10.8.0.0/16",), "public_web_server": True}, "web_cidrs beside a public web server"),
    ],
)
def test_what_mwaa_would_not_take_is_refused_with_what_it_takes(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)) as refused:
        Orchestration(**settings)
    assert "; fix: " in str(refused.value)
