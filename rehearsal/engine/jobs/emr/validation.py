"""Checks a request against the constraints of the API's own model, which clients leave to the service."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
from botocore.model import Shape


def problems_of(operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request's values, in the words of AWS's validation; empty when nothing is."""
    shape = _model().operation_model(operation).input_shape
    return list(_problems(shape, parameters, "")) if shape is not None else []


@functools.cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("emr-containers")


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "structure":
        members: Mapping[str, Shape] = getattr(shape, "members")  # noqa: B009 - botocore-stubs know it of some shapes only
        for name in shape.metadata.get("required", ()):
            if value.get(name) is None:
                yield f"Value null at '{_dotted(path, name)}' failed to satisfy constraint: Member must not be null"
        for name, inner in value.items():
            if name in members and inner is not None:
                yield from _problems(members[name], inner, _dotted(path, name))
        return
    yield from _size_and_pattern(shape, value, path)
    if shape.type_name == "list":
        for position, inner in enumerate(value, 1):
            yield from _problems(getattr(shape, "member"), inner, f"{path}.{position}.member")  # noqa: B009
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from _problems(getattr(shape, "key"), key, f"{path}.key")  # noqa: B009
            yield from _problems(getattr(shape, "value"), inner, f"{path}.{key}.member")  # noqa: B009


def _size_and_pattern(shape: Shape, value: Any, path: str) -> Iterator[str]:
    limits = shape.metadata
    said = "***" if limits.get("sensitive") else value
    given = f"Value '{said}' at '{path}' failed to satisfy constraint: Member must"
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if "min" in limits and size < limits["min"]:
        yield f"{given} have length greater than or equal to {limits['min']}"
    if "max" in limits and size > limits["max"]:
        yield f"{given} have length less than or equal to {limits['max']}"
    if "pattern" in limits and not re.fullmatch(limits["pattern"].strip("^$"), value, re.DOTALL):
        yield f"{given} satisfy regular expression pattern: {limits['pattern']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"{given} satisfy enum value set: [{', '.join(limits['enum'])}]"


def _dotted(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
