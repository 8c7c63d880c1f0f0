"""Reports and moderation: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

CONTENT_REPORT = Event(
    type="content_report",
    version=1,
    owner="trust and safety team",
    description="Somebody reported a show, a message or a person.",
    columns=(
        Column(path="report.id", type="string", description="The report.", required=True, examples=("r-31",)),
        Column(
            path="report.target_kind",
            type="string",
            description="What was reported.",
            required=True,
            examples=("show", "message", "user"),
        ),
        Column(
            path="report.target_id",
            type="string",
            description="Which one was reported; it may be a person.",
            required=True,
            personal=True,
            person_id=True,
            thing_when=("report_target_kind", ("show", "message")),
            examples=("m-4410",),
        ),
        Column(
            path="report.reason",
            type="string",
            description="The reason that was picked.",
            examples=("harassment", "spam", "copyright"),
        ),
        Column(
            path="report.comment",
            type="string",
            description="What the reporter wrote.",
            personal=True,
            examples=("Please look at this.",),
        ),
    ),
)

MODERATION_DECISION = Event(
    type="moderation_decision",
    version=1,
    owner="trust and safety team",
    description="A moderator or a model decided on content or a person.",
    columns=(
        Column(path="decision.id", type="string", description="The decision.", required=True, examples=("mod-9",)),
        Column(
            path="decision.report_id",
            type="string",
            description="The report that it answers, if it answers one.",
            examples=("r-31",),
        ),
        Column(
            path="decision.target_kind",
            type="string",
            description="What was decided on.",
            required=True,
            examples=("show", "message", "user"),
        ),
        Column(
            path="decision.target_id",
            type="string",
            description="Which one was decided on; it may be a person.",
            required=True,
            personal=True,
            person_id=True,
            thing_when=("decision_target_kind", ("show", "message")),
            examples=("m-4410",),
        ),
        Column(
            path="decision.action",
            type="string",
            description="What was done.",
            required=True,
            examples=("none", "warn", "remove", "suspend"),
        ),
        Column(
            path="decision.decided_by",
            type="string",
            description="Who decided.",
            examples=("moderator", "model"),
        ),
        Column(
            path="decision.score",
            type="double",
            description="The model's score between 0 and 1, where a model decided.",
            examples=(0.93,),
        ),
        Column(
            path="decision.effective_until",
            type="date",
            description="Last day on which it holds; absent means for good.",
            examples=("2026-12-31",),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    CONTENT_REPORT,
    MODERATION_DECISION,
)
