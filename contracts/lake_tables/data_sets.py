"""The data sets for models: what each row holds, how far features and labels reach; computes none of them."""

from __future__ import annotations

from contracts.data_sets import DataSet
from contracts.lake_tables.events import EVENT_TABLES
from contracts.model import Column

FRESHNESS_HOURS = 8 * 24
"""They are made once a week."""

_OF_SPLITS = (
    Column(
        path="split",
        type="string",
        description="train, validation or test, drawn by a person's key: the same in all versions and data sets.",
    ),
    Column(
        path="time_split",
        type="string",
        description="train, validation or test by as_of: the version's last stretch of moments is test.",
    ),
)


def _columns(**columns: tuple[str, str]) -> tuple[Column, ...]:
    return tuple(Column(path=name, type=type, description=text) for name, (type, text) in columns.items())


SHOW_RECOMMENDATION = DataSet(
    name="show_recommendation",
    version=1,
    owner="data platform",
    description="Which shows a listener will hear: listeners with candidate shows, and what they did the week after.",
    grain="one row for each moment, listener who was active before it, and candidate show",
    columns=(
        *_columns(
            as_of=("timestamp", "The moment: features are from before it, labels from it on."),
            listener_key=("string", "Key of the listener: of the person where signed in, else of the device."),
            show_id=("string", "The candidate: heard or followed before, of a followed creator, or popular."),
        ),
        *_OF_SPLITS,
        *_columns(
            show_topic=("string", "The show's main topic, as the catalog had told; null where it had not."),
            show_language=("string", "Its language."),
            show_explicit=("boolean", "Whether its creator marked it as not for children."),
            show_status=("string", "Where it was in its life."),
            show_age_days=("double", "Days since it was created."),
            show_listeners=("bigint", "Distinct listeners of the show."),
            show_minutes=("double", "Minutes heard of it, by listeners who are not known too."),
            show_recent_listeners=("bigint", "Distinct listeners in the last 7 days."),
            show_recent_minutes=("double", "Minutes heard in the last 7 days."),
            show_hours_since_heard=("double", "Hours since somebody heard it last; null: nobody did."),
            creator_key=("string", "Key of its creator."),
            creator_shows=("bigint", "The creator's shows that somebody heard."),
            creator_listeners=("bigint", "Distinct listeners of the creator's shows."),
            creator_minutes=("double", "Minutes heard of the creator's shows."),
            listener_sessions=("bigint", "Listening sessions of the listener."),
            listener_shows=("bigint", "Distinct shows that the listener heard."),
            listener_minutes=("double", "Minutes that the listener heard."),
            listener_hours_since_heard=("double", "Hours since the listener last heard anything."),
            topic_affinity=("double", "Share of the listener's minutes that were of the show's main topic, 0 to 1."),
            creator_affinity=("double", "Share of the listener's minutes that were of the show's creator, 0 to 1."),
            follows_show=("boolean", "Whether the listener was following the show, since whenever."),
            follows_creator=("boolean", "Whether the listener was following its creator, since whenever."),
            pair_sessions=("bigint", "Sessions of the listener with the show."),
            pair_minutes=("double", "Minutes that the listener heard of the show."),
            pair_hours_since_heard=("double", "Hours since the listener last heard the show; null: did not."),
            pair_likes=("bigint", "Taps of the listener's likes of the show."),
            pair_calls=("bigint", "Calls that the listener requested in the show."),
            pair_chat_messages=("bigint", "Chat messages of the listener in the show."),
            pair_impressions=("bigint", "How often the show was shown to the listener in a list."),
            label_minutes=("double", "Label: minutes that the listener heard of the show."),
            label_listened=("boolean", "Label: whether that was 5 minutes or more."),
            label_followed=("boolean", "Label: whether the listener began to follow the show or its creator."),
            label_impressions=("bigint", "How often the show was shown meanwhile; what is not shown is heard less."),
        ),
    ),
    key=("as_of", "listener_key", "show_id"),
    partition=("split", "days(as_of)"),
    sort=("as_of", "listener_key", "show_id"),
    freshness_hours=FRESHNESS_HOURS,
    split_by=("listener_key",),
    labels=("label_minutes", "label_listened", "label_followed", "label_impressions"),
    feature_days=28,
    label_days=7,
    settle_days=1,
    every_days=7,
    time_split_days=7,
    reads=tuple(
        EVENT_TABLES[name]
        for name in (
            "playback_metric", "like", "call_in", "chat_message", "follow", "show_impression", "show_catalog_entry",
        )
    ),
)  # fmt: skip

MODERATION = DataSet(
    name="moderation",
    version=1,
    owner="trust and safety team",
    description="What will be decided on a report: content reports with what was known when they came.",
    grain="one row for each content report",
    columns=(
        *_columns(
            as_of=("timestamp", "When the report had happened and arrived: features are from before it."),
            report_id=("string", "The report."),
        ),
        *_OF_SPLITS,
        *_columns(
            occurred_at=("timestamp", "When it was reported, by the reporter's clock."),
            reporter_key=("string", "Key of the reporter: of the person where signed in, else of the device."),
            target_kind=("string", "What was reported: show, message or user."),
            target=("string", "Which one: the id of a show or message, the key of a person."),
            subject_key=("string", "Key of the person who answers for it: author, creator, or the person; else null."),
            show_id=("string", "The show: the one reported, or that of the message; else null."),
            reason=("string", "The reason that was picked."),
            target_age_minutes=("double", "Minutes since the message was written; null for what is no message."),
            target_reports=("bigint", "Earlier reports of the same target."),
            target_reporters=("bigint", "Distinct reporters of these."),
            target_decisions=("bigint", "Earlier decisions on the target."),
            target_actions=("bigint", "Of these, decisions other than none."),
            subject_reports=("bigint", "Earlier reports of anything of the subject; null: nobody is known."),
            subject_actions=("bigint", "Earlier decisions other than none on anything of the subject."),
            subject_messages=("bigint", "Chat messages that the subject wrote before."),
            reporter_reports=("bigint", "Earlier reports by the same reporter."),
            reporter_decided=("bigint", "Earlier decisions that answer reports of the reporter."),
            reporter_upheld=("double", "Share of these that were other than none; null: there are none."),
            label_decided=("boolean", "Label: whether something was decided on the report, or later on its target."),
            label_action=("string", "Label: what the first of these decisions was; null: there is none."),
            label_decided_by=("string", "Who decided: moderator or model."),
            label_hours=("double", "Label: hours from as_of until the decision."),
        ),
    ),
    key=("report_id",),
    partition=("split",),
    sort=("as_of", "report_id"),
    freshness_hours=FRESHNESS_HOURS,
    split_by=("subject_key", "target"),
    labels=("label_decided", "label_action", "label_decided_by", "label_hours"),
    feature_days=28,
    label_days=7,
    settle_days=1,
    time_split_days=7,
    reads=tuple(
        EVENT_TABLES[name] for name in ("content_report", "moderation_decision", "chat_message", "show_catalog_entry")
    ),
)

DATA_SETS: tuple[DataSet, ...] = (SHOW_RECOMMENDATION, MODERATION)
"""The registry: all data sets."""
