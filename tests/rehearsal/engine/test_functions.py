"""A function runs alone: its own files, its role, its environment, its limits, its log."""

from __future__ import annotations

import itertools
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import LOGS, NEEDS, AssemblyWriter, Json, StartEngine, allow, att, role

pytest.importorskip("time_machine", reason=NEEDS)

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

HANDLER = """
import datetime, json, logging, os, socket, sys, time
import boto3

CALLS = []

def handler(event, context):
    CALLS.append(event)
    do = event.get("do")
    if do == "where":
        import shared.thing
        return {"file": __file__, "shared": shared.thing.__file__, "path": sys.path, "cwd": os.getcwd()}
    if do == "environment":
        return dict(os.environ)
    if do == "context":
        return {"id": context.aws_request_id, "arn": context.invoked_function_arn,
                "left": context.get_remaining_time_in_millis(), "memory": context.memory_limit_in_mb,
                "name": context.function_name}
    if do == "import":
        __import__(event["name"])
    if do == "write":
        open(event["path"], "w").write("x")
    if do == "connect":
        socket.create_connection((event["host"], event["port"]), timeout=1).close()
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "exit":
        os._exit(3)
    if do == "raise":
        raise ValueError("as asked")
    if do == "big":
        return "x" * event["size"]
    if do == "set":
        return {1, 2}
    if do == "now":
        return [time.time(), datetime.datetime.now(datetime.timezone.utc).timestamp()]
    if do == "log":
        logging.getLogger().warning("a warning")
        print(json.dumps({"_aws": {"Timestamp": 1893456000000, "CloudWatchMetrics": [{"Namespace": "Shop",
            "Dimensions": [["service"]], "Metrics": [{"Name": "Sold", "Unit": "Count"}]}]},
            "service": "till", "Sold": [1, 2]}))
    if do == "call":
        return boto3.client("sqs").list_queues().get("QueueUrls", [])
    return len(CALLS)
"""


def function_app(folder: Path, *, properties: Json | None = None, files: Json | None = None, **extra: Json) -> Path:
    """One function that does what its event says."""
    writer = AssemblyWriter(folder)
    code = {"main.py": HANDLER, "shared/__init__.py": "", "shared/thing.py": "", **(files or {})}
    function = {
        "Code": writer.asset(code),
        "Handler": "main.handler",
        "Runtime": "python3.13",
        "Role": att("Role"),
        "Timeout": 2,
        "MemorySize": 256,
        "Environment": {"Variables": {"COLOUR": "blue"}},
        **(properties or {}),
    }
    resources = {
        "Role": role("lambda.amazonaws.com", LOGS),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        **extra,
    }
    writer.stack("App", {"Resources": resources})
    return writer.write()


@pytest.fixture
def engine(tmp_path: Path, start_engine: StartEngine) -> Engine:
    """The function, deployed."""
    engine = start_engine(function_app(tmp_path))
    engine.deploy()
    return engine


def invoke(engine: Engine, **event: Any) -> Any:
    """The function's value; a dict with ``errorType`` when it failed."""
    name = engine.resource("App", "Function").physical_id
    answer = engine.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read())


def log_lines(engine: Engine) -> list[str]:
    logs = engine.client("logs")
    return [
        event["message"]
        for group in logs.describe_log_groups()["logGroups"]
        for stream in logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]
        for event in logs.get_log_events(
            logGroupName=group["logGroupName"], logStreamName=stream["logStreamName"], startFromHead=True
        )["events"]
    ]


def test_a_functions_own_files_are_the_assets_byte_for_byte(engine: Engine) -> None:
    where = invoke(engine, do="where")
    assets = set(engine.assembly.assets.values())
    assert Path(where["file"]).parent in assets
    assert Path(where["shared"]).parent.parent in assets
    assert Path(where["cwd"]) in assets
    assert Path(where["file"]).read_text("utf-8") == HANDLER
    assert not list(Path(where["cwd"]).rglob("*.pyc"))


@pytest.mark.parametrize("name", ["rehearsal", "moto", "pytest", "contracts"])
def test_what_lambda_would_not_have_cannot_be_imported(engine: Engine, name: str) -> None:
    assert invoke(engine, do="import", name=name)["errorType"] == "ModuleNotFoundError"


