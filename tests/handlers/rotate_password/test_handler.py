"""The rotation function as Secrets Manager calls it, with real logins; and what it lets out: never a password."""

from __future__ import annotations

import importlib
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.rotate_password.errors import RotationError
from lambdas.rotate_password.versions import SecretVersions
from tests.logic.rotate_password.played import DATABASE, PREFIX, REGION, STEPS, Warehouse

ROOT = Path(__file__).parents[3]
HANDLER = "lambdas.rotate_password.handler"


class Context:
    """What the function reads of Lambda's context object."""

    function_name = "rotate-password"
    memory_limit_in_mb = 256
    invoked_function_arn = f"arn:aws:lambda:{REGION}:123456789012:function:rotate-password"
    aws_request_id = "9d1c5b4e-0000-4000-8000-000000000005"


class Deployed:
    """The function in its surroundings, and a way to call it as Secrets Manager does."""

    def __init__(self, warehouse: Warehouse, *, service_name: str) -> None:
        self.warehouse = warehouse
        self.service_name = service_name

    def environment(self) -> dict[str, str]:
        cluster = {
            "cluster_identifier": "amp-test-analytics", "database": DATABASE, "admin_user": "amp_admin",
            "declaration": "standard", "host": "localhost", "port": self.warehouse.server.port,
            "spectrum_role_arn": "arn:aws:iam::123456789012:role/spectrum", "secret_prefix": PREFIX, "databases": {},
        }  # fmt: skip
        return {
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CA_BUNDLE": str(self.warehouse.server.ca_file),
            "CLUSTERS": json.dumps({"analytics": cluster}),
            "POWERTOOLS_SERVICE_NAME": self.service_name,
            "POWERTOOLS_METRICS_NAMESPACE": "Amp/test",
        }

    def step(self, step: str, name: str, token: str) -> None:
        module = sys.modules.get(HANDLER) or importlib.import_module(HANDLER)
        arn = self.warehouse.secrets.describe_secret(SecretId=name)["ARN"]
        module.handler({"Step": step, "SecretId": arn, "ClientRequestToken": token}, Context())

    def rotate(self, name: str) -> None:
        self.take(name, self.warehouse.begin(name))

    def take(self, name: str, token: str) -> None:
        for step in STEPS:
            self.step(step, name, token)


