"""The client's checker agrees with a full JSON Schema validator on everything that contracts ask for."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from clients.amp_events.checking import compiled
from contracts.events import EVENTS
from contracts.views import json_schema
from contracts.views.samples import sample

jsonschema = pytest.importorskip("jsonschema", reason="needs requirements-dev.txt")
pytest.importorskip("rfc3339_validator", reason="without it jsonschema checks no date-time")
pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
from hypothesis import assume, given, settings  # noqa: E402 - only there where the lines above passed
from hypothesis import strategies as st  # noqa: E402


def _ecma_pattern(_: Any, pattern: str, instance: object, __: Any) -> Any:
    # The specification names ECMA-262: `$` is the very end and `\d` is ASCII; the library uses Python's wider ones.
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance, re.ASCII):
        yield jsonschema.ValidationError("pattern")


_Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _ecma_pattern})
ORACLES = {
    event.type: _Validator(json_schema.schema(event), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    for event in EVENTS
}
CHECKS = {event.type: compiled(json_schema.schema(event)) for event in EVENTS}

TELLING: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 0.5, 2.0, 1e300, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, 1e18,
    "", "1", "-12", "1.5", "+1", "1e3", " 1", "٣", "12\u2028", "2026-11-18", "2026-02-30", "2026-11-18T08:00:00Z",
    "2026-11-18t08:00:00.5z", "2026-11-18T08:00:00+23:59", "2026-11-18T08:00:00+24:00", "2026-11-18 08:00:00",
    "2026-11-18T24:00:00Z", "2026-11-18T08:00:60Z", "0000-01-01", "2026-1-1", "20261118", [], {}, [None], {"id": None},
)  # fmt: skip
values = st.recursive(
    st.sampled_from(TELLING) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def mutated(draw: Any) -> tuple[str, dict[str, Any]]:
    """A sample event with a few values replaced, removed or added, at any depth."""
    event = draw(st.sampled_from(EVENTS))
    body = copy.deepcopy(sample(event, index=draw(st.integers(0, 3)), full=draw(st.booleans())))
    for _ in range(draw(st.integers(0, 3))):
        node: Any = body
        while True:
            below = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not below:
                break
            key = draw(st.sampled_from(below))
            if isinstance(node[key], dict | list) and draw(st.booleans()):
                node = node[key]
                continue
            action = draw(st.sampled_from(("replace", "replace", "remove", "add")))
            if action == "remove":
                del node[key]
            elif action == "add" and isinstance(node, dict):
                node[draw(st.text(max_size=4))] = draw(values)
            else:
                node[key] = draw(values)
            break
    return event.type, body


def _ends_in_a_newline(value: object) -> bool:
    if isinstance(value, dict):
        return any(_ends_in_a_newline(item) for item in value.values())
    if isinstance(value, list):
        return any(_ends_in_a_newline(item) for item in value)
    return isinstance(value, str) and value.endswith("\n")  # the library's date-time lets one by


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_it_takes_and_refuses_what_a_full_validator_does(case: tuple[str, dict[str, Any]]) -> None:
    event_type, body = case
    assume(not _ends_in_a_newline(body))
    fault = CHECKS[event_type](body)
    assert (fault is None) == ORACLES[event_type].is_valid(body), fault


@pytest.mark.parametrize("value", TELLING, ids=repr)
def test_every_telling_value_is_judged_alike_in_every_place(value: object) -> None:
    for event in EVENTS:
        for column in event.sent:
            body: Any = sample(event)
            node = body
            for key in column.keys[:-1]:
                node = node[key]
            node[column.keys[-1]] = value
            fault = CHECKS[event.type](body)
            assert (fault is None) == ORACLES[event.type].is_valid(body), (event.type, column.path, fault)


def test_a_fault_is_named_by_its_place_and_what_is_allowed_there() -> None:
    check = compiled(
        {
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": {
                    "anyOf": [{"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}]
                },
                "free": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
    )
    found = [check(value) for value in ({}, {"a": 1}, {"a": [{"n": 1}, {"n": "x"}]}, {"a": [], "free": {"secret": 1}})]
    assert [(fault.path, fault.allowed) for fault in found if fault] == [
        ("a", "there; it is required: an array"),
        ("a", "an array"),
        ("a[1].n", "an integer"),
        ("free.*", "text"),
    ]


@pytest.mark.parametrize(
    "schema",
    [{"oneOf": []}, {"type": "text"}, {"type": "string", "format": "email"}, {"const": 1}],
    ids=["keyword", "type", "format", "const"],
)
def test_a_schema_with_a_rule_that_it_does_not_know_is_refused(schema: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="this checker"):
        compiled(schema)
