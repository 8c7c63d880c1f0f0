"""Training rows of moderation: worked out by hand, and the same whatever the future brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from pyspark.sql import SparkSession

from contracts.lake_tables.data_sets import MODERATION
from tests.transforms import model_events
from tests.transforms.frames import Row, frame, rows
from tests.transforms.test_recommendation import split_of
from transforms import moderation, point_in_time

pytestmark = pytest.mark.xdist_group("spark")


def made(spark: SparkSession, events: Mapping[str, Sequence[Row]]) -> dict[str, Row]:
    """The rows of the reports from 2 November on, by report."""
    frames = {table.name: frame(spark, table, events.get(table.name, ())) for table in MODERATION.reads}
    period = MODERATION.period(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 17, tzinfo=UTC))
    found = rows(moderation.moderation(moderation.Events(**frames), period=period))
    assert len({row["report_id"] for row in found}) == len(found)
    return {row["report_id"]: row for row in found}


@pytest.fixture(scope="module")
def by_hand(spark: SparkSession) -> dict[str, Row]:
    """The rows of the reports whose answers were worked out."""
    return made(spark, model_events.REPORTS)


def without_labels(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in MODERATION.labels}


FIRST = {
    "as_of": "2026-11-02 10:30:00", "report_id": "r-0", "split": split_of("carl"), "time_split": "test",
    "occurred_at": "2026-11-02 10:30:00", "reporter_key": "anna", "target_kind": "message", "target": "m-1",
    "subject_key": "carl", "show_id": "show-a", "reason": "spam", "target_age_minutes": 30.0,
    "target_reports": 0, "target_reporters": 0, "target_decisions": 0, "target_actions": 0,
    "subject_reports": 0, "subject_actions": 0, "subject_messages": 1,
    "reporter_reports": 0, "reporter_decided": 0, "reporter_upheld": None,
    "label_decided": True, "label_action": "remove", "label_decided_by": "moderator", "label_hours": 1.0,
}  # fmt: skip
"""The first report ever; an hour later the message is removed."""


@pytest.mark.parametrize(
    ("report", "why", "differs"),
    [
        ("r-0", "the first, sent twice", {}),
        (
            "r-1",
            "half an hour later by another; the answer to the first decides its target too",
            {
                "as_of": "2026-11-02 11:00:00", "occurred_at": "2026-11-02 11:00:00", "reporter_key": "ben",
                "target_age_minutes": 60.0, "target_reports": 1, "target_reporters": 1, "subject_reports": 1,
                "label_hours": 0.5,
            },
        ),
        (
            "r-2",
            "by the first reporter again, after the decision: who reports twice counts once",
            {
                "as_of": "2026-11-02 12:00:00", "occurred_at": "2026-11-02 12:00:00", "target_age_minutes": 120.0,
                "target_reports": 2, "target_reporters": 2, "target_decisions": 1, "target_actions": 1,
                "subject_reports": 2, "subject_actions": 1,
                "reporter_reports": 1, "reporter_decided": 1, "reporter_upheld": 1.0,
                "label_decided": False, "label_action": None, "label_decided_by": None, "label_hours": None,
            },
        ),
        (
            "r-3",
            "of the author, arrived an hour late, when it was decided already: its own answer is no feature",
            {
                "as_of": "2026-11-03 10:00:00", "occurred_at": "2026-11-03 09:00:00", "reporter_key": "dora",
                "target_kind": "user", "target": "carl", "show_id": None, "target_age_minutes": None,
                "subject_reports": 3, "subject_actions": 1, "subject_messages": 2,
                "label_action": "none", "label_decided_by": "model", "label_hours": 0.0,
            },
        ),
        (
            "r-4",
            "of the show: its creator answers for it",
            {
                "as_of": "2026-11-04 08:00:00", "occurred_at": "2026-11-04 08:00:00", "split": split_of("creator-1"),
                "target_kind": "show", "target": "show-a", "subject_key": "creator-1", "target_age_minutes": None,
                "subject_messages": 0, "reporter_reports": 2, "reporter_decided": 1, "reporter_upheld": 1.0,
                "label_action": "warn", "label_hours": 24.0,
            },
        ),
        (
            "r-5",
            "of a message that nobody knows",
            {
                "as_of": "2026-11-04 09:00:00", "occurred_at": "2026-11-04 09:00:00", "split": split_of("m-unknown"),
                "reporter_key": "ben", "target": "m-unknown", "subject_key": None, "show_id": None,
                "target_age_minutes": None, "subject_reports": None, "subject_actions": None, "subject_messages": None,
                "reporter_reports": 1,
                "label_decided": False, "label_action": None, "label_decided_by": None, "label_hours": None,
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("r-") else "",
)  # fmt: skip
def test_rows_are_those_worked_out_by_hand(by_hand: dict[str, Row], report: str, why: str, differs: Row) -> None:
    assert by_hand[report] == {**FIRST, "report_id": report, **differs}, why


def test_no_feature_changes_with_what_becomes_known_later(spark: SparkSession, by_hand: dict[str, Row]) -> None:
    cut = datetime(2026, 11, 3, 9, 45)  # noqa: DTZ001 - written as text in UTC

    found = made(spark, model_events.with_another_future(model_events.REPORTS, cut=cut, seed=2))

    for report in ("r-0", "r-1", "r-2"):
        assert without_labels(found[report]) == without_labels(by_hand[report])
    assert found != by_hand, "labels and later reports follow what happened after"


def test_sums_are_of_facts_known_before_a_moment_and_no_older_than_the_window(spark: SparkSession) -> None:
    facts = spark.sql(
        "SELECT 'k' AS by, who, timestamp_seconds(known) AS known_at, timestamp_seconds(until) AS until, 1 AS n "
        "FROM VALUES ('a', 10, 20), ('a', 12, 15), ('b', 15, 30), ('c', 16, 16) AS t(who, known, until)"
    )
    moments = spark.sql(
        "SELECT 'k' AS by, timestamp_seconds(at) AS as_of FROM VALUES 10, 11, 13, 15, 16, 20, 21 AS t(at)"
    )

    def sums(of: str) -> list[int]:
        counted = facts if of == "all" else point_in_time.counted_once(facts, by="by", who="who")
        found = point_in_time.sums_before(moments, counted, by="by", sums=["n"])
        return [row["n"] for row in found.orderBy("as_of").collect()]

    assert sums("all") == [0, 1, 2, 2, 2, 2, 1]
    # The second fact of `a` ends at 15, the first at 20: `a` is there until then.
    assert sums("once") == [0, 1, 1, 1, 2, 2, 1]
