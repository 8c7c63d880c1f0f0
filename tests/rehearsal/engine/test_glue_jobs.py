"""A Glue job runs as its template declares it: its script, arguments, role, limits, log, and what Glue says of it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.engine.assemblies import LOGS, NEEDS, StartEngine, allow, att, one_stack
from tests.rehearsal.engine.job_assemblies import JOB, READ_ASSETS, job_assembly, printed, run_job

pytest.importorskip("time_machine", reason=NEEDS)
pytest.importorskip("pyspark", reason=NEEDS)

SCRIPT = """
import json, os, sys, time

ARGUMENTS = dict(zip(sys.argv[1::2], sys.argv[2::2]))
do = ARGUMENTS.get("--do", "")
if do == "show":
    import datetime
    print(json.dumps({"argv": sys.argv, "now": datetime.datetime.now(datetime.timezone.utc).isoformat(),
                      "path": sys.path[0], "environment": dict(os.environ)}))
if do == "library":
    from shelf.books import TITLE
    print("TITLE", TITLE)
if do == "import":
    __import__(ARGUMENTS["--name"])
if do == "connect":
    import socket
    socket.create_connection((ARGUMENTS["--host"], 80), timeout=1)
if do == "connect-to-address":
    import socket
    socket.socket().connect((ARGUMENTS["--host"], 80))
if do == "raise":
    raise ValueError("as asked")
if do == "sleep":
    time.sleep(float(ARGUMENTS["--seconds"]))
if do == "exit":
    sys.exit(int(ARGUMENTS["--status"]))
if do == "put":
    import boto3
    for n in range(3):
        boto3.client("s3").put_object(Bucket=ARGUMENTS["--bucket"], Key=f"out/{n}", Body=b"x")
if do == "metric":
    print(json.dumps({"_aws": {"Timestamp": 1893456000000, "CloudWatchMetrics": [{"Namespace": "Shop",
        "Dimensions": [["service"]], "Metrics": [{"Name": "Rows", "Unit": "Count"}]}]}, "service": "tidy", "Rows": 7}))
if do == "flaky":
    import boto3
    s3 = boto3.client("s3")
    tried = s3.list_objects_v2(Bucket=ARGUMENTS["--bucket"])["KeyCount"]
    s3.put_object(Bucket=ARGUMENTS["--bucket"], Key=f"out/{tried}", Body=b"x")
    if tried < 2:
        raise RuntimeError(f"attempt {tried}")
