"""The header with which a record goes back onto the stream, so that it keeps its first arrival; it puts nothing.

The flattening function reads it: an event id that it derives from a record's place stays the same however often the
record goes round. A test holds both sides together.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

MARK = b'{"amp_reingestion":'
"""How the line of a record that was put back begins."""
_MAX_HEADER_BYTES = 500
_PLACES_SEARCHED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when (epoch milliseconds) an event first came onto the stream."""

    sequence_number: str
    sub_sequence: int
    arrived_at_ms: int


def wrap(line: bytes, place: Place) -> bytes:
    """The line to put: the header, then the event. Its count of rounds begins anew."""
    mark = {
        "attempt": 0,
        "sequence_number": place.sequence_number,
        "sub_sequence": place.sub_sequence,
        "arrived_at_ms": place.arrived_at_ms,
    }
    return json.dumps({"amp_reingestion": mark}, separators=(",", ":")).encode() + b" " + line + b"\n"


def unwrap(line: bytes) -> tuple[bytes, Place | None]:
    """The event in a line, and its first place where the line carries one."""
    if line.startswith(MARK):
        try:
            header, end = json.JSONDecoder().raw_decode(line[:_MAX_HEADER_BYTES].decode(errors="replace"))
            mark = header["amp_reingestion"]
            place = Place(
                sequence_number=str(mark["sequence_number"]),
                sub_sequence=int(mark["sub_sequence"]),
                arrived_at_ms=int(mark["arrived_at_ms"]),
            )
            return line[end + 1 :], place
        except (ValueError, KeyError, TypeError):
            pass  # A producer's line after all.
    return line, None


def sub_sequence_of(event_id: str, sequence_number: str, line: bytes) -> int:
    """Which part of its stream record an event was, from the id that was derived of it; 0 when none fits.

    A quarantine row holds the sequence number alone, and the derived id is a digest of number, part and content.
    """
    for part in range(_PLACES_SEARCHED):
        if derived_id(sequence_number, part, line) == event_id:
            return part
    return 0


def derived_id(sequence_number: str, sub_sequence: int, line: bytes) -> str:
    """The id that the flattening function derives for an event that has none."""
    place = f"{sequence_number}:{sub_sequence}:".encode()
    return "seq-" + hashlib.sha256(place + line).hexdigest()[:32]
