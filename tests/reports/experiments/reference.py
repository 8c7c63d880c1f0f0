"""Intervals reckoned in another way than the models do: by solving the equations that define them."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist

Z = NormalDist().inv_cdf(0.975)


def wilson(converted: int, units: int) -> tuple[float, float]:
    """The shares between which a score test does not reject what was seen, found by halving."""
    seen = converted / units

    def rejected(share: float) -> bool:
        return abs(seen - share) > Z * sqrt(share * (1 - share) / units)

    return _edge(lambda part: rejected(seen * (1 - part))) * -seen + seen, seen + (1 - seen) * _edge(
        lambda part: rejected(seen + (1 - seen) * part)
    )


def newcombe(treated: tuple[int, int], control: tuple[int, int]) -> tuple[float, float]:
    """Newcombe's hybrid score interval of the difference of two shares, each (converted, units)."""
    first, second = treated[0] / treated[1], control[0] / control[1]
    low, high = wilson(*treated)
    control_low, control_high = wilson(*control)
    difference = first - second
    return (
        difference - sqrt((first - low) ** 2 + (control_high - second) ** 2),
        difference + sqrt((high - first) ** 2 + (second - control_low) ** 2),
    )


def _edge(rejected: Callable[[float], bool]) -> float:
    """Where, from 0 to 1, rejection begins; 1 when it does not."""
    inside, outside = 0.0, 1.0
    if not rejected(outside):
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return inside
