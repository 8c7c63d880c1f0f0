"""The catalog: shows, their versions and what the catalog tells about changes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from contracts import events
from contracts.views import rows
from rehearsal.scenario.population import Population, PopulationSettings
from rehearsal.scenario.population.settings import epoch_ms

NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)
POPULATION = Population(PopulationSettings(now=NOW, history_days=7))
CHANGES = POPULATION.show_changes()


def test_there_are_as_many_shows_as_asked_for_each_with_its_id() -> None:
    shows = POPULATION.shows
    assert len({show["id"] for show in shows}) == len(shows) == 300
    assert len({show["title"] for show in shows}) > 100


def test_shows_follow_the_contract_some_without_optional_parts_some_with_unknown_ones() -> None:
    contract = events.by_type("show_catalog_entry")
    assert contract is not None
    unknown = missing = 0
    for show in POPULATION.shows:
        body = {"event_type": contract.type, "occurred_at": epoch_ms(NOW), "show": show}
        row = rows.reader(contract).read(json.loads(json.dumps(body)))
        unknown += bool(row.unknown_fields)
        missing += "schedule" not in show or "description" not in show
    assert 10 < unknown < 120
    assert 10 < missing < 120


def test_changes_announce_every_old_show_and_lie_in_the_live_window_in_order() -> None:
    kinds = Counter(change.change for change in CHANGES)
    assert kinds["announced"] + kinds["added"] == 300
    assert min(kinds[kind] for kind in ("added", "updated", "withdrawn")) >= 1
    times = [change.changed_at_ms for change in CHANGES]
    assert times == sorted(times)
    assert epoch_ms(NOW - timedelta(minutes=60)) <= times[0] <= times[-1] < epoch_ms(NOW)


def test_versions_grow_with_each_change_and_end_at_what_the_catalog_answers() -> None:
    versions: dict[str, list[int]] = {}
    last: dict[str, dict[str, object]] = {}
    for change in CHANGES:
        assert change.show["version"] == change.version
        assert change.show["id"] == change.show_id
        versions.setdefault(change.show_id, []).append(change.version)
        last[change.show_id] = change.show
    assert any(len(found) == 3 for found in versions.values())
    for found in versions.values():
        assert found == list(range(found[0], found[0] + len(found)))
    assert {show["id"]: show for show in POPULATION.shows} == last


def test_a_withdrawn_show_says_so() -> None:
    withdrawn = [change.show for change in CHANGES if change.change == "withdrawn"]
    assert {show["status"] for show in withdrawn} == {"withdrawn"}


def test_a_show_that_is_changed_by_its_reader_stays_as_it_was() -> None:
    POPULATION.shows[0].clear()
    show = POPULATION.shows[0]
    creator = show["creator"]
    assert isinstance(creator, dict)
    creator["name"] = "changed"
    assert POPULATION.shows[0] != show


def test_history_tells_older_versions_before_newer_ones() -> None:
    versions: dict[str, list[int]] = {}
    for event in POPULATION.history():
        show = event.get("show")
        if event["event_type"] == "show_catalog_entry" and isinstance(show, dict):
            versions.setdefault(str(show["id"]), []).append(int(show["version"]))
    assert sum(len(found) > 1 for found in versions.values()) > 10
    assert all(found == sorted(set(found)) for found in versions.values())
    live = {change.show_id: change.version for change in CHANGES if change.change == "announced"}
    assert {show_id: found[-1] for show_id, found in versions.items()} == live


def test_an_update_changes_something_a_reader_can_see() -> None:
    before = {show["id"]: show for show in POPULATION.shows_at(POPULATION.settings.live_start_ms)}
    updated = [change for change in CHANGES if change.change == "updated" and change.show_id in before]
    assert updated
    for change in updated:
        assert change.show != before[change.show_id]
        assert str(change.show["updated_at"]) > str(before[change.show_id]["updated_at"])
