"""Plots: what they draw of which value, and that they say it too."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from reports.pages import charts, numbers
from reports.pages.charts import Interval, Series

_LABELS = ["1 Nov", "2 Nov", "3 Nov", "4 Nov", "5 Nov"]


def _parsed(svg: Markup) -> ElementTree.Element:
    """The SVG as XML; it fails where it is not well-formed."""
    return ElementTree.fromstring(str(svg))  # noqa: S314 - written here


def _lines(values: list[float | None]) -> ElementTree.Element:
    svg = charts.lines(
        key="plot", title="Title", description="Said.", labels=_LABELS, series=[Series(name="n", values=values)],
        text=numbers.count,
    )  # fmt: skip
    return _parsed(svg)


def test_a_plot_names_itself_and_says_what_it_shows() -> None:
    svg = _lines([1, 2, 3, 4, 5])
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"] == "plot-title plot-desc"
    assert [(one.tag, one.attrib["id"], one.text) for one in list(svg)[:2]] == [
        ("title", "plot-title", "Title"),
        ("desc", "plot-desc", "Said."),
    ]


def test_a_line_ends_at_its_last_value_on_an_axis_from_0() -> None:
    svg = _lines([0, 30, 60, 90, 75])
    points = [tuple(map(float, pair.split(","))) for pair in next(svg.iter("polyline")).attrib["points"].split()]
    # Three steps of 40 hold 90, so that the axis ends at 120: 30 is a quarter up, 75 is 62.5 %.
    assert [y for _, y in points] == [100, 75, 50, 25, 37.5]
    assert [x for x, _ in points] == [1.5, 25.75, 50, 74.25, 98.5]
    assert [text.text for text in svg.iter("text") if text.attrib.get("text-anchor") == "end"][-4:] == [
        "0", "40", "80", "120",
    ]  # fmt: skip


def test_what_is_not_known_is_a_gap_and_what_stands_alone_a_dot() -> None:
    svg = _lines([1, 2, None, 4, None])
    assert len(list(svg.iter("polyline"))) == 1
    assert [dot.attrib["cx"] for dot in svg.iter("circle")] == ["74.25%"]
    told = [title.text for rect in svg.iter("rect") for title in rect.iter("title")]
    assert told[2] == "3 Nov: n not known yet"
    assert told[3] == "4 Nov: n 4"


@pytest.mark.parametrize("values", [[], [None, None], [0, 0], [5]])
def test_plots_of_nothing_and_of_zeros_divide_by_nothing(values: list[float | None]) -> None:
    labels = _LABELS[: len(values)]
    _parsed(charts.lines(key="a", title="t", description="d", labels=labels, series=[Series(name="n", values=values)],
                         text=numbers.count))  # fmt: skip
    _parsed(charts.bars(key="b", title="t", description="d", labels=labels, values=values, text=numbers.count))
    _parsed(
        charts.heat_map(key="c", title="t", description="d", rows=[("r", values)], labels=labels, text=numbers.count)
    )
    _parsed(charts.intervals(key="d", title="t", description="d", rows=[], text=numbers.points, zero="0"))


def test_a_bar_is_as_high_as_its_value() -> None:
    svg = _parsed(
        charts.bars(key="b", title="t", description="d", labels=["a", "b"], values=[60, 30], text=numbers.duration)
    )
    heights = [float(bar.attrib["height"]) for bar in svg.iter("rect")]
    assert heights == [160, 80]


def test_an_axis_of_time_goes_in_round_hours() -> None:
    svg = charts.bars(
        key="b", title="t", description="d", labels=["a"], values=[500], text=numbers.duration, unit=60
    )  # 500 minutes are below three steps of 4 hours.
    ticks = re.findall(r'text-anchor="end">([^<]*)</text>', str(svg).replace("\N{NO-BREAK SPACE}", " "))
    assert ticks[:4] == ["0 min", "4 h", "8 h", "12 h"]


def test_an_interval_without_0_is_filled_and_one_with_it_hollow() -> None:
    rows = [
        Interval(label="sure", low=0.1, middle=0.2, high=0.3, words="higher"),
        Interval(label="unsure", low=-0.1, middle=0.1, high=0.3, words="no difference found"),
        Interval(label="refused", low=None, middle=None, high=None, words="too little data"),
    ]
    svg = _parsed(charts.intervals(key="i", title="t", description="d", rows=rows, text=numbers.points, zero="none"))
    assert [dot.attrib["class"] for dot in svg.iter("circle")] == ["estimate", "estimate unsure"]
    # The axis reaches 0.4 to both sides over 92 % of the width: 0.2 lies at 4 + 92 × 0.6 / 0.8 = 73 %.
    assert next(svg.iter("circle")).attrib["cx"] == "73.00%"
    said = "".join(svg.itertext())
    assert "too little data" in said


def test_a_heat_cell_is_as_full_as_its_share_of_the_greatest() -> None:
    svg = _parsed(
        charts.heat_map(
            key="h", title="t", description="d", rows=[("a", [10, 5]), ("b", [0, None])], labels=["1", "2"],
            text=numbers.count,
        )
    )  # fmt: skip
    cells = [cell for cell in svg.iter("rect") if cell.attrib["class"] == "heat"]
    assert [float(cell.attrib["height"]) for cell in cells] == [20, 10]
    assert [cell.attrib["fill-opacity"] for cell in cells] == ["1.00", "0.68"]


def test_names_from_outside_are_escaped_shortened_and_keep_their_direction() -> None:
    name = "<b>" + "x" * 300
    svg = charts.heat_map(key="h", title=name, description=name, rows=[(name, [1])], labels=["1"], text=numbers.count)
    assert "<b>" not in svg
    shown = next(text.text for text in _parsed(svg).iter("text"))
    assert shown == "\N{FIRST STRONG ISOLATE}<b>" + "x" * 40 + "…\N{POP DIRECTIONAL ISOLATE}"


def test_a_small_line_needs_a_week_of_values_that_follow_one_another() -> None:
    assert charts.spark([]) is None
    assert charts.spark([1, 2, 3, 4, 5, 6]) is None
    assert charts.spark([1, None] * 14) is None
    drawn = str(charts.spark([1, 1, 1, 3, 3, 3, 2]))
    # From the lowest, at 95 of 100, to the highest, at 5.
    assert 'points="1.50,95.00 17.67,95.00 33.83,95.00 50.00,5.00 66.17,5.00 82.33,5.00 98.50,50.00"' in drawn
