"""MWAA as a rehearsal plays it: what it refuses to create, and DAGs that act under the execution role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.engine.assemblies import NEEDS, Json, StartEngine, allow, att, role

pytest.importorskip("moto", reason=NEEDS)
pytest.importorskip("time_machine", reason=NEEDS)

from rehearsal.engine.clock import Clock
from rehearsal.engine.engine import Engine
from rehearsal.engine.errors import DeploymentFailed, RehearsalError
from rehearsal.engine.mwaa.environment import ManagedAirflow
from rehearsal.engine.mwaa.model import AirflowUnavailable, DagRun, Departure, Installation
from tests.rehearsal.engine.job_assemblies import JOB, READ_ASSETS, JobAssemblyWriter

ROOT = Path(__file__).parents[3]
INSTALLATION = Installation(python=ROOT / ".venv-airflow" / "bin" / "python", cache=ROOT / ".cache" / "airflow")
needs_airflow = pytest.mark.skipif(
    not INSTALLATION.python.exists(), reason="Airflow is not installed: it needs Python 3.11 or 3.12"
)
pytestmark = pytest.mark.xdist_group("airflow")

NAME = "shop"
BUCKET = "shop-code"
START = datetime(2030, 1, 1, 12, tzinfo=UTC)
READ_CODE = allow(
    ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"], f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"
)
WRITE_LOGS = allow(["logs:CreateLogStream", "logs:PutLogEvents"], "arn:aws:logs:*:*:log-group:airflow-shop-*")
WRITE_PROOF = allow(["s3:PutObject"], f"arn:aws:s3:::{BUCKET}/proofs/*")
RUN_JOBS = allow(
    ["glue:GetJob", "glue:StartJobRun", "glue:GetJobRun"], {"Fn::Sub": f"arn:aws:glue:*:${{AWS::AccountId}}:job/{JOB}"}
)
DAG = """
import boto3
from datetime import datetime
from airflow.configuration import conf
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.sdk import dag, task

@dag(schedule=None)
def proof():
    @task
    def write(params=None, dag_run=None):
        key = dag_run.conf.get("key", "proofs/one")
        print("writes", key)
        boto3.client("s3").put_object(Bucket=conf.get("shop", "bucket"), Key=key, Body=b"proven")
    tidy = GlueJobOperator(
        task_id="tidy", job_name="tidy", aws_conn_id=None, deferrable=True,
        waiter_delay=conf.getint("shop", "poll_seconds"),
    )
    tidy >> write()

