"""Redshift clusters: each is a PostgreSQL server of its own, reached on loopback; moto keeps what the API describes.

Rules: Amazon Redshift Management Guide and API reference.
"""

from __future__ import annotations

import json
import secrets
import string
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.redshift.exceptions import ClusterNotFoundError
from moto.redshift.models import Cluster as MotoCluster
from moto.redshift.models import redshift_backends
from moto.redshift.responses import RedshiftResponse
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.redshift.cluster import Cluster, StatementFailed
from rehearsal.engine.redshift.external import ExternalTable
from rehearsal.engine.redshift.form import ExternalSchema
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

ACTING = "redshift.amazonaws.com"
DEFAULT_PORT = 5439
CREDENTIAL_SECONDS = range(900, 3601)
_PASSWORD_LENGTH = 32


class Clusters:
    """Those of the account, by identifier; ``roles`` are the IAM roles that each may act with."""

    def __init__(self) -> None:
        self.by_identifier: dict[str, Cluster] = {}
        self.roles: dict[str, Sequence[str]] = {}


def attach(account: Account) -> Callable[[], None]:
    """Let clusters be paused, resumed and logged in to with temporary passwords."""
    clusters = Clusters()
    account.register(clusters)
    replaced = {
        "pause_cluster": lambda response: _pause(clusters, response),
        "resume_cluster": lambda response: _resume(clusters, response),
        "get_cluster_credentials": lambda response: _credentials(clusters, response),
    }
    kept = {name: getattr(RedshiftResponse, name) for name in replaced}
    for name, operation in replaced.items():
        setattr(RedshiftResponse, name, operation)
    address = MotoCluster.address
    MotoCluster.address = property(lambda cluster: clusters.by_identifier[cluster.cluster_identifier].server.host)

    def undo() -> None:
        MotoCluster.address = address
        for name, operation in kept.items():
            setattr(RedshiftResponse, name, operation)
        for cluster in clusters.by_identifier.values():
            cluster.close()

    return undo


# --- the API ------------------------------------------------------------------------------------------


def _named(clusters: Clusters, response: Any) -> Cluster:
    identifier = response._get_param("ClusterIdentifier")
    if identifier not in clusters.by_identifier:
        raise ClusterNotFoundError(identifier)
    return clusters.by_identifier[identifier]


def _pause(clusters: Clusters, response: Any) -> ActionResult:
    cluster = _named(clusters, response)
    if cluster.paused:
        raise ServiceException("InvalidClusterState", f"The cluster {cluster.identifier} is paused already")
    cluster.pause()
    return ActionResult({"Cluster": response.redshift_backend.pause_cluster(cluster.identifier)})


def _resume(clusters: Clusters, response: Any) -> ActionResult:
    cluster = _named(clusters, response)
    if not cluster.paused:
        raise ServiceException("InvalidClusterState", f"The cluster {cluster.identifier} is not paused")
    cluster.resume()
    return ActionResult({"Cluster": response.redshift_backend.resume_cluster(cluster.identifier)})


def _credentials(clusters: Clusters, response: Any) -> ActionResult:
    cluster = _named(clusters, response)
    seconds = response._get_int_param("DurationSeconds", CREDENTIAL_SECONDS.start)
    if seconds not in CREDENTIAL_SECONDS:
        allowed = f"{CREDENTIAL_SECONDS.start} to {CREDENTIAL_SECONDS[-1]}"
        raise ServiceException("InvalidParameterValue", f"DurationSeconds is {seconds}, allowed is {allowed}")
    if response._get_bool_param("AutoCreate", False) or response._get_param("DbGroups"):
        raise ServiceException("UnsupportedOperation", "The rehearsal does not play AutoCreate nor DbGroups")
    issued = cluster.passwords.issue(response._get_param("DbUser"), seconds)
    return ActionResult({"DbUser": issued.user, "DbPassword": issued.password, "Expiration": issued.expires})


# --- the templates ------------------------------------------------------------------------------------


