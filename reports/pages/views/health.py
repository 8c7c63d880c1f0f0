"""Data health: whether the numbers of the day can be trusted: fresh, whole, in time, accepted, of the known shape."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.report_tables.health import DATA_HEALTH, HEALTH_JOBS, HEALTH_QUARANTINE
from reports.pages import charts, numbers
from reports.pages.parts import Cell, Figure, Read, Report, Section, Table, View, number, part_of, text
from reports.pages.rows import Row, Rows
from reports.pages.views.comparing import change_cell, greatest, total

_MUCH_LATE, _MUCH_REJECTED, _LITTLE = 0.05, 0.01, 0.5


def view(rows: Rows) -> View:
    """What the tables of health say of one day."""
    tables, jobs = rows.today(DATA_HEALTH.name), rows.today(HEALTH_JOBS.name)
    quarantine = rows.today(HEALTH_QUARANTINE.name)
    concerns = [(row, why) for row in tables if (why := _concerns(row))]
    failed = [row for row in jobs if (row.number("runs_failed") or 0) + (row.number("runs_refused") or 0)]
    said = [
        *(f"{_words(row.text('table_name'))}: {'; '.join(why)}." for row, why in concerns),
        *(f"Job {_words(row.text('job'))}: {_failures(row)}." for row in failed),
    ]
    late, rejected = _share(tables, "rows_late", "row_count"), _rejected_share(tables)
    return View(
        answer=f"{numbers.plural(len(said), 'thing asks', 'things ask')} for a closer look."
        if said
        else "All tables are fresh, whole and in time, and every job did what it should.",
        warn=bool(said),
        details=said,
        figures=[
            Figure(label="Tables looked at", value=numbers.count(len(tables))),
            Figure(label="Rows of the day", value=numbers.count(total(tables, "row_count"))),
            Figure(label="Over an hour late", value=numbers.share(late), note="of events"),
            Figure(label="Rejected by jobs", value=numbers.share(rejected), note="of rows and refused rows"),
            Figure(
                label="Quarantined on arrival", value=numbers.count(total(quarantine, "records") or 0), note="records"
            )
            if quarantine or rows.last_day(HEALTH_QUARANTINE.name)
            else Figure(label="Quarantined on arrival", value=numbers.NOT_KNOWN),
        ],
        sections=[_tables(tables), _jobs(jobs), _refused(quarantine)],
    )


def _words(name: str | None) -> str:
    return charts.shortened((name or "unknown").replace("_", " "), 60)


def _stale(row: Row) -> bool | None:
    age, allowed = row.number("hours_since_newest"), row.number("freshness_hours")
    return None if age is None or allowed is None else age > allowed


def _concerns(row: Row) -> list[str]:
    """What is wrong with a table, in words; empty when nothing is."""
    found = []
    now, usual = row.number("row_count"), row.number("row_count_mean_28_days")
    if _stale(row):
        found.append(f"its newest row is {_hours(row.number('hours_since_newest'))} old")
    if row.number("hours_since_newest") is None and usual:
        found.append("it has no row in 29 days")
    if now is not None and usual and now < usual * _LITTLE:
        found.append(f"{numbers.count(now)} rows where {numbers.count(usual)} are usual")
    if (row.number("late_share") or 0) > _MUCH_LATE:
        found.append(f"{numbers.share(row.number('late_share'))} came late")
    if (row.number("rejected_share") or 0) > _MUCH_REJECTED:
        found.append(f"{numbers.share(row.number('rejected_share'))} were rejected")
    if row.flag("schema_changed"):
        found.append(
            f"its schema moved from version {numbers.count(row.number('schema_version_before'))} to "
            f"{numbers.count(row.number('schema_version'))}"
        )
    return found


def _failures(row: Row) -> str:
    failed = numbers.plural(row.number("runs_failed"), "run", "runs")
    return f"{failed} failed, {numbers.count(row.number('runs_refused'))} refused"


def _hours(value: float | None) -> str:
    return numbers.NOT_KNOWN if value is None else numbers.duration(value * 60)


def _share(rows: Sequence[Row], part: str, whole: str) -> float | None:
    """A share over the rows where both are known; None where there is no whole."""
    known = [row for row in rows if row.number(part) is not None and row.number(whole) is not None]
    of = total(known, whole)
    return (total(known, part) or 0) / of if of else None


def _rejected_share(rows: Sequence[Row]) -> float | None:
    known = [row for row in rows if row.number("rows_rejected") is not None]
    rejected, kept = total(known, "rows_rejected") or 0, total(known, "row_count") or 0
    return rejected / (rejected + kept) if rejected + kept else None


def _state(row: Row) -> Cell:
    why = _concerns(row)
    return text("! look", note="; ".join(why), tone="bad") if why else text("✓ well", tone="good")


def _tables(found: Sequence[Row]) -> Section:
    ordered = sorted(found, key=lambda row: (not _concerns(row), -(row.number("row_count") or 0)))
    top = greatest(ordered, "row_count")
    return Section(
        title="Tables",
        tables=[
            Table(
                caption="Tables, those that ask for a look first",
                columns=("Table", "State", "Rows", "Against the mean", "Newest row", "Late", "Rejected", "Schema"),
                rows=[
                    [
                        text(_words(row.text("table_name"))),
                        _state(row),
                        number(numbers.count(row.number("row_count")), bar=part_of(row.number("row_count"), top)),
                        change_cell(
                            row.number("row_count"), row.number("row_count_mean_28_days"), "", better="neither"
                        ),
                        number(_hours(row.number("hours_since_newest"))),
                        number(_known_share(row, "late_share", "rows_late")),
                        number(_known_share(row, "rejected_share", "rows_rejected")),
                        number("–" if (version := row.number("schema_version")) is None else f"v{version:.0f}"),
                    ]
                    for row in ordered
                ],
                empty="none was looked at.",
            )
        ],
    )


def _known_share(row: Row, share: str, count: str) -> str:
    """The share; a dash where the table does not count such rows, or had none to count among."""
    return "–" if row.number(share) is None and not row.number(count) else numbers.share(row.number(share))


def _jobs(found: Sequence[Row]) -> Section:
    return Section(
        title="Jobs",
        tables=[
            Table(
                caption="Jobs that began on the day",
                columns=("Job", "Runs", "Failed", "Rows in", "Rows out", "Rejected", "Longest run"),
                rows=[
                    [
                        text(_words(row.text("job"))),
                        number(numbers.count(row.number("runs"))),
                        _failed(row),
                        number(numbers.count(row.number("rows_in"))),
                        number(numbers.count(row.number("rows_out"))),
                        number(_known_share(row, "rejected_share", "rows_rejected")),
                        number(
                            numbers.NOT_KNOWN
                            if (longest := row.number("longest_ms")) is None
                            else numbers.duration(longest / 60_000)
                        ),
                    ]
                    for row in sorted(found, key=lambda row: row.text("job") or "")
                ],
                empty="no job ran on this day.",
            )
        ],
    )


def _failed(row: Row) -> Cell:
    failed, refused = row.number("runs_failed") or 0, row.number("runs_refused") or 0
    if not failed + refused:
        return number("0")
    return number(f"! {failed + refused:,.0f}", tone="bad", note=_failures(row))


def _refused(found: Sequence[Row]) -> Section:
    ordered = sorted(found, key=lambda row: -(row.number("records") or 0))
    top = greatest(ordered, "records")
    return Section(
        title="Quarantine",
        said=["Records that were refused as they arrived, by what they said they were."],
        tables=[
            Table(
                caption="Refused records by type and reason",
                columns=("Type", "Reason", "Records"),
                rows=[
                    [
                        Cell(text=_words(row.text("event_type")), foreign=True),
                        text(_words(row.text("reason_code"))),
                        number(numbers.count(row.number("records")), bar=part_of(row.number("records"), top)),
                    ]
                    for row in ordered
                ],
                empty="nothing was refused on this day.",
            )
        ],
    )


REPORT = Report(
    name="health",
    label="Data health",
    title="Data health",
    question="Can the numbers of this day be trusted?",
    reads=(Read(table=DATA_HEALTH), Read(table=HEALTH_JOBS), Read(table=HEALTH_QUARANTINE)),
    reading=(
        "A table asks for a look when its newest row is older than its contract allows, when it has less than half its "
        "usual rows, when more than 5 % came late or more than 1 % were rejected, or when its schema moved.",
        "Late rows are counted once they are there: yesterday's number may still grow.",
        "Rejected rows and quarantined records are kept, with their reason, and can be put back after a fix.",
    ),
    view=view,
)
