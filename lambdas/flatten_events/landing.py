"""Turn one event's bytes into the line that lands and the partition it lands in; answers no request."""

from __future__ import annotations

import re
from base64 import b64encode
from codecs import BOM_UTF8
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import cast

import msgspec
import orjson

from contracts import events
from contracts.event import Event
from contracts.reasons import ContractViolation, Reason
from contracts.tables import UNKNOWN
from contracts.views import rows
from lambdas.flatten_events import typed
from lambdas.flatten_events.reading import read_json, too_deep

_encode_lines = msgspec.json.Encoder().encode_lines
_SURROGATE = re.compile("[\ud800-\udfff]")
EVENTS_ZONE = "events"
QUARANTINE_ZONE = "quarantine"


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where and when an event first came onto the stream.

    `sub_sequence` tells apart events that share a stream record, where the service tells them apart.
    `arrived_at_ms` is in epoch milliseconds, by the stream's clock.
    """

    sequence_number: str
    sub_sequence: int
    arrived_at_ms: int


class Landed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    try:
        landed = _land_plain(line, arrival)
    except Exception:
        # The exact way needs nothing of the fast one, so a defect of that makes no event fail.
        landed = None
    return landed or land_exactly(line, arrival)


def _land_plain(line: bytes, arrival: Arrival) -> Landed | None:
    """The row of an event that is plain enough for the fast way; None for any other."""
    named = typed.named_type(line)
    if named not in typed.DECLARED:
        return _land_plain_unknown(line, arrival)
    row = typed.read(named, line)
    if row is None:
        return None
    derived = not row.event_id
    if derived:
        row.event_id = _derived_id(arrival, line)
    row.event_id_derived = derived
    row.arrived_at = rows.epoch_text(arrival.arrived_at_ms)
    row.sequence_number = arrival.sequence_number
    return Landed(line=_encode_lines((row,)), zone=EVENTS_ZONE, type=row.event_type, derived_id=derived)


def _land_plain_unknown(line: bytes, arrival: Arrival) -> Landed | None:
    """The row of an event of an undeclared type that is the same to the byte when written again; None for others."""
    try:
        body = orjson.loads(line)
        # What is the same when it is written again has lost no digit and no key.
        if type(body) is not dict or type(body.get("event_id")) is not str or orjson.dumps(body) != line:
            return None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    named = body.get("event_type")
    declared = isinstance(named, str) and events.by_type(named)
    return None if declared else _unknown(line, body, arrival)


def land_exactly(line: bytes, arrival: Arrival) -> Landed:
    """What `land` gives, to the byte, by reading the event whatever it is; the slow way."""
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
    return _hour(epoch_ms // 3_600_000)


@lru_cache(maxsize=64)
def _hour(hours: int) -> str:
    return rows.epoch_text(hours * 3_600_000)[:13].replace(" ", "-")


def _row(line: bytes, contract: Event, body: Mapping[str, object], arrival: Arrival) -> Landed:
    row = rows.reader(contract).read(body)
    columns = row.columns
    columns["event_id"], derived = _event_id(columns, line, arrival)
    _add_arrival(columns, arrival, derived)
    if row.extra:
        columns["extra"] = compact_json(row.extra).decode()
    # Rows of one table name their columns in one order, whatever the order in which producers sent them.
    ordered = {name: columns[name] for name in contract.table.column if name in columns}
    return Landed(
        line=compact_json(ordered) + b"\n",
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
    columns["body"] = line.removeprefix(BOM_UTF8).decode()
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
    if not isinstance(given, str) and isinstance(given, int | Decimal) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and given and (given.isascii() or not _SURROGATE.search(given)):
        return given, False
    return _derived_id(arrival, line), True


def _derived_id(arrival: Arrival, content: bytes) -> str:
    from hashlib import sha256  # at first need: most events have an id, and the import is a tenth of a cold start

    # A stream record may hold many lines under one sequence number, so the content joins the place.
    place = f"{arrival.sequence_number}:{arrival.sub_sequence}:".encode()
    return "seq-" + sha256(place + content).hexdigest()[:32]


def _add_arrival(columns: dict[str, object], arrival: Arrival, derived: bool) -> None:
    columns["event_id_derived"] = derived
    columns["arrived_at"] = rows.epoch_text(arrival.arrived_at_ms)
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
