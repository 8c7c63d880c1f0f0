"""Trending on the generated population: its surge is found in time, its storms and its nights are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.lake_tables.events import EVENT_TABLES
from rehearsal.scenario import second_opinion
from reports import running
from tests.reports.population_lake import NOW, TYPES, PopulationLake, population_lake

PROMISED = timedelta(minutes=20)
"""From a surge's beginning to its place on the list, when the list is made every five minutes."""
ON_THE_WAY = timedelta(minutes=2)
"""From the stream to the raw zone, at most, which the events of a list made at `as_of` have behind them."""


def _trending_now(lake: PopulationLake, as_of: datetime) -> list[str]:
    running.run(lake.connection, day=as_of.date(), as_of=as_of, models=["trending_now"])
    return [row["show_id"] for row in lake.rows("select show_id from reports.trending_now where is_trending")]


def test_the_surge_is_listed_within_the_promised_delay_and_nothing_else_is() -> None:
    lake = population_lake()
    surge = lake.population.truth.surge
    began = datetime.fromtimestamp(surge.start_ms / 1000, UTC)
    lists = {
        made_at: _trending_now(lake, made_at - ON_THE_WAY)
        for made_at in (NOW - timedelta(minutes=minutes) for minutes in range(60, -1, -5))
    }
    assert {show for shows in lists.values() for show in shows} == {surge.show_id}
    found = [made_at for made_at, shows in lists.items() if shows]
    assert timedelta(0) < min(found) - began <= PROMISED
    assert found == [made_at for made_at in lists if made_at >= min(found)]


def test_a_storm_of_bots_is_activity_and_no_trend() -> None:
    lake = population_lake()
    storm = lake.population.truth.storms[0]
    day = datetime.fromtimestamp(storm.start_ms / 1000, UTC).date()
    running.run(lake.connection, day=day, models=["trending_settled"])
    (row,) = lake.rows(
        f"from reports.trending_settled where show_id = '{storm.show_id}' and as_of = timestamp '{day} 10:00:00'"
    )
    assert row["usual_weeks"] > 0
    assert row["activity_of_all"] > 15  # five bots with the taps of one hour: 5 × 4, of which some is another's
    assert (row["listeners"], row["is_trending"]) == (0, False)


@pytest.mark.parametrize("day", [date(2026, 11, 11), date(2026, 11, 14), date(2026, 11, 16)])
def test_an_ordinary_day_and_its_night_have_no_trend(day: date) -> None:
    lake = population_lake()
    running.run(lake.connection, day=day, models=["trending_settled"])
    hours = lake.rows(
        "select as_of, bool_or(is_trending) as trends "
        f"from reports.trending_settled where day = date '{day}' group by 1"
    )
    assert len(hours) == 24
    assert not any(hour["trends"] for hour in hours)


def test_activity_of_all_is_the_score_of_trending_shows() -> None:
    lake = population_lake()
    for event_type in TYPES:
        assert event_type in EVENT_TABLES
        lake.connection.execute(f'create or replace view "{event_type}" as from transformed."{event_type}"')
    for event_type in ("poll_vote", "show_catalog_entry"):
        lake.connection.execute(f'create or replace view "{event_type}" as from transformed."{event_type}"')
    second_opinion.prepare(lake.connection)
    day = NOW.date() - timedelta(days=1)
    running.run(lake.connection, day=day, models=["trending_settled"])
    as_of = [datetime(day.year, day.month, day.day, hour, tzinfo=UTC) for hour in (4, 12, 20)]
    lake.connection.execute(
        "create or replace temp table opinion_ranks as "
        "from opinion.trending_shows(?::timestamp[]) where window_hours = 6",
        [second_opinion.as_of_parameter(as_of)],
    )
    compared = lake.rows(
        """
        select ranks.activity_of_all, opinion_ranks.score,
            ranks.minutes_listened, opinion_ranks.minutes_listened as minutes
        from reports.trending_settled as ranks inner join opinion_ranks using (as_of, show_id)
        """
    )
    assert len(compared) > 100
    assert [row["activity_of_all"] for row in compared] == pytest.approx([row["score"] for row in compared], abs=1e-4)
    assert [row["minutes_listened"] for row in compared] == [row["minutes"] for row in compared]