"""
BUCKET = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "shelf"}}}
USE_BUCKET = allow(["s3:PutObject", "s3:ListBucket"], att("Bucket"), {"Fn::Sub": "${Bucket.Arn}/out/*"})


def test_a_script_gets_the_arguments_as_glue_gives_them(tmp_path: Path, start_engine: StartEngine) -> None:
    """A run's argument wins over the job's default, and not over one that may not be overridden."""
    defaults = {"--do": "show", "--window": "day", "--fixed": "1", "--conf": "spark.a=1"}
    engine = start_engine(job_assembly(tmp_path, SCRIPT, arguments=defaults, NonOverridableArguments={"--fixed": "2"}))
    engine.deploy()

    run = run_job(engine, {"--window": "hour", "--fixed": "3"})

    shown = json.loads(printed(engine))
    argv = shown["argv"]
    assert argv[0].endswith(".py")
    pairs = dict(zip(argv[1::2], argv[2::2], strict=True))
    assert pairs["--window"] == "hour"
    assert pairs["--fixed"] == "2"
    assert pairs["--JOB_NAME"] == JOB
    assert pairs["--JOB_RUN_ID"] == run["Id"]
    assert "--conf" not in pairs
    assert run["Arguments"] == {"--do": "show", "--window": "hour", "--fixed": "2", "--conf": "spark.a=1"}
    assert run["JobRunState"] == "SUCCEEDED"
    assert run["Attempt"] == 0
    assert shown["now"].startswith("2030-01-01T12:0"), "the script's clock is the rehearsal's"


def test_a_run_may_be_given_another_script_and_other_files(tmp_path: Path, start_engine: StartEngine) -> None:
    code = allow(["s3:GetObject"], "arn:aws:s3:::shelf/code/*")
    engine = start_engine(job_assembly(tmp_path, SCRIPT, statements=(READ_ASSETS, LOGS, code), resources=BUCKET))
    engine.deploy()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("shelf.py", "TITLE = 'Persuasion'")
    put = engine.client("s3").put_object
    put(Bucket="shelf", Key="code/2/packages.zip", Body=packed.getvalue())
    put(Bucket="shelf", Key="code/2/run.py", Body=b"import shelf; print('TITLE', shelf.TITLE)")

    files = {name: f"s3://shelf/code/2/{file}" for name, file in
             (("--scriptLocation", "run.py"), ("--extra-py-files", "packages.zip"))}  # fmt: skip
    run = run_job(engine, files)

    assert run["JobRunState"] == "SUCCEEDED"
    assert "TITLE Persuasion" in printed(engine)


def test_a_script_sees_its_extra_files_and_nothing_of_the_machine(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(
        job_assembly(tmp_path, SCRIPT, libraries={"shelf/__init__.py": "", "shelf/books.py": "TITLE = 'Emma'"})
    )
    os.environ["ONLY_HERE"] = "x"
    try:
        engine.deploy()
        assert run_job(engine, {"--do": "library"})["JobRunState"] == "SUCCEEDED"
        run_job(engine, {"--do": "show"})
    finally:
        del os.environ["ONLY_HERE"]

    assert "TITLE Emma" in printed(engine)
    assert "ONLY_HERE" not in printed(engine)
    for name in ("rehearsal", "moto", "duckdb"):
        run = run_job(engine, {"--do": "import", "--name": name})
        assert run["ErrorMessage"] == f"ModuleNotFoundError: No module named '{name}'"


def test_a_script_reaches_no_network(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()

    by_name = run_job(engine, {"--do": "connect", "--host": "example.com"})
    by_address = run_job(engine, {"--do": "connect-to-address", "--host": "192.0.2.7"})

    assert "not known: example.com" in by_name["ErrorMessage"]
    assert "this machine alone" in by_address["ErrorMessage"]


def test_a_failed_run_says_the_end_of_its_traceback(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()

    run = run_job(engine, {"--do": "raise"})

    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == "ValueError: as asked"
    assert "Traceback (most recent call last)" in printed(engine)
    assert "ValueError: as asked" in printed(engine, "/aws-glue/jobs/error")
    (record,) = engine.job_runs
    assert (record.job, record.run_id, record.state) == (JOB, run["Id"], "FAILED")
    assert record.error == "ValueError: as asked"
    assert record.arguments == {"--do": "raise"}
    assert record.seconds > 0


@pytest.mark.parametrize(("status", "state"), [("0", "SUCCEEDED"), ("3", "FAILED")])
def test_the_exit_status_decides(tmp_path: Path, start_engine: StartEngine, status: str, state: str) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()

    assert run_job(engine, {"--do": "exit", "--status": status})["JobRunState"] == state


def test_a_call_that_the_role_may_not_make_is_refused_by_name(tmp_path: Path, start_engine: StartEngine) -> None:
    assembly = job_assembly(tmp_path, SCRIPT, resources=BUCKET)
    engine = start_engine(assembly)
    engine.deploy()

    run = run_job(engine, {"--do": "put", "--bucket": "shelf"})

    assert run["JobRunState"] == "FAILED"
    assert "AccessDenied" in run["ErrorMessage"]
    (refusal,) = [call for call in engine.refusals if call.need.action == "s3:PutObject"]
    role_arn = engine.resource("App", "JobRole").arn
    assert refusal.principal.arn == role_arn
    assert refusal.need.resource == "arn:aws:s3:::shelf/out/0"
    for part in ("s3:PutObject", "arn:aws:s3:::shelf/out/0", role_arn.rsplit("/", 1)[-1]):
        assert part in run["ErrorMessage"]


def test_the_role_must_be_allowed_to_read_the_script(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT, statements=(LOGS,)))
    engine.deploy()

    run = run_job(engine)

    assert run["JobRunState"] == "FAILED"
    assert "s3:GetObject" in run["ErrorMessage"]


def test_the_role_must_trust_glue(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT, trusted="lambda.amazonaws.com"))
    engine.deploy()

    run = run_job(engine)

    assert run["JobRunState"] == "FAILED"
    assert "should be given assume role permissions for Glue Service" in run["ErrorMessage"]


def test_a_failed_run_is_tried_again_as_often_as_declared(tmp_path: Path, start_engine: StartEngine) -> None:
    assembly = job_assembly(
        tmp_path, SCRIPT, statements=(READ_ASSETS, LOGS, USE_BUCKET), resources=BUCKET, MaxRetries=2
    )
    engine = start_engine(assembly)
    engine.deploy()

    first = run_job(engine, {"--do": "flaky", "--bucket": "shelf"})

    runs = engine.client("glue").get_job_runs(JobName=JOB)["JobRuns"]
    assert [(run["Attempt"], run["JobRunState"]) for run in runs] == [(2, "SUCCEEDED"), (1, "FAILED"), (0, "FAILED")]
    assert runs[1]["Id"] == f"{first['Id']}_attempt_1"
    assert runs[1]["PreviousRunId"] == first["Id"]


def test_a_run_over_its_time_is_ended_and_not_tried_again(
    tmp_path: Path, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehearsal.engine.jobs.glue.runs.SECONDS_PER_MINUTE", 0.5)
    engine = start_engine(job_assembly(tmp_path, SCRIPT, Timeout=1, MaxRetries=1))
    engine.deploy()

    run = run_job(engine, {"--do": "sleep", "--seconds": "30"})

    assert run["JobRunState"] == "TIMEOUT"
    assert [record.state for record in engine.job_runs] == ["TIMEOUT"]


def test_no_more_runs_start_than_may_be_active(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT, ExecutionProperty={"MaxConcurrentRuns": 2}))
    engine.deploy()
    glue = engine.client("glue")
    glue.start_job_run(JobName=JOB)
    glue.start_job_run(JobName=JOB)

    with pytest.raises(glue.exceptions.ConcurrentRunsExceededException):
        glue.start_job_run(JobName=JOB)
    engine.settle()
    glue.start_job_run(JobName=JOB)
    engine.settle()

    assert [record.state for record in engine.job_runs] == ["SUCCEEDED"] * 3


def test_a_run_can_be_stopped(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()
    glue = engine.client("glue")
    run_id = glue.start_job_run(JobName=JOB, Arguments={"--do": "sleep", "--seconds": "30"})["JobRunId"]
    answers: list[dict[str, Any]] = []

    def stop() -> None:
        if glue.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]["JobRunState"] == "RUNNING":
            answers.append(glue.batch_stop_job_run(JobName=JOB, JobRunIds=[run_id, "jr_none"]))

    engine.settle(on_progress=stop)

    assert glue.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]["JobRunState"] == "STOPPED"
    assert answers[0]["SuccessfulSubmissions"] == [{"JobName": JOB, "JobRunId": run_id}]
    assert answers[0]["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"


def test_a_job_that_is_not_there_cannot_be_started(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()
    glue = engine.client("glue")

    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.start_job_run(JobName="other")
    with pytest.raises(glue.exceptions.InvalidInputException, match="--extra-jars"):
        glue.start_job_run(JobName=JOB, Arguments={"--extra-jars": "s3://a/b.jar"})
    assert glue.get_job(JobName=JOB)["Job"]["GlueVersion"] == "5.0"


def test_a_role_needs_permission_to_start_a_job(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()
    stranger = engine.client("glue", engine.principal("stranger"))

    with pytest.raises(stranger.exceptions.ClientError, match="glue:StartJobRun"):
        stranger.start_job_run(JobName=JOB)


def test_a_job_can_be_killed_midway_at_a_chosen_request(tmp_path: Path, start_engine: StartEngine) -> None:
    assembly = job_assembly(tmp_path, SCRIPT, statements=(READ_ASSETS, LOGS, USE_BUCKET), resources=BUCKET)
    engine = start_engine(assembly)
    engine.deploy()
    engine.faults.kill_job_at(JOB, "s3:PutObject", nth=1, resource="*/out/1")

    run = run_job(engine, {"--do": "put", "--bucket": "shelf"})
    again = run_job(engine, {"--do": "show"})

    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "Command failed with exit code 137")
    written = engine.client("s3").list_objects_v2(Bucket="shelf")["Contents"]
    assert [item["Key"] for item in written] == ["out/0"]
    assert engine.refusals == ()
    assert again["JobRunState"] == "SUCCEEDED", "a kill point is used up"


def test_printed_metrics_are_recorded(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()
    run_job(engine, {"--do": "metric"})

    assert [(m.name, m.value, m.dimensions) for m in engine.metrics if m.namespace == "Shop"] == [
        ("Rows", 7.0, {"service": "tidy"})
    ]


def test_a_security_configuration_names_and_encrypts_the_log_groups(tmp_path: Path, start_engine: StartEngine) -> None:
    everyone = {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": "kms:*"}
    resources = {
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [{**everyone, "Resource": "*"}]}},
        },
        "Secured": {
            "Type": "AWS::Glue::SecurityConfiguration",
            "Properties": {
                "Name": "secured",
                "EncryptionConfiguration": {
                    "CloudWatchEncryption": {"CloudWatchEncryptionMode": "SSE-KMS", "KmsKeyArn": att("Key")}
                },
            },
        },
    }
    may_log = allow([*LOGS["Action"], "logs:AssociateKmsKey"], "*")
    engine = start_engine(
        job_assembly(
            tmp_path,
            SCRIPT,
            statements=(READ_ASSETS, may_log),
            arguments={"--custom-logGroup-prefix": "/shop/jobs"},
            resources=resources,
            SecurityConfiguration={"Ref": "Secured"},
        )
    )
    engine.deploy()
    run = run_job(engine, {"--do": "show"})

    role_name = engine.resource("App", "JobRole").physical_id
    (group,) = engine.client("logs").describe_log_groups(logGroupNamePrefix="/shop/jobs")["logGroups"]
    assert group["logGroupName"] == f"/shop/jobs/secured-role/{role_name}/output"
    assert group["kmsKeyId"] == engine.resource("App", "Key").arn
    assert run["SecurityConfiguration"] == "secured"


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"GlueVersion": "4.0"}, "GlueVersion"),
        ({"DefaultArguments": {"--extra-jars": "s3://a/b.jar"}}, "--extra-jars"),
        ({"DefaultArguments": {"window": "day"}}, "must begin with '--'"),
        ({"Connections": {"Connections": ["database"]}}, "Connections"),
        ({"SecurityConfiguration": "none"}, "does not exist"),
    ],
)
def test_what_is_not_played_stops_the_deployment(
    tmp_path: Path, start_engine: StartEngine, properties: dict[str, Any], problem: str
) -> None:
    from rehearsal.engine.errors import RehearsalError

    engine = start_engine(job_assembly(tmp_path, SCRIPT, **properties))

    with pytest.raises(RehearsalError, match=problem):
        engine.deploy()


def test_closing_ends_a_run_that_goes_on(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(job_assembly(tmp_path, SCRIPT))
    engine.deploy()
    engine.client("glue").start_job_run(JobName=JOB, Arguments={"--do": "sleep", "--seconds": "60"})
    engine.advance(1)
    engine.close()

    after = start_engine(one_stack(tmp_path / "after", {}))
    assert after.job_runs == ()
