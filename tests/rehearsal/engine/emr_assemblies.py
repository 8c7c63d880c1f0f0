"""Writes small assemblies with a virtual cluster and a job's role and template, for the engine's tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.rehearsal.engine.assemblies import Json, allow, att
from tests.rehearsal.engine.job_assemblies import READ_ASSETS, JobAssemblyWriter

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

RELEASE = "emr-7.13.0-20260410"
TEMPLATE = "tidy"
ROLE = "tidy-role"
ENCODED_ROLE = "cl72c41x7va0kl"
"""`ROLE`, its bytes taken for one number, in base 36."""
GROUP = "/shop/tidy"
WRITE_LOGS = (
    allow(["s3:PutObject"], "arn:aws:s3:::shop-logs/tidy/*"),
    allow(["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], "*"),
    allow(["logs:DescribeLogGroups"], "*"),
)

SCRIPT = """
import json, os, sys, time

ARGUMENTS = dict(zip(sys.argv[1::2], sys.argv[2::2]))
do = ARGUMENTS.get("--do", "")
if do == "show":
    kept = ("AWS_REGION", "COLOUR", "HOME")
    print(json.dumps({"argv": sys.argv[1:], "environment": {name: os.environ.get(name) for name in kept}}))
if do == "library":
    from shelf.books import TITLE
    print("TITLE", TITLE)
if do == "settings":
    print(open(os.environ["PYSPARK_SUBMIT_ARGS"].split()[1]).read())
if do == "raise":
    raise ValueError("as asked")
if do == "sleep":
    time.sleep(60)
if do == "put":
    import boto3
    boto3.client("s3").put_object(Bucket="shop-logs", Key="elsewhere", Body=b"x")
"""


def pods(*, cluster: str = "shop", namespace: str = "spark") -> Json:
    """The trust policy of a role for the pods of a namespace."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pods.eks.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:TagSession"],
                "Condition": {
                    "StringEquals": {"aws:RequestTag/kubernetes-namespace": namespace},
                    "ArnEquals": {
                        "aws:SourceArn": {
                            "Fn::Sub": f"arn:aws:eks:${{AWS::Region}}:${{AWS::AccountId}}:cluster/{cluster}"
                        }
                    },
                },
            }
        ],
    }


def cluster_resources() -> Json:
    """A network, a cluster with a namespace, and its virtual cluster."""
    manifest = json.dumps([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "spark"}}])
    network = {"VpcId": {"Ref": "Vpc"}}
    provider = {"Id": {"Ref": "Cluster"}, "Type": "EKS", "Info": {"EksInfo": {"Namespace": "spark"}}}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.0.0.0/24", **network}},
        "Cluster": {
            "Type": "AWS::EKS::Cluster",
            "Properties": {
                "Name": "shop",
                "RoleArn": "arn:aws:iam::123456789012:role/control-plane",
                "ResourcesVpcConfig": {"SubnetIds": [{"Ref": "Subnet"}]},
            },
        },
        "Namespace": {
            "Type": "Custom::AWSCDK-EKS-KubernetesResource",
            "Properties": {"ServiceToken": "kubectl", "ClusterName": {"Ref": "Cluster"}, "Manifest": manifest},
        },
        "VirtualCluster": {
            "Type": "AWS::EMRContainers::VirtualCluster",
            "DependsOn": ["Namespace"],
            "Properties": {"Name": "shop", "ContainerProvider": provider},
        },
    }


