"""The jobs on EMR on EKS: one declaration with Glue, the same share of the lake, and what a run is started from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from building_blocks.emr_job import base36, pod_size, service_accounts
from config import STAGES
from config.lake_jobs import WORKER_TYPES
from config.model import Part
from contracts.jobs import JOBS, Job
from spark_jobs.arguments import read
from tests.stacks.assembly import Assembly, Resource, as_list, synthesize
from tests.stacks.code import published
from tests.stacks.kubernetes import STACK, configuration
from tests.stacks.rendering import ACCOUNT, REGION, rendered, statements_of

RUNS_ON = {
    "LakeJobs": ("cloudwatch:", "logs:"),
    STACK: ("logs:",),
}
"""Actions by which a service runs any job; all others follow from the job's entry."""


def _template(assembly: Assembly, job: Job) -> Resource:
    (found,) = (
        each
        for each in assembly.resources("AWS::EMRContainers::JobTemplate")
        if job.name in _data(assembly, each)["JobDriver"]["SparkSubmitJobDriver"]["EntryPointArguments"]
    )
    return found


def _data(assembly: Assembly, template: Resource) -> dict[str, Any]:
    data: dict[str, Any] = rendered(assembly, STACK, template.properties["JobTemplateData"])
    return data


def _role(assembly: Assembly, job: Job) -> Resource:
    role = assembly.target(STACK, _template(assembly, job).properties["JobTemplateData"]["ExecutionRoleArn"])
    assert role is not None
    return role


def _role_on_glue(assembly: Assembly, job: Job) -> Resource:
    (glue,) = (
        each
        for each in assembly.resources("AWS::Glue::Job")
        if each.properties["NonOverridableArguments"]["--job"] == job.name
    )
    role = assembly.target("LakeJobs", glue.properties["Role"])
    assert role is not None
    return role


