"""Turn one event's bytes into the line that lands and the partition it lands in; answers no request."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import orjson

from contracts import events
from contracts.event import Event
from contracts.reasons import ContractViolation, Reason
from contracts.tables import UNKNOWN
from contracts.views import rows
from lambdas.flatten_events.reading import read_json, too_deep

_SURROGATE = re.compile("[\ud800-\udfff]")
EVENTS_ZONE = "events"
QUARANTINE_ZONE = "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Where and when an event first came onto the stream.

    `sub_sequence` tells apart events that share a stream record, where the service tells them apart.
    `arrived_at_ms` is in epoch milliseconds, by the stream's clock.
    """

    sequence_number: str
    sub_sequence: int
    arrived_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A line for the lake: its bytes (ending in a newline), its zone and type, and what was noticed on the way."""

    line: bytes
    zone: str
    type: str
    reason: Reason | None = None
    derived_id: bool = False
    unknown_fields: int = 0
    collisions: int = 0


def land(line: bytes, arrival: Arrival) -> Landed:
    """Read one event and give the line that lands: a row of its table, or a quarantine row that says why not."""
    body: object = None
    contract: Event | None = None
    try:
        body = read_json(line)
        if not isinstance(body, dict):
            raise ContractViolation(reason=Reason.NOT_AN_OBJECT, sentence="the event is JSON, but no object")
        named = body.get("event_type")
        contract = events.by_type(named) if isinstance(named, str) else None
        if contract is None:
            return _unknown(line, body, arrival)
        if _has_decimals(contract):
            body = cast("dict[str, object]", read_json(line, exact=True))
        return _row(line, contract, body, arrival)
    except ContractViolation as violation:
        return _quarantined(line, body, contract, violation, arrival)
    except Exception as error:
        # Nobody foresaw it, so it is a defect of ours; the event must not take the rest of its batch with it.
        sentence = f"the function failed on this event ({type(error).__name__}); replay it when that is mended"
        return _quarantined(
            line, {}, contract, ContractViolation(reason=Reason.INTERNAL_ERROR, sentence=sentence), arrival
        )


def arrival_hour(epoch_ms: int) -> str:
    """The arrival partition of a moment: its UTC hour as `yyyy-MM-dd-HH`."""
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).strftime("%Y-%m-%d-%H")


def _row(line: bytes, contract: Event, body: Mapping[str, object], arrival: Arrival) -> Landed:
    row = rows.reader(contract).read(body)
    columns = row.columns
    columns["event_id"], derived = _event_id(columns, line, arrival)
    _add_arrival(columns, arrival, derived)
    if row.extra:
        columns["extra"] = compact_json(row.extra).decode()
    return Landed(
        line=compact_json(columns) + b"\n",
        zone=EVENTS_ZONE,
        type=contract.type,
        derived_id=derived,
        unknown_fields=row.unknown_fields,
        collisions=row.collisions,
    )


def _unknown(line: bytes, body: Mapping[str, object], arrival: Arrival) -> Landed:
    event_id, derived = _event_id(body, line, arrival)
    columns: dict[str, object] = {"event_id": event_id}
    if isinstance(body.get("event_type"), str):
        columns["event_type"] = body["event_type"]
    # The text itself, not what was parsed: nothing about it is rounded, reordered or reworded.
    columns["body"] = line.decode("utf-8-sig")
    _add_arrival(columns, arrival, derived)
    return Landed(line=compact_json(columns) + b"\n", zone=EVENTS_ZONE, type=UNKNOWN.name, derived_id=derived)


def _quarantined(
    line: bytes, body: object, contract: Event | None, violation: ContractViolation, arrival: Arrival
) -> Landed:
    found = body if isinstance(body, dict) else {}
    event_id, derived = _event_id(found, line, arrival)
    columns: dict[str, object] = {
        "reason_code": violation.reason.value,
        "reason": violation.sentence,
        "event_id": event_id,
        **_original(line),
    }
    if violation.column:
        columns["column"] = violation.column.encode(errors="replace").decode()
    if contract is not None:
        columns["event_type"] = contract.type
        columns["contract_version"] = contract.version
    _add_arrival(columns, arrival, derived)
    return Landed(
        line=compact_json(columns) + b"\n",
        zone=QUARANTINE_ZONE,
        type=contract.type if contract else UNKNOWN.name,
        reason=violation.reason,
        derived_id=derived,
    )


def _original(line: bytes) -> dict[str, object]:
    try:
        return {"original": line.decode(), "original_encoding": "utf-8"}
    except UnicodeDecodeError:
        return {"original": b64encode(line).decode(), "original_encoding": "base64"}


def _event_id(body: Mapping[str, object], line: bytes, arrival: Arrival) -> tuple[str, bool]:
    """The event's own id, if it holds one that can be kept, else one derived; and whether it was derived."""
    given = body.get("event_id")
    if isinstance(given, int | Decimal) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and given and not _SURROGATE.search(given):
        return given, False
    return _derived_id(arrival, line), True


def _derived_id(arrival: Arrival, content: bytes) -> str:
    # A stream record may hold many lines under one sequence number, so the content joins the place.
    place = f"{arrival.sequence_number}:{arrival.sub_sequence}:".encode()
    return "seq-" + hashlib.sha256(place + content).hexdigest()[:32]


def _add_arrival(columns: dict[str, object], arrival: Arrival, derived: bool) -> None:
    moment = datetime.fromtimestamp(arrival.arrived_at_ms // 1000, tz=UTC)
    columns["event_id_derived"] = derived
    columns["arrived_at"] = rows.timestamp_text(moment.replace(microsecond=arrival.arrived_at_ms % 1000 * 1000))
    columns["sequence_number"] = arrival.sequence_number


def _has_decimals(contract: Event) -> bool:
    found = _DECIMALS.get(contract.type)
    if found is None:
        found = any("decimal" in column.type for column in contract.sent)
        _DECIMALS[contract.type] = found
    return found


_DECIMALS: dict[str, bool] = {}
"""Whether a contract has a decimal column, by event type; filled at first use."""


def compact_json(value: object) -> bytes:
    """A value as compact JSON, numbers digit for digit.

    Raises:
        ContractViolation: nested deeper than the writer goes (254 levels), or text that UTF-8 cannot hold.
    """
    try:
        return orjson.dumps(value, default=_exact_number)
    except TypeError as error:
        if "surrogates" in str(error):
            raise ContractViolation(
                reason=Reason.INVALID_TEXT, sentence="a text holds half of a surrogate pair, which is no character"
            ) from None
        raise too_deep() from None


def _exact_number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value).encode())
    raise TypeError(f"{type(value).__name__} is no JSON value")
