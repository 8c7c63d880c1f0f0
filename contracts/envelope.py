"""The columns that every event shares and those that the platform adds on arrival; no event's own columns."""

from __future__ import annotations

from contracts.model import Column

ENVELOPE: tuple[Column, ...] = (
    Column(
        path="event_id",
        type="string",
        description="Identifies the event across every delivery of it; derived on arrival when the producer sent none.",
        examples=("5e0d6c2e-7a54-4c1b-9a44-0d3e9b1f3c11",),
    ),
    Column(
        path="event_type",
        type="string",
        description="Name of the contract that the event follows.",
        required=True,
    ),
    Column(
        path="schema_version",
        type="int",
        description="Version of the contract that the producer had in hand.",
        examples=(1,),
    ),
    Column(
        path="occurred_at",
        type="timestamp",
        description="When it happened, by the producer's clock, in UTC; sent as epoch milliseconds or ISO 8601.",
        required=True,
        examples=(1794998400123, "2026-11-18T08:00:00.123Z"),
    ),
    Column(
        path="sent_at",
        type="timestamp",
        description="When the producer sent it, by its clock, in UTC; arrived_at shows how wrong that clock is.",
        examples=(1794998400420,),
    ),
    Column(
        path="user.id",
        type="string",
        description="The listener or creator who acted; absent before sign-in.",
        personal=True,
        person_id=True,
        examples=("u-18f3a2",),
    ),
    Column(
        path="session.id",
        type="string",
        description="The app session in which it happened.",
        examples=("s-77d0c1",),
    ),
    Column(
        path="device.id",
        type="string",
        description="The installation of the app; a person can be found by it.",
        personal=True,
        person_id=True,
        examples=("d-2b9e04",),
    ),
    Column(
        path="device.os",
        type="string",
        description="Operating system of the device.",
        examples=("ios", "android", "web"),
    ),
    Column(
        path="device.os_version",
        type="string",
        description="Version of the operating system.",
        examples=("18.1", "15"),
    ),
    Column(
        path="device.model",
        type="string",
        description="Model of the device as its maker names it.",
        examples=("iPhone17,3", "Pixel 9"),
    ),
    Column(
        path="app.version",
        type="string",
        description="Version of the app.",
        examples=("5.2.0",),
    ),
)
"""What every producer may send beside the event's own columns."""

LANDING: tuple[Column, ...] = (
    Column(
        path="event_id_derived",
        type="boolean",
        description="True when the producer sent no event id and it was derived from the place on the stream.",
    ),
    Column(
        path="arrived_at",
        type="timestamp",
        description="When the event first arrived on the stream, by the stream's clock, in UTC.",
    ),
    Column(
        path="sequence_number",
        type="string",
        description="Sequence number of the stream record in which the event first arrived.",
    ),
    Column(
        path="extra",
        type="string",
        description="What the contract does not know, as a JSON object; it may hold anything, so it is personal.",
        personal=True,
    ),
)
"""What the platform adds to every row of the raw zone."""
