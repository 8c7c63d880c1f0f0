"""Whatever bytes come: the function never raises, answers each record once, and lands strict JSON of its table."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs requirements-dev.txt")
pytest.importorskip("orjson", reason="the flattening function's own package")

from hypothesis import given, settings
from hypothesis import strategies as some

from contracts import events
from contracts.tables import QUARANTINE, UNKNOWN
from lambdas.flatten_events.logic import transform

NUMBERS = some.sampled_from(
    ["1e99999999999999999999", "-1e-99999999", "1" * 5000, "0.1e400", "1E+22", "-0", "1.0", "12345678901234567890.5"]
)
SCALARS = some.one_of(
    some.none(), some.booleans(), some.integers(), some.floats(), some.text(max_size=12), some.dates().map(str)
)
VALUES = some.recursive(
    SCALARS, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=6), inner, max_size=3)
)


@some.composite
def lines(draw: some.DrawFn) -> bytes:
    """Bytes of any kind, JSON of any kind, and bodies that come close to a contract."""
    kind = draw(some.sampled_from(["bytes", "json", "event", "number"]))
    if kind == "bytes":
        return draw(some.binary(max_size=60))
    if kind == "json":
        return json.dumps(draw(VALUES)).encode()
    event = draw(some.sampled_from(events.EVENTS))
    body: dict[str, Any] = {}
    for column in event.sent:
        if draw(some.booleans()):
            node = body
            for key in column.keys[:-1]:
                node = node.setdefault(key, {})
            node[column.keys[-1]] = draw(some.sampled_from(column.examples or (1,)) | VALUES)
    body["event_type"] = event.type
    text = json.dumps(body)
    if kind == "number":
        text = f'{text[:-1]},"odd":{draw(NUMBERS)},"schema_version":{draw(NUMBERS)}}}'
    return text.encode()


def _refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} was landed")


@settings(max_examples=400, deadline=None)
@given(some.lists(lines(), min_size=1, max_size=6))
def test_every_record_is_answered_and_what_lands_is_strict_json_of_its_table(batch: list[bytes]) -> None:
    records = [
        {"recordId": f"r{place}", "approximateArrivalTimestamp": 1_794_998_401_000, "data": b64encode(line).decode()}
        for place, line in enumerate(batch)
    ]
    answer = transform(
        records, put_back=lambda rest: [False for _ in rest], max_response_bytes=6_000_000, max_reingestions=3
    )
    assert [record["recordId"] for record in answer.records] == [record["recordId"] for record in records]
    assert answer.reasons["internal_error"] == 0
    for line, record in zip(batch, answer.records, strict=True):
        if not line or line.isspace():
            assert record["result"] == "Dropped"
            continue
        assert record["result"] == "Ok"
        keys = record["metadata"]["partitionKeys"]
        row = json.loads(b64decode(record["data"]), parse_constant=_refuse_constant)
        contract = events.by_type(keys["type"])
        if keys["zone"] == "quarantine":
            table = QUARANTINE
            original = row["original"]
            kept = b64decode(original) if row["original_encoding"] == "base64" else original.encode()
            assert kept == line.rstrip(b"\r\n")
        else:
            table = contract.table if contract else UNKNOWN
        assert set(row) <= set(table.column)
        assert row["event_id"]
