"""SSM parameters; the version parameter of a bootstrapped account is answered by the deployment itself."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType


def _parameter(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("Name"), longest=1011)
    kind, value = properties.get("Type", "String"), properties["Value"]
    account.client("ssm").put_parameter(
        Name=name, Type=kind, Value=value, Description=properties.get("Description", "")
    )
    arn = account.arn("ssm", f"parameter/{name.lstrip('/')}")
    return Created(ref=name, arn=arn, attributes={"Type": kind, "Value": value})


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::SSM::Parameter",
        create=_parameter,
        honoured=("Description", "Name", "Type", "Value"),
        ignored={
            "Tags": "no rule of the rehearsal reads a parameter's tags",
            "Tier": "tiers differ in price and size",
        },
    ),
)
