"""Listening: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

PLAYBACK_METRIC = Event(
    type="playback_metric",
    version=1,
    owner="audio team",
    description="What the player measured in an interval of listening.",
    columns=(
        Column(path="show.id", type="string", description="The show.", required=True, examples=("show-1041",)),
        Column(
            path="playback.id",
            type="string",
            description="The stretch of listening that the interval belongs to.",
            required=True,
            examples=("p-6f10",),
        ),
        Column(
            path="playback.state",
            type="string",
            description="What the player was doing at the interval's end.",
            examples=("playing", "buffering", "paused", "stopped"),
        ),
        Column(
            path="playback.listened_ms",
            type="bigint",
            description="Time heard in the interval, in milliseconds.",
            required=True,
            examples=(30000,),
        ),
        Column(
            path="playback.position_ms",
            type="bigint",
            description="Place in the broadcast at the interval's end, in milliseconds.",
            examples=(1260000,),
        ),
        Column(
            path="playback.bitrate_kbps",
            type="double",
            description="Mean bit rate, in kilobits per second.",
            examples=(96.4,),
        ),
        Column(
            path="playback.stalls",
            type="int",
            description="How often playing stopped for want of data.",
            examples=(0, 1),
        ),
        Column(path="playback.bytes", type="bigint", description="Bytes received.", examples=(361500,)),
        Column(
            path="playback.network",
            type="string",
            description="Kind of network.",
            examples=("wifi", "cellular"),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (PLAYBACK_METRIC,)