def test_the_environment_is_the_templates_and_the_runtimes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED", "yes")
    environment = invoke(engine, do="environment")
    assert environment["COLOUR"] == "blue"
    assert environment["AWS_ENDPOINT_URL"] == engine.endpoint_url
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == engine.resource("App", "Function").physical_id
    assert environment["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert "LEAKED" not in environment


def test_the_context_is_that_of_the_runtime(engine: Engine) -> None:
    context = invoke(engine, do="context")
    assert context["arn"] == engine.resource("App", "Function").arn
    assert context["memory"] == "256"
    assert 0 < context["left"] <= 2000
    assert context["id"] == engine.invocations[-1].request_id


def test_a_warm_function_keeps_its_state(engine: Engine) -> None:
    assert [invoke(engine), invoke(engine)] == [1, 2]
    assert [invocation.cold for invocation in engine.invocations] == [True, False]


def test_a_function_that_is_too_slow_is_killed_and_starts_anew(engine: Engine) -> None:
    answer = invoke(engine, do="sleep", seconds=30)
    assert answer["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in answer["errorMessage"]
    assert invoke(engine) == 1
    assert [invocation.outcome for invocation in engine.invocations] == ["timeout", "ok"]


def test_a_process_that_ends_is_replaced(engine: Engine) -> None:
    assert invoke(engine, do="exit")["errorType"] == "Runtime.ExitError"
    assert invoke(engine) == 1


def test_an_error_is_reported_as_lambda_reports_it(engine: Engine) -> None:
    answer = invoke(engine, do="raise")
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "as asked")
    assert any("main.py" in frame for frame in answer["stackTrace"])


def test_a_value_that_is_not_json_is_a_marshalling_error(engine: Engine) -> None:
    assert invoke(engine, do="set")["errorType"] == "Runtime.MarshalError"


def test_a_response_over_six_megabytes_is_refused(engine: Engine) -> None:
    assert len(invoke(engine, do="big", size=6_200_000)) == 6_200_000
    assert invoke(engine, do="big", size=6_291_556)["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_request_over_six_megabytes_is_refused(engine: Engine) -> None:
    with pytest.raises(engine.client("lambda").exceptions.RequestTooLargeException):
        invoke(engine, text="x" * 6_300_000)


def test_files_can_be_written_in_the_temporary_folder_alone(engine: Engine, tmp_path: Path) -> None:
    temporary = invoke(engine, do="environment")["TMPDIR"]
    assert isinstance(invoke(engine, do="write", path=f"{temporary}/x"), int)
    refused = invoke(engine, do="write", path="/var/lambda-test-file")
    assert refused["errorType"] == "OSError"
    assert "Read-only file system" in refused["errorMessage"]


def test_the_network_is_what_the_scenario_lets_a_function_reach(engine: Engine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        refused = invoke(engine, do="connect", host="127.0.0.1", port=port)
        assert refused["errorType"] == "ConnectionRefusedError"
        engine.allow_network("127.0.0.1", port)
        assert isinstance(invoke(engine, do="connect", host="127.0.0.1", port=port), int)
    assert invoke(engine, do="connect", host="example.org", port=443)["errorType"] == "gaierror"


def test_a_function_follows_the_clock(engine: Engine) -> None:
    invoke(engine)
    engine.clock.advance(7200)
    for moment in invoke(engine, do="now"):
        assert abs(moment - engine.clock.time()) < 5


def test_calls_are_made_with_the_role_and_decided_by_its_policies(engine: Engine) -> None:
    answer = invoke(engine, do="call")
    assert answer["errorType"] == "ClientError"
    assert "is not authorized to perform: sqs:ListQueues" in answer["errorMessage"]
    assert [refusal.need.action for refusal in engine.refusals] == ["sqs:ListQueues"]
    assert engine.refusals[0].principal.arn == engine.resource("App", "Role").arn


def test_output_goes_to_the_log_group_and_embedded_metrics_can_be_read(engine: Engine) -> None:
    invoke(engine, do="log")
    lines = log_lines(engine)
    assert lines[0].startswith("START RequestId: ")
    assert any("[WARNING]" in line and "a warning" in line for line in lines)
    assert lines[-1].startswith("REPORT RequestId: ")
    sold = [metric for metric in engine.metrics if metric.namespace == "Shop"]
    assert [(one.name, one.value, one.dimensions) for one in sold] == [
        ("Sold", 1.0, {"service": "till"}),
        ("Sold", 2.0, {"service": "till"}),
    ]


def test_json_logs_are_objects_of_the_runtime(tmp_path: Path, start_engine: StartEngine) -> None:
    group = {"Type": "AWS::Logs::LogGroup"}
    logging = {"LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "Logs"}}}
    engine = start_engine(function_app(tmp_path, properties=logging, Logs=group))
    engine.deploy()
    invoke(engine, do="log")
    lines = [json.loads(line) for line in log_lines(engine)]
    assert lines[0]["type"] == "platform.start"
    assert any(line.get("message") == "a warning" and line["level"] == "WARNING" for line in lines)
    assert lines[-1]["record"]["status"] == "success"


def test_a_role_that_may_not_log_loses_its_lines_and_is_named(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(function_app(tmp_path, Role=role("lambda.amazonaws.com")))
    engine.deploy()
    assert invoke(engine) == 1
    assert {refusal.need.action for refusal in engine.refusals} == {"logs:CreateLogStream"}
    assert [event.kind for event in engine.timeline][-1] == "log-lines-lost"


@pytest.mark.parametrize(
    ("properties", "files", "kind"),
    [
        ({"Handler": "main.missing"}, {}, "Runtime.HandlerNotFound"),
        ({"Handler": "absent.handler"}, {}, "Runtime.ImportModuleError"),
        ({}, {"main.py": "def handler(:"}, "Runtime.UserCodeSyntaxError"),
        ({}, {"main.py": "raise RuntimeError('early')"}, "RuntimeError"),
        ({}, {"main.py": "import os; os._exit(1)"}, "Runtime.ExitError"),
    ],
)
def test_a_function_that_cannot_start_says_why(
    tmp_path: Path, start_engine: StartEngine, properties: Json, files: Json, kind: str
) -> None:
    engine = start_engine(function_app(tmp_path, properties=properties, files=files))
    engine.deploy()
    assert invoke(engine)["errorType"] == kind
    assert engine.invocations[0].outcome == "init-error"


def test_a_role_that_lambda_cannot_assume_fails_the_deployment(tmp_path: Path, start_engine: StartEngine) -> None:
    from rehearsal.engine.errors import DeploymentFailed

    engine = start_engine(function_app(tmp_path, Role=role("ec2.amazonaws.com")))
    with pytest.raises(DeploymentFailed, match="the role cannot be assumed by Lambda"):
        engine.deploy()


def dist_info(name: str, version: str, *, pure: bool, module: str) -> Json:
    """The files that a wheel leaves in an asset."""
    folder = f"{name}-{version}.dist-info"
    return {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{folder}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: {str(pure).lower()}\n",
        f"{folder}/RECORD": f"{module}/__init__.py,,\n{folder}/METADATA,,\n",
        f"{module}/__init__.py": "raise ImportError('built for another platform')" if not pure else "PURE = True",
    }


def test_a_native_package_of_the_asset_is_imported_from_the_same_version_here(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    import importlib.metadata

    files = dist_info("orjson", importlib.metadata.version("orjson"), pure=False, module="orjson")
    engine = start_engine(function_app(tmp_path, files=files))
    engine.deploy()
    assert invoke(engine, do="import", name="orjson") == 1


def test_a_pure_package_of_the_asset_is_imported_from_the_asset(tmp_path: Path, start_engine: StartEngine) -> None:
    files = dist_info("shopkit", "1.0", pure=True, module="shopkit")
    engine = start_engine(function_app(tmp_path, files=files))
    engine.deploy()
    assert invoke(engine, do="import", name="shopkit") == 1


def test_a_native_package_in_another_version_is_named(tmp_path: Path, start_engine: StartEngine) -> None:
    from rehearsal.engine.errors import PackageMismatch
    from rehearsal.engine.functions import Functions

    files = dist_info("orjson", "0.0.1", pure=False, module="orjson")
    engine = start_engine(function_app(tmp_path, files=files))
    engine.deploy()
    function = engine.resource("App", "Function").arn
    with pytest.raises(PackageMismatch, match=r"orjson: .* wants 0\.0\.1, the local environment has"):
        engine.account.service(Functions).invoke(function, b"{}", source="test")


def test_an_asynchronous_invocation_is_tried_three_times_and_its_event_kept(
    tmp_path: Path, start_engine: StartEngine
) -> None:
    resources = {
        "Letters": {"Type": "AWS::SQS::Queue"},
        "Role": role("lambda.amazonaws.com", LOGS, allow(["sqs:SendMessage"], att("Letters"))),
    }
    letters = {"DeadLetterConfig": {"TargetArn": att("Letters")}}
    engine = start_engine(function_app(tmp_path, properties=letters, **resources))
    engine.deploy()
    name = engine.resource("App", "Function").physical_id
    event = json.dumps({"do": "raise"})
    answer = engine.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=event)
    assert answer["StatusCode"] == 202
    engine.settle()
    times = [invocation.time for invocation in engine.invocations]
    assert [round((b - a).total_seconds() / 60) for a, b in itertools.pairwise(times)] == [1, 2]
    url = engine.resource("App", "Letters").physical_id
    assert engine.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == event


def test_a_function_without_concurrency_is_throttled(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(function_app(tmp_path, properties={"ReservedConcurrentExecutions": 0}))
    engine.deploy()
    with pytest.raises(engine.client("lambda").exceptions.TooManyRequestsException):
        invoke(engine)


def test_a_fault_of_time_lets_the_time_pass_without_waiting(engine: Engine) -> None:
    engine.faults.fail_function(engine.resource("App", "Function").physical_id, 1, kind="timeout")
    before = engine.clock.time()
    assert invoke(engine)["errorType"] == "Sandbox.Timedout"
    assert engine.clock.time() - before >= 2
    assert invoke(engine) == 1
