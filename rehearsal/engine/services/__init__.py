"""One file for each AWS service that a rehearsal plays; a file put here takes part without being listed.

A file declares `RESOURCE_TYPES`, and, when it plays something that moves or replaces a part of moto,
`attach(account)`, which may give back a callable that undoes it. Files must not import each other's internals.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType

from rehearsal.engine.account import Account
from rehearsal.engine.resources import ResourceType


def _modules() -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(__path__):
        yield importlib.import_module(f"{__name__}.{info.name}")


def resource_types() -> dict[str, ResourceType]:
    """Every resource type that is played, by its CloudFormation name."""
    return {kind.name: kind for module in _modules() for kind in getattr(module, "RESOURCE_TYPES", ())}


def attach(account: Account) -> list[Callable[[], None]]:
    """Let every service take its place in ``account``; gives what undoes it, to be called in reverse order."""
    undo = []
    for module in _modules():
        start = getattr(module, "attach", None)
        stop = start(account) if start is not None else None
        if stop is not None:
            undo.append(stop)
    return undo
