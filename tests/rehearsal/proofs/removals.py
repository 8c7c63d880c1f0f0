"""Takes a part out of a template before it is deployed: one action of a statement, or a whole resource.

It must not know what becomes of a platform without that part: the rehearsal has to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.assembly import Template
from rehearsal.engine.engine import Engine, Mutation
from rehearsal.engine.iam import Removal

_DOCUMENT: tuple[str | int, ...] = ("PolicyDocument", "Statement")


@dataclass(frozen=True, kw_only=True)
class Needed:
    """An action of a statement in a template without which calls were refused.

    `place` leads from the resource to the statements, `position` is the statement's among them.
    """

    part: str
    logical_id: str
    role: str
    place: tuple[str | int, ...]
    position: int
    action: str

    def __str__(self) -> str:
        return f"{self.role} without {self.action} (statement {self.position + 1} of {self.part}/{self.logical_id})"

    def mutation(self) -> dict[str, Mutation]:
        """The template without this action there, and without the statement when that was its last."""

        def mutate(template: Template) -> Template:
            statements = template["Resources"][self.logical_id]["Properties"]
            for step in self.place:
                statements = statements[step]
            actions = _as_list(statements[self.position]["Action"])
            rest = [action for action in actions if action != self.action]
            assert len(rest) == len(actions) - 1, f"{self}: the template says {actions}"
            if rest:
                statements[self.position]["Action"] = rest
            else:
                del statements[self.position]
            return template

        return {self.part: mutate}


def needed(engine: Engine, removals: Sequence[Removal]) -> list[Needed]:
    """Where in the templates stands each action without which calls would be refused."""
    resources = {resource.arn or resource.physical_id: resource for resource in engine.resources()}
    templates = {stack.name: stack.template for stack in engine.assembly.stacks}
    found = []
    for removal in removals:
        if removal.effect != "refused" or removal.action is None:
            continue
        managed = removal.policy.removeprefix("the managed policy ")
        if managed not in resources and removal.owner not in resources:
            continue  # the role of an application outside, whose own policies stand in no template
        resource = resources[managed if managed in resources else removal.owner]
        logical_id, place = resource.logical_id, _DOCUMENT
        if managed not in resources:
            name = removal.policy.removeprefix("the inline policy ").split(" of ")[0]
            logical_id, place = _inline(templates[resource.stack]["Resources"], logical_id, name)
        (position,) = (
            statement.position
            for policy in engine.authorizer.identity_policies(removal.owner)
            for statement in policy.statements
            if policy.name == removal.policy and statement.name == removal.statement
        )
        found.append(
            Needed(
                part=resource.stack.split("-")[-1],
                logical_id=logical_id,
                role=removal.owner.rsplit("/", 1)[-1],
                place=place,
                position=position,
                action=removal.action,
            )
        )
    return found


def _inline(resources: dict[str, Any], role: str, name: str) -> tuple[str, tuple[str | int, ...]]:
    """The resource that declares an inline policy, the role or one of its own, and the way to its statements."""
    own = [policy["PolicyName"] for policy in resources[role]["Properties"].get("Policies", [])]
    if name in own:
        return role, ("Policies", own.index(name), *_DOCUMENT)
    (logical_id,) = (
        logical_id
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Policy" and resource["Properties"]["PolicyName"] == name
    )
    return logical_id, _DOCUMENT


def without_resources(part: str, chosen: Callable[[str, dict[str, Any]], bool]) -> dict[str, Mutation]:
    """The template without the resources that are chosen by logical id and declaration; one at least."""

    def mutate(template: Template) -> Template:
        gone = {name for name, resource in template["Resources"].items() if chosen(name, resource)}
        assert gone, f"{part} has no such resource"
        for name in gone:
            del template["Resources"][name]
        for resource in template["Resources"].values():
            if "DependsOn" in resource:
                resource["DependsOn"] = [one for one in _as_list(resource["DependsOn"]) if one not in gone]
        return template

    return {part: mutate}


def without_statements(
    part: str, logical_id: str, place: Sequence[str | int], chosen: Callable[[dict[str, Any]], bool]
) -> dict[str, Mutation]:
    """The template without the chosen statements of one policy; one at least. `logical_id` may be a beginning."""

    def mutate(template: Template) -> Template:
        (name,) = (
            name
            for name, resource in template["Resources"].items()
            if name.startswith(logical_id) and place[0] in resource.get("Properties", {})
        )
        document = template["Resources"][name]["Properties"]
        for step in place:
            document = document[step]
        rest = [statement for statement in document["Statement"] if not chosen(statement)]
        assert len(rest) < len(document["Statement"]), f"{part}/{name} has no such statement"
        document["Statement"] = rest
        return template

    return {part: mutate}


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
