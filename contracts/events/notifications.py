"""Notifications: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

NOTIFICATION_DELIVERED = Event(
    type="notification_delivered",
    version=1,
    owner="growth team",
    description="A notification reached a device.",
    columns=(
        Column(
            path="notification.id",
            type="string",
            description="The notification.",
            required=True,
            examples=("n-51d2",),
        ),
        Column(
            path="notification.kind",
            type="string",
            description="What it was about.",
            examples=("show_started", "new_follower", "digest"),
        ),
        Column(
            path="notification.channel",
            type="string",
            description="How it was sent.",
            examples=("push", "email", "in_app"),
        ),
        Column(
            path="show.id",
            type="string",
            description="The show that it is about, if it is one.",
            examples=("show-1041",),
        ),
    ),
)

NOTIFICATION_OPENED = Event(
    type="notification_opened",
    version=1,
    owner="growth team",
    description="Somebody opened a notification.",
    columns=(
        Column(
            path="notification.id",
            type="string",
            description="The notification.",
            required=True,
            examples=("n-51d2",),
        ),
        Column(
            path="notification.kind",
            type="string",
            description="What it was about.",
            examples=("show_started", "new_follower", "digest"),
        ),
        Column(
            path="notification.delay_ms",
            type="bigint",
            description="Time from delivery to opening, in milliseconds.",
            examples=(4200,),
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
    NOTIFICATION_DELIVERED,
    NOTIFICATION_OPENED,
)
