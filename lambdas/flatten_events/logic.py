"""Answer a Firehose transformation request record by record, within the response limit; reads no environment.

The contract of request and response is Amazon Data Firehose's, "Transform source data": every record id comes back
once, as `Ok`, `Dropped` or `ProcessingFailed`.
"""

from __future__ import annotations

import binascii
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pybase64

from contracts.tables import UNKNOWN
from lambdas.flatten_events import settings as names
from lambdas.flatten_events.landing import Arrival, Landed, arrival_hour, land
from lambdas.flatten_events.reingestion import MARK, Returned, unwrap

RECORD_OVERHEAD_BYTES = 220
"""Room for a record's id, result and partition keys in the response's JSON, beside its data; generous."""

_NO_METADATA: Mapping[str, Any] = {}
PutBack = Callable[[Sequence[Returned]], list[bool]]
"""Puts records back on their stream; tells for each whether it is there."""


@dataclass(slots=True, kw_only=True)
class Answer:
    """The response's records, in the request's order, and what to count and log about them."""

    records: list[dict[str, Any]]
    metrics: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)


def transform(
    records: Sequence[Mapping[str, Any]], *, put_back: PutBack, max_response_bytes: int, max_reingestions: int
) -> Answer:
    """Flatten a request's records.

    Args:
        records: the request's `records`.
        put_back: puts back on the stream what the response has no room for.
        max_response_bytes: limit of the whole response.
        max_reingestions: how often one record may be put back.
    """
    answer = Answer(records=[])
    room = max_response_bytes - sum(len(record["recordId"]) + RECORD_OVERHEAD_BYTES for record in records)
    waiting: list[tuple[int, Returned]] = []
    # Records that go to one partition share its dictionary, because two more a record cost time.
    keys: dict[tuple[str, str, str], dict[str, Any]] = {}
    for record in records:
        record_id = record["recordId"]
        try:
            data = pybase64.b64decode(record["data"], validate=True)
        except (binascii.Error, ValueError):
            answer.records.append(_failed(record, answer))
            continue
        if not data or data.isspace():
            answer.metrics[names.METRIC_BLANK] += 1
            answer.records.append({"recordId": record_id, "result": "Dropped"})
            continue
        metadata = record.get("kinesisRecordMetadata") or _NO_METADATA
        arrived_at_ms = int(metadata.get("approximateArrivalTimestamp") or record["approximateArrivalTimestamp"])
        arrival = Arrival(
            sequence_number=str(metadata.get("sequenceNumber") or record_id),
            sub_sequence=int(metadata.get("subsequenceNumber") or 0),
            arrived_at_ms=arrived_at_ms,
        )
        line, partition_key = data.rstrip(b"\r\n"), str(metadata.get("partitionKey") or "")
        event = Returned(line=line, arrival=arrival, partition_key=partition_key)
        if line.startswith(MARK):
            event = unwrap(line, arrival, partition_key, max_reingestions=max_reingestions)
        landed = land(event.line, event.arrival)
        encoded = pybase64.b64encode_as_string(landed.line)
        if len(encoded) > room:
            fits_alone = len(encoded) + RECORD_OVERHEAD_BYTES <= max_response_bytes
            if fits_alone and event.attempt < max_reingestions:
                waiting.append((len(answer.records), event))
                answer.records.append({"recordId": record_id, "result": "Dropped"})
            else:
                answer.records.append(_failed(record, answer))
            continue
        room -= len(encoded)
        _count(answer, landed)
        place = (landed.zone, landed.type, arrival_hour(arrived_at_ms))
        if place not in keys:
            keys[place] = _partition_keys(*place)
        answer.records.append({"recordId": record_id, "result": "Ok", "data": encoded, "metadata": keys[place]})
    _total(answer)
    _return_to_stream(waiting, answer, put_back)
    return answer


def _partition_keys(zone: str, type: str, hour: str) -> dict[str, Any]:
    return {"partitionKeys": {"zone": zone, "type": type, "arrival": hour}}


def _return_to_stream(waiting: list[tuple[int, Returned]], answer: Answer, put_back: PutBack) -> None:
    if not waiting:
        return
    for (place, _), is_back in zip(waiting, put_back([event for _, event in waiting]), strict=True):
        if is_back:
            answer.metrics[names.METRIC_DROPPED] += 1
        else:
            # Firehose keeps the original under its error prefix, so that it can be replayed.
            answer.records[place] = _failed(answer.records[place], answer)


def _failed(record: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    answer.metrics[names.METRIC_FAILED] += 1
    return {"recordId": record["recordId"], "result": "ProcessingFailed"}


def _count(answer: Answer, landed: Landed) -> None:
    answer.types[landed.type] += 1
    if landed.derived_id:
        answer.metrics[names.METRIC_DERIVED_IDS] += 1
    if landed.reason is not None:
        answer.reasons[landed.reason.value] += 1
    elif landed.type == UNKNOWN.name:
        answer.metrics[names.METRIC_UNKNOWN] += 1
    elif landed.unknown_fields:
        answer.metrics[names.METRIC_UNKNOWN_FIELDS] += landed.unknown_fields
        answer.metrics[names.METRIC_COLLISIONS] += landed.collisions


def _total(answer: Answer) -> None:
    """What follows from the counts of the single events."""
    events, quarantined = answer.types.total(), answer.reasons.total()
    landed = events - quarantined - answer.metrics[names.METRIC_UNKNOWN]
    totals = {names.METRIC_EVENTS: events, names.METRIC_QUARANTINED: quarantined, names.METRIC_LANDED: landed}
    answer.metrics.update({name: count for name, count in totals.items() if count})
