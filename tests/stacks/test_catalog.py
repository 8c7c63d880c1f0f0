"""The Glue catalog is the contracts, column for column, over the folders that Firehose writes."""

from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import Stack, aws_glue, aws_s3

from building_blocks.catalog_table import CatalogTable, arrival_hours, one_of
from config import STAGES
from config.model import Part
from contracts.event import Event
from contracts.events import EVENTS
from contracts.model import Column, Table
from contracts.tables import QUARANTINE, UNKNOWN
from contracts.views import glue
from stacks import data_lake
from tests.stacks.assembly import Assembly, flat, synthesize

TABLES = {table.name: table for table in (*(event.table for event in EVENTS), UNKNOWN, QUARANTINE)}


def _tables(assembly: Assembly) -> dict[str, dict[str, object]]:
    return {
        each.properties["TableInput"]["Name"]: each.properties["TableInput"]
        for each in assembly.resources("AWS::Glue::Table")
    }


def test_there_is_one_table_per_contract_and_no_other(assembly: Assembly) -> None:
    assert set(_tables(assembly)) == set(TABLES)
    assert len(assembly.resources("AWS::Glue::Table")) == len(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_its_contract_s_columns_in_order(name: str, dev: Assembly) -> None:
    descriptor = _tables(dev)[name]["StorageDescriptor"]
    assert isinstance(descriptor, dict)
    assert descriptor["Columns"] == [
        {"Name": column.name, "Type": column.type, "Comment": column.comment} for column in glue.columns(TABLES[name])
    ]


def test_a_column_added_to_a_contract_shows_in_its_table_without_another_edit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = EVENTS[0]
    added = Column(path="mood.colour", type="string", description="A column that was not there before.")
    changed = _with_column(first, added)
    monkeypatch.setattr(data_lake, "EVENTS", (changed, *EVENTS[1:]))
    assembly = synthesize(replace(STAGES["dev"], parts=frozenset({Part.DATA_LAKE})), tmp_path)
    descriptor = _tables(assembly)[first.table.name]["StorageDescriptor"]
    assert isinstance(descriptor, dict)
    assert {"Name": "mood_colour", "Type": "string", "Comment": added.description} in descriptor["Columns"]


def _with_column(event: Event, column: Column) -> Event:
    return replace(event, columns=(*event.columns, column))


def test_athena_finds_a_file_in_its_hour_without_a_crawler(dev: Assembly) -> None:
    for name, table in _tables(dev).items():
        parameters = table["Parameters"]
        assert isinstance(parameters, dict)
        assert parameters["projection.enabled"] == "true"
        assert parameters["projection.arrival.type"] == "date"
        assert parameters["projection.arrival.format"] == "yyyy-MM-dd-HH"
        assert parameters["projection.arrival.interval"] == "1"
        assert parameters["projection.arrival.interval.unit"] == "HOURS"
        assert parameters["projection.arrival.range"].endswith(",NOW+1HOURS"), name
        assert flat(parameters["storage.location.template"]).endswith("/arrival=${arrival}/")


@pytest.mark.parametrize("table", [event.table for event in EVENTS] + [UNKNOWN], ids=lambda table: table.name)
def test_an_event_table_looks_where_firehose_puts_its_events(table: Table, dev: Assembly) -> None:
    prefix = dev.one("AWS::KinesisFirehose::DeliveryStream").properties["ExtendedS3DestinationConfiguration"]["Prefix"]
    written = (
        prefix.replace("!{partitionKeyFromLambda:zone}", "events")
        .replace("!{partitionKeyFromLambda:type}", table.name)
        .replace("!{partitionKeyFromLambda:arrival}", "${arrival}")
    )
    assert _template_of(dev, table.name).endswith(f"/{written}")


def test_the_quarantine_looks_where_firehose_puts_refused_records_of_any_type(dev: Assembly) -> None:
    assert _template_of(dev, QUARANTINE.name).endswith("/quarantine/type=${type}/arrival=${arrival}/")
    parameters = _tables(dev)[QUARANTINE.name]["Parameters"]
    assert isinstance(parameters, dict)
    assert parameters["projection.type.type"] == "enum"
    assert set(parameters["projection.type.values"].split(",")) == {*(event.type for event in EVENTS), "unknown"}


def _template_of(assembly: Assembly, name: str) -> str:
    parameters = _tables(assembly)[name]["Parameters"]
    assert isinstance(parameters, dict)
    return flat(parameters["storage.location.template"])


def test_a_partition_named_like_a_column_is_refused() -> None:
    stack = Stack()
    database = aws_glue.CfnDatabase(
        stack,
        "Database",
        catalog_id="1",
        database_input=aws_glue.CfnDatabase.DatabaseInputProperty(name="raw"),
    )
    with pytest.raises(ValueError, match=r"partition keys named like its columns.*event_type"):
        CatalogTable(
            stack,
            "Table",
            contract=UNKNOWN,
            database=database,
            bucket=aws_s3.Bucket(stack, "Bucket"),
            prefix="events/",
            partitions=[one_of(name="event_type", values=["a"]), arrival_hours(since="2026-01-01-00")],
        )
