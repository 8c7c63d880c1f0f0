"""A declaration as the document a person writes, and as the items a table holds; both say the same.

Each table of the document (`config/warehouse/*.toml`), such as ``[roles.analyst]``, is one item, ``roles.analyst``.
Errors name the item, so that it can be found in either.
"""

from __future__ import annotations

from collections.abc import Mapping

from contracts.warehouse.checking import check
from contracts.warehouse.model import FORMAT, Declaration, DeclarationError
from contracts.warehouse.reading import read


def items_of(document: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """A document's items by name, such as ``roles.analyst``, each with its format; nothing is checked but the shape.

    Raises:
        DeclarationError: the document is no table of tables.
    """
    format_given = document.get("format", None)
    problems: list[tuple[str, str]] = []
    if "format" not in document:
        problems.append(("format", f"is missing; write format = {FORMAT} first"))
    items: dict[str, dict[str, object]] = {}
    for section, entries in document.items():
        if section == "format":
            continue
        if not isinstance(entries, Mapping):
            problems.append((section, f"is {entries!r}; write [{section}.<name>]"))
            continue
        for name, body in entries.items():
            if isinstance(body, Mapping):
                items[f"{section}.{name}"] = {**body, "format": format_given}
            else:
                problems.append((f"{section}.{name}", f"is {body!r}; write [{section}.{name}]"))
    if problems:
        raise DeclarationError(problems)
    return items


def declaration_of(items: Mapping[str, Mapping[str, object]]) -> Declaration:
    """The declaration that items describe, checked as a whole.

    Args:
        items: by name, as `items_of` gives them and as the table holds them.

    Raises:
        DeclarationError: naming each item that cannot be taken.
    """
    problems: list[tuple[str, str]] = []
    declaration = read(items, problems)
    if not problems:
        check(declaration, problems)
    if problems:
        raise DeclarationError(sorted(problems))
    return declaration
