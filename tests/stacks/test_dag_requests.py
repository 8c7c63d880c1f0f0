"""What DAGs ask of EMR and of Glue, from the templates as they are synthesized: the job's arguments, roles and code.

`orchestration.requests` knows no Airflow, so that this runs here, beside what makes the templates.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="the arguments of jobs are read by spark_jobs")

from contracts.jobs import JOBS, Job
from orchestration.code_bucket import CodeBucket
from orchestration.requests import glue_arguments, of_template, paired
from orchestration.submission import Submission
from orchestration.windows import Hours
from spark_jobs.arguments import read
from tests.stacks.assembly import Assembly
from tests.stacks.code import published
from tests.stacks.rendering import rendered

CODE = "0123456789abcdef"
NOW = datetime(2026, 11, 18, 8, 10, tzinfo=UTC)


def _submission(job: Job) -> Submission:
    window = Hours.read("2026-11-18T06", "2026-11-18T08")
    return Submission(job=job, window=window, code=CODE, identity=("hourly", "r", job.name, "-1"), attempt=1)


_NAMES_OF_OURS = ("Properties", "ParameterConfiguration", "JobTags")
"""What is below these are names of Spark, of parameters and of tags: the API leaves them as they are."""


def _camel(part: Any) -> Any:
    """As the API writes what CloudFormation writes with a capital."""
    if isinstance(part, dict):
        return {
            name[:1].lower() + name[1:]: inner if name in _NAMES_OF_OURS else _camel(inner)
            for name, inner in part.items()
        }
    return [_camel(inner) for inner in part] if isinstance(part, list) else part


def _bucket(dev: Assembly) -> CodeBucket:
    name = rendered(dev, "Code", dev.templates["Code"]["Outputs"]["BucketName"]["Value"])
    return CodeBucket(name=str(name))


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_run_on_emr_is_what_the_template_says_for_the_run(dev: Assembly, job: Job) -> None:
    (declared,) = (
        data
        for each in dev.resources("AWS::EMRContainers::JobTemplate")
        for data in [rendered(dev, each.stack, each.properties["JobTemplateData"])]
        if job.name in data["JobDriver"]["SparkSubmitJobDriver"]["EntryPointArguments"]
    )
    made, template = _submission(job), _camel(declared)
    asked = of_template(template, made, code=_bucket(dev), zones=["z"])
    assert "${" not in json.dumps(asked)
    assert asked["execution_role_arn"] == template["executionRoleArn"]
    assert asked["release_label"] == template["releaseLabel"]
    assert asked["configuration_overrides"].keys() == template["configurationOverrides"].keys()
    submit = asked["job_driver"]["sparkSubmitJobDriver"]
    understood = read(submit["entryPointArguments"], now=NOW)
    assert understood.job == job.name
    assert (understood.window.start.hour, understood.window.end.hour) == (6, 8)
    assert understood.run_id == made.run_id == paired(submit["entryPointArguments"])["--run-id"]
    deployed = {url for url in published(dev) if url in json.dumps(declared)}
    assert len(deployed) == 2, "entry point and packages"
    for url in deployed:
        file = url.rpartition("/")[2]
        assert f"s3://{_bucket(dev).name}/jobs/{CODE}/{file}" in json.dumps(submit)
        assert url not in json.dumps(asked), "the run's code, not the deployed one"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_run_on_glue_has_the_same_arguments_and_code(dev: Assembly, job: Job) -> None:
    (declared,) = (
        rendered(dev, each.stack, each.properties)
        for each in dev.resources("AWS::Glue::Job")
        if each.properties["NonOverridableArguments"]["--job"] == job.name
    )
    asked = glue_arguments(_submission(job), code=_bucket(dev))
    standing = declared["NonOverridableArguments"]
    assert not standing.keys() & asked.keys(), "what a run may not change"
    files = {declared["Command"]["ScriptLocation"]: "--scriptLocation"}
    files[declared["DefaultArguments"]["--extra-py-files"]] = "--extra-py-files"
    for url, name in files.items():
        assert url in published(dev)
        assert asked[name] == f"s3://{_bucket(dev).name}/jobs/{CODE}/{url.rpartition('/')[2]}"
    ours = {name: value for name, value in asked.items() if name not in files.values()}
    understood = read([text for pair in {**standing, **ours}.items() for text in pair], now=NOW)
    assert (understood.job, understood.run_id) == (job.name, _submission(job).run_id)
