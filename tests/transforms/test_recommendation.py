"""Training rows of recommendation: worked out by hand, and the same whatever the future brings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from pyspark.sql import SparkSession

from contracts.data_sets import SPLIT_SALT
from contracts.lake_tables.data_sets import SHOW_RECOMMENDATION
from contracts.lake_tables.events import EVENT_TABLES
from tests.transforms import model_events
from tests.transforms.frames import Row, frame, rows
from tests.transforms.generated import events as generated
from transforms import recommendation

pytestmark = pytest.mark.xdist_group("spark")

FIRST, SECOND = "2026-10-26 00:00:00", "2026-11-02 00:00:00"


def made(spark: SparkSession, events: Mapping[str, Sequence[Row]], start: datetime, end: datetime) -> list[Row]:
    """The rows of the moments of a window."""
    frames = {table.name: frame(spark, table, events.get(table.name, ())) for table in SHOW_RECOMMENDATION.reads}
    period = SHOW_RECOMMENDATION.period(start, end)
    try:
        return rows(recommendation.show_recommendation(recommendation.Events(**frames), period=period))
    finally:
        spark.catalog.clearCache()


@pytest.fixture(scope="module")
def by_hand(spark: SparkSession) -> list[Row]:
    """The rows of the events whose answers were worked out."""
    return made(spark, model_events.LISTENING, datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC))


def without_labels(found: Sequence[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in SHOW_RECOMMENDATION.labels} for row in found]


def split_of(key: str) -> str:
    """As the contract says: a hundredth by the first 32 bits of SHA-256 under the salt."""
    hundredth = int(hashlib.sha256(f"{SPLIT_SALT}{key}".encode()).hexdigest()[:8], 16) % 100
    return "train" if hundredth < 80 else "validation" if hundredth < 90 else "test"


def test_rows_are_those_worked_out_by_hand(by_hand: list[Row]) -> None:
    """As of 2 November anna heard 30 of her 40 minutes in show-a, ben 20 of his 21 in show-b and one in show-w."""
    of = {(row["listener_key"], row["show_id"]): row for row in by_hand if row["as_of"] == SECOND}

    assert sorted(of) == [
        ("anna", "show-a"),
        ("anna", "show-b"),
        ("anna", "show-n"),
        ("ben", "show-a"),
        ("ben", "show-b"),
    ]
    of_show_a = {
        "as_of": SECOND, "show_id": "show-a", "time_split": "test",
        "show_topic": "music", "show_language": "en", "show_explicit": False, "show_status": "live",
        "show_age_days": 32.0, "show_listeners": 1, "show_minutes": 31.0, "show_recent_listeners": 1,
        "show_recent_minutes": 10.0, "show_hours_since_heard": 52.0,
        "creator_key": "creator-1", "creator_shows": 2, "creator_listeners": 2, "creator_minutes": 32.0,
    }  # fmt: skip
    assert of["anna", "show-a"] == of_show_a | {
        "listener_key": "anna", "split": split_of("anna"),
        "listener_sessions": 3, "listener_shows": 2, "listener_minutes": 40.0, "listener_hours_since_heard": 39.0,
        "topic_affinity": 0.75, "creator_affinity": 0.75, "follows_show": False, "follows_creator": True,
        "pair_sessions": 2, "pair_minutes": 30.0, "pair_hours_since_heard": 52.0,
        "pair_likes": 3, "pair_calls": 1, "pair_chat_messages": 0, "pair_impressions": 0,
        "label_minutes": 5.0, "label_listened": True, "label_followed": False, "label_impressions": 0,
    }  # fmt: skip
    assert of["ben", "show-a"] == of_show_a | {
        "listener_key": "ben", "split": split_of("ben"),
        "listener_sessions": 2, "listener_shows": 2, "listener_minutes": 21.0, "listener_hours_since_heard": 516.0,
        "topic_affinity": 1 / 21, "creator_affinity": 1 / 21, "follows_show": False, "follows_creator": False,
        "pair_sessions": 0, "pair_minutes": 0.0, "pair_hours_since_heard": None,
        "pair_likes": 0, "pair_calls": 0, "pair_chat_messages": 0, "pair_impressions": 2,
        "label_minutes": 0.0, "label_listened": False, "label_followed": False, "label_impressions": 1,
    }  # fmt: skip
    assert of["ben", "show-b"].items() >= {
        "show_topic": "talk", "creator_key": "creator-2", "show_listeners": 2, "show_minutes": 30.0,
        "topic_affinity": 20 / 21, "pair_chat_messages": 1,
        "label_minutes": 4.0, "label_listened": False, "label_followed": True,
    }.items()  # fmt: skip
    assert of["anna", "show-n"].items() >= {
        "show_listeners": 0, "show_minutes": 0.0, "show_hours_since_heard": None, "topic_affinity": 0.0,
        "creator_affinity": 0.75, "follows_creator": True, "pair_minutes": 0.0,
    }.items()  # fmt: skip


def test_an_earlier_moment_looks_back_from_itself(by_hand: list[Row]) -> None:
    (row,) = (
        row for row in by_hand if (row["as_of"], row["listener_key"], row["show_id"]) == (FIRST, "anna", "show-a")
    )

    assert row.items() >= {
        "time_split": "validation", "pair_minutes": 30.0, "pair_sessions": 2, "pair_likes": 0,
        "label_minutes": 10.0, "label_listened": True,
    }.items()  # fmt: skip


def test_no_feature_changes_with_what_becomes_known_later(spark: SparkSession, by_hand: list[Row]) -> None:
    cut = datetime(2026, 11, 2)  # noqa: DTZ001 - written as text in UTC
    changed = model_events.with_another_future(model_events.LISTENING, cut=cut, seed=1)

    found = made(spark, changed, datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC))

    assert without_labels(found) == without_labels(by_hand)
    assert found != by_hand, "the labels follow what happened after"


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3))
def test_no_feature_of_generated_events_changes_with_what_becomes_known_later(spark: SparkSession, seed: int) -> None:
    """The events are moved so that the moment falls into their middle."""
    events = shifted(generated(seed=seed, playbacks=400))
    cut = datetime(2026, 11, 2)  # noqa: DTZ001
    window = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC)

    before = made(spark, events, *window)
    after = made(spark, model_events.with_another_future(events, cut=cut, seed=seed), *window)

    assert len(before) > 20
    assert without_labels(after) == without_labels(before)


def shifted(events: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Events around midnight of 18 November, moved to around that of Monday the 2nd."""
    days = {"2026-11-17": "2026-11-01", "2026-11-18": "2026-11-02", "2026-11-19": "2026-11-03"}
    return {
        name: [
            {key: f"{days[value[:10]]}{value[10:]}" if str(value)[:10] in days else value for key, value in row.items()}
            for row in every
        ]
        for name, every in events.items()
        if name in {table.name for table in SHOW_RECOMMENDATION.reads} and name in EVENT_TABLES
    }
