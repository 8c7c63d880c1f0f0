"""Asks the configuration function what a cluster lacks of its declaration, or to make it so; it decides nothing itself.

The function plans and applies: a command that computed plans of its own could tell something else than will be done.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.model import Part
from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.model import DeclarationError
from operations.platform import OperationsError, Platform

DECLARATIONS = Path(__file__).resolve().parent.parent / "config" / "warehouse"
"""The files of declarations that this checkout would deploy."""

DONE = frozenset({"configured", "unchanged"})

_MEANINGS = {
    "plan": {
        "continued": "It had not the time to end, and changed nothing; ask again in a minute.",
        "unavailable": "Nothing was tried.",
        "refused": "Nothing was changed.",
        "failed": "Nothing was changed.",
    },
    "apply": {
        "continued": "It had not the time to end; another run goes on in a minute, as this one was asked to.",
        "held": "Another run is at work on the cluster; in a minute one comes that does what this one was asked to.",
        "unavailable": "Nothing was tried.",
        "refused": "Nothing was changed.",
        "failed": "The statement's transaction changed nothing; those before it stand, and the next run goes on there.",
    },
}
"""What a result means, by action; a plan asks for no other run."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the function answered: the lines of its plan, the SQL, how it ended and why."""

    cluster: str
    result: str
    lines: list[str]
    statements: list[str]
    drift: int
    open: int
    changes: int
    error: str

    @property
    def well(self) -> bool:
        """Whether the cluster is, or can be made, as declared, nobody changed it by hand, and no row policy waits."""
        return self.result in DONE and not self.drift and not self.open


def ask(
    platform: Platform,
    *,
    action: str,
    cluster: str,
    declaration: Path | None = None,
    checkout: bool = False,
    repair: bool = False,
    drop: bool = False,
) -> Told:
    """Have one cluster planned or configured.

    Args:
        platform: the stage.
        action: ``plan`` or ``apply``.
        cluster: its name; empty when the stage has one only.
        declaration: a file to plan by instead of the deployed declaration.
        checkout: plan by the file that this checkout has for the cluster, where no other is given.
        repair: put right what was changed by hand.
        drop: drop schemas, roles and users that are not declared any more.

    Raises:
        OperationsError: the stage has no such cluster, a file is given to apply, it cannot be taken, or the function
            failed.
    """
    if action == "apply" and (declaration is not None or checkout):
        raise OperationsError(
            f"An apply takes the deployed declaration; given: {declaration or 'that of the checkout'}; allowed: a file "
            "for a plan alone; fix: deploy the file, which configures the cluster."
        )
    names = platform.output(Part.WAREHOUSE, "ClusterNames").split(",")
    if cluster not in names and (cluster or len(names) > 1):
        raise OperationsError(
            f"Which cluster; given: {cluster or 'none'}; allowed: {', '.join(names)}; fix: name one with --cluster."
        )
    cluster = cluster or names[0]
    wish: dict[str, Any] = {"action": action, "cluster": cluster, "repair": repair, "drop": drop}
    file = declaration or (_file_of(platform, cluster) if checkout else None)
    if file is not None:
        wish["items"] = _items(file)
    answer = platform.invoking.invoke(
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
    yield f"{told.cluster}: {_summary(told, action) if told.result in DONE else told.result}"
    yield from (f"  {line}" for line in told.lines)
    if with_sql:
        yield from (f"    {sql};" for sql in told.statements)
    if told.error:
        yield from (f"  {line}" for line in told.error.splitlines())
    if told.result in _MEANINGS[action]:
        yield f"  {_MEANINGS[action][told.result]}"
    if told.open:
        yield "  A row policy that waits hides nothing: make its table, or correct the name in the declaration."
    if told.drift:
        yield "  `warehouse apply --repair` puts right what was done by hand."


def _summary(told: Told, action: str) -> str:
    """One sentence for all that is not as declared, and that all is only when it is."""
    verb = "would be" if action == "plan" else "were"
    marks = Counter(line[0] for line in told.lines)
    parts = [
        (marks["+"] + marks["-"], "change", f"{verb} made"),
        (told.drift, "difference", f"made by hand {verb} left"),
        (marks["="], "thing", "not declared any more left in place"),
        (marks["…"], "thing", "declared for tables not there yet"),
    ]
    said = [f"{count} {noun}{'s' if count > 1 else ''} {rest}" for count, noun, rest in parts if count]
    return "; ".join(said) or "it is as declared; there is nothing to do"


def _file_of(platform: Platform, cluster: str) -> Path:
    """The file that the cluster has in this checkout."""
    files = {each.name: DECLARATIONS / f"{each.declaration}.toml" for each in platform.stage.warehouse.clusters}
    if cluster not in files:
        raise OperationsError(
            f"This checkout has no declaration for a deployed cluster; given: {cluster}; allowed: "
            f"{', '.join(files)}; fix: use the checkout that was deployed, or name a file with --declaration."
        )
    return files[cluster]


def _items(file: Path) -> Mapping[str, Mapping[str, object]]:
    try:
        items = items_of(tomllib.loads(file.read_text()))
        declaration_of(items)
    except (OSError, tomllib.TOMLDecodeError, DeclarationError) as error:
        raise OperationsError(f"{file} is no declaration: {error}") from None
    return items
