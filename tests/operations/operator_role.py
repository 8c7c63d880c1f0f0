"""An operator: a role with the policies that the stacks offer to operators, and how to act under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal.engine.engine import OUTSIDE_SERVICE

if TYPE_CHECKING:
    from tests.operations.desk import Desk

OUTPUT = "OperatorPolicyArn"


def granted(desk: Desk) -> set[str]:
    """Every action that the stacks' policies for operators allow."""
    return {
        action
        for stack in desk.engine.assembly.stacks
        for name, resource in stack.template["Resources"].items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith("OperatorPolicy")
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def become_operator(desk: Desk) -> str:
    """Act under the policies of all stacks that have one from now on; gives the role's ARN."""
    outputs = desk.played.deployed.outputs.values()
    role = desk.engine.principal("operator", [one[OUTPUT] for one in outputs if OUTPUT in one])
    found = desk.engine.authorizer.credentials(role, service=OUTSIDE_SERVICE, session="anna")
    desk.become(
        {
            "AWS_ACCESS_KEY_ID": found.access_key_id,
            "AWS_SECRET_ACCESS_KEY": found.secret_access_key,
            "AWS_SESSION_TOKEN": found.session_token,
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
    )
    return role
