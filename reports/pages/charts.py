"""Plots as inline SVG that follows the page's colours and width; knows numbers and labels, and no report.

Across, everything is in per cent of the plot, so that a plot fills a phone and a wide screen alike and its letters keep
their size; lines are drawn in a frame of 100 × 100 that stretches, with strokes that do not. Down, it is pixels. Each
plot names itself (`<title>`) and says what it shows (`<desc>`); what colour tells, form or words tell too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from reports.pages.numbers import NOT_KNOWN

Style = Literal["main", "other", "third"]
"""How a series is drawn: a solid line, a dashed one, a dotted one; each with a colour of its own."""

_HEIGHT = 200
_TOP, _BOTTOM = 18, 22
_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Series:
    """A line: what it is called, and a value for each label, None where it is not known."""

    name: str
    values: Sequence[float | None]
    style: Style = "main"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its bounds; None where there are too few data to tell."""

    label: str
    low: float | None
    middle: float | None
    high: float | None
    words: str


def lines(
    *,
    key: str,
    title: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[Series],
    text: Callable[[float], str],
    unit: float = 1,
) -> Markup:
    """Lines over `labels`, from 0 up. A value that is not known leaves a gap, never a 0.

    `key` tells the plot apart on its page; `text` writes a value for the axis and the pointer; the axis goes in round
    steps of `unit`.
    """
    known = [value for one in series for value in one.values if value is not None]
    top = _top(known, unit)
    place = _across(len(labels))
    parts = [_grid(top), _labels(labels, place)]
    frame: list[Markup] = []
    for one in series:
        for run in _runs(one.values):
            drawn = " ".join(f"{place(index):.2f},{100 - 100 * value / top:.2f}" for index, value in run)
            if len(run) == 1:
                continue
            frame.append(Markup('<polyline class="line {}" points="{}"/>').format(one.style, drawn))
    parts.append(
        Markup(
            '<svg x="0" y="{}" width="100%" height="{}" viewBox="0 0 100 100" preserveAspectRatio="none" '
            'class="frame">{}</svg>'
        ).format(_TOP, _HEIGHT - _TOP - _BOTTOM, Markup("").join(frame))
    )
    for one in series:
        alone = {run[0][0] for run in _runs(one.values) if len(run) == 1}
        last = max((index for index, value in enumerate(one.values) if value is not None), default=None)
        for index in sorted(alone | ({last} if last is not None else set())):
            value = one.values[index]
            assert value is not None  # noqa: S101 - runs hold known values only
            parts.append(
                Markup('<circle class="dot {}" cx="{}%" cy="{}" r="3.5"/>').format(
                    one.style, f"{place(index):.2f}", f"{_down(value, top):.1f}"
                )
            )
    parts += [_ticks(top, text, known), _pointers(labels, series, place, text)]
    return _whole(key, title, description, Markup("").join(parts), _HEIGHT, axis=True)


def bars(
    *,
    key: str,
    title: str,
    description: str,
    labels: Sequence[str],
    values: Sequence[float | None],
    text: Callable[[float], str],
    unit: float = 1,
) -> Markup:
    """Upright bars, from 0 up, as `lines` are drawn. None leaves a gap."""
    known = [value for value in values if value is not None]
    top = _top(known, unit)
    width = 100 / max(len(labels), 1)
    parts = [_grid(top)]
    for index, (label, value) in enumerate(zip(labels, values, strict=True)):
        if value is None:
            continue
        height = (_HEIGHT - _TOP - _BOTTOM) * value / top
        parts.append(
            Markup('<rect class="bar" x="{}%" y="{}" width="{}%" height="{}"><title>{}: {}</title></rect>').format(
                f"{width * index + width * 0.1:.2f}",
                f"{_HEIGHT - _BOTTOM - height:.1f}",
                f"{width * 0.8:.2f}",
                f"{height:.1f}",
                label,
                text(value),
            )
        )
    parts += [_ticks(top, text, known), _labels(labels, lambda index: width * (index + 0.5))]
    return _whole(key, title, description, Markup("").join(parts), _HEIGHT, axis=True)


