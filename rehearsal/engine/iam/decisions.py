"""How policies combine: identity, boundary, resource, key and trust policies into one decision.

It must not look anything up: it is given the policies that bear on the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.engine.iam.conditions import Context
from rehearsal.engine.iam.documents import Policy, Statement
from rehearsal.engine.iam.model import Principal


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a call may happen. `reason` names the statement that decided; `because` is AWS's wording."""

    allowed: bool
    reason: str
    because: str = ""


@dataclass(frozen=True, kw_only=True)
class Bearing:
    """The policies that bear on one call.

    `resource` is None where the resource has no policy. `resource_account` differs from the
    principal's for a cross-account call. `owner` is what the resource policy is attached to.
    """

    identity: Sequence[Policy]
    boundary: Policy | None
    resource: Policy | None
    resource_account: str
    owner: str


def decide(*, principal: Principal, action: str, resource: str, context: Context, bearing: Bearing) -> Decision:
    """The decision on one call (IAM "Policy evaluation logic" page; KMS "Key policies" page).

    An explicit deny wins. In one account an identity or a resource policy suffices, except for a KMS key
    and for `sts:AssumeRole`, where the resource's policy must speak: for the caller itself, or for the
    account, whose identity policies then decide. Across accounts both must allow. A service principal has
    the resource's policy alone.
    """
    identity = [
        statement
        for policy in bearing.identity
        for statement in policy.statements
        if statement.applies(action, resource, context)
    ]
    bounds = bearing.boundary.statements if bearing.boundary else ()
    boundary = [statement for statement in bounds if statement.applies(action, resource, context)]
    spoken: list[tuple[Statement, str]] = []
    for statement in bearing.resource.statements if bearing.resource else ():
        if (whom := statement.speaks_to(principal)) and statement.applies(action, resource, context):
            spoken.append((statement, whom))

    for statements, kind in (
        (identity, "an identity-based policy"),
        ([statement for statement, _ in spoken], "a resource-based policy"),
        (boundary, "a permissions boundary"),
    ):
        denial = next((statement for statement in statements if not statement.allows), None)
        if denial:
            return Decision(
                allowed=False,
                reason=f"denied by {denial.name}",
                because=f"with an explicit deny in {kind}",
            )

    by_identity = next((statement for statement in identity if statement.allows), None)
    by_resource = next((s for s, whom in spoken if s.allows and whom == "principal"), None)
    by_delegation = next((s for s, whom in spoken if s.allows and whom == "account"), None)

    if principal.kind == "service":
        return _allowed(by_resource) or _missing_resource(principal, action, resource, bearing)
    decision = _for_role(principal, action, resource, bearing, by_identity, by_resource, by_delegation)
    if decision.allowed and bearing.boundary and not any(statement.allows for statement in boundary):
        return Decision(
            allowed=False,
            reason=f"no statement of {bearing.boundary.name} allows {action} on {resource}",
            because=f"because no permissions boundary allows the {action} action",
        )
    return decision


def pass_endpoint(*, principal: Principal, action: str, resource: str, context: Context, policy: Policy) -> Decision:
    """Whether a call may go through a VPC endpoint with a policy, which grants nothing by itself.

    AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies".
    """
    spoken = [one for one in policy.statements if one.speaks_to(principal) and one.applies(action, resource, context)]
    denial = next((statement for statement in spoken if not statement.allows), None)
    if denial:
        because = "with an explicit deny in a VPC endpoint policy"
        return Decision(allowed=False, reason=f"denied by {denial.name}", because=because)
    return _allowed(next(iter(spoken), None)) or Decision(
        allowed=False,
        reason=f"no statement of {policy.name} allows {principal.arn} {action} on {resource}",
        because=f"because no VPC endpoint policy allows the {action} action",
    )


def _for_role(
    principal: Principal,
    action: str,
    resource: str,
    bearing: Bearing,
    by_identity: Statement | None,
    by_resource: Statement | None,
    by_delegation: Statement | None,
) -> Decision:
    if principal.account != bearing.resource_account:
        if by_identity and not (by_resource or by_delegation):
            return _missing_resource(principal, action, resource, bearing)
        return _allowed(by_identity) or _missing_identity(principal, action, resource, bearing)
    named = action.lower()
    owner_decides = named == "sts:assumerole" or (named.startswith("kms:") and bearing.owner != "")
    if by_resource:
        return Decision(allowed=True, reason=f"allowed by {by_resource.name}")
    if owner_decides and not by_delegation:
        return _missing_resource(principal, action, resource, bearing)
    return _allowed(by_identity) or _missing_identity(principal, action, resource, bearing)


def _allowed(statement: Statement | None) -> Decision | None:
    return Decision(allowed=True, reason=f"allowed by {statement.name}") if statement else None


def _missing_identity(principal: Principal, action: str, resource: str, bearing: Bearing) -> Decision:
    names = ", ".join(policy.name for policy in bearing.identity) or "it has no policies"
    return Decision(
        allowed=False,
        reason=f"no statement of the policies of {principal.arn} ({names}) allows {action} on {resource}",
        because=f"because no identity-based policy allows the {action} action",
    )


def _missing_resource(principal: Principal, action: str, resource: str, bearing: Bearing) -> Decision:
    if bearing.resource:
        reason = f"no statement of {bearing.resource.name} allows {principal.arn} {action} on {resource}"
    else:
        owner = bearing.owner or resource
        reason = f"{owner} has no resource policy that could allow {principal.arn} {action}"
    return Decision(
        allowed=False, reason=reason, because=f"because no resource-based policy allows the {action} action"
    )