def _cluster(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    identifier = declaration.name(properties.get("ClusterIdentifier"), longest=63, lower=True)
    admin, database = properties["MasterUsername"], properties["DBName"]
    managed = properties.get("ManageMasterPassword", False)
    if managed == ("MasterUserPassword" in properties):
        raise declaration.fail("give either ManageMasterPassword or MasterUserPassword")
    password = _password() if managed else properties["MasterUserPassword"]
    role_arns = list(properties.get("IamRoles", []))
    clusters, arn = account.service(Clusters), account.arn("redshift", f"cluster:{identifier}")
    folder = account.workspace / "certificates"
    folder.mkdir(exist_ok=True)
    cluster = Cluster(
        identifier=identifier,
        database=database,
        admin_user=admin,
        admin_password=password,
        folder=folder,
        host=_host(),
        port=int(properties.get("Port", DEFAULT_PORT)),
        clock=account.clock,
        tables_of=lambda schema: _tables_of(account, identifier, schema),
    )
    cluster.start()
    clusters.by_identifier[identifier], clusters.roles[identifier] = cluster, role_arns
    account.reachable.add((cluster.server.host, cluster.server.port))
    # The variable by which AWS's SDKs find certificate authorities; its Python functions keep to it.
    account.function_environment["AWS_CA_BUNDLE"] = str(cluster.server.ca_file)
    account.client("redshift").create_cluster(
        ClusterIdentifier=identifier,
        NodeType=properties["NodeType"],
        ClusterType=properties["ClusterType"],
        MasterUsername=admin,
        MasterUserPassword=password,
        DBName=database,
        IamRoles=role_arns,
        Encrypted=properties.get("Encrypted", False),
        EnhancedVpcRouting=properties.get("EnhancedVpcRouting", False),
        PubliclyAccessible=properties.get("PubliclyAccessible", False),
        **{
            name: properties[name]
            for name in ("ClusterSubnetGroupName", "ClusterParameterGroupName", "VpcSecurityGroupIds")
            if name in properties
        },
        **({"NumberOfNodes": int(properties["NumberOfNodes"])} if "NumberOfNodes" in properties else {}),
        **({"KmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}),
    )
    moto = _moto_cluster(account, identifier)
    moto.port = cluster.server.port
    attributes: dict[str, Any] = {
        "Endpoint.Address": cluster.server.host,
        "Endpoint.Port": str(cluster.server.port),
        "Id": identifier,
        "ClusterNamespaceArn": account.arn("redshift", f"namespace:{moto.unique_cluster_id}"),
    }
    if managed:
        attributes["MasterPasswordSecretArn"] = _managed_secret(account, declaration, identifier, admin, password)
    return Created(ref=identifier, arn=arn, attributes=attributes)


def _host() -> str:
    """An address of this machine's own that nothing else listens at: clusters all want the same port.

    Linux answers at all of 127.0.0.0/8, other systems at its first address alone, where one cluster can be.
    """
    if sys.platform != "linux":
        return "127.0.0.1"
    return f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"


def _moto_cluster(account: Account, identifier: str) -> Any:
    return redshift_backends[account.id][account.region].clusters[identifier]


def _password() -> str:
    letters = string.ascii_letters + string.digits
    return "aA1" + "".join(secrets.choice(letters) for _ in range(_PASSWORD_LENGTH))


def _managed_secret(account: Account, declaration: Declaration, identifier: str, admin: str, password: str) -> str:
    key = declaration.properties.get("MasterPasswordSecretKmsKeyId")
    secret = secretsmanager_backends[account.id][account.region].create_managed_secret(
        service_name="redshift",
        secret_id=f"redshift!{identifier}-{admin}",
        secret_string=json.dumps({"username": admin, "password": password}),
        kms_key_id=key,
    )
    encryption_key = customer_key(account, key)
    if encryption_key is not None:
        account.encryption_keys[secret.arn] = encryption_key
    return str(secret.arn)


def _tables_of(account: Account, identifier: str, schema: ExternalSchema) -> Sequence[ExternalTable]:
    if schema.role_arn not in account.service(Clusters).roles[identifier]:
        raise StatementFailed(f"ERROR: The IAM role {schema.role_arn} is not associated with the cluster {identifier}")
    try:
        # Redshift guide, "Restricting access to IAM roles": the external id is the database user.
        user = account.arn(
            "redshift", f"dbuser:{identifier}/{account.service(Clusters).by_identifier[identifier].admin_user}"
        )
        client = account.client_as(
            "glue", schema.role_arn, acting=ACTING, session="RedshiftIamRoleSession", external_id=user
        )
        client.get_database(Name=schema.database)
        pages = client.get_paginator("get_tables").paginate(DatabaseName=schema.database)
        tables = [table for page in pages for table in page["TableList"]]
    except (ClientError, iam.AccessDenied) as error:
        raise StatementFailed(f"ERROR: {error}") from error
    return tuple(
        ExternalTable(name=table["Name"].lower(), columns=_columns(table))
        for table in sorted(tables, key=lambda one: str(one["Name"]))
    )


def _columns(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = [*table.get("StorageDescriptor", {}).get("Columns", []), *table.get("PartitionKeys", [])]
    return tuple((column["Name"].lower(), column.get("Type", "string")) for column in listed)


def _subnet_group(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("ClusterSubnetGroupName"), longest=255, lower=True)
    account.client("redshift").create_cluster_subnet_group(
        ClusterSubnetGroupName=name, Description=properties["Description"], SubnetIds=properties["SubnetIds"]
    )
    return Created(ref=name, attributes={"ClusterSubnetGroupName": name})


def _parameter_group(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("ParameterGroupName"), longest=255, lower=True)
    account.client("redshift").create_cluster_parameter_group(
        ParameterGroupName=name,
        ParameterGroupFamily=properties["ParameterGroupFamily"],
        Description=properties["Description"],
    )
    return Created(ref=name, attributes={"ParameterGroupName": name})


def _named_only(property_name: str, *, attributes: Sequence[str] = ()) -> Callable[[Account, Declaration], Created]:
    def create(_account: Account, declaration: Declaration) -> Created:
        name = declaration.name(declaration.properties.get(property_name), longest=63)
        return Created(ref=name, attributes=dict.fromkeys(attributes, name))

    return create


def _usage_limit(account: Account, declaration: Declaration) -> Created:
    identifier = declaration.properties["ClusterIdentifier"]
    if identifier not in account.service(Clusters).by_identifier:
        raise declaration.fail(f"the cluster {identifier} does not exist")
    limit = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{declaration.stack}/{declaration.logical_id}"))
    return Created(ref=limit, attributes={"UsageLimitId": limit})


_OPERATION = "no rehearsal lasts as long as what a cluster does by itself"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Redshift::Cluster",
        create=_cluster,
        honoured=(
            "ClusterIdentifier",
            "ClusterParameterGroupName",
            "ClusterSubnetGroupName",
            "ClusterType",
            "DBName",
            "Encrypted",
            "EnhancedVpcRouting",
            "IamRoles",
            "KmsKeyId",
            "ManageMasterPassword",
            "MasterPasswordSecretKmsKeyId",
            "MasterUserPassword",
            "MasterUsername",
            "NodeType",
            "NumberOfNodes",
            "Port",
            "PubliclyAccessible",
            "VpcSecurityGroupIds",
        ),
        ignored={
            "AllowVersionUpgrade": _OPERATION,
            "AutomatedSnapshotRetentionPeriod": _OPERATION,
            "AvailabilityZone": "everything is on this machine",
            "AvailabilityZoneRelocation": "everything is on this machine",
            "AvailabilityZoneRelocationStatus": "everything is on this machine",
            "DeferMaintenance": _OPERATION,
            "DeferMaintenanceDuration": _OPERATION,
            "DeferMaintenanceEndTime": _OPERATION,
            "DeferMaintenanceStartTime": _OPERATION,
            "LoggingProperties": "no audit log is written",
            "MaintenanceTrackName": _OPERATION,
            "ManualSnapshotRetentionPeriod": _OPERATION,
            "MultiAZ": "everything is on this machine",
            "PreferredMaintenanceWindow": _OPERATION,
            "Tags": "no rule of the rehearsal reads a cluster's tags",
        },
    ),
    ResourceType(
        name="AWS::Redshift::ClusterSubnetGroup",
        create=_subnet_group,
        honoured=("ClusterSubnetGroupName", "Description", "SubnetIds"),
        ignored={"Tags": "no rule of the rehearsal reads them"},
    ),
    ResourceType(
        name="AWS::Redshift::ClusterParameterGroup",
        create=_parameter_group,
        honoured=("Description", "ParameterGroupFamily", "ParameterGroupName"),
        ignored={
            "Parameters": "TLS is always required; queues and query monitoring are Redshift's alone",
            "Tags": "no rule of the rehearsal reads them",
        },
    ),
    ResourceType(
        name="AWS::Redshift::ScheduledAction",
        create=_named_only("ScheduledActionName"),
        honoured=("ScheduledActionName",),
        ignored=dict.fromkeys(
            ("Enable", "EndTime", "IamRole", "Schedule", "ScheduledActionDescription", "StartTime", "TargetAction"),
            "a scenario pauses and resumes clusters itself",
        ),
        modelled_only="it exists and is never due",
    ),
    ResourceType(
        name="AWS::Redshift::UsageLimit",
        create=_usage_limit,
        honoured=("ClusterIdentifier",),
        ignored=dict.fromkeys(
            ("Amount", "BreachAction", "FeatureType", "LimitType", "Period", "Tags"), "nothing is measured here"
        ),
        modelled_only="nothing is measured here",
    ),
    ResourceType(
        name="AWS::Redshift::EventSubscription",
        create=_named_only("SubscriptionName"),
        honoured=("SubscriptionName",),
        ignored=dict.fromkeys(
            ("Enabled", "EventCategories", "Severity", "SnsTopicArn", "SourceIds", "SourceType", "Tags"),
            "clusters here have no events",
        ),
        modelled_only="clusters here have no events",
    ),
)
