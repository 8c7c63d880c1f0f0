"""What a service file declares about a resource type, and what the engine remembers of each created resource."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rehearsal.engine.errors import DeploymentFailed, Unsupported

if TYPE_CHECKING:
    from rehearsal.engine.account import Account


class Properties(dict[str, Any]):
    """A resource's own properties; reading one that is required and absent is a failed deployment."""

    def __init__(self, properties: Mapping[str, Any], *, where: str) -> None:
        super().__init__(properties)
        self._where = where

    def __missing__(self, name: str) -> Any:
        raise DeploymentFailed(f"{self._where}: property {name} is missing; give it")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One resource of a template, its properties resolved and checked against its type."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    def name(self, given: str | None = None, *, longest: int = 64, lower: bool = False) -> str:
        """``given``, or a name as CloudFormation makes one: stack, logical id and a suffix, at most ``longest``.

        The suffix depends on stack and logical id alone, so that two rehearsals of one template use the same
        names.
        """
        if given is not None:
            return given
        digest = hashlib.sha256(f"{self.stack}/{self.logical_id}".encode()).hexdigest()
        suffix = digest[:12]
        body = f"{self.stack}-{self.logical_id}"
        name = f"{body[: longest - len(suffix) - 1].rstrip('-')}-{suffix}"
        return name.lower() if lower else name

    def fail(self, problem: str) -> DeploymentFailed:
        """The error for a value that CloudFormation or the service would refuse."""
        return DeploymentFailed(f"{self.stack}/{self.logical_id} ({self.type}): {problem}")

    def unsupported(self, what: str, fix: str) -> Unsupported:
        """The error for a value that AWS allows and the engine does not play."""
        return Unsupported(stack=self.stack, logical_id=self.logical_id, what=f"{self.type} {what}", fix=fix)


@dataclass(frozen=True, kw_only=True)
class Created:
    """What a resource is after creation: the value of ``Ref``, its ARN (empty when the type has none), attributes."""

    ref: str
    arn: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A created resource, as ``Engine.resources()`` lists it."""

    stack: str
    logical_id: str
    type: str
    physical_id: str
    arn: str
    modelled_only: str = ""


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """How the engine treats one CloudFormation resource type.

    Args:
        name: such as ``AWS::SQS::Queue``.
        create: makes the resource in the account.
        honoured: property paths that have their effect in the rehearsal. A path covers all below it; lists are
            transparent (``Parameters.ParameterName`` is that key of each element).
        ignored: property path → why leaving it out changes nothing that a rehearsal shows.
        any_property: properties are the resource's own affair (custom resources): all are passed on.
        modelled_only: set when the resource exists in the rehearsal but does nothing there; says why.
    """

    name: str
    create: Callable[[Account, Declaration], Created]
    honoured: Sequence[str] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    any_property: bool = False
    modelled_only: str = ""

    def check(self, declaration: Declaration) -> None:
        """Refuse a property that is in neither list.

        Raises:
            Unsupported: naming the stack, the logical id, the property and the service file to extend.
        """
        if self.any_property:
            return
        known = {*self.honoured, *self.ignored}
        for path in _unknown(declaration.properties, known):
            raise Unsupported(
                stack=declaration.stack,
                logical_id=declaration.logical_id,
                what=f"property {path} of {self.name} is neither honoured nor ignored",
                fix=f"Add it to one of the two lists of {self.name} in {self.create.__module__.replace('.', '/')}.py",
            )


def _unknown(value: Any, known: set[str], path: str = "") -> Iterator[str]:
    if path in known:
        return
    if isinstance(value, list) and path:
        for item in value:
            yield from _unknown(item, known, path)
    elif isinstance(value, Mapping) and (not path or any(k.startswith(path + ".") for k in known)):
        for key, inner in value.items():
            yield from _unknown(inner, known, f"{path}.{key}" if path else key)
    elif not (path and value in ([], {}) and any(k.startswith(path + ".") for k in known)):
        yield path


@dataclass(frozen=True, kw_only=True)
class TypeCoverage:
    """One row of the coverage report: what is honoured and ignored of a type, and how many resources have it."""

    type: str
    count: int
    honoured: tuple[str, ...]
    ignored: Mapping[str, str]
    modelled_only: str


def camel(text: str) -> str:
    """``fooBar`` for ``FooBar``: CloudFormation spells keys in Pascal case where some APIs use camel case."""
    return re.sub(r"^[A-Z]", lambda match: match.group(0).lower(), text)
