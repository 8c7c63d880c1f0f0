"""What tests of the warehouse ask of its templates: its roles and functions, and what they may do."""

from dataclasses import replace
from typing import Any

from config import STAGES
from config.model import Part, Stage
from config.warehouse import Cluster, Warehouse
from tests.stacks.assembly import Assembly, Resource, flat
from tests.stacks.rendering import ACCOUNT, PARTITION, REGION, rendered, statements_of

ANALYTICS = "amp-dev-analytics"
SECRETS = f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:amp/dev/warehouse/analytics"


def stage_of(*clusters: Cluster, **settings: Any) -> Stage:
    return replace(
        STAGES["dev"],
        parts=frozenset({Part.DATA_LAKE, Part.NETWORK, Part.WAREHOUSE}),
        warehouse=Warehouse(clusters=clusters or (Cluster(name="analytics"),), **settings),
    )


def role_of(assembly: Assembly, prefix: str) -> Resource:
    (role,) = (
        each
        for each in assembly.resources("AWS::IAM::Role")
        if each.stack == "Warehouse" and each.id.startswith(prefix)
    )
    return role


def policy_of(assembly: Assembly, prefix: str) -> list[dict[str, Any]]:
    (policy,) = (
        each
        for each in assembly.resources("AWS::IAM::ManagedPolicy")
        if each.stack == "Warehouse" and each.id.startswith(prefix)
    )
    statements: list[dict[str, Any]] = rendered(assembly, "Warehouse", policy.properties["PolicyDocument"]["Statement"])
    return statements


def allowing(assembly: Assembly, prefix: str) -> list[dict[str, Any]]:
    return [each for each in statements_of(assembly, role_of(assembly, prefix)) if each["Effect"] == "Allow"]


def function_of(assembly: Assembly, prefix: str) -> Resource:
    (function,) = (
        each
        for each in assembly.resources("AWS::Lambda::Function")
        if each.stack == "Warehouse" and each.id.startswith(prefix)
    )
    return function


def registry_of(assembly: Assembly, prefix: str) -> str:
    return flat(function_of(assembly, prefix).properties["Environment"]["Variables"]["CLUSTERS"])
