"""The API of EMR on EKS answers, refuses and asks for permissions as AWS's does; no run is executed here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, Json, allow
from tests.rehearsal.engine.conftest import START
from tests.rehearsal.engine.emr_assemblies import ROLE, TEMPLATE, by_template, emr_assembly, in_full

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("pyspark", reason=NEEDS)

from botocore.exceptions import ClientError

from rehearsal.engine.clock import Clock
from rehearsal.engine.engine import Engine

VIRTUAL_CLUSTERS = "arn:aws:emr-containers:us-east-1:123456789012:/virtualclusters"
ROLE_ARN = f"arn:aws:iam::123456789012:role/{ROLE}"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(emr_assembly(tmp_path_factory.mktemp("emr")), clock=Clock(start=START)) as started:
        started.deploy()
        yield started


def as_role(engine: Engine, name: str, *statements: Json) -> Any:
    """A client of a role that has these statements and no others."""
    arn = f"arn:aws:iam::123456789012:policy/{name}"
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    engine.authorizer.put_managed_policy(arn, document)
    return engine.client("emr-containers", engine.principal(name, [arn]))


def refused(engine: Engine, request: Json) -> tuple[str, str]:
    """Code and message with which a request is refused."""
    with pytest.raises(ClientError) as caught:
        engine.client("emr-containers").start_job_run(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# --- what is there ------------------------------------------------------------------------------------


def test_templates_are_shown_as_the_api_spells_them(engine: Engine) -> None:
    emr = engine.client("emr-containers")

    shown = emr.describe_job_template(id=engine.resource("App", "Template").physical_id)["jobTemplate"]

    assert shown["name"] == TEMPLATE
    assert shown["arn"].endswith(f":/jobtemplates/{shown['id']}")
    data = shown["jobTemplateData"]
    assert data["executionRoleArn"] == ROLE_ARN
    assert data["parameterConfiguration"] == {"What": {"type": "STRING"}}
    assert data["jobDriver"]["sparkSubmitJobDriver"]["entryPointArguments"] == ["--do", "${What}"]
    with pytest.raises(emr.exceptions.ResourceNotFoundException, match="Job template none doesn't exist"):
        emr.describe_job_template(id="none")


def test_virtual_clusters_are_shown(engine: Engine) -> None:
    emr, cluster_id = engine.client("emr-containers"), engine.resource("App", "VirtualCluster").physical_id

    (listed,) = emr.list_virtual_clusters(containerProviderId="shop", states=["RUNNING"])["virtualClusters"]
    shown = emr.describe_virtual_cluster(id=cluster_id)["virtualCluster"]

    assert listed["id"] == shown["id"] == cluster_id
    assert shown["containerProvider"] == {"id": "shop", "type": "EKS", "info": {"eksInfo": {"namespace": "spark"}}}
    with pytest.raises(ClientError, match="Virtual cluster none doesn't exist") as caught:
        emr.describe_virtual_cluster(id="none")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_run_shows_what_was_asked_for(engine: Engine) -> None:
    emr = engine.client("emr-containers")
    request = in_full(engine, "show", name="shown", tags={"window": "2030-01-01T11"}, clientToken="shown")

    started = emr.start_job_run(**request)
    shown = emr.describe_job_run(virtualClusterId=request["virtualClusterId"], id=started["id"])["jobRun"]

    assert started["name"] == "shown"
    assert shown["arn"] == started["arn"] == f"{VIRTUAL_CLUSTERS}/{request['virtualClusterId']}/jobruns/{started['id']}"
    assert shown["state"] == "PENDING"
    assert {key: shown[key] for key in request} == request
    assert shown["createdAt"] - START < timedelta(minutes=1)


def test_the_same_token_gives_the_same_run(engine: Engine) -> None:
    emr, request = engine.client("emr-containers"), by_template(engine, "show", clientToken="once", name="once")

    first, second = emr.start_job_run(**request), emr.start_job_run(**request)
    other = emr.start_job_run(**{**request, "clientToken": "twice"})

    assert first["id"] == second["id"] != other["id"]
    code, message = refused(engine, {**request, "name": "changed"})
    assert code == "ValidationException"
    assert "once was given with other parameters" in message


def test_a_list_leaves_out_what_runs_are_to_do(engine: Engine) -> None:
    emr, request = engine.client("emr-containers"), in_full(engine, "show", name="brief")

    started = emr.start_job_run(**request)
    (listed,) = emr.list_job_runs(virtualClusterId=request["virtualClusterId"], name="brief")["jobRuns"]
    shown = emr.describe_job_run(virtualClusterId=request["virtualClusterId"], id=started["id"])["jobRun"]

    assert set(shown) - set(listed) == {"jobDriver", "configurationOverrides"} & set(shown)
    assert "jobDriver" in shown
    assert {key: shown[key] for key in listed} == listed


def test_runs_are_listed_newest_first_by_page_name_and_state(engine: Engine) -> None:
    emr, cluster_id = engine.client("emr-containers"), engine.resource("App", "VirtualCluster").physical_id
    ids = [emr.start_job_run(**by_template(engine, "show", name="listed"))["id"] for _ in range(3)]
    which = {"virtualClusterId": cluster_id, "name": "listed"}

    pages = list(emr.get_paginator("list_job_runs").paginate(**which, PaginationConfig={"PageSize": 2}))

    assert [[one["id"] for one in page["jobRuns"]] for page in pages] == [ids[:0:-1], ids[:1]]
    assert [one["id"] for one in emr.list_job_runs(**which, states=["PENDING"])["jobRuns"]] == ids[::-1]
    assert emr.list_job_runs(**which, states=["FAILED", "COMPLETED"])["jobRuns"] == []
    assert emr.list_job_runs(**which, createdBefore=START - timedelta(hours=1))["jobRuns"] == []
    assert len(emr.list_job_runs(**which, createdAfter=START - timedelta(hours=1))["jobRuns"]) == 3


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"virtualClusterId": "none"}, "ResourceNotFoundException", "Virtual cluster none doesn't exist."),
        ({"releaseLabel": "emr-7.13"}, "ResourceNotFoundException", "Release emr-7.13 doesn't exist."),
        ({"releaseLabel": "emr-6.15.0-latest"}, "ValidationException", "does not play release emr-6.15.0-latest"),
        ({"releaseLabel": "emr-7.2.0-latest"}, "ValidationException", "does not play release emr-7.2.0-latest"),
        ({"executionRoleArn": "arn:aws:iam::1:user/anne"}, "ValidationException", "'executionRoleArn' failed"),
        ({"name": "events 2030-01-01T11:00+00:00"}, "ValidationException", "'name' failed to satisfy constraint"),
        ({"name": "n" * 65}, "ValidationException", "length less than or equal to 64"),
        ({"retryPolicyConfiguration": {"maxAttempts": 3}}, "ValidationException", "retryPolicyConfiguration"),
        ({"jobDriver": {"sparkSqlJobDriver": {}}}, "ValidationException", "sparkSqlJobDriver"),
        ({"jobDriver": {}}, "ValidationException", "Exactly one of"),
        ({"jobTemplateId": "none"}, "ResourceNotFoundException", "Job template none doesn't exist."),
        (
            {"configurationOverrides": {"applicationConfiguration": [{"classification": "hive-site"}]}},
            "ValidationException",
            "classification 'hive-site'",
        ),
    ],
)
def test_what_a_request_may_not_say_is_refused(engine: Engine, change: Json, code: str, message: str) -> None:
    given = refused(engine, {**in_full(engine, "show"), **change})

    assert given[0] == code
    assert message in given[1]


@pytest.mark.parametrize("key", ["executionRoleArn", "releaseLabel", "jobDriver"])
def test_a_request_without_a_template_says_everything(engine: Engine, key: str) -> None:
    request = in_full(engine, "show")
    del request[key]

    assert refused(engine, request) == ("ValidationException", f"Without jobTemplateId a job run needs {key}")


@pytest.mark.parametrize(
    ("driver", "problem"),
    [
        ({"entryPoint": "local:///usr/lib/spark/pi.py"}, "entryPoint"),
        ({"entryPoint": "s3://shop-code/pi.jar"}, "entryPoint"),
        ({"entryPoint": "s3://shop-code/a.py", "sparkSubmitParameters": "--packages a:b:1"}, "--packages a:b:1"),
        ({"entryPoint": "s3://shop-code/a.py", "sparkSubmitParameters": "--jars s3://a/b.jar"}, "--jars s3://a/b.jar"),
        ({"entryPoint": "s3://shop-code/a.py", "sparkSubmitParameters": "a.py"}, "belongs to no option"),
    ],
)
def test_what_is_not_played_of_spark_submit_is_refused(engine: Engine, driver: Json, problem: str) -> None:
    code, message = refused(engine, {**in_full(engine, "show"), "jobDriver": {"sparkSubmitJobDriver": driver}})

    assert code == "ValidationException"
    assert problem in message


def test_a_template_takes_its_parameters_and_no_values_beside_them(engine: Engine) -> None:
    request = by_template(engine, "show")

    assert (
        "missing ['What'], unknown ['That']" in refused(engine, {**request, "jobTemplateParameters": {"That": "x"}})[1]
    )
    assert "releaseLabel" in refused(engine, {**request, "releaseLabel": "emr-7.13.0-latest"})[1]


def test_unknown_runs_are_not_found(engine: Engine) -> None:
    emr, cluster_id = engine.client("emr-containers"), engine.resource("App", "VirtualCluster").physical_id

    for call in (emr.describe_job_run, emr.cancel_job_run):
        with pytest.raises(ClientError, match="Job run none doesn't exist"):
            call(virtualClusterId=cluster_id, id="none")
    with pytest.raises(ClientError, match="Virtual cluster none doesn't exist"):
        emr.list_job_runs(virtualClusterId="none")


# --- who may ------------------------------------------------------------------------------------------


def test_a_caller_needs_each_permission(engine: Engine) -> None:
    cluster_id = engine.resource("App", "VirtualCluster").physical_id
    stranger = as_role(engine, "stranger")
    calls = {
        "emr-containers:StartJobRun": lambda: stranger.start_job_run(**in_full(engine, "show")),
        "emr-containers:DescribeJobRun": lambda: stranger.describe_job_run(virtualClusterId=cluster_id, id="x"),
        "emr-containers:CancelJobRun": lambda: stranger.cancel_job_run(virtualClusterId=cluster_id, id="x"),
        "emr-containers:ListJobRuns": lambda: stranger.list_job_runs(virtualClusterId=cluster_id),
        "emr-containers:DescribeVirtualCluster": lambda: stranger.describe_virtual_cluster(id=cluster_id),
        "emr-containers:ListVirtualClusters": stranger.list_virtual_clusters,
        "emr-containers:DescribeJobTemplate": lambda: stranger.describe_job_template(id="x"),
    }
    for action, call in calls.items():
        with pytest.raises(ClientError, match=f"not authorized to perform: {action}") as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    resources = {call.need.action: call.need.resource for call in engine.refusals if "stranger" in call.principal.arn}
    assert resources["emr-containers:CancelJobRun"] == f"{VIRTUAL_CLUSTERS}/{cluster_id}/jobruns/x"
    assert resources["emr-containers:StartJobRun"] == f"{VIRTUAL_CLUSTERS}/{cluster_id}"


def test_a_policy_may_name_the_roles_of_runs_and_their_templates(engine: Engine) -> None:
    def starting(**condition: Any) -> Json:
        return {**allow(["emr-containers:StartJobRun"], f"{VIRTUAL_CLUSTERS}/*"), "Condition": condition}

    own_role = starting(StringEquals={"emr-containers:ExecutionRoleArn": ROLE_ARN})
    other_role = starting(StringEquals={"emr-containers:ExecutionRoleArn": f"{ROLE_ARN}-other"})
    template = starting(ArnLike={"emr-containers:JobTemplateArn": "arn:aws:emr-containers:*:*:/jobtemplates/*"})
    reading = allow(["emr-containers:DescribeJobTemplate"], "*")
    spelled_out, named = in_full(engine, "show"), by_template(engine, "show")

    assert as_role(engine, "for-role", own_role).start_job_run(**spelled_out)["id"]
    assert as_role(engine, "for-role-by-template", own_role, reading).start_job_run(**named)["id"]
    assert as_role(engine, "for-template", template, reading).start_job_run(**named)["id"]
    for name, statements, request in (
        ("for-other-role", [other_role, reading], spelled_out),
        ("for-other-role", [other_role, reading], named),
        ("for-template-only", [template, reading], spelled_out),
        ("without-reading", [own_role], named),
    ):
        with pytest.raises(ClientError, match="not authorized to perform: emr-containers"):
            as_role(engine, name, *statements).start_job_run(**request)


def test_the_caller_is_who_created_a_run(engine: Engine) -> None:
    request = in_full(engine, "show")
    own = allow(["emr-containers:*"], "*")

    run_id = as_role(engine, "creator", own).start_job_run(**request)["id"]

    emr = engine.client("emr-containers")
    shown = emr.describe_job_run(virtualClusterId=request["virtualClusterId"], id=run_id)["jobRun"]
    assert shown["createdBy"] == "arn:aws:sts::123456789012:assumed-role/creator/application"
