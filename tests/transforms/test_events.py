"""Raw rows into typed rows: which delivery counts, what is refused, what is personal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from pyspark.sql import functions as F  # noqa: N812

from contracts import events as contracts
from contracts.event import Event
from contracts.events import EVENTS
from contracts.lake_tables.events import EVENT_TABLES
from contracts.views.spark import schema_ddl
from transforms import events
from transforms.people import key_frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

pytestmark = pytest.mark.xdist_group("spark")
CLOCK = events.Clock(max_days_late=7, max_days_early=1)


def _contract(type: str) -> Event:
    found = contracts.by_type(type)
    assert found is not None
    return found


def _raw(spark: SparkSession, event: Event, rows: list[dict[str, Any]]) -> DataFrame:
    """Rows as the reader of raw files gives them; each holds what a test says, and what every landed row has."""
    texts = [
        json.dumps(
            {
                "event_type": event.type,
                "event_id": "e",
                "occurred_at": "2026-11-18 08:00:00.000",
                "arrived_at": "2026-11-18 08:00:01.000",
                "sequence_number": "1",
                **row,
            }
        )
        for row in rows
    ]
    lines = spark.sql("SELECT explode(from_json(:texts, 'array<string>')) AS line", args={"texts": json.dumps(texts)})
    ddl = f"{schema_ddl(event.table)}, `{events.CORRUPT}` string"
    parsed = lines.select(F.from_json("line", ddl).alias("row")).select("row.*")
    return parsed.withColumn("_file", F.lit("the/file.json.gz"))


def _once(spark: SparkSession, event: Event, rows: list[dict[str, Any]]) -> list[Row]:
    raw = _raw(spark, event, rows).drop("_file")
    return events.each_once(raw, event, CLOCK, key_frame(spark, "secret")).orderBy("event_id").collect()


def test_the_first_delivery_of_an_event_is_the_one_that_counts(spark: SparkSession) -> None:
    rows = [
        {"like_count": 3, "arrived_at": "2026-11-18 09:00:00.000", "sequence_number": "1"},
        {"like_count": 1, "arrived_at": "2026-11-18 08:00:01.000", "sequence_number": "5"},
        {"like_count": 2, "arrived_at": "2026-11-18 08:00:01.000", "sequence_number": "7"},
    ]
    assert [row["like_count"] for row in _once(spark, _contract("like"), rows)] == [1]


def test_equal_ids_on_two_days_are_two_events(spark: SparkSession) -> None:
    rows = [{}, {"occurred_at": "2026-11-17 23:59:59.999"}]
    assert len(_once(spark, _contract("like"), rows)) == 2


def test_a_person_is_a_key_and_a_thing_keeps_its_id(spark: SparkSession) -> None:
    rows = [
        {"event_id": "1", "user_id": "u-1", "follow_target_kind": "creator", "follow_target_id": "u-1"},
        {"event_id": "2", "user_id": "u-1", "follow_target_kind": "show", "follow_target_id": "show-1"},
        {"event_id": "3", "follow_target_id": "who-knows"},
    ]
    person, thing, unsaid = _once(spark, _contract("follow"), rows)

    assert person["follow_target_id"] is None
    assert person["follow_target_key"] == person["user_key"] != "u-1"
    assert person["details"] == {"follow_target_id": "u-1"}
    assert thing["follow_target_id"] == "show-1"
    assert thing["follow_target_key"] is None
    assert thing["details"] is None
    assert unsaid["follow_target_id"] is None, "a kind that is not told is taken for a person's"
    assert unsaid["details"] == {"follow_target_id": "who-knows"}


def test_every_other_personal_value_is_a_detail_as_text_or_json(spark: SparkSession) -> None:
    rows = [{"activity_text": "Back on air", "activity_mentions": ["u-2", "u-3"], "extra": '{"a":1}'}]
    (row,) = _once(spark, _contract("activity_update"), rows)
    assert row["details"] == {
        "activity_text": "Back on air",
        "activity_mentions": '["u-2","u-3"]',
        "extra": '{"a":1}',
    }


def test_only_events_with_something_personal_have_details(spark: SparkSession) -> None:
    raw = _raw(spark, _contract("like"), [{"event_id": "1"}, {"event_id": "2", "device_id": "d"}]).drop("_file")
    once = events.each_once(raw, _contract("like"), CLOCK, key_frame(spark, "secret"))
    (row,) = events.details(once).collect()
    assert (row["event_id"], row["event_type"], row["device_id"]) == ("2", "like", "d")
    assert row["device_key"]


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ({"event_id": None}, "missing_column", "event_id"),
        ({"occurred_at": None}, "missing_column", "occurred_at"),
        ({"arrived_at": None}, "missing_column", "arrived_at"),
        ({"occurred_at": "2026-11-11 08:00:00.999"}, "time_out_of_range", "occurred_at"),
        ({"occurred_at": "2026-11-19 08:00:01.001"}, "time_out_of_range", "occurred_at"),
        ({"occurred_at": "1970-01-01 00:00:00.000"}, "time_out_of_range", "occurred_at"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(spark: SparkSession, row: dict[str, Any], code: str, column: str) -> None:
    (found,) = events.refused(_raw(spark, _contract("like"), [row, {}]), _contract("like"), CLOCK).collect()
    assert (found["reason_code"], found["column_name"], found["source"]) == (code, column, "like")
    assert found["file"] == "the/file.json.gz"
    assert json.loads(found["original"])["event_type"] == "like"


def test_three_days_late_and_an_hour_early_are_in_range(spark: SparkSession) -> None:
    rows = [
        {"event_id": "1", "occurred_at": "2026-11-15 08:00:00.000"},
        {"event_id": "2", "occurred_at": "2026-11-18 09:00:00.000"},
    ]
    raw = _raw(spark, _contract("like"), rows)
    assert events.refused(raw, _contract("like"), CLOCK).collect() == []
    assert len(_once(spark, _contract("like"), rows)) == 2


def test_what_may_be_of_any_age_may_be_years_old_and_yet_not_ahead_of_its_arrival(spark: SparkSession) -> None:
    entry = _contract("show_catalog_entry")
    rows = [
        {"event_id": "1", "occurred_at": "2019-01-01 00:00:00.000"},
        {"event_id": "2", "occurred_at": "2026-11-20 08:00:00.000"},
    ]
    clock = events.Clock(max_days_late=None, max_days_early=1)
    (found,) = events.refused(_raw(spark, entry, rows), entry, clock).collect()
    assert (found["event_id"], found["reason_code"]) == ("2", "time_out_of_range")
    assert entry.any_age
    assert EVENT_TABLES[entry.type].partition == ()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_every_contract_gives_its_shared_table(spark: SparkSession, event: Event) -> None:
    raw = spark.createDataFrame(spark.sparkContext.emptyRDD(), f"{schema_ddl(event.table)}, {events.CORRUPT} string")
    once = events.each_once(raw, event, CLOCK, key_frame(spark, "secret"))
    found = {field.name: field.dataType.simpleString() for field in events.shared(once, event).schema}
    assert found == {column.name: column.type for column in EVENT_TABLES[event.type].columns}
    assert events.details(once).columns
