"""Asks the configuration function what a cluster lacks of its declaration, or to make it so; it decides nothing itself.

The function plans and applies: a command that computed plans of its own could tell something else than will be done.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.model import Part
from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.model import DeclarationError
from operations.platform import OperationsError, Platform

DONE = frozenset({"configured", "unchanged"})

_MEANINGS = {
    "continued": "It had not the time to end; another run goes on in a minute.",
    "held": "Another run is at work on the cluster; one more comes in a minute.",
    "unavailable": "Nothing was tried.",
    "refused": "Nothing was changed.",
    "failed": "The statement's transaction changed nothing; those before it stand, and the next run goes on there.",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the function answered: the lines of its plan, the SQL, how it ended and why."""

    cluster: str
    result: str
    lines: list[str]
    statements: list[str]
    drift: int
    changes: int
    error: str

    @property
    def well(self) -> bool:
        """Whether the cluster is, or can be made, as declared, and nobody changed it by hand."""
        return self.result in DONE and not self.drift


def ask(
    platform: Platform,
    *,
    action: str,
    cluster: str,
    declaration: Path | None = None,
    repair: bool = False,
    drop: bool = False,
) -> Told:
    """Have one cluster planned or configured.

    Args:
        platform: the stage.
        action: ``plan`` or ``apply``.
        cluster: its name; empty when the stage has one only.
        declaration: a file to plan by instead of the deployed declaration.
        repair: put right what was changed by hand.
        drop: drop schemas, roles and users that are not declared any more.

    Raises:
        OperationsError: the stage has no such cluster, the file cannot be taken, or the function failed.
    """
    names = platform.output(Part.WAREHOUSE, "ClusterNames").split(",")
    if cluster not in names and (cluster or len(names) > 1):
        raise OperationsError(
            f"Which cluster; given: {cluster or 'none'}; allowed: {', '.join(names)}; fix: name one with --cluster."
        )
    wish: dict[str, Any] = {"action": action, "cluster": cluster or names[0], "repair": repair, "drop": drop}
    if declaration is not None:
        wish["items"] = _items(declaration)
    answer = platform.client("lambda").invoke(
        FunctionName=platform.output(Part.WAREHOUSE, "ConfigurationFunctionName"), Payload=json.dumps(wish).encode()
    )
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperationsError(
            f"The configuration function failed: {said.get('errorType')}: {said.get('errorMessage')}; fix: see its "
            "log, and the runbook a-function-fails."
        )
    return Told(**said)


def lines(told: Told, *, action: str, with_sql: bool) -> Iterator[str]:
    """What a person reads."""
    yield f"{told.cluster}: {_summary(told, action)}"
    yield from (f"  {line}" for line in told.lines)
    if with_sql:
        yield from (f"    {sql};" for sql in told.statements)
    if told.error:
        yield from (f"  {line}" for line in told.error.splitlines())
    if told.result in _MEANINGS:
        yield f"  {_MEANINGS[told.result]}"
    if told.drift:
        yield f"  {told.drift} differences were made by hand; `warehouse apply --repair` puts them right."


def _summary(told: Told, action: str) -> str:
    if told.result == "unchanged":
        return "it is as declared; there is nothing to do"
    if told.result == "configured":
        todo = sum(line.startswith(("+", "-")) for line in told.lines)
        return f"{todo} changes would be made" if action == "plan" else f"{todo} changes were made"
    return told.result


def _items(file: Path) -> Mapping[str, Mapping[str, object]]:
    try:
        items = items_of(tomllib.loads(file.read_text()))
        declaration_of(items)
    except (OSError, tomllib.TOMLDecodeError, DeclarationError) as error:
        raise OperationsError(f"{file} is no declaration: {error}") from None
    return items
