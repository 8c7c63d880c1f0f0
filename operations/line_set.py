"""A set of line numbers, kept as ranges so that a large one stays small in memory and as JSON; it reads no lines."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence


class LineSet:
    """Line numbers, from 1. `ranges` are first and last line of each run, ascending, none touching another."""

    def __init__(self, ranges: Iterable[Sequence[int]] = ()) -> None:
        self.ranges: list[tuple[int, int]] = []
        for first, last in sorted((int(first), int(last)) for first, last in ranges):
            if self.ranges and first <= self.ranges[-1][1] + 1:
                self.ranges[-1] = (self.ranges[-1][0], max(last, self.ranges[-1][1]))
            else:
                self.ranges.append((first, last))

    def __contains__(self, line: int) -> bool:
        place = bisect_right(self.ranges, (line, 1 << 62)) - 1
        return place >= 0 and self.ranges[place][0] <= line <= self.ranges[place][1]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def with_lines(self, lines: Iterable[int]) -> LineSet:
        """This set and more lines."""
        return LineSet([*self.ranges, *((line, line) for line in lines)])
