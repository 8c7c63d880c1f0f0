"""What a template applies to its cluster: manifests, charts and their values, add-ons, Fargate profiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.stacks.assembly import Assembly, Resource
from tests.stacks.rendering import rendered

STACK = "EmrOnEks"
KARPENTER = Path(__file__).resolve().parents[1] / "schemas" / "karpenter"
"""Schemas and the chart's values, of the version that SOURCE.md names."""


def manifests(assembly: Assembly) -> list[dict[str, Any]]:
    """Every manifest, rendered."""
    return [
        manifest
        for resource in assembly.resources("Custom::AWSCDK-EKS-KubernetesResource")
        for manifest in json.loads(rendered(assembly, STACK, _with_ids(assembly, resource.properties["Manifest"])))
    ]


def manifest(assembly: Assembly, kind: str, name: str) -> dict[str, Any]:
    (found,) = (each for each in manifests(assembly) if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def charts(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """Properties of each chart by its release, `Values` read."""
    return {
        each.properties["Release"]: {
            **each.properties,
            "Values": json.loads(rendered(assembly, STACK, each.properties.get("Values", "{}"))),
        }
        for each in assembly.resources("Custom::AWSCDK-EKS-HelmChart")
    }


def karpenter_values(assembly: Assembly) -> dict[str, Any]:
    """The values that Karpenter's chart is rendered with: its own, under ours."""
    return _merged(json.loads((KARPENTER / "values.json").read_text()), charts(assembly)["karpenter"]["Values"])


def fargate_profiles(assembly: Assembly) -> list[dict[str, Any]]:
    return [each.properties for each in assembly.resources("AWS::EKS::FargateProfile")]


def job_templates(assembly: Assembly) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Each job template with its data, rendered."""
    for each in assembly.resources("AWS::EMRContainers::JobTemplate"):
        yield each, rendered(assembly, STACK, each.properties["JobTemplateData"])


def configuration(data: dict[str, Any], classification: str) -> dict[str, str]:
    """Properties of one classification of a job template."""
    (found,) = (
        each["Properties"]
        for each in data["ConfigurationOverrides"]["ApplicationConfiguration"]
        if each["Classification"] == classification
    )
    properties: dict[str, str] = found
    return properties


def asset(assembly: Assembly, url: str) -> Path:
    """The file in the assembly that a rendered address of the asset bucket means."""
    manifest = json.loads((assembly.folder / f"{STACK}.assets.json").read_text())
    (path,) = (
        file["source"]["path"]
        for file in manifest["files"].values()
        for destination in file["destinations"].values()
        if destination["objectKey"] == url.rpartition("/")[2]
    )
    return assembly.folder / str(path)


def _with_ids(assembly: Assembly, value: Any) -> Any:
    """``value`` with ids of subnets and groups in the form that EC2 gives them, which schemas ask for."""
    if isinstance(value, list):
        return [_with_ids(assembly, each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("Fn::GetAtt", ["", ""])[1] == "ClusterSecurityGroupId":
        return "sg-0a1b2c3d4e5f"
    target = assembly.target(STACK, value)
    if target is not None and target.type == "AWS::EC2::Subnet":
        return f"subnet-{int.from_bytes(target.id.encode(), 'big') % 2**40:x}"
    return {key: _with_ids(assembly, each) for key, each in value.items()}


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        merged[key] = _merged(below[key], value) if both else value
    return merged
