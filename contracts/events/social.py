"""Following and activity: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

FOLLOW = Event(
    type="follow",
    version=1,
    owner="social team",
    description="Somebody followed a creator or a show, or stopped following.",
    columns=(
        Column(
            path="follow.target_kind",
            type="string",
            description="What was followed.",
            required=True,
            examples=("creator", "show"),
        ),
        Column(
            path="follow.target_id",
            type="string",
            description="The creator or show that was followed; a creator is a person.",
            required=True,
            personal=True,
            person_id=True,
            thing_when=("follow_target_kind", ("show",)),
            examples=("u-c0ffee",),
        ),
        Column(
            path="follow.action",
            type="string",
            description="Whether following began or ended.",
            required=True,
            examples=("follow", "unfollow"),
        ),
    ),
)

ACTIVITY_UPDATE = Event(
    type="activity_update",
    version=1,
    owner="social team",
    description="An entry of somebody's activity feed.",
    columns=(
        Column(
            path="activity.kind",
            type="string",
            description="What the entry tells.",
            required=True,
            examples=("went_live", "shared", "milestone"),
        ),
        Column(
            path="activity.text",
            type="string",
            description="The text of the entry.",
            personal=True,
            examples=("Back on air 🎙",),
        ),
        Column(
            path="activity.mentions",
            type="array<string>",
            description="People whom the text mentions.",
            personal=True,
            examples=(["u-18f3a2"],),
        ),
        Column(
            path="activity.counters",
            type="map<string,bigint>",
            description="Counters shown with the entry, by name.",
            examples=({"shares": 12},),
        ),
        Column(
            path="show.id",
            type="string",
            description="The show that it is about, if it is one.",
            examples=("show-1041",),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    FOLLOW,
    ACTIVITY_UPDATE,
)
