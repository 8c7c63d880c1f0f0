"""The terms every other module of this package speaks: who asks, for what, and what became of it.

It must not decide anything: rules live in `documents`, `decisions` and `authorizer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

PolicyDocument = Mapping[str, Any]
ContextValue = str | Sequence[str]


class PolicyError(ValueError):
    """A policy that AWS would refuse, or one that uses an element this evaluator does not know."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who makes a call.

    `arn` is the role's ARN (not the session's), or a service's name such as `sns.amazonaws.com`.
    `session` is the role session name; it is part of the ARN that error messages show.
    """

    arn: str
    kind: Literal["role", "service", "administrator"]
    session: str = ""

    @property
    def account(self) -> str:
        """The twelve digits of the account, or an empty string for a service."""
        parts = self.arn.split(":")
        return parts[4] if self.kind != "service" and len(parts) > 5 else ""

    @property
    def user_id(self) -> str:
        """What ``aws:userid`` holds: a role's id and the session (IAM guide, "Policy elements: variables")."""
        role_id = sha256(self.arn.encode()).hexdigest()[:17].upper()
        return f"AROA{role_id}:{self.session or 'session'}"

    @property
    def session_arn(self) -> str:
        """The ARN that AWS shows for a caller: `arn:aws:sts::…:assumed-role/<role>/<session>`."""
        if self.kind != "role":
            return self.arn
        parts = self.arn.split(":")
        role_name = parts[5].rsplit("/", 1)[-1]
        return f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{role_name}/{self.session or 'session'}"


@dataclass(frozen=True, kw_only=True)
class Need:
    """One permission that a request depends on: an action on a resource (an ARN, or `*`), in a context."""

    action: str
    resource: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """A decision, or several equal ones: `count` calls of the same principal, action and resource in a
    context that policies cannot tell apart. `time`, `sequence` and the session are those of the first.
    """

    time: datetime
    principal: Principal
    need: Need
    allowed: bool
    reason: str
    sequence: int
    count: int = 1


class AccessDenied(Exception):
    """A call that the policies do not allow; its text reads like the message of AWS."""

    def __init__(self, *, principal: Principal, need: Need, reason: str) -> None:
        self.principal = principal
        self.need = need
        self.reason = reason
        subject = f"User: {principal.session_arn}"
        target = "" if need.resource == "*" else f" on resource: {need.resource}"
        super().__init__(f"{subject} is not authorized to perform: {need.action}{target} {reason}")


@dataclass(frozen=True, kw_only=True)
class Passage:
    """By which endpoint of which VPC (both by id) a caller reaches a service."""

    vpc: str
    endpoint: str


class NoRoute(Exception):
    """A call of a service that its caller's VPC does not lead to; in AWS it would wait until it times out."""


class UnknownCredentials(Exception):
    """A request signed with an access key that this authorizer never gave out."""

    def __init__(self, access_key_id: str) -> None:
        self.access_key_id = access_key_id
        super().__init__(
            f"The access key {access_key_id!r} is not one the authorizer gave out: sign requests with "
            "credentials() of a role or administrator_credentials()."
        )


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Temporary credentials, as an AWS SDK takes them."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
