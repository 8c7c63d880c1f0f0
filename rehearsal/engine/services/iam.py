"""IAM roles and policies: hands them to the authorizer, and to moto so that its IAM API can show them."""

from __future__ import annotations

import functools
import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from rehearsal.engine.account import PARTITION, Account
from rehearsal.engine.resources import Created, Declaration, ResourceType


class Roles:
    """The ARN of each role by its name; policies name roles, the authorizer wants ARNs."""

    def __init__(self) -> None:
        self.arns: dict[str, str] = {}

    def arn(self, declaration: Declaration, name: str) -> str:
        """The ARN of role ``name``."""
        if name not in self.arns:
            raise declaration.fail(f"role {name!r} does not exist; there are {sorted(self.arns)}")
        return self.arns[name]


def _role(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("RoleName"))
    path = properties.get("Path", "/")
    trust = properties["AssumeRolePolicyDocument"]
    arguments: dict[str, Any] = {"MaxSessionDuration": int(properties.get("MaxSessionDuration", 3600))}
    if "Description" in properties:
        arguments["Description"] = properties["Description"]
    role = account.client("iam").create_role(
        RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust), **arguments
    )["Role"]
    for arn in [*properties.get("ManagedPolicyArns", []), properties.get("PermissionsBoundary")]:
        if arn is not None:
            _know_aws_policy(account, declaration, arn)
    account.authorizer.put_role(
        role["Arn"],
        trust_policy=trust,
        policies={one["PolicyName"]: one["PolicyDocument"] for one in properties.get("Policies", [])},
        managed_arns=properties.get("ManagedPolicyArns", []),
        boundary=properties.get("PermissionsBoundary"),
        tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])},
    )
    account.service(Roles).arns[name] = role["Arn"]
    return Created(ref=name, arn=role["Arn"], attributes={"Arn": role["Arn"], "RoleId": role["RoleId"]})


@functools.cache
def _aws_policies() -> dict[str, Any]:
    # moto carries AWS's managed policies as one text; its API shows them only when it is set up to.
    return {
        f"arn:{PARTITION}:iam::aws:policy{policy['Path']}{name}": policy["Document"]
        for name, policy in json.loads(aws_managed_policies_data).items()
    }


def _know_aws_policy(account: Account, declaration: Declaration, arn: str) -> None:
    if not arn.startswith(f"arn:{PARTITION}:iam::aws:policy/"):
        return
    if arn not in _aws_policies():
        raise declaration.fail(f"managed policy {arn} is not one of AWS's; correct the name")
    account.authorizer.put_managed_policy(arn, _aws_policies()[arn])


def _policy(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = properties["PolicyName"]
    roles = [properties["RoleName"]] if "RoleName" in properties else properties.get("Roles", [])
    if not roles:
        raise declaration.fail("an inline policy needs at least one role; give Roles")
    for role in roles:
        role_arn = account.service(Roles).arn(declaration, role)
        account.authorizer.put_inline_policy(role_arn, name, properties["PolicyDocument"])
    return Created(ref=name, attributes={"Id": name})


def _managed_policy(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("ManagedPolicyName"), longest=128)
    path = properties.get("Path", "/")
    arn = f"arn:{PARTITION}:iam::{account.id}:policy{path}{name}"
    roles = account.service(Roles)
    account.authorizer.put_managed_policy(
        arn,
        properties["PolicyDocument"],
        roles=[roles.arn(declaration, role) for role in properties.get("Roles", [])],
    )
    return Created(ref=arn, arn=arn, attributes={"PolicyArn": arn})


def _instance_profile(account: Account, declaration: Declaration) -> Created:
    name = declaration.name(declaration.properties.get("InstanceProfileName"), longest=128)
    for role in declaration.properties["Roles"]:
        account.service(Roles).arn(declaration, role)
    arn = f"arn:{PARTITION}:iam::{account.id}:instance-profile/{name}"
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


def _oidc_provider(account: Account, declaration: Declaration) -> Created:
    host = declaration.properties["Url"].removeprefix("https://")
    arn = f"arn:{PARTITION}:iam::{account.id}:oidc-provider/{host}"
    return Created(ref=arn, arn=arn, attributes={"Arn": arn})


def attach(account: Account) -> None:
    """Make the directory of roles known."""
    account.register(Roles())


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::IAM::Role",
        create=_role,
        honoured=(
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        ),
    ),
    ResourceType(
        name="AWS::IAM::Policy",
        create=_policy,
        honoured=("PolicyDocument", "PolicyName", "Roles"),
    ),
    ResourceType(
        name="AWS::IAM::RolePolicy",
        create=_policy,
        honoured=("PolicyDocument", "PolicyName", "RoleName"),
    ),
    ResourceType(
        name="AWS::IAM::ManagedPolicy",
        create=_managed_policy,
        honoured=("PolicyDocument", "ManagedPolicyName", "Path", "Roles"),
        ignored={"Description": "a text for people", "Tags": "no rule of the rehearsal reads a policy's tags"},
    ),
    ResourceType(
        name="AWS::IAM::InstanceProfile",
        create=_instance_profile,
        honoured=("InstanceProfileName", "Roles"),
        ignored={"Path": "nothing names an instance profile by its path"},
        modelled_only="no instance is launched",
    ),
    ResourceType(
        name="AWS::IAM::OIDCProvider",
        create=_oidc_provider,
        honoured=("Url",),
        ignored=dict.fromkeys(("ClientIdList", "Tags", "ThumbprintList"), "no token of a pod is exchanged"),
        modelled_only="no token of a pod is exchanged: job runs have their roles by Pod Identity",
    ),
)
