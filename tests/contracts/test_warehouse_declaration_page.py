"""The page of declarations names all that a declaration can say, and its example can be taken."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from contracts.warehouse import model, reading
from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.names import LONGEST
from contracts.warehouse.secrets import CLONE_SUFFIX

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "warehouse-declaration.md").read_text()
_PARTS = {
    "external_schemas": "_external_schema",
    "roles": "_role",
    "A grant": "_grant",
    "A default grant": "_default_grant",
    "users": "_user",
    "row_policies": "_row_policy",
    "An attachment": "_attachment",
}
"""What the page calls a kind of body, and the function that reads it."""


def keys_read() -> dict[str, set[str]]:
    """By function, the keys that it takes of a body."""
    found: dict[str, set[str]] = {}
    for function in ast.parse(Path(reading.__file__).read_text()).body:
        if isinstance(function, ast.FunctionDef):
            calls = [
                node
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "body"
            ]
            keys = {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}
            if keys:
                found[function.name] = {str(key) for key in keys}
    return found


def keys_told() -> dict[str, set[str]]:
    """By part of the page, the keys of its table."""
    found: dict[str, set[str]] = {}
    for part in _PARTS:
        heading = rf"## {part}" if part in reading._SECTIONS else rf"{part}:\n"
        (table,) = re.findall(rf"^{heading}\n((?:\|.*\n)+)", PAGE, re.M)
        found[part] = set(re.findall(r"^\| `(\w+)` \|", table, re.M))
    return found


def test_every_key_that_is_read_is_told_where_it_belongs_and_no_other() -> None:
    read = keys_read()
    assert set(read) - {"read"} == set(_PARTS.values())
    assert keys_told() == {part: read[function] for part, function in _PARTS.items()}


def test_every_section_is_told() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| ", PAGE.split("## ")[0], re.M)) == set(reading._SECTIONS)


@pytest.mark.parametrize(
    "words",
    [
        model.ZONES,
        model.SCHEMA_PRIVILEGES,
        model.TABLE_PRIVILEGES,
        model.COLUMN_PRIVILEGES,
        model.POLICY_TYPES,
        model.ROTATIONS,
        tuple(kind.value for kind in model.UserKind),
    ],
)
def test_every_allowed_word_is_told(words: tuple[str, ...]) -> None:
    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_limits_are_those_of_the_code() -> None:
    assert f"1 to {reading._MOST_CONNECTIONS} |" in PAGE
    assert f"at most {reading._LONGEST_VALUE} printable" in PAGE
    assert f"longer than {LONGEST} characters ({LONGEST - len(CLONE_SUFFIX)} for a service" in PAGE


def test_the_example_uses_every_section_and_can_be_taken() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    document = tomllib.loads(example)
    assert set(document) == {"format", *reading._SECTIONS}
    assert declaration_of(items_of(document)).row_policies
    missing = [key for keys in keys_read().values() for key in keys if not re.search(rf"\b{key} =", example)]
    assert missing == []


def test_what_is_commented_out_in_the_standard_declaration_can_be_taken() -> None:
    text = (ROOT / "config" / "warehouse" / "standard.toml").read_text()
    commented = re.findall(r"^# (\[row_policies.*(?:\n# .+)+)", text, re.M)
    assert len(commented) == 1
    document = tomllib.loads(text + "\n" + "\n".join(line.removeprefix("# ") for line in commented[0].splitlines()))
    assert declaration_of(items_of(document)).row_policies