def emr_assembly(
    folder: Path,
    script: str = SCRIPT,
    *,
    statements: Sequence[Json] = (READ_ASSETS, *WRITE_LOGS),
    trust: Json | None = None,
    associated: Sequence[str] = ("client", "driver", "executor"),
    libraries: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    parameters: str = "",
    resources: Mapping[str, Any] | None = None,
) -> Path:
    """An assembly with role `ROLE` and job template `TEMPLATE`, whose one parameter is ``What``, in a stack ``App``."""
    writer = JobAssemblyWriter(folder)
    submit: list[Any] = ["--conf spark.sql.shuffle.partitions=3 ", parameters]
    if libraries is not None:
        submit += [" --py-files ", writer.archive(libraries)]
    policy = {"PolicyName": "inline", "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    template = {
        "ExecutionRoleArn": att("JobRole"),
        "ReleaseLabel": RELEASE,
        "JobDriver": {
            "SparkSubmitJobDriver": {
                "EntryPoint": writer.script(script),
                "EntryPointArguments": ["--do", "${What}"],
                "SparkSubmitParameters": {"Fn::Join": ["", submit]},
            }
        },
        "ConfigurationOverrides": {
            "ApplicationConfiguration": [{"Classification": "spark-defaults", "Properties": dict(settings or {})}],
            "MonitoringConfiguration": {
                "S3MonitoringConfiguration": {"LogUri": "s3://shop-logs/tidy/"},
                "CloudWatchMonitoringConfiguration": {"LogGroupName": GROUP, "LogStreamNamePrefix": "tidy"},
            },
        },
        "ParameterConfiguration": {"What": {"Type": "STRING"}},
    }
    made: Json = {
        **cluster_resources(),
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "shop-logs"}},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": GROUP}},
        "JobRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {"RoleName": ROLE, "AssumeRolePolicyDocument": trust or pods(), "Policies": [policy]},
        },
        "Template": {
            "Type": "AWS::EMRContainers::JobTemplate",
            "Properties": {"Name": TEMPLATE, "JobTemplateData": template},
        },
        **{
            f"Association{component}": {
                "Type": "AWS::EKS::PodIdentityAssociation",
                "Properties": {
                    "ClusterName": {"Ref": "Cluster"},
                    "Namespace": "spark",
                    "RoleArn": att("JobRole"),
                    "ServiceAccount": f"emr-containers-sa-spark-{component}-123456789012-{ENCODED_ROLE}",
                },
            }
            for component in associated
        },
        **(resources or {}),
    }
    writer.stack("App", {"Resources": made})
    return writer.write()


def by_template(engine: Engine, what: str, **given: Any) -> Json:
    """The parameters of a StartJobRun that names the template."""
    return {
        "virtualClusterId": engine.resource("App", "VirtualCluster").physical_id,
        "jobTemplateId": engine.resource("App", "Template").physical_id,
        "jobTemplateParameters": {"What": what},
        **given,
    }


def in_full(engine: Engine, what: str, **given: Any) -> Json:
    """The parameters of a StartJobRun that says everything itself, as Airflow's operator does."""
    emr = engine.client("emr-containers")
    data = emr.describe_job_template(id=engine.resource("App", "Template").physical_id)["jobTemplate"][
        "jobTemplateData"
    ]
    driver = {**data["jobDriver"]["sparkSubmitJobDriver"], "entryPointArguments": ["--do", what]}
    return {
        "virtualClusterId": engine.resource("App", "VirtualCluster").physical_id,
        "executionRoleArn": data["executionRoleArn"],
        "releaseLabel": data["releaseLabel"],
        "jobDriver": {"sparkSubmitJobDriver": driver},
        "configurationOverrides": data["configurationOverrides"],
        **given,
    }


def run(engine: Engine, request: Mapping[str, Any]) -> Json:
    """Submit a run, wait until nothing moves, and give it as the API shows it."""
    emr = engine.client("emr-containers")
    run_id = emr.start_job_run(**request)["id"]
    engine.settle(timeout_s=600)
    shown: Json = emr.describe_job_run(virtualClusterId=request["virtualClusterId"], id=run_id)["jobRun"]
    return shown


def path_of(shown: Json) -> str:
    """Where a run's driver has its logs, by the documentation's layout."""
    application = f"spark-{shown['id']}"
    return f"{shown['virtualClusterId']}/jobs/{shown['id']}/containers/{application}/{application}-driver"


def said(engine: Engine, shown: Json, kind: str = "stdout") -> str:
    """What a run's log file in the bucket holds."""
    key = f"tidy/{path_of(shown)}/{kind}.gz"
    body = engine.client("s3").get_object(Bucket="shop-logs", Key=key)["Body"].read()
    return gzip.decompress(body).decode()
