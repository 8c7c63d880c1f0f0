"""What an environment reads from its bucket, under its execution role: DAGs and requirements; runs nothing."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from rehearsal.engine.account import Account
from rehearsal.engine.mwaa.installation import Installed
from rehearsal.engine.mwaa.model import AirflowFailed, AirflowUnavailable, EnvironmentDefinition

ACTING = "airflow-env.amazonaws.com"
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*])?\s*(?:==\s*([^\s;#]+))?")


def fetch_dags(account: Account, definition: EnvironmentDefinition, target: Path) -> int:
    """Copy the environment's folder of DAGs, and give how many files there are.

    Raises:
        botocore.exceptions.ClientError: the execution role may not read them.
        AirflowFailed: there are none.
    """
    s3 = account.client_as(
        "s3", definition.role_arn, acting=ACTING, session="AmazonMWAA-airflow", source_arn=definition.arn
    )
    count = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=definition.bucket, Prefix=definition.dags_prefix):
        for item in page.get("Contents", []):
            name = PurePosixPath(item["Key"].removeprefix(definition.dags_prefix))
            if item["Key"].endswith("/") or ".." in name.parts:
                continue
            file = target / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(s3.get_object(Bucket=definition.bucket, Key=item["Key"])["Body"].read())
            count += 1
    if not count:
        raise AirflowFailed(f"{definition.name}: no DAG lies below s3://{definition.bucket}/{definition.dags_prefix}")
    return count


def check_installed(account: Account, definition: EnvironmentDefinition, installed: Installed) -> None:
    """See that the virtual environment is what MWAA would have after it installed the requirements.

    Raises:
        AirflowUnavailable: it has another Airflow, or lacks a package or its version.
        botocore.exceptions.ClientError: the execution role may not read the requirements.
    """
    differing = []
    if installed.version != definition.airflow_version:
        differing.append(f"apache-airflow is {installed.version}, the environment's {definition.airflow_version}")
    for name, version in _requirements(account, definition):
        found = installed.packages.get(name)
        if found is None or (version and found != version):
            differing.append(f"{name} is {found or 'absent'}, the requirements ask for {version or 'it'}")
    if differing:
        raise AirflowUnavailable(
            f"{installed.python} is not what {definition.name} would run on: {'; '.join(differing)}. Remove its "
            "folder and run make setup"
        )


def _requirements(account: Account, definition: EnvironmentDefinition) -> list[tuple[str, str]]:
    if not definition.requirements_key:
        return []
    s3 = account.client_as(
        "s3", definition.role_arn, acting=ACTING, session="AmazonMWAA-airflow", source_arn=definition.arn
    )
    version = {"VersionId": definition.requirements_version} if definition.requirements_version else {}
    body = s3.get_object(Bucket=definition.bucket, Key=definition.requirements_key, **version)["Body"].read()
    lines = [line.strip() for line in body.decode("utf-8").splitlines()]
    matches = [_REQUIREMENT.match(line) for line in lines if line and not line.startswith(("#", "-"))]
    return [(re.sub(r"[-_.]+", "-", m[1]).lower(), m[2] or "") for m in matches if m is not None]
