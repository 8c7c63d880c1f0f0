"""Creates the resources of stacks in the played account, as CloudFormation would; strict about all it meets.

It must not know a resource type: those are declared in `rehearsal.engine.services`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine.account import PARTITION, Account
from rehearsal.engine.assembly import Stack
from rehearsal.engine.errors import DeploymentFailed, Unsupported
from rehearsal.engine.intrinsics import Intrinsics
from rehearsal.engine.resources import Created, Declaration, Properties, Resource, ResourceType, TypeCoverage
from rehearsal.engine.template import check_sections, creation_order, parameter_values

# What `cdk bootstrap` leaves in a real account; templates check that it is recent enough.
BOOTSTRAP_VERSION = "30"
_BOOTSTRAP_PARAMETER = re.compile(r"/cdk-bootstrap/[^/]+/version")
_DYNAMIC_REFERENCE = re.compile(r"\{\{resolve:(secretsmanager|ssm|ssm-secure):([^{}]+)\}\}")
CUSTOM_RESOURCE = "Custom::*"


class Deployment:
    """The stacks deployed so far: their resources, outputs and exports."""

    def __init__(self, account: Account, types: Mapping[str, ResourceType]) -> None:
        self._account, self._types = account, types
        self._created: dict[tuple[str, str], Created] = {}
        self._count: Counter[str] = Counter()
        self.exports: dict[str, Any] = {}
        self.outputs: dict[str, dict[str, Any]] = {}
        self.resources: list[Resource] = []

    def deploy(self, stack: Stack, parameters: Mapping[str, str]) -> None:
        """Create every resource of ``stack``.

        Raises:
            Unsupported: the template uses a type, property, section or function that the engine does not know.
            DeploymentFailed: CloudFormation or a service would refuse it.
        """
        check_sections(stack)
        values = parameter_values(stack, parameters, self._ssm_parameter)
        intrinsics = self._intrinsics(stack, values)
        self._check_rules(stack, intrinsics)
        existing = {
            logical_id: resource
            for logical_id, resource in stack.template.get("Resources", {}).items()
            if "Condition" not in resource or intrinsics.condition(resource["Condition"], logical_id=logical_id)
        }
        for logical_id in creation_order(stack, existing):
            self._create(stack, logical_id, existing[logical_id], intrinsics)
        self._set_outputs(stack, intrinsics)
        self._account.records.happened("stack-deployed", stack.name, f"{len(existing)} resources")

    def created(self, stack: str, logical_id: str) -> Created:
        """A created resource by its place in a template; KeyError when there is none."""
        return self._created[stack, logical_id]

    def stack_id(self, name: str) -> str:
        """The ARN that a stack of this name has."""
        return self._account.arn("cloudformation", f"stack/{name}/00000000-0000-0000-0000-000000000000")

    def coverage(self) -> tuple[TypeCoverage, ...]:
        """Each type in use with its honoured and ignored properties, most frequent first."""
        return tuple(
            TypeCoverage(
                type=name,
                count=count,
                honoured=tuple(self._type_of(name).honoured),
                ignored=self._type_of(name).ignored,
                modelled_only=self._type_of(name).modelled_only,
            )
            for name, count in self._count.most_common()
        )

    def _intrinsics(self, stack: Stack, parameters: Mapping[str, Any]) -> Intrinsics:
        account = self._account
        pseudo = {
            "AWS::AccountId": account.id,
            "AWS::Region": account.region,
            "AWS::Partition": PARTITION,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack.name,
            "AWS::StackId": self.stack_id(stack.name),
            "AWS::NotificationARNs": [],
        }

        def ref(name: str) -> Any:
            if name in pseudo:
                return pseudo[name]
            return parameters[name] if name in parameters else self._created[stack.name, name].ref

        def attribute(logical_id: str, name: str) -> Any:
            return self._created[stack.name, logical_id].attributes[name]

        return Intrinsics(
            stack=stack.name,
            ref=ref,
            attribute=attribute,
            imported=self.exports.__getitem__,
            conditions=stack.template.get("Conditions", {}),
            mappings=stack.template.get("Mappings", {}),
        )

    def _check_rules(self, stack: Stack, intrinsics: Intrinsics) -> None:
        for name, rule in stack.template.get("Rules", {}).items():
            condition = rule.get("RuleCondition", {"Fn::Equals": ["", ""]})
            if not intrinsics.resolve(condition, logical_id=name, path="Rules"):
                continue
            for assertion in rule.get("Assertions", []):
                if not intrinsics.resolve(assertion["Assert"], logical_id=name, path="Rules"):
                    raise DeploymentFailed(f"{stack.name}: rule {name}: {assertion.get('AssertDescription', '')}")

    def _type_of(self, name: str) -> ResourceType:
        if name not in self._types and name.startswith("Custom::"):
            return self._types[CUSTOM_RESOURCE]
        return self._types[name]

    def _create(self, stack: Stack, logical_id: str, resource: Mapping[str, Any], intrinsics: Intrinsics) -> None:
        kind = resource["Type"]
        try:
            resource_type = self._type_of(kind)
        except KeyError:
            raise Unsupported(
                stack=stack.name,
                logical_id=logical_id,
                what=f"type {kind} is not played",
                fix="Declare it in the RESOURCE_TYPES of its service's file in rehearsal/engine/services/",
            ) from None
        properties = intrinsics.resolve(resource.get("Properties", {}), logical_id=logical_id)
        declaration = Declaration(
            stack=stack.name,
            logical_id=logical_id,
            type=kind,
            properties=Properties(
                self._dynamic(properties, f"{stack.name}/{logical_id}"), where=f"{stack.name}/{logical_id} ({kind})"
            ),
        )
        resource_type.check(declaration)
        try:
            created = resource_type.create(self._account, declaration)
        except ClientError as error:
            raise declaration.fail(str(error)) from error
        self._created[stack.name, logical_id] = created
        self._count[kind] += 1
        self.resources.append(
            Resource(
                stack=stack.name,
                logical_id=logical_id,
                type=kind,
                physical_id=created.ref,
                arn=created.arn,
                modelled_only=resource_type.modelled_only,
            )
        )

    def _set_outputs(self, stack: Stack, intrinsics: Intrinsics) -> None:
        outputs = self.outputs.setdefault(stack.name, {})
        for name, output in stack.template.get("Outputs", {}).items():
            if "Condition" in output and not intrinsics.condition(output["Condition"], logical_id=name):
                continue
            outputs[name] = intrinsics.resolve(output["Value"], logical_id=name, path="Outputs")
            if "Export" in output:
                export = intrinsics.resolve(output["Export"]["Name"], logical_id=name, path="Outputs")
                if export in self.exports:
                    raise DeploymentFailed(f"{stack.name}: export {export!r} exists already; give it another name")
                self.exports[export] = outputs[name]

    def _ssm_parameter(self, name: str) -> str:
        if _BOOTSTRAP_PARAMETER.fullmatch(name):
            return BOOTSTRAP_VERSION
        try:
            value = self._account.client("ssm").get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            raise DeploymentFailed(f"SSM parameter {name!r} cannot be read: {error}; create it before") from error
        return str(value["Parameter"]["Value"])

    def _dynamic(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return {key: self._dynamic(inner, where) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._dynamic(item, where) for item in value]
        if isinstance(value, str) and "{{resolve:" in value:
            resolved = _DYNAMIC_REFERENCE.sub(lambda match: self._look_up(match, where), value)
            if "{{resolve:" in resolved:
                raise DeploymentFailed(f"{where}: dynamic reference {value!r} is not one of secretsmanager, ssm")
            return resolved
        return value

    def _look_up(self, match: re.Match[str], where: str) -> str:
        service, reference = match.groups()
        if service != "secretsmanager":
            return self._ssm_parameter(reference.split(":")[0])
        found = re.fullmatch(
            r"(?P<id>arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^:]+|[^:]+)"
            r"(?::SecretString(?::(?P<key>[^:]*))?(?::(?P<stage>[^:]*))?(?::(?P<version>[^:]*))?)?",
            reference,
        )
        if found is None:
            raise DeploymentFailed(f"{where}: dynamic reference {reference!r} cannot be read")
        arguments = {"SecretId": found["id"], "VersionStage": found["stage"], "VersionId": found["version"]}
        secret = self._account.client("secretsmanager").get_secret_value(**{k: v for k, v in arguments.items() if v})
        if not found["key"]:
            return str(secret["SecretString"])
        return str(json.loads(secret["SecretString"])[found["key"]])
