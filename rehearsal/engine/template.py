"""Reads one template's sections: parameters, rules, conditions, resources in creation order. Creates nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.engine.assembly import Stack
from rehearsal.engine.errors import DeploymentFailed, Unsupported
from rehearsal.engine.intrinsics import references

_SECTIONS = {
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Parameters",
    "Rules",
    "Mappings",
    "Conditions",
    "Resources",
    "Outputs",
}
_RESOURCE_KEYS = {"Type", "Properties", "DependsOn", "Condition"}
# Nothing is updated or deleted in a rehearsal: it ends by forgetting the whole account.
_RESOURCE_KEYS_IGNORED = {"Metadata", "DeletionPolicy", "UpdateReplacePolicy"}

SsmLookup = Callable[[str], str]


def check_sections(stack: Stack) -> None:
    """Refuse sections and resource attributes that the engine does not read.

    Raises:
        Unsupported: naming the first one found.
    """
    for section in stack.template:
        if section not in _SECTIONS:
            raise Unsupported(
                stack=stack.name,
                logical_id="(template)",
                what=f"section {section} is not read",
                fix="Known sections are listed in rehearsal/engine/template.py",
            )
    for logical_id, resource in stack.template.get("Resources", {}).items():
        for key in resource:
            if key not in _RESOURCE_KEYS | _RESOURCE_KEYS_IGNORED:
                raise Unsupported(
                    stack=stack.name,
                    logical_id=logical_id,
                    what=f"resource attribute {key} is not read",
                    fix="Known attributes are listed in rehearsal/engine/template.py",
                )


def parameter_values(stack: Stack, given: Mapping[str, str], ssm: SsmLookup) -> dict[str, Any]:
    """The value of each parameter: given, else its default; SSM-typed ones looked up by name.

    Raises:
        DeploymentFailed: a given name is not in the template, a value is missing or breaks its constraints.
    """
    declared = stack.template.get("Parameters", {})
    for name in given:
        if name not in declared:
            raise DeploymentFailed(
                f"{stack.name}: parameter {name!r} given; the template has {sorted(declared)}; correct the name"
            )
    values: dict[str, Any] = {}
    for name, declaration in declared.items():
        value = given.get(name, declaration.get("Default"))
        if value is None:
            raise DeploymentFailed(f"{stack.name}: parameter {name} has no default; give it to deploy(parameters=…)")
        _check_parameter(stack.name, name, declaration, str(value))
        values[name] = _typed(declaration.get("Type", "String"), str(value), ssm)
    return values


def _typed(kind: str, value: str, ssm: SsmLookup) -> Any:
    if kind.startswith("AWS::SSM::Parameter::Value<"):
        value = ssm(value)
        kind = kind[len("AWS::SSM::Parameter::Value<") : -1]
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [part.strip() for part in value.split(",")]
    return value


def _check_parameter(stack: str, name: str, declaration: Mapping[str, Any], value: str) -> None:
    pattern, allowed = declaration.get("AllowedPattern"), declaration.get("AllowedValues")
    shown = "****" if declaration.get("NoEcho") else repr(value)
    if pattern is not None and not re.fullmatch(pattern, value):
        raise DeploymentFailed(f"{stack}: parameter {name} given {shown}, allowed is a match of {pattern}")
    if allowed is not None and value not in [str(one) for one in allowed]:
        raise DeploymentFailed(f"{stack}: parameter {name} given {shown}, allowed is one of {allowed}")
    if len(value) < int(declaration.get("MinLength", 0)):
        raise DeploymentFailed(f"{stack}: parameter {name} is shorter than {declaration['MinLength']} characters")
    if "MaxLength" in declaration and len(value) > int(declaration["MaxLength"]):
        raise DeploymentFailed(f"{stack}: parameter {name} is longer than {declaration['MaxLength']} characters")


def creation_order(stack: Stack, existing: Mapping[str, Any]) -> list[str]:
    """Logical ids of ``existing`` resources so that each comes after all that it refers to or depends on.

    Resources that do not depend on each other keep the template's order.

    Raises:
        DeploymentFailed: they depend on each other in a circle, which it names.
    """
    order: list[str] = []
    path: list[str] = []

    def visit(logical_id: str) -> None:
        if logical_id in order:
            return
        if logical_id in path:
            circle = " → ".join([*path[path.index(logical_id) :], logical_id])
            raise DeploymentFailed(f"{stack.name}: circular dependency between resources: {circle}")
        path.append(logical_id)
        for needed in needs(existing[logical_id]):
            if needed in existing:
                visit(needed)
        path.pop()
        order.append(logical_id)

    for logical_id in existing:
        visit(logical_id)
    return order


def needs(resource: Mapping[str, Any]) -> list[str]:
    """The names that a resource refers to or depends on, in the order of the template."""
    depends_on = resource.get("DependsOn", [])
    explicit = [depends_on] if isinstance(depends_on, str) else list(depends_on)
    return list(dict.fromkeys([*explicit, *references(resource.get("Properties", {}))]))
