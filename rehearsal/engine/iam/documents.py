"""Policy documents, compiled: which statements speak about a call, and what they say.

It must not combine policies: what a deny here means for an allow there is in `decisions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from rehearsal.engine.iam.conditions import Condition, Context, compile_conditions, texts
from rehearsal.engine.iam.model import PolicyDocument, PolicyError, Principal
from rehearsal.engine.iam.patterns import matches, substitute, variables_in

Kind = Literal["identity", "resource"]
_DOCUMENT_ELEMENTS = {"version", "id", "statement"}
_STATEMENT_ELEMENTS = {
    "sid", "effect", "principal", "notprincipal", "action", "notaction", "resource", "notresource", "condition",
}  # fmt: skip
_PRINCIPAL_KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}
_VERSIONS = ("2012-10-17", "2008-10-17")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement. `position` counts from 0; `principals` is None in an identity policy."""

    policy: str
    position: int
    sid: str
    allows: bool
    actions: tuple[str, ...]
    not_actions: bool
    resources: tuple[str, ...]
    not_resources: bool
    principals: tuple[tuple[str, str], ...] | None
    not_principals: bool
    conditions: tuple[Condition, ...]
    variables: bool

    @property
    def name(self) -> str:
        """How reports and reasons call it."""
        label = f"statement {self.sid!r}" if self.sid else f"statement {self.position + 1}"
        return f"{label} of {self.policy}"

    @property
    def keys(self) -> frozenset[str]:
        """Every condition key that the statement depends on, in lower case."""
        named: frozenset[str] = frozenset()
        if self.variables:
            named = named.union(*(variables_in(pattern) for pattern in self.resources))
        return named.union(*(condition.keys for condition in self.conditions))

    def covers_action(self, action: str) -> bool:
        """Whether its Action or NotAction includes an action; names are not case sensitive."""
        named = any(matches(pattern, action, ignore_case=True) for pattern in self.actions)
        return named != self.not_actions

    def covers_resource(self, resource: str, context: Context) -> bool:
        """Whether its Resource or NotResource includes an ARN (or `*`, for an action without resource)."""
        named = any(self._resource_matches(pattern, resource, context) for pattern in self.resources)
        return named != self.not_resources

    def _resource_matches(self, pattern: str, resource: str, context: Context) -> bool:
        text = substitute(pattern, context) if self.variables else pattern
        return text is not None and matches(text, resource)

    def speaks_to(self, principal: Principal) -> Literal["principal", "account", ""]:
        """Whether its Principal names the caller, only the caller's account, or neither.

        An account that is named leaves the word to its identity policies (IAM "Principal" page).
        """
        if self.principals is None:
            return "principal"
        answers = {_names(kind, value, principal) for kind, value in self.principals}
        if self.not_principals:
            return "" if answers & {"principal", "account"} else "principal"
        if "principal" in answers:
            return "principal"
        return "account" if "account" in answers else ""

    def applies(self, action: str, resource: str, context: Context) -> bool:
        """Whether it speaks about this action, resource and context, whoever asks."""
        return (
            self.covers_action(action)
            and self.covers_resource(resource, context)
            and all(condition.holds(context) for condition in self.conditions)
        )


