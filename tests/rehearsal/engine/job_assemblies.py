"""Writes small assemblies with one Glue job, for the engine's tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.rehearsal.engine.assemblies import LOGS, AssemblyWriter, Json, allow, att, role

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

JOB = "tidy"
ASSETS = "assets-${AWS::AccountId}-${AWS::Region}"
READ_ASSETS = allow(["s3:GetObject"], {"Fn::Sub": f"arn:aws:s3:::{ASSETS}/*"})


class JobAssemblyWriter(AssemblyWriter):
    """An assembly writer that also knows files and archives as Glue's arguments name them."""

    def script(self, text: str) -> Json:
        """Write a script; gives its ``s3://`` address."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        (self.folder / f"asset.{digest}.py").write_text(text, "utf-8")
        self._assets[digest] = {
            "source": {"path": f"asset.{digest}.py", "packaging": "file"},
            "destinations": {"current": {"bucketName": "assets", "objectKey": f"{digest}.py"}},
        }
        return {"Fn::Sub": f"s3://{ASSETS}/{digest}.py"}

    def archive(self, files: Mapping[str, str]) -> Json:
        """Write a folder that is deployed as an archive; gives its ``s3://`` address."""
        return {"Fn::Sub": f"s3://{ASSETS}/{self.asset(files)['S3Key']}"}


def job_assembly(
    folder: Path,
    script: str,
    *,
    statements: tuple[Json, ...] = (READ_ASSETS, LOGS),
    arguments: Mapping[str, Any] | None = None,
    libraries: Mapping[str, str] | None = None,
    trusted: str = "glue.amazonaws.com",
    resources: Mapping[str, Any] | None = None,
    **properties: Any,
) -> Path:
    """An assembly with the job `JOB`, its role and other resources, in a stack called ``App``."""
    writer = JobAssemblyWriter(folder)
    defaults = dict(arguments or {})
    if libraries is not None:
        defaults["--extra-py-files"] = writer.archive(libraries)
    job = {
        "Type": "AWS::Glue::Job",
        "Properties": {
            "Name": JOB,
            "Role": att("JobRole"),
            "Command": {"Name": "glueetl", "PythonVersion": "3", "ScriptLocation": writer.script(script)},
            "GlueVersion": "5.0",
            "WorkerType": "G.1X",
            "NumberOfWorkers": 2,
            "DefaultArguments": defaults,
            **properties,
        },
    }
    template = {"JobRole": role(trusted, *statements), "Job": job, **(resources or {})}
    writer.stack("App", {"Resources": template})
    return writer.write()


def run_job(engine: Engine, arguments: Mapping[str, str] | None = None) -> Json:
    """Start the job, wait until nothing moves, and give the run as the API shows it."""
    glue = engine.client("glue")
    run_id = glue.start_job_run(JobName=JOB, Arguments=dict(arguments or {}))["JobRunId"]
    engine.settle(timeout_s=600)
    run: Json = glue.get_job_run(JobName=JOB, RunId=run_id)["JobRun"]
    return run


def printed(engine: Engine, group: str = "/aws-glue/jobs/output") -> str:
    """All lines of a log group."""
    events = engine.client("logs").filter_log_events(logGroupName=group)["events"]
    return "\n".join(event["message"] for event in events)
