"""The code bucket and what publishes into it: exact assets, a pointer moved last, nothing that expires."""

from __future__ import annotations

from typing import Any

from building_blocks.job_package import code_hash
from lambdas.publish_code.publication import Pointer, read
from tests.stacks.assembly import Assembly, Resource
from tests.stacks.code import published
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, allowed, rendered, statements_of


def _publication(assembly: Assembly) -> Resource:
    (found,) = (each for each in assembly.resources("Custom::PublishedCode") if each.stack == "Code")
    return found


def _statements(assembly: Assembly) -> list[dict[str, Any]]:
    function = assembly.target("Code", _publication(assembly).properties["ServiceToken"])
    assert function is not None
    role = assembly.target("Code", function.properties["Role"])
    assert role is not None
    return statements_of(assembly, role)


def _bucket(assembly: Assembly) -> Resource:
    (found,) = (
        each for each in assembly.resources("AWS::S3::Bucket") if each.stack == "Code" and each.id.startswith("Code")
    )
    return found


def test_the_function_understands_what_the_template_asks_of_it(assembly: Assembly) -> None:
    asked = read(_publication(assembly).properties)
    prefix = f"jobs/{code_hash()}"
    assert {each.key for each in asked.files} == {
        f"{prefix}/run_job.py",
        f"{prefix}/__main__.py",
        f"{prefix}/packages.zip",
    }
    assert asked.pointer == Pointer(key="jobs/current.json", hash=code_hash())
    assert asked.folders == ()


def test_jobs_start_from_what_is_published_under_the_deployed_hash(assembly: Assembly) -> None:
    files = published(assembly)
    for job in assembly.resources("AWS::Glue::Job"):
        for value in (
            job.properties["Command"]["ScriptLocation"],
            job.properties["DefaultArguments"]["--extra-py-files"],
        ):
            assert rendered(assembly, "LakeJobs", value) in files
    for template in assembly.resources("AWS::EMRContainers::JobTemplate"):
        driver = rendered(assembly, "EmrOnEks", template.properties["JobTemplateData"])["JobDriver"]
        spark = driver["SparkSubmitJobDriver"]
        assert spark["EntryPoint"] in files
        assert spark["SparkSubmitParameters"].split("--py-files ")[1].split()[0] in files


def test_the_function_reads_the_stack_s_assets_and_writes_what_it_publishes(assembly: Assembly) -> None:
    statements = _statements(assembly)
    code = f"arn:{PARTITION}:s3:::{rendered(assembly, 'Code', _bucket(assembly).properties['BucketName'])}"
    assets = f"arn:{PARTITION}:s3:::cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    asked = read(_publication(assembly).properties)
    for file in asked.files:
        assert allowed(statements, "s3:GetObject", f"{assets}/{file.asset}")
        assert allowed(statements, "s3:PutObject", f"{code}/{file.key}")
    assert allowed(statements, "s3:PutObject", f"{code}/jobs/current.json")
    assert not allowed(statements, "s3:GetObject", f"{assets}/another.zip")
    assert not allowed(statements, "s3:PutObject", f"{code}/jobs/0123456789abcdef/run_job.py"), "an older version"
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert not allowed(statements, action, f"{code}/jobs/current.json")


def test_the_function_is_told_both_buckets(assembly: Assembly) -> None:
    function = assembly.target("Code", _publication(assembly).properties["ServiceToken"])
    assert function is not None
    variables = rendered(assembly, "Code", function.properties["Environment"]["Variables"])
    assert variables["CODE_BUCKET"].startswith("amp-")
    assert variables["ASSET_BUCKET"] == f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"


def test_cloudformation_waits_longer_than_lambda_tries(assembly: Assembly) -> None:
    publication = _publication(assembly)
    function = assembly.target("Code", publication.properties["ServiceToken"])
    assert function is not None
    attempts_of_lambda = 3 * int(function.properties["Timeout"]) + 180
    assert attempts_of_lambda < int(publication.properties["ServiceTimeout"]) <= 3600


def test_no_version_that_a_run_may_use_expires(assembly: Assembly) -> None:
    proofs = "canary/"
    for rule in _bucket(assembly).properties["LifecycleConfiguration"]["Rules"]:
        if rule.get("Prefix") == proofs:
            continue
        assert not {"ExpirationInDays", "ExpirationDate", "Transitions"} & set(rule), rule
        assert rule.get("NoncurrentVersionExpiration", {"NoncurrentDays": 365})["NoncurrentDays"] >= 365
