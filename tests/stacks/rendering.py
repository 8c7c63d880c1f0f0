"""Values of a template as a deployment would have them, as far as names, ARNs and policies need it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from tests.stacks.assembly import Assembly, Resource, as_list

PARTITION, REGION, ACCOUNT = "aws-us-gov", "ap-southeast-3", "210987654321"
"""Among the longest of their kind, so that a rendered policy is as long as one can become."""

_PSEUDO = {"AWS::Partition": PARTITION, "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "host"}


def rendered(assembly: Assembly, stack: str, value: Any) -> Any:
    """``value`` of a template of ``stack`` without intrinsics; what only a deployment knows is `<LogicalId>`."""
    if isinstance(value, list):
        return [rendered(assembly, stack, each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        return {name: rendered(assembly, stack, each) for name, each in value.items()}
    ((function, argument),) = value.items()
    if function == "Ref" and argument in _PSEUDO:
        return _PSEUDO[argument]
    if function == "Fn::Join":
        return str(argument[0]).join(rendered(assembly, stack, each) for each in argument[1])
    if function == "Fn::Sub":
        for name, known in _PSEUDO.items():
            argument = argument.replace(f"${{{name}}}", known)
        return argument
    if function == "Fn::Select" and "Fn::GetAZs" in argument[1]:
        return f"<zone {argument[0]}>"
    if function == "Fn::ImportValue":
        producer, exported = _export(assembly, argument)
        return rendered(assembly, producer, exported)
    if function in ("Ref", "Fn::GetAtt"):
        resource = assembly.target(stack, value)
        assert resource is not None, value
        return _attribute(assembly, resource, "Arn" if function == "Fn::GetAtt" else "")
    return {function: rendered(assembly, stack, argument)}


def _export(assembly: Assembly, name: str) -> tuple[str, Any]:
    return next(
        (producer, output["Value"])
        for producer, template in assembly.templates.items()
        for output in template.get("Outputs", {}).values()
        if output.get("Export", {}).get("Name") == name
    )


def _attribute(assembly: Assembly, resource: Resource, attribute: str) -> str:
    """A bucket's or a database's name or ARN is in the template; of others the logical id must do."""
    properties = resource.properties
    if resource.type == "AWS::S3::Bucket":
        name = str(rendered(assembly, resource.stack, properties["BucketName"]))
        return f"arn:{PARTITION}:s3:::{name}" if attribute else name
    if resource.type == "AWS::Glue::Database":
        return str(properties["DatabaseInput"]["Name"])
    if resource.type == "AWS::Glue::SecurityConfiguration":
        return str(properties["Name"])
    return f"<{resource.id}>"


def statements_of(assembly: Assembly, role: Resource) -> list[dict[str, Any]]:
    """All statements of a role, rendered: its own and those of managed policies of the same assembly."""
    documents = [(role.stack, each["PolicyDocument"]) for each in role.properties.get("Policies", [])]
    for arn in role.properties.get("ManagedPolicyArns", []):
        policy = assembly.target(role.stack, arn)
        assert policy is not None, arn
        documents.append((policy.stack, policy.properties["PolicyDocument"]))
    return [
        rendered(assembly, stack, statement) for stack, document in documents for statement in document["Statement"]
    ]


def allowed(statements: list[dict[str, Any]], action: str, resource: str, **context: str) -> bool:
    """Whether one of ``statements``, all of which allow, lets ``action`` through; ``context`` by a key's last word."""
    return any(
        action in as_list(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        and all(
            any(fnmatchcase(context.get(key.rpartition(":")[2], ""), each) for each in as_list(values))
            for operator in statement.get("Condition", {}).values()
            for key, values in operator.items()
        )
        for statement in statements
    )
