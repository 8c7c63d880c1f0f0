"""Reads the cloud assembly that ``cdk synth`` wrote: stacks, their order, their assets. Interprets nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.engine.errors import RehearsalError

Template = dict[str, Any]

STACK_ARTIFACT = "aws:cloudformation:stack"
ASSETS_ARTIFACT = "cdk:asset-manifest"
NESTED_ARTIFACT = "cdk:cloud-assembly"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack of an assembly: its CloudFormation name, template and the stacks that must exist before."""

    name: str
    template: Template
    dependencies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """A synthesized app: ``stacks`` in deployment order, ``assets`` by the object key their templates use."""

    folder: Path
    stacks: tuple[Stack, ...]
    assets: Mapping[str, Path] = field(default_factory=dict)

    @staticmethod
    def read(folder: Path) -> Assembly:
        """Read ``folder`` (usually ``cdk.out``), stages included.

        Raises:
            RehearsalError: the folder holds no assembly, or its stacks depend on each other in a circle.
        """
        found: dict[str, _Found] = {}
        assets: dict[str, Path] = {}
        _collect(folder, found, assets)
        stacks = tuple(
            Stack(name=item.name, template=item.template, dependencies=item.stack_dependencies(found))
            for item in found.values()
        )
        return Assembly(folder=folder, stacks=_ordered(stacks), assets=assets)


@dataclass(frozen=True, kw_only=True)
class _Found:
    name: str
    template: Template
    dependencies: tuple[str, ...]

    def stack_dependencies(self, found: Mapping[str, _Found]) -> tuple[str, ...]:
        return tuple(sorted(found[one].name for one in self.dependencies if one in found))


def _collect(folder: Path, found: dict[str, _Found], assets: dict[str, Path]) -> None:
    manifest_file = folder / "manifest.json"
    if not manifest_file.is_file():
        raise RehearsalError(
            f"Assembly: {folder} holds no manifest.json; give the folder that `cdk synth` wrote (usually cdk.out)"
        )
    manifest = json.loads(manifest_file.read_text("utf-8"))
    for artifact_id, artifact in manifest.get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact["type"] == STACK_ARTIFACT:
            template = json.loads((folder / properties["templateFile"]).read_text("utf-8"))
            found[artifact_id] = _Found(
                name=properties.get("stackName", artifact_id),
                template=template,
                dependencies=tuple(artifact.get("dependencies", ())),
            )
        elif artifact["type"] == ASSETS_ARTIFACT:
            _collect_assets(folder, folder / properties["file"], assets)
        elif artifact["type"] == NESTED_ARTIFACT:
            _collect(folder / properties["directoryName"], found, assets)


def _collect_assets(folder: Path, manifest_file: Path, assets: dict[str, Path]) -> None:
    manifest = json.loads(manifest_file.read_text("utf-8"))
    for asset in manifest.get("files", {}).values():
        path = asset.get("source", {}).get("path")
        for destination in asset.get("destinations", {}).values():
            if path is not None:
                assets[destination["objectKey"]] = (folder / path).resolve()


def _ordered(stacks: tuple[Stack, ...]) -> tuple[Stack, ...]:
    waiting = {stack.name: stack for stack in stacks}
    done: list[Stack] = []
    while waiting:
        ready = [s for s in waiting.values() if not any(d in waiting for d in s.dependencies)]
        if not ready:
            raise RehearsalError(f"Assembly: the stacks {sorted(waiting)} depend on each other in a circle")
        for stack in ready:
            done.append(waiting.pop(stack.name))
    return tuple(done)
