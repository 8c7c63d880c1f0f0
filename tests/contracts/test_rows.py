"""How values become a column's: exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from contracts.event import Event
from contracts.model import Column
from contracts.reasons import ContractViolation, Reason
from contracts.views import rows


def _read(kind: str, value: object) -> Any:
    column = Column(path="value", type=kind, description="A value.")
    event = Event(type="t", version=1, owner="o", description="d", columns=(column,))
    body = {"event_type": "t", "occurred_at": 0, "value": value}
    return rows.RowReader(event).read(body).columns["value"]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", "ü", "ü"),
        ("string", 12345678901234567890, "12345678901234567890"),
        ("int", 3.0, 3),
        ("int", "-17", -17),
        ("bigint", Decimal("9223372036854775807"), 2**63 - 1),
        ("double", 1, 1),
        ("double", Decimal("1.5"), 1.5),
        ("decimal(12,2)", 12, "12.00"),
        ("decimal(12,2)", "0012.3", "12.30"),
        ("decimal(12,2)", Decimal("-0.05"), "-0.05"),
        ("decimal(12,2)", 1.1, "1.10"),
        ("decimal(5,0)", "1e3", "1000"),
        ("decimal(38,38)", "0." + "1" * 38, "0." + "1" * 38),
        ("decimal(4,2)", "-0.00", "0.00"),
        ("date", "2026-02-28", "2026-02-28"),
        ("array<int>", [1, None, "2"], [1, None, 2]),
        ("map<string,bigint>", {"a": 1, "b": None}, {"a": 1, "b": None}),
        ("struct<a:int,b:string>", {"a": 1, "b": None}, {"a": 1}),
        ("timestamp", 0, "1970-01-01 00:00:00.000"),
        ("timestamp", -1, "1969-12-31 23:59:59.999"),
        ("timestamp", "1794998400123", "2026-11-18 10:40:00.123"),
        ("timestamp", 1794998400123.25, "2026-11-18 10:40:00.123250"),
        ("timestamp", "2026-11-18T08:00:00Z", "2026-11-18 08:00:00.000"),
        ("timestamp", "2026-11-18 08:00", "2026-11-18 08:00:00.000"),
        ("timestamp", "2026-11-18T08:00:00.123456789+02:00", "2026-11-18 06:00:00.123456"),
        ("timestamp", "2026-11-18T08:00:00,5-0330", "2026-11-18 11:30:00.500"),
    ],
)
def test_a_value_is_held_exactly(kind: str, value: object, expected: object) -> None:
    found = _read(kind, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("string", 1.5, Reason.WRONG_TYPE),
        ("string", True, Reason.WRONG_TYPE),
        ("boolean", 1, Reason.WRONG_TYPE),
        ("int", 1.5, Reason.WRONG_TYPE),
        ("int", float("nan"), Reason.WRONG_TYPE),
        ("int", 2**31, Reason.OUT_OF_RANGE),
        ("bigint", 2**63, Reason.OUT_OF_RANGE),
        ("bigint", Decimal("1e30"), Reason.OUT_OF_RANGE),
        ("bigint", Decimal("-1e999999"), Reason.OUT_OF_RANGE),
        ("string", Decimal("1e999999"), Reason.WRONG_TYPE),
        ("double", Decimal("1e400"), Reason.OUT_OF_RANGE),
        ("int", float("-inf"), Reason.OUT_OF_RANGE),
        ("bigint", float(2**60), Reason.OUT_OF_RANGE),
        ("double", float("inf"), Reason.OUT_OF_RANGE),
        ("double", "1.5", Reason.WRONG_TYPE),
        ("decimal(4,2)", "100", Reason.OUT_OF_RANGE),
        ("decimal(4,2)", "1.005", Reason.OUT_OF_RANGE),
        ("decimal(4,2)", "one", Reason.WRONG_TYPE),
        ("decimal(4,2)", "1e999", Reason.OUT_OF_RANGE),
        ("date", "2026-02-30", Reason.WRONG_TYPE),
        ("array<int>", {"a": 1}, Reason.WRONG_TYPE),
        ("array<int>", [1, "x"], Reason.WRONG_TYPE),
        ("timestamp", True, Reason.WRONG_TYPE),
        ("timestamp", "yesterday", Reason.WRONG_TYPE),
        ("timestamp", "2026-13-01T00:00:00Z", Reason.OUT_OF_RANGE),
        ("timestamp", "0001-01-01T00:00:00+14:00", Reason.OUT_OF_RANGE),
        ("timestamp", 10**15, Reason.OUT_OF_RANGE),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(kind: str, value: object, reason: Reason) -> None:
    with pytest.raises(ContractViolation, match="'value'") as caught:
        _read(kind, value)
    assert (caught.value.reason, caught.value.column) == (reason, "value")


def test_null_is_no_value() -> None:
    column = Column(path="value", type="int", description="A value.")
    event = Event(type="t", version=1, owner="o", description="d", columns=(column,))
    assert "value" not in rows.RowReader(event).read({"event_type": "t", "occurred_at": 0, "value": None}).columns
