"""Experiments and promotions: what each did, how sure that is, and where there is too little to tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from contracts.report_tables.experiments import EXPERIMENT_EFFECTS, PROMOTION_EFFECTS
from reports.pages import charts, numbers
from reports.pages.numbers import Tone
from reports.pages.parts import Cell, Plot, Read, Report, Section, Table, View, number, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import named

_CONTROL = "control"
_SAID = 4
_FOUND: dict[str, Tone] = {"higher": "good", "lower": "bad"}
_OUTCOMES = {"listen": "heard something", "follow": "followed"}


def view(rows: Rows) -> View:
    """What the estimates say of the 28 days up to the day."""
    experiments = sorted(rows.today(EXPERIMENT_EFFECTS.name), key=_order("experiment_id", "outcome", "variant"))
    promotions = sorted(rows.today(PROMOTION_EFFECTS.name), key=_order("promotion_id", "show_id", "exposure"))
    compared = [row for row in (*experiments, *promotions) if not _is_control(row)]
    found = [row for row in compared if row.text("verdict") in _FOUND]
    refused = [row for row in compared if _refused(row)]
    sections = [_overview(experiments, promotions)]
    for experiment, of_one in groupby(experiments, key=lambda row: row.text("experiment_id") or "unknown"):
        sections.append(_experiment(len(sections), experiment, list(of_one)))
    for promotion, of_one in groupby(promotions, key=lambda row: row.text("promotion_id") or "unknown"):
        sections.append(_promotion(len(sections), promotion, list(of_one)))
    return View(
        answer=_answer(compared, found),
        details=[
            *(_one_found(row) for row in found[:_SAID]),
            *(
                [f"Not reported: {numbers.plural(len(refused), 'comparison', 'comparisons')}; the verdict says why."]
                * bool(refused)
            ),
        ],
        sections=sections,
    )


def _order(*names: str) -> Callable[[Row], tuple[str, ...]]:
    """Order by these texts."""
    return lambda row: tuple(row.text(name) or "" for name in names)


def _answer(compared: Sequence[Row], found: Sequence[Row]) -> str:
    if not compared:
        return "No experiment or promotion met anybody in these days."
    if not found:
        return f"None of {numbers.plural(len(compared), 'comparison', 'comparisons')} found a difference."
    return f"{len(found)} of {numbers.plural(len(compared), 'comparison', 'comparisons')} found a difference."


def _one_found(row: Row) -> str:
    if row.has("promotion_id"):
        said = f"Promotion {_name(row.text('promotion_id'))}: of those who were shown it"
        did = "played the show"
    else:
        said = f"{_name(row.text('experiment_id'))}: of those who had {_name(row.text('variant'))}"
        did = _outcome(row)
    change = "more" if row.text("verdict") == "higher" else "fewer"
    return f"{said}, {change} {did} than of the control ({numbers.points(row.number('difference'))}, {_between(row)})."


def _name(value: str | None) -> str:
    return "unknown" if not value else charts.shortened(value, 60)


def _outcome(row: Row) -> str:
    outcome = row.text("outcome") or "unknown"
    return _OUTCOMES.get(outcome, outcome)


def _is_control(row: Row) -> bool:
    """Whether others are compared with this row; its verdict may refuse to report, as theirs may."""
    if row.has("variant"):
        return row.text("variant") == _CONTROL
    return row.text("exposure") == "not exposed"


def _refused(row: Row) -> bool:
    return row.text("verdict") not in (_CONTROL, *_FOUND, "no difference found")


def _verdict(row: Row) -> Cell:
    verdict = row.text("verdict")
    mark = {"higher": "▲ ", "lower": "▼ "}.get(verdict or "", "")
    return text(f"{mark}{verdict or numbers.NOT_KNOWN}", tone=_FOUND.get(verdict or "", "plain"))


def _between(row: Row) -> str:
    low, high = row.number("difference_low"), row.number("difference_high")
    return (
        ""
        if low is None or high is None
        else f"{numbers.points(low).split()[0]}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{numbers.points(high).split()[0]}"
    )


def _difference(row: Row) -> Cell:
    if _is_control(row):
        return number("–")
    if row.number("difference") is None:
        return number("not reported")
    return number(numbers.points(row.number("difference")), note=_between(row))


def _overview(experiments: Sequence[Row], promotions: Sequence[Row]) -> Section:
    return Section(
        title="All comparisons",
        said=["Differences from the control in percentage points, each with its 95 % interval."],
        pairs=[
            Table(
                caption="Experiments: each variant against its control",
                columns=("Experiment", "Difference", "Verdict"),
                rows=[
                    [
                        text(_name(row.text("experiment_id")), note=f"{_name(row.text('variant'))}: {_outcome(row)}"),
                        _difference(row),
                        _verdict(row),
                    ]
                    for row in experiments
                    if not _is_control(row)
                ],
                empty="no experiment met anybody in these days.",
            ),
            Table(
                caption="Promotions: who was shown the show, against who was not",
                columns=("Promotion", "Difference", "Verdict"),
                rows=[
                    [
                        text(_name(row.text("promotion_id")), note=named(row)),
                        _difference(row),
                        _verdict(row),
                    ]
                    for row in promotions
                    if not _is_control(row)
                ],
                empty="no promotion met anybody in these days.",
            ),
        ],
    )


def _experiment(index: int, experiment: str, rows: Sequence[Row]) -> Section:
    parts = [
        _estimates(
            f"experiment-{index}-{place}",
            f"{_name(experiment)}: {_outcome(found[0])}",
            found,
            [_name(row.text("variant")) for row in found],
        )
        for place, found in enumerate(
            list(of_one) for _, of_one in groupby(rows, key=lambda row: row.text("outcome") or "unknown")
        )
    ]
    return _section(f"Experiment {_name(experiment)}", rows, parts)


def _promotion(index: int, promotion: str, rows: Sequence[Row]) -> Section:
    labels = [_name(row.text("exposure")) for row in rows]
    title = f"Promotion {_name(promotion)}"
    return _section(title, rows, [_estimates(f"promotion-{index}", f"{title}: played the show", rows, labels)])


def _section(title: str, rows: Sequence[Row], parts: Sequence[Plot | Table]) -> Section:
    return Section(
        title=title,
        said=_said(rows),
        pairs=[part for part in parts if isinstance(part, Table)],
        plots=[part for part in parts if isinstance(part, Plot)],
    )


def _said(rows: Sequence[Row]) -> list[str]:
    said = []
    detectable = [value for row in rows if (value := row.number("detectable_difference")) is not None]
    if detectable:
        least = numbers.points(max(detectable)).removeprefix("+")
        said.append(f"With so many people a difference of {least} or more would be found four times of five.")
    both = max(
        (row.number("units_in_two_variants") or 0 for row in rows if row.has("units_in_two_variants")), default=0
    )
    if both:
        said.append(f"Left out, having met more than one variant: {numbers.plural(both, 'person', 'people')}.")
    return [" ".join(said)] if said else []


def _estimates(key: str, title: str, rows: Sequence[Row], labels: Sequence[str]) -> Plot | Table:
    """The estimates as a plot with its table; as the table alone where nothing is reported."""
    table = Table(
        caption=title,
        columns=("Variant", "People", "Share that did", "Difference", "Verdict"),
        rows=[
            [
                text(label),
                number(numbers.count(row.number("units")), note=f"{numbers.count(row.number('conversions'))} did"),
                _share(row),
                _difference(row),
                _verdict(row),
            ]
            for row, label in zip(rows, labels, strict=True)
        ],
    )
    compared = [(row, label) for row, label in zip(rows, labels, strict=True) if not _is_control(row)]
    if all(row.number("difference") is None for row, _ in compared):
        return table
    said = "; ".join(
        f"{label}: {row.text('verdict') or numbers.NOT_KNOWN}"
        + (f", {numbers.points(row.number('difference'))}, from {_between(row)}" if _between(row) else "")
        for row, label in compared
    )
    return Plot(
        title=title,
        svg=charts.intervals(
            key=key,
            title=title,
            description=f"Difference from the control with its 95 % interval. {said}.",
            rows=[
                charts.Interval(
                    label=label,
                    low=row.number("difference_low"),
                    middle=row.number("difference"),
                    high=row.number("difference_high"),
                    words=row.text("verdict") or numbers.NOT_KNOWN,
                )
                for row, label in compared
            ],
            text=numbers.points,
            zero="as the control",
        ),
        table=table,
    )


def _share(row: Row) -> Cell:
    low, high = row.number("converted_low_share"), row.number("converted_high_share")
    between = "" if low is None or high is None else f"{numbers.share(low)} to {numbers.share(high)}"
    share = row.number("converted_share")
    return number("not reported" if share is None else numbers.share(share), note=between)


REPORT = Report(
    name="experiments",
    label="Experiments",
    title="Experiments and promotions",
    question="Which variants and promotions changed what people did, and how sure is that?",
    reads=(Read(table=EXPERIMENT_EFFECTS), Read(table=PROMOTION_EFFECTS)),
    reading=(
        "An estimate covers the 28 days up to the day. Differences are in percentage points of the people who did it.",
        "In the plots an interval that leaves 0 out is filled, one that does not is hollow.",
        "A 95 % interval is what would hold the true difference in 19 of 20 such experiments. Of 20 comparisons "
        "without any effect, about one looks like a difference: the more there are, the more care.",
        "“Too little data” and “sample ratio mismatch” are refusals: the first would be a guess, the second means that "
        "people were not dealt evenly to the variants, so that the comparison itself is broken.",
        "A promotion is not drawn by lot: who was shown it may differ from who was not. Read it as a hint.",
    ),
    view=view,
)
