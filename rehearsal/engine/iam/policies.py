"""What is attached to what: roles, inline and managed policies, boundaries and resource policies.

It must not decide calls; it accepts the parts in any order, as templates deploy them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rehearsal.engine.iam.documents import Policy, compile_policy
from rehearsal.engine.iam.model import PolicyDocument, PolicyError


@dataclass(frozen=True, kw_only=True)
class _Role:
    inline: tuple[Policy, ...]
    managed_arns: tuple[str, ...]
    boundary: Policy | str | None
    tags: Mapping[str, str] = field(default_factory=dict)


def resource_owner(resource: str) -> str:
    """The ARN of what carries the policy for a resource: an object's bucket, an index's table, else itself.

    An alias of a key carries none, and no resource (`*`) neither: both give an empty text.
    """
    if resource == "*":
        return ""
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return resource
    service, name = parts[2], parts[5]
    if service == "kms" and name.startswith("alias/"):
        return ""
    if service == "s3":
        return ":".join([*parts[:5], name.split("/", 1)[0]])
    if service == "dynamodb" and name.startswith("table/") and "/stream/" not in name:
        return ":".join([*parts[:5], "/".join(name.split("/")[:2])])
    return resource


class PolicyStore:
    """Everything that grants or denies, by who or what it is attached to."""

    def __init__(self) -> None:
        self._roles: dict[str, _Role] = {}
        self._inline: dict[str, dict[str, Policy]] = defaultdict(dict)
        self._managed: dict[str, Policy] = {}
        self._attached: dict[str, dict[str, None]] = defaultdict(dict)
        self._resource: dict[str, Policy] = {}
        self._endpoints: dict[str, Policy] = {}

    def put_role(
        self,
        arn: str,
        *,
        trust_policy: PolicyDocument,
        policies: Mapping[str, PolicyDocument],
        managed: Mapping[str, PolicyDocument],
        managed_arns: Sequence[str],
        boundary: PolicyDocument | str | None,
        tags: Mapping[str, str],
    ) -> None:
        """Adds or replaces a role; see `Authorizer.put_role`."""
        name = arn.rsplit("/", 1)[-1]
        trust = compile_policy(trust_policy, name=f"the trust policy of {name}", kind="resource")
        inline = tuple(_inline_policy(arn, title, document) for title, document in policies.items())
        known = {policy_arn: _managed_policy(policy_arn, document) for policy_arn, document in managed.items()}
        limit = (
            boundary
            if boundary is None or isinstance(boundary, str)
            else compile_policy(boundary, name=f"the permissions boundary of {name}", kind="identity")
        )
        self._managed.update(known)
        self._resource[arn] = trust
        self._roles[arn] = _Role(
            inline=inline,
            managed_arns=(*managed_arns, *(item for item in known if item not in managed_arns)),
            boundary=limit,
            tags={key.lower(): value for key, value in tags.items()},
        )

    def remove_role(self, arn: str) -> None:
        """Forgets a role and its attachments."""
        self._roles.pop(arn, None)
        self._resource.pop(arn, None)
        self._inline.pop(arn, None)
        self._attached.pop(arn, None)

    def put_inline_policy(self, role_arn: str, name: str, document: PolicyDocument | None) -> None:
        """Embeds, replaces or (None) takes away an inline policy of a role."""
        if document is None:
            self._inline[role_arn].pop(name, None)
        else:
            self._inline[role_arn][name] = _inline_policy(role_arn, name, document)

    def put_managed_policy(self, arn: str, document: PolicyDocument | None, *, roles: Sequence[str]) -> None:
        """Adds or replaces a managed policy and attaches it, or (None) deletes it everywhere."""
        if document is None:
            self._managed.pop(arn, None)
            for role_arn in {*self._attached, *self._roles}:
                self.detach(role_arn, arn)
            return
        self._managed[arn] = _managed_policy(arn, document)
        for role_arn in roles:
            self.attach(role_arn, arn)

    def attach(self, role_arn: str, policy_arn: str) -> None:
        """Attaches a managed policy to a role."""
        self._attached[role_arn][policy_arn] = None

    def detach(self, role_arn: str, policy_arn: str) -> None:
        """Detaches a managed policy from a role."""
        self._attached[role_arn].pop(policy_arn, None)
        if role := self._roles.get(role_arn):
            self._roles[role_arn] = _Role(
                inline=role.inline,
                managed_arns=tuple(arn for arn in role.managed_arns if arn != policy_arn),
                boundary=role.boundary,
                tags=role.tags,
            )

    def put_resource_policy(self, arn: str, document: PolicyDocument | None) -> None:
        """Sets or (None) takes away a resource policy."""
        if document is None:
            self._resource.pop(arn, None)
        else:
            self._resource[arn] = compile_policy(document, name=f"the policy of {arn}", kind="resource")

    def put_endpoint_policy(self, endpoint: str, document: PolicyDocument) -> None:
        """Sets the policy of a VPC endpoint."""
        self._endpoints[endpoint] = compile_policy(document, name=f"the policy of {endpoint}", kind="resource")

    def endpoint_policy(self, endpoint: str) -> Policy | None:
        """The policy of a VPC endpoint, by its id."""
        return self._endpoints.get(endpoint)

    def roles(self) -> tuple[str, ...]:
        """The ARNs of the known roles."""
        return tuple(self._roles)

    def resource_policies(self) -> Mapping[str, Policy]:
        """Resource and trust policies by owner."""
        return self._resource

    def identity_policies(self, role_arn: str) -> tuple[Policy, ...]:
        """A role's policies.

        Raises:
            PolicyError: the role, or a managed policy attached to it, was never put.
        """
        role = self._role(role_arn)
        attached = dict.fromkeys((*role.managed_arns, *self._attached[role_arn]))
        managed = [self._managed_policy(arn, role_arn) for arn in attached]
        return (*role.inline, *self._inline[role_arn].values(), *managed)

    def boundary_of(self, role_arn: str) -> Policy | None:
        """A role's permissions boundary."""
        boundary = self._role(role_arn).boundary
        return self._managed_policy(boundary, role_arn) if isinstance(boundary, str) else boundary

    def tag_of(self, role_arn: str, key: str) -> str | tuple[()]:
        """The value of a role's tag, by its key in lower case."""
        return self._role(role_arn).tags.get(key, ())

    def keys(self) -> frozenset[str]:
        """Every condition key that some policy depends on, in lower case."""
        boundaries = [role.boundary for role in self._roles.values() if isinstance(role.boundary, Policy)]
        inline = [policy for role in self._roles.values() for policy in role.inline]
        embedded = [policy for policies in self._inline.values() for policy in policies.values()]
        attached = (*self._managed.values(), *self._resource.values(), *self._endpoints.values())
        everything = (*boundaries, *inline, *embedded, *attached)
        return frozenset[str]().union(*(policy.keys for policy in everything))

    def _role(self, arn: str) -> _Role:
        role = self._roles.get(arn)
        if role is None:
            known = ", ".join(self._roles) or "none"
            raise PolicyError(f"The role {arn} is not known: put it first. Known: {known}.")
        return role

    def _managed_policy(self, arn: str, role_arn: str) -> Policy:
        policy = self._managed.get(arn)
        if policy is None:
            raise PolicyError(
                f"The role {role_arn} has the managed policy {arn}, whose document is not known: "
                "give it to put_managed_policy."
            )
        return policy


def _inline_policy(role_arn: str, name: str, document: PolicyDocument) -> Policy:
    role = role_arn.rsplit("/", 1)[-1]
    return compile_policy(document, name=f"the inline policy {name} of {role}", kind="identity")


def _managed_policy(arn: str, document: PolicyDocument) -> Policy:
    return compile_policy(document, name=f"the managed policy {arn}", kind="identity")
