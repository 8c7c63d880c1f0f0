"""Columns of a measure and of what it is compared with, named alike in all reports; declares no table."""

from __future__ import annotations

from contracts.model import Column

DAYS_COMPARED = Column(
    path="days_compared",
    type="bigint",
    description="Days before this one, at most 28, since there are data; over these goes a mean.",
)


def compared(path: str, description: str, *, type: str = "bigint") -> tuple[Column, ...]:
    """A measure of the day, of yesterday, of the same weekday a week before, and its mean over the 28 days before.

    What would lie before the first day of data is null; a day since then on which nothing happened is 0.
    """
    return (
        Column(path=path, type=type, description=description),
        Column(path=f"{path}_yesterday", type=type, description=f"The day before; null without data. {description}"),
        Column(
            path=f"{path}_week_before",
            type=type,
            description=f"Seven days before; null without data. {description}",
        ),
        Column(
            path=f"{path}_mean_28_days",
            type="double",
            description=f"Mean of the days_compared days before; null without data. {description}",
        ),
    )
