"""A small account with a Redshift cluster, a Glue database and a role that reads it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.rehearsal.engine.assemblies import Json, StartEngine, allow, att, one_stack, role

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

CLUSTER, DATABASE, ADMIN = "analytics", "amp", "amp_admin"
ARN = "arn:aws:redshift:us-east-1:123456789012"


def cluster(**properties: Any) -> Json:
    """A cluster whose administrator's password the service keeps."""
    return {
        "Type": "AWS::Redshift::Cluster",
        "Properties": {
            "ClusterIdentifier": CLUSTER,
            "ClusterType": "single-node",
            "DBName": DATABASE,
            "MasterUsername": ADMIN,
            "NodeType": "ra3.large",
            "ManageMasterPassword": True,
            "IamRoles": [att("SpectrumRole")],
            **properties,
        },
    }


def warehouse_resources(*catalog_actions: str) -> Json:
    """A cluster, a Glue database `lake` with two tables, and the cluster's role, which may do `catalog_actions`."""
    columns = [{"Name": "id", "Type": "bigint"}, {"Name": "tags", "Type": "array<string>"}]
    return {
        "SpectrumRole": role(
            "redshift.amazonaws.com", allow(list(catalog_actions or ("glue:GetDatabase", "glue:GetTables")), "*")
        ),
        "Cluster": cluster(),
        "Lake": {
            "Type": "AWS::Glue::Database",
            "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "lake"}},
        },
        **{
            f"Table{name}": {
                "Type": "AWS::Glue::Table",
                "Properties": {
                    "CatalogId": {"Ref": "AWS::AccountId"},
                    "DatabaseName": {"Ref": "Lake"},
                    "TableInput": {"Name": name, "StorageDescriptor": {"Columns": columns}},
                },
            }
            for name in ("plays", "likes")
        },
    }


def managed_policy(*statements: Json) -> Json:
    """A policy for applications outside the assembly; its Ref is the ARN."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}


def started_warehouse(folder: Path, start_engine: StartEngine, **resources: Any) -> Engine:
    """An engine on a warehouse and the given resources."""
    engine = start_engine(one_stack(folder, {**warehouse_resources(), **resources}))
    engine.deploy()
    return engine


class Sql:
    """Runs statements by the Data API and waits for them."""

    def __init__(self, engine: Engine, role_arn: str | None = None) -> None:
        self.client = engine.client("redshift-data", role_arn)

    def submit(self, *statements: str, user: str = ADMIN, **more: Any) -> str:
        """Submit one statement, or several in one transaction; gives the id."""
        whose = {"ClusterIdentifier": CLUSTER, "Database": DATABASE, "DbUser": user}
        if len(statements) == 1:
            return str(self.client.execute_statement(Sql=statements[0], **whose, **more)["Id"])
        return str(self.client.batch_execute_statement(Sqls=list(statements), **whose, **more)["Id"])

    def ended(self, identifier: str) -> Json:
        """What is described of a submission when it has ended."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            described: Json = self.client.describe_statement(Id=identifier)
            if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
                return described
            time.sleep(0.01)
        raise AssertionError(json.dumps(described, default=str))

    def run(self, *statements: str, user: str = ADMIN, **more: Any) -> list[list[Any]]:
        """The rows of the last statement; all must succeed."""
        described = self.ended(identifier := self.submit(*statements, user=user, **more))
        assert described["Status"] == "FINISHED", described
        if not described["HasResultSet"]:
            return []
        pages = self.client.get_paginator("get_statement_result").paginate(Id=identifier)
        return [[next(iter(field.values())) for field in record] for page in pages for record in page["Records"]]

    def error(self, *statements: str, user: str = ADMIN, **more: Any) -> str:
        """What the failure says; it must fail."""
        described = self.ended(self.submit(*statements, user=user, **more))
        assert described["Status"] == "FAILED", described
        return str(described["Error"])
