"""Clickstream: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

CLICK = Event(
    type="click",
    version=1,
    owner="discovery team",
    description="Somebody clicked or tapped something.",
    columns=(
        Column(
            path="click.target",
            type="string",
            description="What was clicked, as the app names its elements.",
            required=True,
            examples=("show-card", "follow-button"),
        ),
        Column(
            path="click.screen",
            type="string",
            description="The screen or page it stood on.",
            examples=("home", "show"),
        ),
        Column(
            path="click.x",
            type="double",
            description="Distance from the left edge as a share of the width.",
            examples=(0.42,),
        ),
        Column(
            path="click.y",
            type="double",
            description="Distance from the top edge as a share of the height.",
            examples=(0.77,),
        ),
        Column(
            path="click.url",
            type="string",
            description="Address of the page, on the web.",
            examples=("https://amp.example/shows/1041",),
        ),
        Column(
            path="click.utm",
            type="map<string,string>",
            description="Campaign parameters of the page's address.",
            examples=({"utm_source": "newsletter"},),
        ),
        Column(
            path="show.id",
            type="string",
            description="The show that it stood for, if it was one.",
            examples=("show-1041",),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (CLICK,)
