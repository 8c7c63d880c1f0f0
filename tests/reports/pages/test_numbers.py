"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from reports.pages import numbers


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("write", "value", "written"),
    [
        (numbers.count, 0, "0"),
        (numbers.count, 1234, "1,234"),
        (numbers.count, -1234, "−1,234"),
        (numbers.count, -0.2, "0"),
        (numbers.count, 12_345_678, "12,345,678"),
        (numbers.decimal, 1234.56, "1,234.6"),
        (numbers.share, 0, "0 %"),
        (numbers.share, 1, "100 %"),
        (numbers.share, 0.1234, "12.3 %"),
        (numbers.share, 0.0004, "under 0.1 %"),
        (numbers.share, 0.9996, "over 99.9 %"),
        (numbers.points, 0.0123, "+1.2 points"),
        (numbers.points, -0.0123, "−1.2 points"),
        (numbers.points, -0.0004, "−0.04 points"),
        (numbers.points, -0.00001, "0 points"),
        (numbers.points, 0, "0 points"),
        (numbers.signed_count, 7, "+7"),
        (numbers.signed_count, -7, "−7"),
        (numbers.signed_count, 0, "0"),
        (numbers.duration, 0, "0 min"),
        (numbers.duration, 0.75, "45 s"),
        (numbers.duration, 0.995, "1 min"),
        (numbers.duration, 12, "12 min"),
        (numbers.duration, 60, "1 h"),
        (numbers.duration, 200, "3 h 20 min"),
        (numbers.duration, 59.9, "1 h"),
        (numbers.duration, 74_040, "1,234 h"),
        (numbers.duration, -70.5, "−1 h 10 min"),
    ],
)
def test_a_number_is_written_for_people(write: Callable[[float | None], str], value: float, written: str) -> None:
    assert _plain(write(value)) == written


@pytest.mark.parametrize(
    "write",
    [numbers.count, numbers.decimal, numbers.share, numbers.points, numbers.signed_count, numbers.duration],
)
def test_what_is_not_known_is_never_0(write: Callable[[float | None], str]) -> None:
    assert write(None) == "not known yet"


def test_days_and_moments_say_that_they_are_utc() -> None:
    assert numbers.long_day(date(2026, 11, 21)) == "Saturday 21 November 2026"
    assert _plain(numbers.short_day(date(2026, 11, 1))) == "1 Nov"
    assert _plain(numbers.moment(datetime(2026, 11, 21, 3, 5, tzinfo=UTC))) == "21 Nov 2026, 03:05 UTC"
    assert numbers.moment(None) == "not known yet"


@pytest.mark.parametrize(
    ("now", "then", "direction", "words"),
    [
        (112.3, 100, "up", "12.3 % more than before"),
        (50, 100, "down", "50.0 % less than before"),
        (100, 100, "same", "as before"),
        (100.01, 100, "same", "as before"),
        (0, 0, "same", "as before"),
        (5, 0, "up", "more than before, which had none"),
        (1200, 100, "up", "12 times before"),
        (0, 100, "down", "100.0 % less than before"),
        # Ratios of numbers that may be negative say nothing: the difference does.
        (-3, 4, "down", "7 less than before"),
        (4, -3, "up", "7 more than before"),
        (None, 4, "unknown", "before: not known yet"),
        (4, None, "unknown", "before: not known yet"),
    ],
)
def test_a_change_is_told_in_words(now: float | None, then: float | None, direction: str, words: str) -> None:
    change = numbers.change(now, then, "before")
    assert (change.direction, _plain(change.words)) == (direction, words)


def test_a_sentence_ends_with_a_comparison_where_there_is_one() -> None:
    assert _plain(numbers.change(3, 2, "before").clause) == ", 50.0 % more than before"
    assert numbers.change(3, None, "before").clause == ""


def test_shares_are_compared_in_points() -> None:
    change = numbers.change(0.30, 0.25, "before", kind="share")
    assert _plain(change.words) == "5.0 points more than before"


def test_what_is_better_decides_the_tone_and_nothing_does_for_a_neutral_number() -> None:
    tones = [numbers.change(2, 1, "before", better=better).tone for better in ("more", "less", "neither")]
    assert tones == ["good", "bad", "plain"]
    assert numbers.change(1, 1, "before").tone == "plain"


def test_every_direction_has_an_arrow_of_its_own() -> None:
    arrows = [numbers.change(now, 1, "before").arrow for now in (2, 0.5, 1, None)]
    assert arrows == ["▲", "▼", "=", "–"]
