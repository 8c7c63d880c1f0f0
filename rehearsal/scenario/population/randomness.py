"""Seeded chance: where every draw of the population comes from; keeps no state of its own."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


def generator(seed: int, *parts: object) -> random.Random:
    """A generator of its own for one part of the population, so that parts do not disturb each other's draws."""
    return random.Random("/".join(map(str, (seed, *parts))))  # noqa: S311 - repeatable chance, not secrets


def uuid_text(chance: random.Random) -> str:
    """A version 4 UUID from seeded chance; formatted by hand, because it is drawn for every event."""
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def short_id(prefix: str, chance: random.Random) -> str:
    """An id such as `m-3fa9c01b77de`: twelve hexadecimal digits behind a prefix."""
    return f"{prefix}-{chance.getrandbits(48):012x}"


class Weighted(Generic[T]):
    """Items to draw by weight. `total` is the sum of the weights; without any weight every item is as likely."""

    def __init__(self, items: Sequence[T], weights: Sequence[float]) -> None:
        """Add the weights up once; a draw is a binary search."""
        self.items = items
        self._cumulative = list(accumulate(weights))
        self.total = self._cumulative[-1] if self._cumulative else 0.0

    def draw(self, chance: random.Random) -> T:
        """One item."""
        if self.total <= 0:
            return self.items[int(chance.random() * len(self.items))]
        return self.items[bisect(self._cumulative, chance.random() * self.total, 0, len(self.items) - 1)]
