"""What the tables of needs share: the account's names, ARNs and encryption keys, and the shape of a rule.

It must not hold a rule of any one service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.iam.model import ContextValue, Need

Parameters = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The account and Region in which requests are made, and which key encrypts what."""

    account: str
    region: str
    encryption_key_of: Callable[[str], str | None]
    bucket_key_enabled: Callable[[str], bool]
    partition: str = "aws"

    def arn(self, service: str, name: str) -> str:
        """The ARN of a resource of this account and Region; a value that is an ARN already stays."""
        if name.startswith("arn:"):
            return name
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{name}"

    def key_needs(
        self,
        resource: str,
        *,
        via: str,
        actions: Iterable[str],
        encryption_context: Mapping[str, str],
        key: str | None = None,
    ) -> list[Need]:
        """What a service needs of the caller on the key that encrypts a resource; nothing without one.

        Args:
            resource: the ARN that the key is looked up by.
            via: the service that calls KMS for the caller (`kms:ViaService`, without Region).
            actions: for instance `kms:Decrypt`.
            encryption_context: what the service sends, see the KMS page of its guide.
            key: the ARN of another key that the request itself names.
        """
        key = key or self.encryption_key_of(resource)
        if key is None:
            return []
        context: dict[str, ContextValue] = {
            "kms:ViaService": f"{via}.{self.region}.amazonaws.com",
            "aws:ViaAWSService": "true",
            "kms:EncryptionContextKeys": tuple(encryption_context),
            **{f"kms:EncryptionContext:{name}": value for name, value in encryption_context.items()},
        }
        return [Need(action=action, resource=key, context=context) for action in actions]


Rule = Callable[[Parameters, Scope], Sequence[Need]]
Naming = Callable[[Parameters, Scope], str]


def on(action: str, naming: Naming) -> Rule:
    """A rule of one action on the one resource that a naming function finds in the parameters."""

    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        return [Need(action=action, resource=naming(parameters, scope))]

    return rule


def anywhere(action: str) -> Rule:
    """A rule of one action that has no resource."""
    return on(action, lambda _parameters, _scope: "*")


def no_permission(_parameters: Parameters, _scope: Scope) -> Sequence[Need]:
    """A rule of an operation that everyone with credentials may call."""
    return []


def rules(prefix: str, naming: Naming, operations: str) -> dict[str, Rule]:
    """Rules of operations (separated by blanks) whose action has the same name."""
    return {name: on(f"{prefix}:{name}", naming) for name in operations.split()}
