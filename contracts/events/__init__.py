"""Every event contract, one module per subject; a new event goes into its subject's EVENTS and nowhere else."""

from __future__ import annotations

from contracts.event import Event
from contracts.events import app, catalog, discovery, live_show, notifications, playback, safety, social, web

EVENTS: tuple[Event, ...] = (
    *catalog.EVENTS,
    *app.EVENTS,
    *discovery.EVENTS,
    *notifications.EVENTS,
    *social.EVENTS,
    *live_show.EVENTS,
    *playback.EVENTS,
    *web.EVENTS,
    *safety.EVENTS,
)
"""The registry: all events that the platform knows, in the order in which documents list them."""

_BY_TYPE = {event.type: event for event in EVENTS}


def by_type(event_type: str) -> Event | None:
    """The contract of an event type, or None when none declares it."""
    return _BY_TYPE.get(event_type)
