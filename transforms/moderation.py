"""The data set `moderation`: content reports with what was known when they came; reads and writes no table.

A report's moment is when it had both happened and arrived. Who answers for what was reported (the subject) is the
author of a message, the creator of a show or the person; it counts as known once the message or the catalog entry that
tells it is. A decision that answers a report is known no earlier than that report, so that no row knows its own label.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.data_sets import Period
from contracts.lake_tables.data_sets import MODERATION
from transforms import point_in_time, shows
from transforms.shape import shaped

_COUNTED = ("reports", "reporters", "decisions", "actions", "messages")
_OF = ("target", "subject", "reporter")
"""Whose past a row tells."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """The shared event tables that the data set is made from, by their names."""

    content_report: DataFrame
    moderation_decision: DataFrame
    chat_message: DataFrame
    show_catalog_entry: DataFrame


def moderation(events: Events, *, period: Period) -> DataFrame:
    """The rows of the reports whose moment is in the period, shaped as the data set `moderation`.

    They are right when `events` hold what happened in the feature window before the period's start and since, of
    `show_catalog_entry` all there is.
    """
    reports, decisions = _reports(events.content_report), _decisions(events.moderation_decision)
    messages = _messages(events.chat_message)
    of_both = _answered(reports.unionByName(decisions, allowMissingColumns=True))
    things = _with_subject(of_both, messages, events.show_catalog_entry)
    facts = (
        _by_whose(things)
        .unionByName(_fact(messages, "subject", "author_key", "messages"), allowMissingColumns=True)
        .unionByName(_fact(_new_reporters(reports), "target", "of_target", "reporters"), allowMissingColumns=True)
    )
    of_period = (F.col("as_of") >= point_in_time.literal(period.start)) & (
        F.col("as_of") < point_in_time.literal(period.until)
    )
    rows = things.where("is_report").withColumn("as_of", F.col("known_at")).where(of_period)
    asked = _by_whose(rows).select("report_id", "as_of", "whose", "by")
    past = (
        point_in_time.sums_before(asked, facts, by="by", sums=_COUNTED)
        .groupBy("report_id")
        .pivot("whose", list(_OF))
        .agg(*(F.max(name).alias(name) for name in _COUNTED))
    )
    made = rows.join(past, "report_id", how="left").join(_first_decisions(reports, decisions), "report_id", how="left")
    return shaped(made.withColumns(_computed(period)), MODERATION)


def _reports(events: DataFrame) -> DataFrame:
    """Each report as it was first known."""
    named = events.select(
        F.lit(True).alias("is_report"),
        "report_id",
        *_of_the_event(),
        F.coalesce("user_key", "device_key").alias("reporter_key"),
        *_target("report"),
        F.col("report_reason").alias("reason"),
    )
    return _first(named.where("target IS NOT NULL"), "report_id")


def _decisions(events: DataFrame) -> DataFrame:
    """Each decision as it was first known; `report_id` is that of the report that it answers."""
    named = events.select(
        F.lit(False).alias("is_report"),
        F.col("decision_report_id").alias("report_id"),
        "decision_id",
        *_of_the_event(),
        *_target("decision"),
        F.col("decision_action").alias("action"),
        F.col("decision_decided_by").alias("decided_by"),
    )
    return _first(named.where("target IS NOT NULL"), "decision_id")


def _messages(events: DataFrame) -> DataFrame:
    """Each chat message as it was first known."""
    named = events.select(
        "message_id",
        *_of_the_event(),
        F.coalesce("user_key", "device_key").alias("author_key"),
        F.col("show_id").alias("message_show_id"),
    )
    return _first(named, "message_id")


def _of_the_event() -> tuple[Column, ...]:
    """When it happened, arrived and was known, and `until`: when it leaves the feature window."""
    until = F.col("occurred_at") + F.expr(f"INTERVAL {MODERATION.feature_days} DAYS")
    known_at = point_in_time.known_at().alias("known_at")
    return (F.col("event_id"), F.col("occurred_at"), F.col("arrived_at"), known_at, until.alias("until"))


def _target(of: str) -> tuple[Column, ...]:
    """Kind and target, and both as one: a show and a message may have the same id."""
    kind, target = F.col(f"{of}_target_kind"), F.coalesce(f"{of}_target_id", f"{of}_target_key")
    return (kind.alias("target_kind"), target.alias("target"), F.concat_ws(":", kind, target).alias("of_target"))


def _first(events: DataFrame, key: str) -> DataFrame:
    """Of what was sent again under another event id the first: what comes later changes nothing."""
    in_order = Window.partitionBy(key).orderBy("known_at", "event_id")
    numbered = events.where(F.col(key).isNotNull()).withColumn("place", F.row_number().over(in_order))
    return numbered.where("place = 1").drop("place")


def _answered(things: DataFrame) -> DataFrame:
    """Reports, and decisions with the reporter whose report they answer, known when that report is."""
    # A decision that answers no report stays by itself, or all of these would meet in one partition.
    of_report = Window.partitionBy(F.coalesce("report_id", F.concat(F.lit("decision "), F.col("decision_id"))))
    of_its_report = {name: F.max(F.when(F.col("is_report"), F.col(name))).over(of_report) for name in _FROM_THE_REPORT}
    return things.withColumns(
        {
            "reporter_key": of_its_report["reporter_key"],
            "known_at": F.greatest("known_at", of_its_report["known_at"]),
        }
    )


_FROM_THE_REPORT = ("reporter_key", "known_at")


def _with_subject(things: DataFrame, messages: DataFrame, entries: DataFrame) -> DataFrame:
    """Reports and decisions with subject_key, show_id and target_age_minutes, by what was known before them."""
    message = messages.select(
        F.lit("message").alias("target_kind"),
        F.col("message_id").alias("target"),
        F.col("known_at").alias("message_known_at"),
        F.col("occurred_at").alias("written_at"),
        "author_key",
        "message_show_id",
    )
    told = shows.dated(entries).select(
        F.lit("show").alias("target_kind"),
        F.col("show_id").alias("target"),
        F.greatest(point_in_time.known_at(), "valid_from").alias("told_at"),
        F.struct("valid_from", "show_version", "arrived_at", "event_id").alias("newest"),
        "show_creator_key",
    )
    creators = (
        things.where("target_kind = 'show'")
        .select("target_kind", "target", "known_at")
        .distinct()
        .join(told, ["target_kind", "target"], how="inner")
        .where("told_at < known_at")
        .groupBy("target_kind", "target", "known_at")
        .agg(F.max_by("show_creator_key", "newest").alias("creator_key"))
    )
    was_known = F.col("message_known_at") < F.col("known_at")
    age = (F.unix_micros("known_at") - F.unix_micros("written_at")) / 60_000_000
    return (
        things.join(message, ["target_kind", "target"], how="left")
        .join(creators, ["target_kind", "target", "known_at"], how="left")
        .withColumns(
            {
                "subject_key": F.when(F.col("target_kind") == "user", F.col("target")).otherwise(
                    F.coalesce(F.when(was_known, F.col("author_key")), F.col("creator_key"))
                ),
                "show_id": F.when(F.col("target_kind") == "show", F.col("target")).otherwise(
                    F.when(was_known, F.col("message_show_id"))
                ),
                "target_age_minutes": F.when(was_known, age),
            }
        )
    )


def _by_whose(things: DataFrame) -> DataFrame:
    """A row for each whose past a report or decision is part of (`by`), with what it counts as."""
    whose = F.create_map(
        *(part for of, name in zip(_OF, ("of_target", "subject_key", "reporter_key"), strict=True)
          for part in (F.lit(of), F.col(name)))
    )  # fmt: skip
    exploded = things.select("*", F.explode(whose).alias("whose", "who"))
    decided = ~F.col("is_report")
    return exploded.withColumns(
        {
            "by": F.concat("whose", F.lit(":"), "who"),
            "reports": F.col("is_report").cast("int"),
            "decisions": decided.cast("int"),
            "actions": (decided & (F.col("action") != "none")).cast("int"),
        }
    )


def _fact(events: DataFrame, whose: str, who: str, name: str) -> DataFrame:
    return events.select(
        F.concat(F.lit(f"{whose}:"), F.col(who)).alias("by"), "known_at", "until", F.lit(1).alias(name)
    )


def _new_reporters(reports: DataFrame) -> DataFrame:
    """Reports that count each reporter of a target once."""
    return point_in_time.counted_once(reports.where("reporter_key IS NOT NULL"), by="of_target", who="reporter_key")


def _first_decisions(reports: DataFrame, decisions: DataFrame) -> DataFrame:
    """For each report the first decision that answers it, or that came later on its target: report_id, decision."""
    asked = reports.select("report_id", "of_target", F.col("known_at").alias("as_of"))
    decided = decisions.select(
        F.col("report_id").alias("answers"),
        F.col("of_target").alias("on_target"),
        F.struct(F.col("occurred_at").alias("at"), "decision_id", "action", "decided_by").alias("decision"),
        "arrived_at",
    )
    answering = asked.join(decided, F.col("report_id") == F.col("answers"), how="inner")
    later = asked.join(decided, F.col("of_target") == F.col("on_target"), how="inner").where("decision.at >= as_of")
    return (
        answering.unionByName(later)
        .where(
            f"decision.at < as_of + INTERVAL {MODERATION.label_days} DAYS "
            f"AND arrived_at < as_of + INTERVAL {MODERATION.label_span.days} DAYS"
        )
        .groupBy("report_id")
        .agg(F.min("decision").alias("decision"))
    )


def _computed(period: Period) -> dict[str, Column]:
    """The columns that are worked out of a row's others."""
    decision = F.col("decision")
    hours = (F.unix_micros(decision["at"]) - F.unix_micros("as_of")) / 3_600_000_000
    return {
        "reporter_decided": F.col("reporter_decisions"),
        "reporter_upheld": F.when(
            F.col("reporter_decisions") > 0, F.col("reporter_actions") / F.col("reporter_decisions")
        ),
        "label_decided": decision.isNotNull(),
        "label_action": decision["action"],
        "label_decided_by": decision["decided_by"],
        # An answer may have been given before a report that is late arrived.
        "label_hours": F.when(decision.isNotNull(), F.greatest(hours, F.lit(0.0))),
        "split": point_in_time.split(MODERATION),
        "time_split": point_in_time.time_split(MODERATION, period),
    }
