"""The contenders as Lambda handlers, `bench.flatten.functions.<name>`; imports only what the named one needs."""

from __future__ import annotations

from typing import Any

from bench.flatten.contenders import contender


def __getattr__(name: str) -> Any:
    """The handler of a contender."""
    if name.startswith("_"):
        raise AttributeError(name)
    transform = contender(name)
    return lambda event, _context: transform(event)