@pytest.fixture
def deployed(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Deployed]:
    # A logger lives as long as the process and keeps the output of the test that made it: one name for each test.
    deployed = Deployed(warehouse, service_name=request.node.name)
    for name, value in deployed.environment().items():
        monkeypatch.setenv(name, value)
    client = boto3.Session.client

    def with_real_logins(self: boto3.Session, name: str, **options: Any) -> Any:
        return warehouse.redshift if name == "redshift" else client(self, name, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(boto3.Session, "client", with_real_logins)
    sys.modules.pop(HANDLER, None)
    yield deployed
    sys.modules.pop(HANDLER, None)


def printed(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Metrics and log lines."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "_aws" in line], [line for line in lines if "_aws" not in line]


def emitted(metrics: dict[str, Any]) -> dict[str, float]:
    (definition,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (definition["Namespace"], definition["Dimensions"]) == ("Amp/test", [["service"]])
    return {metric["Name"]: metrics[metric["Name"]][0] for metric in definition["Metrics"]}


def test_a_rotation_gives_a_secret_that_logs_in(deployed: Deployed) -> None:
    for name in (deployed.warehouse.person(), deployed.warehouse.service()):
        deployed.rotate(name)
        assert deployed.warehouse.current_logs_in(name)


def test_metrics_and_logs_say_what_each_step_did(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    name = deployed.warehouse.person()
    deployed.rotate(name)
    metrics, logs = printed(capsys)
    assert [(line["step"], line["message"]) for line in logs] == [
        ("createSecret", "A password for ana is in the pending version."),
        ("setSecret", "The pending password of ana is in force."),
        ("testSecret", "The pending password of ana logs in."),
        ("finishSecret", "The new password is the current one."),
    ]
    assert [emitted(one) for one in metrics[:3]] == 3 * [{"RotationsFinished": 0, "StepsFailed": 0}]
    last = emitted(metrics[3])
    assert 0 < last.pop("SecondsWithoutLogin") < 10
    assert last == {"RotationsFinished": 1, "StepsFailed": 0}


def test_a_failed_step_is_logged_counted_and_raised(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    name = deployed.warehouse.secret(user="amp_admin", rotation="single-user")
    token = deployed.warehouse.begin(name)
    with pytest.raises(RotationError, match="the administrator"):
        deployed.step("createSecret", name, token)
    (metrics,), (line,) = printed(capsys)
    assert emitted(metrics) == {"RotationsFinished": 0, "StepsFailed": 1}
    assert (line["level"], line["step"], line["version"]) == ("ERROR", "createSecret", token)
    assert line["secret"].endswith(name) or name in line["secret"]


def test_no_password_gets_out_whatever_happens(
    deployed: Deployed,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Logs, metrics, errors with their tracebacks, and all that the database logs of statements and logins."""
    caplog.set_level(logging.INFO)
    warehouse = deployed.warehouse
    with warehouse.server.connect_as_superuser() as connection:
        for setting, value in (("log_statement", "all"), ("log_min_error_statement", "error")):
            connection.execute(f"ALTER DATABASE {DATABASE} SET {setting} = '{value}'")
    home = warehouse.server._home
    assert home is not None
    raised: list[str] = []

    def fails(name: str, token: str, message: str) -> None:
        with pytest.raises(RotationError, match=message) as error:
            deployed.take(name, token)
        raised.extend(traceback.format_exception(error.value))

    def quoting(self: SecretVersions, _arn: str, _version: str, text: str) -> None:
        raise ValueError(f"cannot send {text}")

    person, service = warehouse.person(), warehouse.service()
    for name in (person, service):
        deployed.rotate(name)
        token = warehouse.begin(name)
        with monkeypatch.context() as patch:
            patch.setattr(SecretVersions, "put_pending", quoting)
            fails(name, token, r"The step failed by ValueError at .*test_handler.py")
        warehouse.redshift.error = "ThrottlingException"
        fails(name, token, "gave no credentials")
        warehouse.redshift.error = None
        warehouse.redshift.rights = "NOSUPERUSER"
        fails(name, token, "did not set the password of .*: InsufficientPrivilege, SQLSTATE 42501")
        warehouse.redshift.rights = "SUPERUSER"
        warehouse.server.shut()
        fails(name, token, "could not be reached over TLS")
        warehouse.server.reopen()
        user = warehouse.value(name, VersionId=token)["username"]
        warehouse.drop_user(user)
        fails(name, token, "has no user")
        with pytest.raises(RotationError, match="refused the login") as error:
            deployed.step("testSecret", name, token)
        raised.extend(traceback.format_exception(error.value))
        warehouse.create_user(user)
        deployed.rotate(name)
        token = warehouse.begin(name)
        deployed.step("createSecret", name, token)
        hostile = {**warehouse.value(name), "username": "amp_admin"}
        hostile_token = warehouse.begin(name)
        warehouse.versions.put_pending(name, hostile_token, json.dumps(hostile))
        fails(name, token, "is not the pending one")
        fails(name, hostile_token, "its username is another user's")
        deployed.rotate(name)
        assert warehouse.current_logs_in(name)

    database_log = (home / "log").read_text()
    assert 'ALTER USER "ana" PASSWORD \'md5' in database_log
    assert "SELECT 1, current_user" in database_log
    output = capsys.readouterr()
    assert output.out.count("StepsFailed") > 20
    passwords = {*warehouse.passwords(person), *warehouse.passwords(service), *warehouse.redshift.given}
    assert len(passwords) > 20
    told = "\n".join([output.out, output.err, caplog.text, *raised, database_log])
    assert [password for password in passwords if password in told] == []


def test_the_statements_are_the_two_that_are_documented(deployed: Deployed) -> None:
    warehouse = deployed.warehouse
    with warehouse.server.connect_as_superuser() as connection:
        connection.execute(f"ALTER DATABASE {DATABASE} SET log_statement = 'all'")
    home = warehouse.server._home
    assert home is not None
    began = len((home / "log").read_text())
    deployed.rotate(warehouse.service())
    logged = (home / "log").read_text()[began:]
    statements = [
        line.partition("statement: ")[2].split("'")[0] for line in logged.splitlines() if "statement: " in line
    ]
    assert statements == [
        "BEGIN", 'ALTER USER "etl_clone" PASSWORD ', "COMMIT",
        "BEGIN", "SELECT 1, current_user", "COMMIT",
        "BEGIN", "SELECT 1, current_user", "COMMIT",
        "BEGIN", 'ALTER USER "etl_clone" PASSWORD ', "COMMIT",
    ]  # fmt: skip


@pytest.mark.parametrize("clusters", ["", "[]", '{"analytics": {}}', '{"analytics": {"port": "x"}}'])
def test_clusters_that_cannot_be_read_are_named(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, clusters: str
) -> None:
    monkeypatch.setenv("CLUSTERS", clusters)
    name = deployed.warehouse.person()
    with pytest.raises(RotationError, match="CLUSTERS is not what the function reads"):
        deployed.rotate(name)


def test_the_function_starts_without_loading_the_aws_sdk(deployed: Deployed) -> None:
    script = f"import sys, {HANDLER}; sys.exit('boto3' in sys.modules)"
    environment = {**deployed.environment(), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)  # noqa: S603