def _names(kind: str, value: str, principal: Principal) -> Literal["principal", "account", ""]:
    if kind == "*":
        return "principal"
    if kind == "Service":
        return "principal" if principal.kind == "service" and value == principal.arn else ""
    if kind != "AWS":
        return ""
    if value == "*":
        return "principal"
    if principal.kind == "service":
        return ""
    if value in (principal.arn, principal.session_arn):
        return "principal"
    account = principal.account
    return "account" if value in (account, f"arn:aws:iam::{account}:root") else ""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A compiled document. `source` keeps the document as it was given."""

    name: str
    statements: tuple[Statement, ...]
    source: Mapping[str, Any] = field(repr=False)

    @property
    def keys(self) -> frozenset[str]:
        """Every condition key that any of its statements depends on, in lower case."""
        return frozenset[str]().union(*(statement.keys for statement in self.statements))


def compile_policy(document: PolicyDocument | str, *, name: str, kind: Kind) -> Policy:
    """Reads a policy document strictly.

    Args:
        document: the document, or its JSON text.
        name: how reasons and reports call it.
        kind: `identity` (no Principal) or `resource` (a Principal in each statement; a trust policy,
            which has no Resource, is one too).

    Raises:
        PolicyError: naming the policy, the statement and the element that is unknown, missing or wrong.
    """
    if isinstance(document, str):
        document = json.loads(document)
    if not isinstance(document, Mapping):
        raise PolicyError(f"{name} is {document!r}: a policy document is a JSON object.")
    unknown = {element for element in document if element.lower() not in _DOCUMENT_ELEMENTS}
    if unknown:
        raise PolicyError(
            f"{name} has the elements {sorted(unknown)}, which are not known: allowed are Version, Id, Statement."
        )
    version = _element(document, "Version") or "2008-10-17"
    if version not in _VERSIONS:
        raise PolicyError(f"{name} has Version {version!r}: allowed are {', '.join(_VERSIONS)}.")
    given = _element(document, "Statement")
    if given is None:
        raise PolicyError(f"{name} has no Statement.")
    statements = given if isinstance(given, list | tuple) else [given]
    return Policy(
        name=name,
        statements=tuple(
            _compile_statement(statement, policy=name, position=i, kind=kind, variables=version == _VERSIONS[0])
            for i, statement in enumerate(statements)
        ),
        source=document,
    )


def _element(mapping: Mapping[str, Any], name: str) -> Any:
    lowered = name.lower()
    return next((value for key, value in mapping.items() if key.lower() == lowered), None)


def _one_of(statement: Mapping[str, Any], name: str, *, where: str, required: bool) -> tuple[tuple[str, ...], bool]:
    plain, negated = _element(statement, name), _element(statement, f"Not{name}")
    if plain is not None and negated is not None:
        raise PolicyError(f"{where} has both {name} and Not{name}: keep one.")
    if plain is None and negated is None:
        if required:
            raise PolicyError(f"{where} has neither {name} nor Not{name}: give one.")
        return ("*",), False
    values = texts(plain if plain is not None else negated, where=f"{where} {name}")
    if not values:
        raise PolicyError(f"{where} has an empty {name}.")
    return values, negated is not None


def _compile_statement(statement: object, *, policy: str, position: int, kind: Kind, variables: bool) -> Statement:
    where = f"Statement {position + 1} of {policy}"
    if not isinstance(statement, Mapping):
        raise PolicyError(f"{where} is {statement!r}: a statement is a JSON object.")
    unknown = {element for element in statement if element.lower() not in _STATEMENT_ELEMENTS}
    if unknown:
        raise PolicyError(f"{where} has the elements {sorted(unknown)}, which are not known.")
    effect = _element(statement, "Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"{where} has the Effect {effect!r}: allowed are Allow and Deny.")
    actions, not_actions = _one_of(statement, "Action", where=where, required=True)
    for action in actions:
        if action != "*" and ":" not in action:
            raise PolicyError(f"{where} has the action {action!r}: write it as <service>:<action>.")
    resources, not_resources = _one_of(statement, "Resource", where=where, required=kind == "identity")
    if not variables:
        resources = tuple(pattern.replace("${", "\x02{") for pattern in resources)
    principals, not_principals = _principals(statement, where=where, kind=kind)
    return Statement(
        policy=policy,
        position=position,
        sid=str(_element(statement, "Sid") or ""),
        allows=effect == "Allow",
        actions=actions,
        not_actions=not_actions,
        resources=resources,
        not_resources=not_resources,
        principals=principals,
        not_principals=not_principals,
        conditions=compile_conditions(_element(statement, "Condition"), where=where, variables=variables),
        variables=variables,
    )


def _principals(
    statement: Mapping[str, Any], *, where: str, kind: Kind
) -> tuple[tuple[tuple[str, str], ...] | None, bool]:
    plain, negated = _element(statement, "Principal"), _element(statement, "NotPrincipal")
    if kind == "identity":
        if plain is not None or negated is not None:
            raise PolicyError(f"{where} has a Principal: only a resource policy names one.")
        return None, False
    if (plain is None) == (negated is None):
        raise PolicyError(f"{where} needs exactly one of Principal and NotPrincipal.")
    element = plain if plain is not None else negated
    return tuple(_each_principal(element, where=where)), negated is not None


def _each_principal(element: object, *, where: str) -> Iterator[tuple[str, str]]:
    if element == "*":
        yield "*", "*"
        return
    if not isinstance(element, Mapping):
        raise PolicyError(f'{where} has the Principal {element!r}: allowed are "*" and an object of kinds.')
    for kind, value in element.items():
        if kind not in _PRINCIPAL_KINDS:
            raise PolicyError(
                f"{where} has a Principal of the kind {kind!r}: allowed are {', '.join(sorted(_PRINCIPAL_KINDS))}."
            )
        for text in texts(value, where=f"{where} Principal"):
            if kind == "AWS" and "*" in text and text != "*":
                raise PolicyError(f'{where} has the Principal {text!r}: a wildcard stands alone, as "*".')
            yield kind, text


def without(policy: Policy, *, position: int, action: str | None) -> Policy:
    """The policy less one action of one statement, or, for None, less the whole statement.

    A statement that loses its only action, or one written with NotAction, goes as a whole.
    """
    kept: list[Statement] = []
    for statement in policy.statements:
        if statement.position != position:
            kept.append(statement)
            continue
        rest = tuple(item for item in statement.actions if item != action)
        if action is not None and rest and not statement.not_actions:
            kept.append(replace(statement, actions=rest))
    return Policy(name=policy.name, statements=tuple(kept), source=policy.source)
