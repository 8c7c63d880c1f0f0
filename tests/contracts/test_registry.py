"""What holds for every event that is declared; a new event is tested on arrival."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contracts import publishing
from contracts.__main__ import write_docs, write_schemas
from contracts.event import Event
from contracts.events import EVENTS, by_type
from contracts.model import Column
from contracts.reasons import ContractViolation
from contracts.tables import QUARANTINE, UNKNOWN
from contracts.views import glue, json_schema, redshift, rows, spark
from contracts.views.docs import event_page
from contracts.views.samples import sample

ROOT = Path(publishing.__file__).parent.parent
every_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)


def test_no_two_events_share_a_type_and_none_takes_a_platform_tables_name() -> None:
    types = [event.type for event in EVENTS]
    assert len(set(types)) == len(types)
    assert not {UNKNOWN.name, QUARANTINE.name} & set(types)


@every_event
def test_an_event_is_found_by_its_type(event: Event) -> None:
    assert by_type(event.type) is event


@every_event
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("index", range(4))
def test_a_sample_fills_its_columns_and_leaves_nothing_over(event: Event, full: bool, index: int) -> None:
    row = rows.reader(event).read(sample(event, index=index, full=full))
    expected = {column.name for column in event.sent if full or column.required}
    assert set(row.columns) == expected
    assert (row.extra, row.unknown_fields) == ({}, 0)


@every_event
def test_every_required_column_is_missed_by_name(event: Event) -> None:
    reader = rows.reader(event)
    for column in event.sent:
        if not column.required:
            continue
        body = sample(event, full=False)
        node = body
        for key in column.keys[:-1]:
            node = node[key]  # type: ignore[assignment]
        node[column.keys[-1]] = None
        with pytest.raises(ContractViolation) as caught:
            reader.read(body)
        assert (caught.value.reason.value, caught.value.column) == ("missing_column", column.name)


@every_event
def test_every_view_holds_every_column(event: Event) -> None:
    names = [column.name for column in event.table.columns]
    assert [column.name for column in glue.columns(event.table)] == names
    ddl = redshift.create_table(event.table, schema="raw")
    for name in names:
        assert f"`{name}` " in spark.schema_ddl(event.table)
        assert f'"{name}" ' in ddl


@every_event
@pytest.mark.parametrize("full", [True, False])
def test_a_sample_is_valid_by_the_schema_that_producers_get(event: Event, full: bool) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="needs jsonschema: install requirements-dev.txt")
    schema = json_schema.schema(event)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(sample(event, full=full))), schema)


@every_event
def test_nothing_that_was_published_is_broken(event: Event) -> None:
    assert publishing.unpublished(event) == [], f"{event.type}: run `make docs`, which publishes new columns"
    assert publishing.breaking_changes(event) == []


def test_no_published_event_was_withdrawn() -> None:
    assert publishing.withdrawn({event.type for event in EVENTS}) == []


def test_the_pages_in_docs_are_what_the_contracts_give(tmp_path: Path) -> None:
    pages, schemas = write_docs(tmp_path / "data"), write_schemas(tmp_path / "data" / "schemas")
    for path in [*pages, *schemas]:
        committed = ROOT / "docs" / path.relative_to(tmp_path)
        text = committed.read_text() if committed.exists() else ""
        assert text == path.read_text(), f"{committed.name} is stale: run `make docs`"


def test_people_are_marked_wherever_an_event_names_one() -> None:
    unmarked = [
        f"{event.type}.{column.name}"
        for event in EVENTS
        for column in event.table.columns
        if ("user_id" in column.name or column.name.endswith(("_text", "_comment", "_mentions")))
        and not column.personal
    ]
    assert unmarked == []


def _with(event: Event, *columns: Column) -> Event:
    return Event(
        type=event.type,
        version=event.version,
        owner=event.owner,
        description=event.description,
        columns=(*event.columns, *columns),
    )


@every_event
def test_an_added_optional_column_shows_everywhere_and_breaks_nothing(event: Event) -> None:
    added = Column(path="device.locale", type="bigint", description="A column of this test.")
    grown = _with(event, added)
    assert publishing.breaking_changes(grown) == []
    assert ("device_locale", "bigint") in {(column.name, column.type) for column in glue.columns(grown.table)}
    assert "`device_locale` bigint" in spark.schema_ddl(grown.table)
    assert '"device_locale" BIGINT' in redshift.create_table(grown.table, schema="raw")
    assert "locale" in json_schema.schema(grown)["properties"]["device"]["properties"]  # type: ignore[index]
    body = sample(grown)
    assert "locale" in body["device"]  # type: ignore[operator]
    assert rows.reader(grown).read(body).columns["device_locale"] == body["device"]["locale"]  # type: ignore[index]
    assert "`device_locale`" in event_page(grown)


@every_event
def test_a_removed_retyped_or_newly_required_column_is_refused(event: Event) -> None:
    first, *rest = event.columns
    removed = Event(type=event.type, version=1, owner="o", description="d", columns=tuple(rest))
    assert any("was removed" in text for text in publishing.breaking_changes(removed))
    other = "double" if first.type != "double" else "string"
    retyped = Column(
        path=first.path, type=other, description=first.description, required=first.required, personal=first.personal
    )
    changed = Event(type=event.type, version=1, owner="o", description="d", columns=(retyped, *rest))
    assert any(f"and is {other}" in text for text in publishing.breaking_changes(changed))
    demanding = _with(event, Column(path="brand_new", type="string", description="New.", required=True))
    assert any("is required" in text for text in publishing.breaking_changes(demanding))


def test_a_column_that_was_added_is_held_to_what_it_is_once_it_is_published(tmp_path: Path) -> None:
    event = EVENTS[0]
    assert publishing.publish(event, root=tmp_path)
    assert not publishing.publish(event, root=tmp_path)
    grown = _with(event, Column(path="more", type="string", description="More."))
    assert publishing.unpublished(grown, root=tmp_path) == ["more"]
    assert publishing.publish(grown, root=tmp_path)
    assert publishing.unpublished(grown, root=tmp_path) == []
    assert any("'more' was removed" in text for text in publishing.breaking_changes(event, root=tmp_path))
    retyped = _with(event, Column(path="more", type="bigint", description="More."))
    assert any("'more' was string" in text for text in publishing.breaking_changes(retyped, root=tmp_path))


def test_publishing_never_changes_what_was_published(tmp_path: Path) -> None:
    event = EVENTS[0]
    publishing.publish(event, root=tmp_path)
    before = publishing.path_of(event, root=tmp_path).read_text()
    demanding = _with(event, Column(path="more", type="string", description="More.", required=True))
    assert not publishing.publish(demanding, root=tmp_path)
    assert publishing.path_of(event, root=tmp_path).read_text() == before
    assert any("is required" in text for text in publishing.breaking_changes(demanding, root=tmp_path))
