"""Secrets Manager rotates by a function: four steps, again from the first after a failure, on the played clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import LOGS, NEEDS, AssemblyWriter, Json, StartEngine, allow, att, role
from tests.rehearsal.engine.warehouse_assemblies import managed_policy

pytest.importorskip("time_machine", reason=NEEDS)

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

CODE = """
import json, os, boto3
client = boto3.client("secretsmanager")

def handle(event, context):
    secret, token, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    print(step)
    stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
    assert "AWSPENDING" in stages[token], stages
    current = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])
    if step == "createSecret":
        value = json.dumps({**current, "count": current["count"] + 1})
        client.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString=value, VersionStages=["AWSPENDING"])
    if step == current.get("fails"):
        raise RuntimeError("as asked")
    if step == "finishSecret":
        old = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=old)
"""
ACTIONS = ["DescribeSecret", "GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"]


def started(folder: Path, start_engine: StartEngine, *, let_in: bool = True, **resources: Any) -> Engine:
    """An engine with a rotation function `rotate`, a secret `plain`, and the given resources."""
    writer = AssemblyWriter(folder)
    function: Json = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": "rotate",
            "Runtime": "python3.11",
            "Handler": "index.handle",
            "Code": writer.asset({"index.py": CODE}),
            "Role": att("Role"),
            "Timeout": 30,
        },
    }
    permission = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": att("Function"),
            "Action": "lambda:InvokeFunction",
            "Principal": "secretsmanager.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
        },
    }
    all_resources = {
        "Role": role("lambda.amazonaws.com", LOGS, allow([f"secretsmanager:{name}" for name in ACTIONS], "*")),
        "Function": function,
        "Secret": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "plain", "SecretString": '{"count": 0}'},
        },
        **({"Permission": permission} if let_in else {}),
        **resources,
    }
    writer.stack("App", {"Resources": all_resources})
    engine = start_engine(writer.write())
    engine.deploy()
    return engine


def rotate(engine: Engine, **given: Any) -> Json:
    function_arn = engine.client("lambda").get_function(FunctionName="rotate")["Configuration"]["FunctionArn"]
    answer: Json = engine.client("secretsmanager").rotate_secret(
        SecretId="plain", RotationLambdaARN=function_arn, **given
    )
    return answer


def steps(engine: Engine) -> list[str]:
    """The steps that the function ran, in order."""
    return [run.source.split()[1] for run in engine.invocations if run.function == "rotate"]


def value(engine: Engine, stage: str = "AWSCURRENT") -> Any:
    secret = engine.client("secretsmanager").get_secret_value(SecretId="plain", VersionStage=stage)
    return json.loads(secret["SecretString"])


def test_four_steps_make_the_pending_version_current(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    seen: list[tuple[str, Any]] = []
    with engine.watching_rotations("plain", lambda step: seen.append((step, value(engine)["count"]))):
        version = rotate(engine, RotationRules={"AutomaticallyAfterDays": 30})["VersionId"]
        engine.settle()

    assert steps(engine) == ["createSecret", "setSecret", "testSecret", "finishSecret"]
    assert seen == [("createSecret", 0), ("setSecret", 0), ("testSecret", 0), ("finishSecret", 1)]
    described = engine.client("secretsmanager").describe_secret(SecretId="plain")
    assert described["VersionIdsToStages"][version] == ["AWSPENDING", "AWSCURRENT"]
    assert value(engine) == {"count": 1}
    assert value(engine, "AWSPREVIOUS") == {"count": 0}
    assert engine.client("secretsmanager").get_secret_value(SecretId="plain")["VersionId"] == version
    assert described["RotationRules"]["AutomaticallyAfterDays"] == 30
    assert f"{described['LastRotatedDate']:%Y-%m-%d}" == "2030-01-01"
    assert f"{described['NextRotationDate']:%Y-%m-%d %H:%M:%S}".startswith("2030-01-31")
    assert not engine.refusals


def test_a_due_rotation_starts_as_time_passes_and_settling_does_not_wait_for_it(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = started(tmp_path, start_engine)
    rotate(engine, RotationRules={"AutomaticallyAfterDays": 30})
    engine.settle()
    engine.advance(29 * 86_400)
    assert value(engine) == {"count": 1}
    engine.advance(86_400)
    assert value(engine) == {"count": 2}
    engine.advance(60 * 86_400)
    assert value(engine) == {"count": 4}


def test_a_cron_schedule_is_kept(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    rotate(
        engine, RotationRules={"ScheduleExpression": "cron(0 3 ? * SUN *)", "Duration": "2h"}, RotateImmediately=False
    )
    engine.settle()
    assert steps(engine) == ["testSecret"]
    described = engine.client("secretsmanager").describe_secret(SecretId="plain")
    assert f"{described['NextRotationDate'].timestamp():.0f}" == "1893906000"  # Sunday 6 January 2030, 05:00 UTC
    assert list(described["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    engine.advance(5 * 86_400)
    assert value(engine) == {"count": 1}


def test_a_failed_step_begins_again_from_the_first_with_the_same_version(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = started(tmp_path, start_engine)
    version = rotate(engine)["VersionId"]
    engine.faults.fail_function("rotate", 2)
    engine.settle()

    assert steps(engine) == ["createSecret", "createSecret", "createSecret", "setSecret", "testSecret", "finishSecret"]
    assert engine.client("secretsmanager").get_secret_value(SecretId="plain")["VersionId"] == version


def test_what_keeps_failing_leaves_its_version_and_blocks_the_next_until_it_is_done(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    engine = started(tmp_path, start_engine)
    version = rotate(engine, RotationRules={"AutomaticallyAfterDays": 30})["VersionId"]
    engine.faults.fail_function("rotate", 5)
    engine.settle()
    client = engine.client("secretsmanager")
    assert client.describe_secret(SecretId="plain")["VersionIdsToStages"][version] == ["AWSPENDING"]
    assert value(engine) == {"count": 0}

    with pytest.raises(ClientError, match=r"A previous rotation isn.t complete\. That rotation will be reattempted"):
        rotate(engine)
    engine.settle()
    assert value(engine) == {"count": 1}
    assert client.get_secret_value(SecretId="plain")["VersionId"] == version


def test_an_incomplete_rotation_is_tried_again_in_the_next_window(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    version = rotate(engine, RotationRules={"AutomaticallyAfterDays": 2})["VersionId"]
    engine.faults.fail_function("rotate", 5)
    engine.settle()
    engine.advance(2 * 86_400)

    assert engine.client("secretsmanager").get_secret_value(SecretId="plain")["VersionId"] == version


def test_a_second_rotation_at_once_is_refused_and_the_first_goes_on(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    rotate(engine)
    with pytest.raises(ClientError) as refused:
        rotate(engine)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
    engine.settle()
    assert value(engine) == {"count": 1}


def test_a_cancelled_rotation_stops_where_it_is(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    rotate(engine, RotationRules={"AutomaticallyAfterDays": 1})
    client = engine.client("secretsmanager")
    client.cancel_rotate_secret(SecretId="plain")
    engine.settle()
    engine.advance(3 * 86_400)
    assert steps(engine) == []
    assert client.describe_secret(SecretId="plain")["RotationEnabled"] is False


def test_a_function_that_lets_nobody_in_is_refused_at_once(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, let_in=False)
    with pytest.raises(ClientError) as refused:
        rotate(engine)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "cannot invoke the specified Lambda function" in str(refused.value)


def test_a_caller_needs_to_be_allowed_to_invoke_the_function(tmp_path: Path, start_engine: StartEngine) -> None:
    rotating = allow(["secretsmanager:RotateSecret"], "*")
    invoking = allow(["lambda:InvokeFunction"], att("Function"))
    engine = started(tmp_path, start_engine, Half=managed_policy(rotating), Full=managed_policy(rotating, invoking))
    function_arn = engine.client("lambda").get_function(FunctionName="rotate")["Configuration"]["FunctionArn"]
    for name in ("Half", "Full"):
        caller = engine.principal(name, [engine.resource("App", name).physical_id])
        client = engine.client("secretsmanager", caller)
        if name == "Half":
            with pytest.raises(ClientError, match="lambda:InvokeFunction"):
                client.rotate_secret(SecretId="plain", RotationLambdaARN=function_arn)
        else:
            client.rotate_secret(SecretId="plain", RotationLambdaARN=function_arn)


def test_a_template_sets_a_rotation(tmp_path: Path, start_engine: StartEngine) -> None:
    schedule = {
        "Type": "AWS::SecretsManager::RotationSchedule",
        "Properties": {
            "SecretId": {"Ref": "Secret"},
            "RotationLambdaARN": att("Function"),
            "RotationRules": {"ScheduleExpression": "rate(8 hours)"},
        },
        "DependsOn": "Permission",
    }
    engine = started(tmp_path, start_engine, Schedule=schedule)
    engine.settle()
    assert value(engine) == {"count": 1}
    engine.advance(9 * 3600)
    assert value(engine) == {"count": 2}


def test_a_versions_value_is_set_once(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    client = engine.client("secretsmanager")
    token = "0" * 32
    given = {"SecretId": "plain", "ClientRequestToken": token, "VersionStages": ["AWSPENDING"]}
    client.put_secret_value(SecretString="a", **given)
    client.put_secret_value(SecretString="a", **given)
    with pytest.raises(ClientError) as refused:
        client.put_secret_value(SecretString="b", **given)
    assert refused.value.response["Error"]["Code"] == "ResourceExistsException"
