"""Writes small assemblies for the engine's tests: plain templates and function folders, without CDK."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

Json = dict[str, Any]
StartEngine = Callable[[Path], "Engine"]
NEEDS = "the rehearsal engine needs the packages of requirements-dev.txt"


def trust(service: str) -> Json:
    """The trust policy of a role that a service assumes."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(actions: list[str], *resources: Any) -> Json:
    """One statement of an identity policy."""
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def role(service: str, *statements: Json) -> Json:
    """A role with one inline policy."""
    properties: Json = {"AssumeRolePolicyDocument": trust(service)}
    if statements:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        properties["Policies"] = [{"PolicyName": "inline", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def att(logical_id: str, attribute: str = "Arn") -> Json:
    """Fn::GetAtt."""
    return {"Fn::GetAtt": [logical_id, attribute]}


LOGS = allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*")


class AssemblyWriter:
    """Collects stacks and assets, and writes them as synth would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._artifacts: Json = {}
        self._assets: Json = {}

    def asset(self, files: Mapping[str, str]) -> Json:
        """Write a function's folder; gives the ``Code`` property for it."""
        digest = hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()
        folder = self.folder / f"asset.{digest}"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        self._assets[digest] = {
            "source": {"path": folder.name, "packaging": "zip"},
            "destinations": {"current": {"bucketName": "assets", "objectKey": f"{digest}.zip"}},
        }
        return {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": f"{digest}.zip"}

    def stack(self, name: str, template: Json, *, after: tuple[str, ...] = ()) -> None:
        """Add a stack."""
        (self.folder / f"{name}.template.json").write_text(json.dumps(template), "utf-8")
        self._artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": f"{name}.template.json"},
            "dependencies": [*after, f"{name}.assets"],
        }

    def write(self) -> Path:
        """Write the manifest; gives the folder."""
        (self.folder / "assets.json").write_text(json.dumps({"version": "1", "files": self._assets}), "utf-8")
        artifacts = {
            **self._artifacts,
            "assets": {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}},
        }
        manifest = {"version": "1", "artifacts": artifacts}
        (self.folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        return self.folder


def one_stack(folder: Path, resources: Json, **sections: Any) -> Path:
    """An assembly with a single stack called ``App``."""
    writer = AssemblyWriter(folder)
    writer.stack("App", {"Resources": resources, **sections})
    return writer.write()
