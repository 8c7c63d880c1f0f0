"""Athena workgroups, which are only modelled: no query of Athena runs in a rehearsal."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType

_WHY = "no query runs on Athena in a rehearsal"


def _work_group(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = properties["Name"]
    account.client("athena").create_work_group(Name=name, Description=properties.get("Description", ""))
    return Created(ref=name, arn=account.arn("athena", f"workgroup/{name}"))


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Athena::WorkGroup",
        create=_work_group,
        honoured=("Description", "Name"),
        ignored={
            "RecursiveDeleteOption": "no workgroup is deleted in a rehearsal",
            "Tags": "no rule of the rehearsal reads a workgroup's tags",
            "WorkGroupConfiguration": _WHY,
        },
        modelled_only=_WHY,
    ),
)