def intervals(
    *, key: str, title: str, description: str, rows: Sequence[Interval], text: Callable[[float], str], zero: str
) -> Markup:
    """Estimates one below the other, each with its bounds, against a line at 0 that `zero` names.

    An interval that holds 0 is hollow, one that does not is filled; `words` says it beside the label.
    """
    known = [value for row in rows for value in (row.low, row.middle, row.high) if value is not None]
    reach = _nice(max((abs(value) for value in known), default=0) or 1)

    def place(value: float) -> float:
        return 4 + 92 * (value + reach) / (2 * reach)

    step, head = 46, 24
    height = head + step * max(len(rows), 1) + 4
    parts = [
        Markup('<text class="tick" x="50%" y="12" text-anchor="middle">{}</text>').format(zero),
        Markup('<text class="tick" x="4%" y="12" text-anchor="start">{}</text>').format(text(-reach)),
        Markup('<text class="tick" x="96%" y="12" text-anchor="end">{}</text>').format(text(reach)),
    ]
    for index, row in enumerate(rows):
        y = head + step * index
        parts.append(
            Markup(
                '<text class="name" x="0" y="{}">{}<tspan class="tick">\N{NO-BREAK SPACE}· {}</tspan></text>'
            ).format(y + 14, apart(shortened(row.label, 28)), row.words)
        )
        parts.append(Markup('<line class="zero" x1="50%" x2="50%" y1="{}" y2="{}"/>').format(y + 20, y + 40))
        if row.low is None or row.middle is None or row.high is None:
            continue
        sure = row.low > 0 or row.high < 0
        parts.append(
            Markup(
                '<line class="reach{0}" x1="{1}%" x2="{2}%" y1="{3}" y2="{3}"/>'
                '<circle class="estimate{0}" cx="{4}%" cy="{3}" r="5"><title>{5}: {6}</title></circle>'
            ).format(
                "" if sure else " unsure",
                f"{place(row.low):.2f}",
                f"{place(row.high):.2f}",
                y + 30,
                f"{place(row.middle):.2f}",
                row.label,
                text(row.middle),
            )
        )
    return _whole(key, title, description, Markup("").join(parts), height)


def heat_map(
    *, key: str, title: str, description: str, rows: Sequence[tuple[str, Sequence[float | None]]],
    labels: Sequence[str], text: Callable[[float], str],
) -> Markup:  # fmt: skip
    """A strip of cells for each row, its name above it; the fuller a cell, the greater its value.

    All rows share one scale. Cells that are not known are left open.
    """
    top = max((value for _, values in rows for value in values if value is not None), default=0) or 1
    width = 100 / max(len(labels), 1)
    step, cell = 40, 20
    parts: list[Markup] = []
    for number, (name, values) in enumerate(rows):
        y = step * number
        parts.append(Markup('<text class="name" x="0" y="{}">{}</text>').format(y + 13, apart(shortened(name, 44))))
        for index, (label, value) in enumerate(zip(labels, values, strict=True)):
            x = f"{width * index + width * 0.04:.2f}"
            parts.append(
                Markup('<rect class="cell" x="{}%" y="{}" width="{}%" height="{}"/>').format(
                    x, y + 18, f"{width * 0.92:.2f}", cell
                )
            )
            if not value:
                continue
            height = max(cell * value / top, 1)
            parts.append(
                Markup(
                    '<rect class="heat" x="{}%" y="{}" width="{}%" height="{}" fill-opacity="{}">'
                    "<title>{}, {}: {}</title></rect>"
                ).format(
                    x,
                    f"{y + 18 + cell - height:.1f}",
                    f"{width * 0.92:.2f}",
                    f"{height:.1f}",
                    f"{0.35 + 0.65 * value / top:.2f}",
                    apart(name),
                    label,
                    text(value),
                )
            )
    height = step * max(len(rows), 1)
    parts.append(_labels(labels, lambda index: width * (index + 0.5), y=height + 14))
    return _whole(key, title, description, Markup("").join(parts), height + _BOTTOM)


def spark(values: Sequence[float | None]) -> Markup | None:
    """A small line without axes, from its lowest to its highest value, beside a number that says more.

    Screen readers pass it by. None below a week of known values: a stroke or two would say nothing.
    """
    runs = [run for run in _runs(values) if len(run) > 1]
    if sum(map(len, runs)) < 7:
        return None
    low, high = min(value for run in runs for _, value in run), max(value for run in runs for _, value in run)
    place = _across(len(values))
    drawn = Markup("").join(
        Markup('<polyline class="line main" points="{}"/>').format(
            " ".join(f"{place(index):.2f},{95 - 90 * (value - low) / ((high - low) or 1):.2f}" for index, value in run)
        )
        for run in runs
    )
    return Markup(
        '<svg class="spark" aria-hidden="true" focusable="false" viewBox="0 0 100 100" '
        'preserveAspectRatio="none">{}</svg>'
    ).format(drawn)