def _grants(assembly: Assembly, role: Resource) -> set[tuple[str, str, str]]:
    """Each action with each resource and its condition, but for what the service takes to run anything."""
    return {
        (action, resource, json.dumps(statement.get("Condition", {}), sort_keys=True))
        for statement in statements_of(assembly, role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if not action.startswith(RUNS_ON[role.stack]) and not _its_own(role.stack, resource, statement)
    }


def _its_own(stack: str, resource: str, statement: dict[str, Any]) -> bool:
    """Pod templates and logs: what runs the job, not what the job is about."""
    if stack == STACK and (resource.startswith("<EmrKey") or "-emr-logs-" in resource):
        return True
    return "cdk-" in resource and "-assets-" in resource


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_has_the_same_share_of_the_lake_as_on_glue(assembly: Assembly, job: Job) -> None:
    ours, glue = _grants(assembly, _role(assembly, job)), _grants(assembly, _role_on_glue(assembly, job))
    assert ours == glue
    assert any(action == "s3:PutObject" for action, _, _ in ours), "else nothing was compared"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_beside_it_a_job_reads_its_code_and_writes_its_own_logs(assembly: Assembly, job: Job) -> None:
    rest = [
        (action, resource)
        for statement in statements_of(assembly, _role(assembly, job))
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if action.startswith("logs:") or _its_own(STACK, resource, statement)
    ]
    group, prefix = f"/amp/{_stage(assembly)}/EmrOnEks/jobs/{job.name}", f"/jobs/{job.name}/*"
    for action, resource in rest:
        if action == "logs:DescribeLogGroups":
            assert resource == "*"
        elif action.startswith("logs:"):
            assert resource.endswith(f":log-group:{group}:*")
        elif action.startswith("kms:"):
            assert resource.startswith("<EmrKey")
        elif "-emr-logs-" in resource:
            assert resource.endswith(prefix) or action == "s3:ListBucket"
        else:
            assert action == "s3:GetObject"
    assert {action for action, _ in rest} == {
        *("logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        *("s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"),
    }
    read_files = {resource for action, resource in rest if action == "s3:GetObject" and "-assets-" in resource}
    assert len(read_files) == 2, "two pod templates"


def _stage(assembly: Assembly) -> str:
    return str(assembly.templates[STACK]["Outputs"]["ClusterName"]["Value"].split("-")[1])


def test_every_run_is_on_one_dated_release(assembly: Assembly) -> None:
    templates = assembly.resources("AWS::EMRContainers::JobTemplate")
    (release,) = {_data(assembly, each)["ReleaseLabel"] for each in templates}
    assert release.rpartition("-")[2].isdigit(), release


def test_every_entry_has_a_template_and_no_other_has(assembly: Assembly) -> None:
    names = {each.properties["Name"] for each in assembly.resources("AWS::EMRContainers::JobTemplate")}
    assert names == {f"amp-{_stage(assembly)}-{job.name.replace('_', '-')}" for job in JOBS}


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_only_pods_of_the_job_s_service_accounts_get_its_role(assembly: Assembly, job: Job) -> None:
    role = _role(assembly, job)
    (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    cluster = f"amp-{_stage(assembly)}"
    assert rendered(assembly, STACK, trust["Condition"]["ArnEquals"])["aws:SourceArn"].endswith(f":cluster/{cluster}")
    assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-namespace"] == "emr"
    associations = [
        rendered(assembly, STACK, each.properties)
        for each in assembly.resources("AWS::EKS::PodIdentityAssociation")
        if assembly.target(STACK, each.properties["RoleArn"]) == role
    ]
    assert {each["Namespace"] for each in associations} == {"emr"}
    assert {each["ServiceAccount"] for each in associations} == set(
        service_accounts(role.properties["RoleName"], account=ACCOUNT)
    )


def test_a_role_s_name_is_written_as_emr_writes_it() -> None:
    """`int("amp", base=256)` in base 36, worked out by hand: 97*65536 + 109*256 + 112 = 6,385,008."""
    assert base36("amp") == "3supc"
    assert int(base36("amp-dev-emr-events"), 36) == int.from_bytes(b"amp-dev-emr-events", "big")
    assert service_accounts("amp", account="123456789012")[1] == "emr-containers-sa-spark-driver-123456789012-3supc"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_template_says_what_the_job_s_command_line_takes(dev: Assembly, job: Job) -> None:
    data = _data(dev, _template(dev, job))
    given = {"WindowStart": "2026-11-18T00", "WindowEnd": "2026-11-19T00", "RunId": "run-1", "Zone": "eu-west-1a"}
    assert set(data["ParameterConfiguration"]) == set(given)
    arguments = [
        given.get(text.removeprefix("${").removesuffix("}"), text)
        for text in data["JobDriver"]["SparkSubmitJobDriver"]["EntryPointArguments"]
    ]
    understood = read(arguments, now=datetime(2026, 11, 20, tzinfo=UTC))
    assert (understood.job, understood.run_id) == (job.name, "run-1")
    assert understood.raw_root.startswith("s3://amp-dev-raw-")
    assert (understood.person_key_secret is not None) == job.keys_persons
    assert (understood.readers_topic is not None) == job.tells_readers


def test_the_code_is_the_repository_s_and_the_same_as_glue_s(dev: Assembly) -> None:
    for job in JOBS:
        driver = _data(dev, _template(dev, job))["JobDriver"]["SparkSubmitJobDriver"]
        script = published(dev)[driver["EntryPoint"]]
        assert script.read_text() == (Path(__file__).resolve().parents[2] / "spark_jobs" / "__main__.py").read_text()
        packages = driver["SparkSubmitParameters"].split("--py-files ")[1].split()[0]
        (glue,) = {
            rendered(dev, "LakeJobs", each.properties["DefaultArguments"]["--extra-py-files"])
            for each in dev.resources("AWS::Glue::Job")
        }
        assert packages == glue


@pytest.mark.parametrize("worker", WORKER_TYPES)
def test_a_pod_fits_the_instance_of_its_size_and_not_twice(worker: str) -> None:
    """An instance of the size keeps up to 15 % of its memory and half a core in eight for itself."""
    size = pod_size(worker)
    memory = size.cores * (4 if worker.startswith("G") else 8)
    assert 0.75 * memory <= size.heap_gibibytes + size.overhead_gibibytes <= 0.85 * memory
    assert size.request_millicores == size.cores * 875


def test_a_run_may_become_as_large_as_on_glue_and_gives_back_what_it_does_not_use(assembly: Assembly) -> None:
    settings_of = STAGES[_stage(assembly)].lake_jobs
    for job in JOBS:
        settings = configuration(_data(assembly, _template(assembly, job)), "spark-defaults")
        size = settings_of.size_of(job.name)
        assert int(settings["spark.dynamicAllocation.maxExecutors"]) == size.max_workers - 1
        assert settings["spark.dynamicAllocation.minExecutors"] == "0"
        assert int(settings["spark.executor.cores"]) == pod_size(size.worker_type).cores
        assert settings["spark.sql.catalog.lake"] == "org.apache.iceberg.spark.SparkCatalog"
        assert settings["spark.kubernetes.driverEnv.AWS_DEFAULT_REGION"] == REGION
        assert settings["spark.executorEnv.AWS_REGION"] == REGION


def test_logs_go_to_the_job_s_own_group_and_prefix(assembly: Assembly) -> None:
    groups = {str(each.properties["LogGroupName"]): each for each in assembly.resources("AWS::Logs::LogGroup")}
    for job in JOBS:
        monitoring = _data(assembly, _template(assembly, job))["ConfigurationOverrides"]["MonitoringConfiguration"]
        name = monitoring["CloudWatchMonitoringConfiguration"]["LogGroupName"]
        assert name == f"/amp/{_stage(assembly)}/EmrOnEks/jobs/{job.name}"
        assert groups[name].stack == STACK
        assert monitoring["S3MonitoringConfiguration"]["LogUri"].endswith(f"/jobs/{job.name}/")


def test_whoever_submits_may_do_so_under_the_jobs_roles_and_no_other(assembly: Assembly) -> None:
    (policy,) = (
        each for each in assembly.resources("AWS::IAM::ManagedPolicy") if each.id.startswith("SubmitterPolicy")
    )
    statements = policy.properties["PolicyDocument"]["Statement"]
    (start,) = (each for each in statements if each["Action"] == "emr-containers:StartJobRun")
    roles = start["Condition"]["StringEquals"]["emr-containers:ExecutionRoleArn"]
    assert _ids(assembly, roles) == {_role(assembly, job).id for job in JOBS}
    actions = {action for each in statements for action in as_list(each["Action"])}
    assert actions == {
        f"emr-containers:{name}"
        for name in ("CancelJobRun", "DescribeJobRun", "DescribeJobTemplate", "ListJobRuns", "StartJobRun")
    } | {"ssm:GetParameter"}


def test_an_operator_sees_the_runs_of_the_virtual_cluster_and_does_nothing_with_them(assembly: Assembly) -> None:
    (cluster,) = assembly.resources("AWS::EMRContainers::VirtualCluster")
    allowed = {
        action: rendered(assembly, STACK, statement["Resource"])
        for holder, statement in assembly.statements()
        if holder.id.startswith("OperatorPolicy") and holder.stack == STACK and statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }
    of_submitter = {
        action: rendered(assembly, STACK, statement["Resource"])
        for holder, statement in assembly.statements()
        if holder.id.startswith("SubmitterPolicy")
        for action in as_list(statement["Action"])
    }
    looking = {"emr-containers:ListJobRuns", "emr-containers:DescribeJobRun"}
    assert set(allowed) == looking
    assert allowed == {action: of_submitter[action] for action in looking}
    assert all(cluster.id in resource for resource in allowed.values())


def test_the_ids_of_templates_are_in_a_parameter_that_whoever_submits_may_read(assembly: Assembly) -> None:
    (parameter,) = (each for each in assembly.resources("AWS::SSM::Parameter") if each.id == "JobTemplates")
    assert parameter.properties["Name"] == f"/amp/{_stage(assembly)}/emr-on-eks/job-templates"
    value = rendered(assembly, STACK, parameter.properties["Value"])
    assert value == ",".join(f"{job.name}=<{_template(assembly, job).id}>" for job in JOBS)
    (statement,) = (
        statement
        for holder, statement in assembly.statements()
        if holder.id.startswith("SubmitterPolicy") and statement["Action"] == "ssm:GetParameter"
    )
    arn = rendered(assembly, STACK, statement["Resource"])
    assert arn.endswith(f":parameter{parameter.properties['Name']}")


def test_no_id_of_a_template_is_exported(assembly: Assembly) -> None:
    """An export cannot change while it is imported, and each change of a job makes another template."""
    for output in assembly.templates[STACK]["Outputs"].values():
        if "Export" in output:
            target = assembly.target(STACK, output["Value"])
            assert target is None or target.type != "AWS::EMRContainers::JobTemplate", output


def _ids(assembly: Assembly, arns: Iterable[Any]) -> set[str]:
    return {target.id for arn in arns if (target := assembly.target(STACK, arn)) is not None}


def test_a_policy_fits_into_what_iam_takes_even_under_the_longest_names(tmp_path: Path) -> None:
    parts = frozenset({Part.DATA_LAKE, Part.CODE, Part.EMR_ON_EKS})
    assembly = synthesize(replace(STAGES["prod"], name="preprodten", parts=parts), tmp_path)
    for job in JOBS:
        role = _role(assembly, job)
        assert len(role.properties["RoleName"]) <= 64
        assert sum(_characters(assembly, each["PolicyDocument"]) for each in role.properties["Policies"]) <= 10_240
        (tables,) = (assembly.target(STACK, arn) for arn in role.properties["ManagedPolicyArns"])
        assert tables is not None
        assert _characters(assembly, tables.properties["PolicyDocument"]) <= 6_144
    largest = max(len(json.dumps(each)) for each in assembly.templates.values())
    assert largest < 1_000_000, "CloudFormation takes a template of a megabyte"


def _characters(assembly: Assembly, document: dict[str, Any]) -> int:
    return len(json.dumps(rendered(assembly, STACK, document), separators=(",", ":")))
