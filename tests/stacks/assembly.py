"""A synthesized assembly as tests ask about it: resources by type, and what a value in a template points at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.model import Stage
from stacks.application import application
from stacks.platform import Platform

DEPLOYER = "KubernetesClusterKubectlProvider"
"""What the ids of the functions begin with that apply manifests and charts, and of what belongs to them."""


@dataclass(frozen=True)
class Resource:
    """One resource of one template."""

    stack: str
    id: str
    type: str
    body: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.body.get("Properties", {})
        return properties

    def __str__(self) -> str:
        return f"{self.stack}/{self.id} ({self.type})"


class Assembly:
    """Templates of one stage, by stack id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.templates: dict[str, dict[str, Any]] = {
            file.name.removesuffix(".template.json"): json.loads(file.read_text())
            for file in sorted(folder.glob("*.template.json"))
        }

    def resources(self, *types: str) -> list[Resource]:
        """All resources, or those of the given types."""
        return [
            Resource(stack, id, body["Type"], body)
            for stack, template in self.templates.items()
            for id, body in template["Resources"].items()
            if not types or body["Type"] in types
        ]

    def one(self, type: str) -> Resource:
        found = self.resources(type)
        assert len(found) == 1, f"expected one {type}, found {[str(each) for each in found]}"
        return found[0]

    def target(self, stack: str, value: Any) -> Resource | None:
        """The resource that ``value`` of a template of ``stack`` points at, through exports too."""
        if not isinstance(value, dict) or len(value) != 1:
            return None
        (function, argument), *_ = value.items()
        if function == "Ref":
            return self._resource(stack, argument)
        if function == "Fn::GetAtt":
            return self._resource(stack, argument[0])
        if function == "Fn::ImportValue":
            for producer, template in self.templates.items():
                for output in template.get("Outputs", {}).values():
                    if output.get("Export", {}).get("Name") == argument:
                        return self.target(producer, output["Value"])
        return None

    def statements(self) -> Iterator[tuple[Resource, dict[str, Any]]]:
        """Every policy statement of identities and resources, with the resource that holds it."""
        for resource in self.resources():
            yield from ((resource, statement) for statement in _statements(resource.properties))

    def functions(self) -> list[Resource]:
        """Functions of ours; the two that apply manifests while EmrOnEks is deployed are the construct library's."""
        functions = self.resources("AWS::Lambda::Function")
        return [each for each in functions if not (each.stack == "EmrOnEks" and each.id.startswith(DEPLOYER))]

    def _resource(self, stack: str, id: str) -> Resource | None:
        body = self.templates[stack]["Resources"].get(id)
        return None if body is None else Resource(stack, id, body["Type"], body)


def synthesize(stage: Stage, folder: Path, *, destroy_data: bool = False, judged: bool = False) -> Assembly:
    """Write the assembly of ``stage`` into ``folder`` and read it."""
    app = application(outdir=folder, judged=judged)
    Platform(app, stage=stage, destroy_data=destroy_data)
    app.synth()
    return Assembly(folder)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(value: Any) -> str:
    """A value of a template as one string, its intrinsics in angle brackets."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(flat(part) for part in parts)
    if isinstance(value, dict) and len(value) == 1:
        (argument,) = value.values()
        return f"<{'.'.join(map(str, as_list(argument)))}>"
    return json.dumps(value)


def _statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Statement" in value:
            yield from as_list(value["Statement"])
        else:
            for inner in value.values():
                yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)