proof()
"""


def _mwaa_role(*statements: Json) -> Json:
    made = role("airflow.amazonaws.com", *statements)
    principals = {"Service": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]}
    made["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = principals
    return made


def _assembly(
    folder: Path, *, bucket: Json | None = None, execution_role: Json | None = None, **properties: Any
) -> Path:
    """A stack ``Code`` with bucket and job, and a stack ``Airflow`` with the environment."""
    writer = JobAssemblyWriter(folder)
    closed = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
    bucket_properties = {
        "BucketName": BUCKET,
        "VersioningConfiguration": {"Status": "Enabled"},
        "PublicAccessBlockConfiguration": closed,
        **(bucket or {}),
    }
    job = {
        "Name": JOB,
        "Role": att("JobRole"),
        "Command": {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": writer.script("print('tidied')")},
        "GlueVersion": "5.0",
        "WorkerType": "G.1X",
        "NumberOfWorkers": 2,
    }
    code = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": bucket_properties},
        "JobRole": role("glue.amazonaws.com", READ_ASSETS),
        "Job": {"Type": "AWS::Glue::Job", "Properties": job},
    }
    environment = {
        "Name": NAME,
        "AirflowVersion": "3.0.6",
        "DagS3Path": "airflow/dags",
        "SourceBucketArn": f"arn:aws:s3:::{BUCKET}",
        "ExecutionRoleArn": att("Role"),
        "AirflowConfigurationOptions": {
            "shop.bucket": BUCKET,
            "shop.poll_seconds": "30",
            "core.dags_are_paused_at_creation": "False",
        },
        "LoggingConfiguration": {"TaskLogs": {"Enabled": True, "LogLevel": "INFO"}},
        **properties,
    }
    allowed = execution_role or _mwaa_role(READ_CODE, WRITE_LOGS, WRITE_PROOF, RUN_JOBS)
    writer.stack("Code", {"Resources": code})
    airflow = {"Role": allowed, "Environment": {"Type": "AWS::MWAA::Environment", "Properties": environment}}
    writer.stack("Airflow", {"Resources": airflow}, after=("Code",))
    return writer.write()


def _deploy(engine: Engine, *, requirements: str = "") -> None:
    engine.deploy(stacks=["Code"])
    s3 = engine.client("s3")
    s3.put_object(Bucket=BUCKET, Key="airflow/dags/proof.py", Body=DAG.encode())
    if requirements:
        s3.put_object(Bucket=BUCKET, Key="airflow/requirements.txt", Body=requirements.encode())
    engine.deploy(stacks=["Airflow"])


# --- what MWAA refuses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"execution_role": role("airflow.amazonaws.com")}, "airflow-env.amazonaws.com may not assume"),
        ({"bucket": {"VersioningConfiguration": {"Status": "Suspended"}}}, "keeps no versions"),
        ({"bucket": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}}, "not closed to the public"),
        ({"RequirementsS3Path": "airflow/absent.txt"}, "airflow/absent.txt"),
    ],
    ids=["untrusting role", "no versions", "public", "no requirements"],
)
def test_an_environment_that_mwaa_refuses_is_not_created(
    tmp_path: Path, start_engine: StartEngine, changed: dict[str, Any], said: str
) -> None:
    engine = start_engine(_assembly(tmp_path / "assembly", **changed))
    with pytest.raises(DeploymentFailed, match=said):
        _deploy(engine)


def test_an_airflow_for_an_unknown_environment_is_refused(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(_assembly(tmp_path / "assembly"))
    _deploy(engine)
    with pytest.raises(RehearsalError, match=r"no MWAA environment 'shop2'; deployed are \['shop'\]"):
        engine.airflow("shop2", INSTALLATION)


@needs_airflow
@pytest.mark.parametrize(
    ("properties", "requirements", "said"),
    [
        ({"AirflowVersion": "2.10.3"}, "boto3", "apache-airflow is 3.0.6, the environment's 2.10.3"),
        ({}, "# ours\n--constraint x.txt\nno_such.package==1\n", "no-such-package is absent"),
        ({}, "boto3==1.0.0", "boto3 is .*, the requirements ask for 1.0.0"),
    ],
    ids=["version", "package", "package's version"],
)
def test_an_installation_that_differs_from_the_environment_is_told(
    tmp_path: Path, start_engine: StartEngine, properties: Json, requirements: str, said: str
) -> None:
    engine = start_engine(_assembly(tmp_path / "assembly", RequirementsS3Path="airflow/requirements.txt", **properties))
    _deploy(engine, requirements=requirements)
    with pytest.raises(AirflowUnavailable, match=said):
        engine.airflow(NAME, INSTALLATION)


# --- what DAGs do ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, ManagedAirflow]]:
    folder = tmp_path_factory.mktemp("managed")
    with Engine(_assembly(folder / "assembly"), clock=Clock(start=START)) as engine:
        _deploy(engine)
        airflow = engine.airflow(
            NAME, INSTALLATION, departures=[Departure(option="shop.poll_seconds", value="1", why="machine's time")]
        )
        airflow.start()
        airflow.wait_ready(["proof"])
        yield engine, airflow


@needs_airflow
def test_a_dag_acts_under_the_execution_role(deployed: tuple[Engine, ManagedAirflow]) -> None:
    engine, airflow = deployed
    run = airflow.wait("proof", airflow.api.trigger("proof"), timeout_s=90)
    assert [(t.task, t.state) for t in run.tries] == [("tidy", "success"), ("write", "success")], _said(run)
    assert engine.client("s3").get_object(Bucket=BUCKET, Key="proofs/one")["Body"].read() == b"proven"
    assert [(done.job, done.state) for done in engine.job_runs] == [(JOB, "SUCCEEDED")]
    own = {call.need.action for call in engine.calls if call.principal.arn == _role_arn(engine)}
    assert {"s3:ListBucket", "s3:GetObject", "glue:StartJobRun", "s3:PutObject", "logs:PutLogEvents"} <= own


@needs_airflow
def test_what_the_role_may_not_do_fails_the_task_and_is_told_in_its_log(
    deployed: tuple[Engine, ManagedAirflow],
) -> None:
    engine, airflow = deployed
    run = airflow.wait("proof", airflow.api.trigger("proof", conf={"key": "elsewhere"}), timeout_s=90)
    refused = next(t for t in run.tries if t.task == "write")
    assert (run.state, refused.state) == ("failed", "failed"), _said(run)
    assert "AccessDenied" in refused.log
    assert [one for one in engine.timeline if (one.kind, one.source) == ("log-lines-lost", NAME)] == []
    stream = f"dag_id=proof/run_id={run.run_id.replace(':', '_')}/task_id=write/attempt=1.log"
    events = engine.client("logs").get_log_events(logGroupName="airflow-shop-Task", logStreamName=stream)["events"]
    assert any("writes elsewhere" in event["message"] for event in events)


def _said(run: DagRun) -> str:
    return "\n".join(f"{one.task} {one.number} {one.state}\n{one.log}" for one in run.tries)


def _role_arn(engine: Engine) -> str:
    return engine.resource("Airflow", "Role").arn
