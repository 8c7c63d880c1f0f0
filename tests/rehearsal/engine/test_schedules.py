"""Schedule expressions of AWS: when they are due next, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rehearsal.engine.schedules import read_schedule


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("rate(1 hour)", "2030-01-01 12:30", "2030-01-01 13:30"),
        ("rate(2 days)", "2030-01-01 12:30", "2030-01-03 12:30"),
        ("cron(15 10 * * ? *)", "2030-01-01 10:15", "2030-01-02 10:15"),
        ("cron(0/15 * * * ? *)", "2030-01-01 10:16", "2030-01-01 10:30"),
        ("cron(0 18 ? * MON-FRI *)", "2030-01-04 18:00", "2030-01-07 18:00"),
        ("cron(0 0 L * ? *)", "2030-02-01 00:00", "2030-02-28 00:00"),
        ("cron(0 8 1 JAN,JUL ? *)", "2030-01-01 08:00", "2030-07-01 08:00"),
        ("cron(0 0 ? * 1 *)", "2030-01-01 00:00", "2030-01-06 00:00"),
    ],
)
def test_when_a_schedule_is_due_next(expression: str, after: str, due: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp()
    assert (
        datetime.fromtimestamp(read_schedule(expression).next_after(start), UTC).isoformat(" ", "minutes")
        == f"{due}+00:00"
    )


@pytest.mark.parametrize(
    "expression",
    ["rate(1 hours)", "rate(2 hour)", "rate(0 days)", "cron(* * * * *)", "cron(0 0 1 * 1 *)", "cron(0 0 ? * 2#1 *)",
     "cron(61 0 * * ? *)", "every day"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_with_what_is(expression: str) -> None:
    with pytest.raises(ValueError, match=r"Schedule"):
        read_schedule(expression)
