"""Evaluates CloudFormation intrinsic functions over given look-ups; knows no resource type and makes no call.

Source of every rule: AWS CloudFormation User Guide, "Intrinsic function reference" and "Rule functions". A
function that is not here is an error: add it to ``Intrinsics._functions``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rehearsal.engine.errors import Unsupported

NO_VALUE = object()
_SUB_VARIABLE = re.compile(r"\$\{(!?)([^${}]*)\}")


def references(value: Any) -> Iterator[str]:
    """The names that ``value`` refers to by Ref, Fn::GetAtt or Fn::Sub, pseudo parameters included."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref" and isinstance(inner, str):
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else str(inner).split(".")[0]
            elif key == "Fn::Sub":
                text, own = (inner, {}) if isinstance(inner, str) else (inner[0], inner[1])
                for literal, name in _SUB_VARIABLE.findall(text):
                    if not literal and name.strip() not in own:
                        yield name.strip().split(".")[0]
                yield from references(own)
            else:
                yield from references(inner)


class Intrinsics:
    """Resolves template values of one stack.

    Args:
        stack: name used in errors.
        ref: value of ``Ref``, for parameters, pseudo parameters and resources; raises KeyError when unknown.
        attribute: value of ``Fn::GetAtt``; raises KeyError when unknown.
        imported: value of ``Fn::ImportValue``; raises KeyError when no stack exports it.
        conditions: the template's Conditions section, unevaluated.
        mappings: the template's Mappings section.
    """

    def __init__(
        self,
        *,
        stack: str,
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
        imported: Callable[[str], Any],
        conditions: Mapping[str, Any],
        mappings: Mapping[str, Any],
    ) -> None:
        self._stack, self._ref, self._attribute, self._imported = stack, ref, attribute, imported
        self._conditions, self._mappings = conditions, mappings
        self._evaluated: dict[str, bool] = {}
        self._functions: dict[str, Callable[[Any, str, str], Any]] = {
            "Ref": self._do_ref,
            "Condition": self._do_condition,
            "Fn::GetAtt": self._do_get_att,
            "Fn::Sub": self._do_sub,
            "Fn::Join": self._do_join,
            "Fn::Select": self._do_select,
            "Fn::Split": self._do_split,
            "Fn::If": self._do_if,
            "Fn::Equals": self._do_equals,
            "Fn::And": self._do_and,
            "Fn::Or": self._do_or,
            "Fn::Not": self._do_not,
            "Fn::Contains": self._do_contains,
            "Fn::FindInMap": self._do_find_in_map,
            "Fn::Base64": self._do_base64,
            "Fn::ImportValue": self._do_import_value,
            "Fn::GetAZs": self._do_get_azs,
        }

    def resolve(self, value: Any, *, logical_id: str, path: str = "") -> Any:
        """``value`` with every intrinsic replaced by what it stands for; ``AWS::NoValue`` entries vanish.

        Raises:
            Unsupported: an unknown function or name, with the logical id and the property path.
        """
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions and not (name == "Condition" and not isinstance(argument, str)):
                    return self._functions[name](argument, logical_id, path)
                if name.startswith("Fn::"):
                    raise self._unsupported(logical_id, path, f"intrinsic {name} is not evaluated")
            resolved = {
                key: self.resolve(inner, logical_id=logical_id, path=f"{path}.{key}" if path else key)
                for key, inner in value.items()
            }
            return {key: inner for key, inner in resolved.items() if inner is not NO_VALUE}
        if isinstance(value, list):
            items = [
                self.resolve(item, logical_id=logical_id, path=f"{path}[{index}]") for index, item in enumerate(value)
            ]
            return [item for item in items if item is not NO_VALUE]
        return value

    def condition(self, name: str, *, logical_id: str, path: str = "Condition") -> bool:
        """Whether the named condition holds."""
        if name not in self._evaluated:
            if name not in self._conditions:
                raise self._unsupported(logical_id, path, f"condition {name!r} is not in the template")
            value = self.resolve(self._conditions[name], logical_id=name, path="Conditions")
            self._evaluated[name] = bool(value)
        return self._evaluated[name]

    def _unsupported(self, logical_id: str, path: str, what: str) -> Unsupported:
        return Unsupported(
            stack=self._stack,
            logical_id=logical_id,
            what=f"property {path or '(whole)'}: {what}",
            fix="Known functions are listed in rehearsal/engine/intrinsics.py; add it there with its rule",
        )

    def _text(self, value: Any, logical_id: str, path: str) -> str:
        resolved = self.resolve(value, logical_id=logical_id, path=path)
        if isinstance(resolved, bool):
            return "true" if resolved else "false"
        if isinstance(resolved, (str, int, float)):
            return str(resolved)
        raise self._unsupported(logical_id, path, f"a text was expected, given {resolved!r}")

    def _do_ref(self, argument: Any, logical_id: str, path: str) -> Any:
        if argument == "AWS::NoValue":
            return NO_VALUE
        try:
            return self._ref(argument)
        except KeyError:
            raise self._unsupported(logical_id, path, f"Ref to {argument!r}, which does not exist") from None

    def _do_condition(self, argument: Any, logical_id: str, path: str) -> bool:
        return self.condition(argument, logical_id=logical_id, path=path)

    def _do_get_att(self, argument: Any, logical_id: str, path: str) -> Any:
        target, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        attribute = self._text(attribute, logical_id, path)
        try:
            return self._attribute(target, attribute)
        except KeyError:
            raise self._unsupported(
                logical_id, path, f"Fn::GetAtt {target}.{attribute}: the engine gives no such attribute"
            ) from None

    def _do_sub(self, argument: Any, logical_id: str, path: str) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])

        def replace(match: re.Match[str]) -> str:
            literal, name = match.group(1), match.group(2).strip()
            if literal:
                return "${" + match.group(2) + "}"
            if name in own:
                return self._text(own[name], logical_id, path)
            intrinsic = {"Fn::GetAtt": name} if "." in name else {"Ref": name}
            return self._text(intrinsic, logical_id, path)

        return _SUB_VARIABLE.sub(replace, text)

    def _do_join(self, argument: Any, logical_id: str, path: str) -> str:
        parts = self.resolve(argument[1], logical_id=logical_id, path=path)
        if not isinstance(parts, list):
            raise self._unsupported(logical_id, path, f"Fn::Join needs a list, given {parts!r}")
        return str(argument[0]).join(self._text(part, logical_id, path) for part in parts)

    def _do_select(self, argument: Any, logical_id: str, path: str) -> Any:
        index = int(self._text(argument[0], logical_id, path))
        items = self.resolve(argument[1], logical_id=logical_id, path=path)
        if not isinstance(items, list) or not 0 <= index < len(items):
            raise self._unsupported(logical_id, path, f"Fn::Select {index} of {items!r} is out of range")
        return items[index]

    def _do_split(self, argument: Any, logical_id: str, path: str) -> list[str]:
        return self._text(argument[1], logical_id, path).split(argument[0])

    def _truth(self, value: Any, logical_id: str, path: str) -> bool:
        resolved = self.resolve(value, logical_id=logical_id, path=path)
        if not isinstance(resolved, bool):
            raise self._unsupported(logical_id, path, f"a condition was expected, given {resolved!r}")
        return resolved

    def _do_if(self, argument: Any, logical_id: str, path: str) -> Any:
        chosen = argument[1] if self.condition(argument[0], logical_id=logical_id, path=path) else argument[2]
        return self.resolve(chosen, logical_id=logical_id, path=path)

    def _do_equals(self, argument: Any, logical_id: str, path: str) -> bool:
        left, right = (self.resolve(side, logical_id=logical_id, path=path) for side in argument)
        return str(left) == str(right)

    def _do_and(self, argument: Any, logical_id: str, path: str) -> bool:
        return all(self._truth(item, logical_id, path) for item in argument)

    def _do_or(self, argument: Any, logical_id: str, path: str) -> bool:
        return any(self._truth(item, logical_id, path) for item in argument)

    def _do_not(self, argument: Any, logical_id: str, path: str) -> bool:
        return not self._truth(argument[0], logical_id, path)

    def _do_contains(self, argument: Any, logical_id: str, path: str) -> bool:
        members = self.resolve(argument[0], logical_id=logical_id, path=path)
        return self.resolve(argument[1], logical_id=logical_id, path=path) in members

    def _do_find_in_map(self, argument: Any, logical_id: str, path: str) -> Any:
        names = [self._text(part, logical_id, path) for part in argument[:3]]
        try:
            return self._mappings[names[0]][names[1]][names[2]]
        except KeyError:
            raise self._unsupported(logical_id, path, f"Fn::FindInMap {names} is not in Mappings") from None

    def _do_base64(self, argument: Any, logical_id: str, path: str) -> str:
        return base64.b64encode(self._text(argument, logical_id, path).encode()).decode()

    def _do_import_value(self, argument: Any, logical_id: str, path: str) -> Any:
        name = self._text(argument, logical_id, path)
        try:
            return self._imported(name)
        except KeyError:
            raise self._unsupported(logical_id, path, f"Fn::ImportValue: no stack exports {name!r}") from None

    def _do_get_azs(self, argument: Any, logical_id: str, path: str) -> list[str]:
        region = self._text(argument, logical_id, path) or self._ref("AWS::Region")
        return [f"{region}{zone}" for zone in "abc"]
