"""Accounts and the app's life on a device: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

SIGN_UP = Event(
    type="sign_up",
    version=1,
    owner="growth team",
    description="A listener created an account.",
    columns=(
        Column(
            path="sign_up.method",
            type="string",
            description="How the account was created.",
            required=True,
            examples=("email", "apple", "google"),
        ),
        Column(
            path="sign_up.country",
            type="string",
            description="Country as an ISO 3166-1 alpha-2 code.",
            examples=("AT", "US", "BR"),
        ),
        Column(
            path="sign_up.referrer_user_id",
            type="string",
            description="Who invited the listener.",
            personal=True,
            person_id=True,
            examples=("u-9a1b2c",),
        ),
        Column(
            path="sign_up.campaign_id",
            type="string",
            description="The campaign that brought the listener.",
            examples=("camp-7",),
        ),
    ),
)

APP_OPENED = Event(
    type="app_opened",
    version=1,
    owner="growth team",
    description="The app came to the foreground.",
    columns=(
        Column(
            path="open.source",
            type="string",
            description="What opened it.",
            required=True,
            examples=("icon", "notification", "link"),
        ),
        Column(
            path="open.notification_id",
            type="string",
            description="The notification that opened it, if one did.",
            examples=("n-51d2",),
        ),
        Column(
            path="open.cold_start_ms",
            type="int",
            description="Time to the first usable screen of a cold start, in milliseconds.",
            examples=(812,),
        ),
    ),
)

APP_CLOSED = Event(
    type="app_closed",
    version=1,
    owner="growth team",
    description="The app left the foreground.",
    columns=(
        Column(
            path="close.foreground_ms",
            type="bigint",
            description="Time in the foreground since it was opened, in milliseconds.",
            examples=(184500,),
        ),
        Column(
            path="close.reason",
            type="string",
            description="Why it closed.",
            examples=("background", "killed", "crash"),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    SIGN_UP,
    APP_OPENED,
    APP_CLOSED,
)
