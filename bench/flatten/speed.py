"""Times contenders in interleaved rounds on this process's one core; knows no target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.flatten.contenders import FLOOR, Transform
from bench.runtime import quietly


def interleaved(transforms: Mapping[str, Transform], request: dict[str, Any], rounds: int) -> dict[str, dict[str, Any]]:
    """Microseconds of CPU an event of each contender, and how many times the floor's they are.

    A round calls each contender once, so that what disturbs the machine disturbs all; a ratio is of one round.
    `us` is the median, `us_of_each` the lowest and the highest, `to_floor` the median ratio (if the floor is there).
    """
    count = len(request["records"])
    taken: dict[str, list[float]] = {name: [] for name in transforms}
    for number in range(rounds + 1):
        for name, transform in transforms.items():
            spent = _cpu_s(lambda transform=transform: transform(request))  # type: ignore[misc]
            if number:  # the first round warms up
                taken[name].append(spent / count * 1e6)
    floor = taken.get(FLOOR)
    return {
        name: {
            "us": statistics.median(times),
            "us_of_each": [min(times), max(times)],
            "to_floor": statistics.median(one / least for one, least in zip(times, floor, strict=True)) if floor else 0,
        }
        for name, times in taken.items()
    }


def _cpu_s(call: Callable[[], object]) -> float:
    with quietly():
        began = time.process_time()
        call()
        return time.process_time() - began
