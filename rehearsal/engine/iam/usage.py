"""What permissions were for: used, refused, never used, and what would be refused without each of them.

It must not change policies or records; it decides recorded calls again under other policies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rehearsal.engine.iam.authorizer import Authorizer
from rehearsal.engine.iam.decisions import Bearing
from rehearsal.engine.iam.documents import Policy, Statement, without
from rehearsal.engine.iam.model import CallRecord
from rehearsal.engine.iam.patterns import may_overlap
from rehearsal.engine.iam.policies import resource_owner
from rehearsal.engine.iam.reference import action_exists, as_segments, resource_formats


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One action on one resource pattern that a statement allows, as the policy writes them."""

    role: str
    policy: str
    statement: str
    action: str
    resource: str


@dataclass(frozen=True, kw_only=True)
class RoleUsage:
    """What a role did: `used` counts calls by action, `denied` holds what it was refused."""

    role: str
    used: Mapping[str, int]
    denied: tuple[CallRecord, ...]
    never_used: tuple[Grant, ...]


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What would become of the recorded calls without one action of a statement (None: the statement).

    `owner` is the role, or the resource whose policy it is; `matched` are the allowed calls that the
    statement spoke for, `refused` those that would not be allowed any more.
    """

    owner: str
    policy: str
    statement: str
    action: str | None
    matched: tuple[CallRecord, ...]
    refused: tuple[CallRecord, ...]

    @property
    def effect(self) -> Literal["refused", "never used", "also allowed elsewhere"]:
        """The short answer."""
        if self.refused:
            return "refused"
        return "also allowed elsewhere" if self.matched else "never used"

    def __str__(self) -> str:
        what = f"{self.action} of {self.statement}" if self.action else self.statement
        if not self.refused:
            return f"Without {what} nothing would be refused: it is {self.effect}."
        calls = "; ".join(f"{call.principal.arn} {call.need.action} on {call.need.resource}" for call in self.refused)
        return f"Without {what} these would be refused: {calls}."


def usage_of(authorizer: Authorizer, role_arn: str) -> RoleUsage:
    """What a role used of what it was granted.

    A grant that can never apply is left out: an action whose resources (service authorization reference)
    the pattern cannot describe, such as `s3:GetObject` on a bucket's own ARN.
    """
    calls = [call for call in authorizer.calls if call.principal.arn == role_arn]
    used: Counter[str] = Counter()
    for call in calls:
        if call.allowed:
            used[call.need.action] += call.count
    return RoleUsage(
        role=role_arn,
        used=dict(sorted(used.items())),
        denied=tuple(call for call in calls if not call.allowed),
        never_used=tuple(_never_used(authorizer, role_arn, [call for call in calls if call.allowed])),
    )


def _never_used(authorizer: Authorizer, role_arn: str, calls: Sequence[CallRecord]) -> Iterator[Grant]:
    for policy in authorizer.identity_policies(role_arn):
        for statement in policy.statements:
            if not statement.allows:
                continue
            covered = [call for call in calls if _covers(authorizer, statement, call)]
            for action in ("(NotAction)",) if statement.not_actions else statement.actions:
                for resource in ("(NotResource)",) if statement.not_resources else statement.resources:
                    one = replace(
                        statement,
                        actions=statement.actions if statement.not_actions else (action,),
                        resources=statement.resources if statement.not_resources else (resource,),
                    )
                    if _can_apply(one) and not any(_covers(authorizer, one, call) for call in covered):
                        yield Grant(
                            role=role_arn,
                            policy=policy.name,
                            statement=statement.name,
                            action=action,
                            resource=resource,
                        )


def _can_apply(statement: Statement) -> bool:
    action, resource = statement.actions[0], statement.resources[0]
    if statement.not_actions or statement.not_resources or "*" in action or "?" in action:
        return True
    if "${" in resource or not action_exists(action):
        return True
    formats = resource_formats(action)
    if not formats:
        return resource == "*"
    return any(may_overlap(as_segments(arn_format), resource) for arn_format in formats)


def _covers(authorizer: Authorizer, statement: Statement, call: CallRecord) -> bool:
    context = authorizer.context_of(call.principal, call.need, at=call.time)
    return statement.applies(call.need.action, call.need.resource, context)


def without_action(authorizer: Authorizer, role_arn: str) -> list[Removal]:
    """For each action of each statement that allows something to a role: the calls it carried.

    Every recorded call of the role that the action covers is decided again without the action, under all
    other policies as they are. A NotAction statement is taken away as a whole (`action` is None).
    """
    calls = [call for call in authorizer.calls if call.allowed and call.principal.arn == role_arn]
    removals = []
    for policy in authorizer.identity_policies(role_arn):
        for statement in policy.statements:
            if not statement.allows:
                continue
            for action in (None,) if statement.not_actions else statement.actions:
                removals.append(
                    _removal(
                        authorizer,
                        owner=role_arn,
                        policy=policy,
                        statement=statement,
                        action=action,
                        calls=calls,
                        lessened=lambda bearing, old, new: replace(
                            bearing, identity=tuple(new if item is old else item for item in bearing.identity)
                        ),
                    )
                )
    return removals


def without_resource_statement(authorizer: Authorizer, resource_arn: str) -> list[Removal]:
    """The same for each allowing statement, as a whole, of a resource's policy or a role's trust policy."""
    policy = authorizer.resource_policies().get(resource_arn)
    if policy is None:
        raise LookupError(f"{resource_arn} has no resource policy. Known: {sorted(authorizer.resource_policies())}")
    calls = [call for call in authorizer.calls if call.allowed and resource_owner(call.need.resource) == resource_arn]
    return [
        _removal(
            authorizer,
            owner=resource_arn,
            policy=policy,
            statement=statement,
            action=None,
            calls=calls,
            lessened=lambda bearing, _, new: replace(bearing, resource=new),
        )
        for statement in policy.statements
        if statement.allows
    ]


def _removal(
    authorizer: Authorizer,
    *,
    owner: str,
    policy: Policy,
    statement: Statement,
    action: str | None,
    calls: Sequence[CallRecord],
    lessened: Callable[[Bearing, Policy, Policy], Bearing],
) -> Removal:
    rest = without(policy, position=statement.position, action=action)
    only = replace(statement, actions=(action,)) if action is not None else statement
    matched = tuple(call for call in calls if only.speaks_to(call.principal) and _covers(authorizer, only, call))
    refused = []
    for call in matched:
        bearing = lessened(authorizer.bearing_on(call.principal, call.need), policy, rest)
        context = authorizer.context_of(call.principal, call.need, at=call.time)
        if not authorizer.decide_with(call.principal, call.need, context, bearing).allowed:
            refused.append(call)
    return Removal(
        owner=owner,
        policy=policy.name,
        statement=statement.name,
        action=action,
        matched=matched,
        refused=tuple(refused),
    )
