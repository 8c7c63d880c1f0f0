"""MWAA environments; which Airflow plays one is told later, so that a stage can be deployed where none is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.mwaa.environment import Environments
from rehearsal.engine.mwaa.files import ACTING
from rehearsal.engine.mwaa.model import EnvironmentDefinition
from rehearsal.engine.resources import Created, Declaration, ResourceType

_ASSUMED_BY = ("airflow.amazonaws.com", ACTING)
# Amazon MWAA User Guide, "Viewing Airflow logs in Amazon CloudWatch".
_LOG_KINDS = {
    "DagProcessingLogs": "DAGProcessing",
    "SchedulerLogs": "Scheduler",
    "TaskLogs": "Task",
    "WebserverLogs": "WebServer",
    "WorkerLogs": "Worker",
}


def attach(account: Account) -> Callable[[], None]:
    """Keep the account's environments, and end what plays them."""
    environments = Environments(account)
    account.register(environments)
    return environments.close


def _environment(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = properties["Name"]
    arn = account.arn("airflow", f"environment/{name}")
    role, bucket = properties["ExecutionRoleArn"], properties["SourceBucketArn"].rsplit(":", 1)[-1]
    _check_role(account, declaration, role, arn)
    _check_bucket(account, declaration, bucket)
    prefix = properties["DagS3Path"].strip("/") + "/"
    requirements = properties.get("RequirementsS3Path", "")
    logging = properties.get("LoggingConfiguration", {})
    task_logs = logging.get("TaskLogs", {})
    definition = EnvironmentDefinition(
        name=name,
        arn=arn,
        airflow_version=str(properties["AirflowVersion"]),
        role_arn=role,
        bucket=bucket,
        dags_prefix=prefix,
        requirements_key=requirements,
        requirements_version=properties.get("RequirementsS3ObjectVersion", ""),
        options={option: _text(value) for option, value in properties.get("AirflowConfigurationOptions", {}).items()},
        task_log_group=f"airflow-{name}-Task" if task_logs.get("Enabled") in (True, "true") else "",
        task_log_level=str(task_logs.get("LogLevel", "INFO")),
    )
    if requirements:
        _check_object(account, declaration, bucket, requirements, definition.requirements_version)
    _make_log_groups(account, name, logging)
    account.service(Environments).put(definition)
    attributes = {"Arn": arn, "WebserverUrl": f"{name}.{account.region}.airflow.amazonaws.com"}
    return Created(ref=name, arn=arn, attributes=attributes)


def _check_role(account: Account, declaration: Declaration, role: str, arn: str) -> None:
    """MWAA refuses a role that its two services may not take ("Amazon MWAA execution role" page)."""
    context = {"aws:SourceArn": arn, "aws:SourceAccount": account.id}
    for service in _ASSUMED_BY:
        try:
            account.authorizer.credentials(role, service=service, session="AmazonMWAA-airflow", context=context)
        except iam.AccessDenied as refused:
            raise declaration.fail(f"{service} may not assume the execution role: {refused}") from refused


def _check_bucket(account: Account, declaration: Declaration, bucket: str) -> None:
    """It must keep versions and be closed to the public ("Create an Amazon S3 bucket for Amazon MWAA" page)."""
    s3 = account.client("s3")
    if s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        raise declaration.fail(f"the source bucket {bucket} keeps no versions; switch its versioning on")
    try:
        blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except ClientError:
        blocked = {}
    if not (blocked and all(blocked.values())):
        raise declaration.fail(f"the source bucket {bucket} is not closed to the public; block all public access")


def _check_object(account: Account, declaration: Declaration, bucket: str, key: str, version: str) -> None:
    try:
        account.client("s3").head_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))
    except ClientError as refused:
        raise declaration.fail(f"s3://{bucket}/{key} version {version or '(newest)'}: {refused}") from refused


def _make_log_groups(account: Account, name: str, logging: Mapping[str, Any]) -> None:
    logs = account.client("logs")
    for kind, ending in _LOG_KINDS.items():
        if logging.get(kind, {}).get("Enabled") in (True, "true"):
            try:
                logs.create_log_group(logGroupName=f"airflow-{name}-{ending}")
            except logs.exceptions.ResourceAlreadyExistsException:
                continue


def _text(value: Any) -> str:
    return str(value) if not isinstance(value, bool) else str(value).capitalize()


_ONE_MACHINE = "Airflow runs on this machine, whatever its size"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::MWAA::Environment",
        create=_environment,
        honoured=(
            "AirflowConfigurationOptions",
            "AirflowVersion",
            "DagS3Path",
            "ExecutionRoleArn",
            "LoggingConfiguration",
            "Name",
            "RequirementsS3ObjectVersion",
            "RequirementsS3Path",
            "SourceBucketArn",
        ),
        ignored={
            "EndpointManagement": "Airflow runs on this machine, outside any VPC",
            "EnvironmentClass": _ONE_MACHINE,
            "KmsKey": "MWAA's own database and queue are not played; the bucket's encryption is",
            "MaxWebservers": _ONE_MACHINE,
            "MaxWorkers": _ONE_MACHINE,
            "MinWebservers": _ONE_MACHINE,
            "MinWorkers": _ONE_MACHINE,
            "NetworkConfiguration": "Airflow runs on this machine, outside any VPC",
            "Schedulers": _ONE_MACHINE,
            "Tags": "no rule of the rehearsal reads an environment's tags",
            "WebserverAccessMode": "Airflow's server listens on loopback alone",
            "WeeklyMaintenanceWindowStart": "a rehearsal is shorter than a week",
        },
    ),
)
