"""Pages of what the models really give on DuckDB: its dates, decimals and moments, by the columns of models."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from reports import running
from reports.pages import page
from reports.pages.views import REPORTS
from tests.reports.pages import examples, reading
from tests.reports.small_lake import DAY, SmallLake, at


def _results(lake: SmallLake) -> dict[str, list[dict[str, object]]]:
    """The rows of all result tables that pages read, as DuckDB hands them to Python."""
    found = {}
    for name in page.reads():
        answer = lake.connection.execute(f"select * from reports.{name}")
        columns = [column for column, *_ in answer.description]
        found[name] = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
    return found


def test_pages_show_what_a_run_gives(lake: SmallLake) -> None:
    lake.show(
        "a", at("01:00"), show_title=examples.UGLY, show_status="live", show_creator_key="c0ffee", show_language="en"
    )
    lake.statistics(DAY, "a", listeners=2, sessions=3, minutes_listened=Decimal("200.000"), peak_concurrency=2)
    lake.statistics(DAY - timedelta(days=1), "a", listeners=1, sessions=1, minutes_listened=Decimal("50.000"))
    lake.heard("u1", "a", at("08:00"), at("09:00"))
    lake.heard("u2", "a", at("08:00"), at("09:30"))
    lake.session("u1", "a", at("08:00"), at("09:00"))
    lake.session("u2", "a", at("08:00"), at("09:30"))
    outcome = running.run(lake.connection, day=DAY)
    assert outcome.failures == []
    rows = _results(lake)
    texts = {one.name: reading.read(page.render(one.name, DAY, rows)).text for one in REPORTS}
    assert "2 listeners heard 3 h 20 min, 300.0 % more than the day before." in texts["flash"]
    # 50 minutes became 200 by this show alone.
    assert f"{examples.UGLY} 50 min → 3 h 20 min ▲ +2 h 30 min 100 %" in texts["flash"]
    assert "1 change: 1 added." in texts["flash"]
    # The week has Tuesday's 50 minutes as well.
    assert "2 listeners heard 4 h 10 min in this week so far. The week so far: 3 days." in texts["week"]
    assert "Not compared with the year before:" in texts["month"]
    assert "First language: \N{FIRST STRONG ISOLATE}en\N{POP DIRECTIONAL ISOLATE}, with 100 %" in texts["categories"]
    assert "playback metric" in texts["health"]


def test_pages_of_a_lake_without_a_row_say_that_nothing_happened(lake: SmallLake) -> None:
    running.run(lake.connection, day=DAY)
    rows = _results(lake)
    texts = {one.name: reading.read(page.render(one.name, DAY, rows)).text for one in REPORTS}
    assert "Nobody listened on this day." in texts["flash"]
    assert "Nobody was active on this day." in texts["engagement"]
    assert "There is nothing to report for this day yet." in texts["categories"]
    for name, text in texts.items():
        assert "None" not in text.replace("None of", ""), name