def apart(text: str) -> str:
    """The text between marks that keep its direction of writing to itself, wherever it is put."""
    return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def shortened(text: str, length: int) -> str:
    """The text, or its beginning with an ellipsis where it is longer than `length` letters."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _whole(key: str, title: str, description: str, inner: Markup, height: float, *, axis: bool = False) -> Markup:
    return Markup(
        '<svg class="plot{5}" role="img" aria-labelledby="{0}-title {0}-desc" width="100%" height="{1}">'
        '<title id="{0}-title">{2}</title><desc id="{0}-desc">{3}</desc>{4}</svg>'
    ).format(key, f"{height:g}", title, description, inner, " axis" if axis else "")


def _grid(top: float) -> Markup:
    """A line at 0 and fainter ones above it."""
    return Markup("").join(
        Markup('<line class="{0}" x1="0" x2="100%" y1="{1}" y2="{1}"/>').format(
            "grid" if number else "base", f"{_down(top * number / _LINES, top):.1f}"
        )
        for number in range(_LINES + 1)
    )


def _ticks(top: float, text: Callable[[float], str], known: Sequence[float]) -> Markup:
    """What the lines of the grid stand for, in the room that the style sheet leaves at the left of such a plot.

    Where nothing is known there is no scale either, and the plot says so.
    """
    if not known:
        return Markup('<text class="tick" x="50%" y="{}" text-anchor="middle">{}</text>').format(_HEIGHT / 2, NOT_KNOWN)
    return Markup("").join(
        Markup('<text class="tick" x="-8" y="{}" text-anchor="end">{}</text>').format(
            f"{_down(top * number / _LINES, top) + 4:.1f}", text(top * number / _LINES)
        )
        for number in range(_LINES + 1)
    )


def _labels(labels: Sequence[str], place: Callable[[int], float], y: float = _HEIGHT - 6) -> Markup:
    """The first, the middle and the last label; more would not fit on a phone."""
    if not labels:
        return Markup("")
    last = len(labels) - 1
    shown = {0: "start", last: "end"} if last else {0: "start"}
    if last >= 4:
        shown[last // 2] = "middle"
    return Markup("").join(
        Markup('<text class="tick" x="{}%" y="{}" text-anchor="{}">{}</text>').format(
            {"start": "0", "end": "100"}.get(anchor, f"{place(index):.2f}"), f"{y:g}", anchor, labels[index]
        )
        for index, anchor in sorted(shown.items())
    )


def _pointers(
    labels: Sequence[str], series: Sequence[Series], place: Callable[[int], float], text: Callable[[float], str]
) -> Markup:
    """An unseen strip over each label that tells its values to a pointer."""
    width = 100 / max(len(labels), 1)
    parts = []
    for index, label in enumerate(labels):
        told = "; ".join(
            f"{one.name} {text(value) if (value := one.values[index]) is not None else NOT_KNOWN}" for one in series
        )
        parts.append(
            Markup('<rect class="pointer" x="{}%" y="0" width="{}%" height="{}"><title>{}: {}</title></rect>').format(
                f"{max(place(index) - width / 2, 0):.2f}", f"{width:.2f}", _HEIGHT - _BOTTOM, label, told
            )
        )
    return Markup("").join(parts)


def _down(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top


def _across(labels: int) -> Callable[[int], float]:
    """Where each label stands, in per cent, with room for a dot at both ends."""
    return lambda index: 1.5 + 97 * (index / (labels - 1) if labels > 1 else 0.5)


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Known values that follow one another."""
    runs: list[list[tuple[int, float]]] = []
    for index, value in enumerate(values):
        if value is None:
            continue
        if runs and runs[-1][-1][0] == index - 1:
            runs[-1].append((index, value))
        else:
            runs.append([(index, value)])
    return runs


def _top(known: Sequence[float], unit: float = 1) -> float:
    """The end of an axis from 0 that holds all values, in as many round steps of `unit` as it has lines."""
    return _nice((max(known, default=0) or 1) / unit / _LINES) * unit * _LINES


def _nice(value: float) -> float:
    """The least 1, 2, 2.5, 4, 5 or 10 × a power of ten that is not below `value`, which is above 0."""
    power = 10.0 ** math.floor(math.log10(value))
    return next((factor * power for factor in (1, 2, 2.5, 4, 5) if factor * power * (1 + 1e-9) >= value), 10 * power)
