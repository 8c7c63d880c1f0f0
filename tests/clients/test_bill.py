"""The estimate of the bill follows the published rules."""

from __future__ import annotations

import pytest

from bench.client_bill import GB, SECONDS_PER_MONTH, Prices, Traffic, bill, compare, record_sizes
from clients.amp_events import Limits

TRAFFIC = Traffic(events_per_second=100, event_bytes=1_000, producers=1)


def _only(price: str, sizes: list[int], events: int) -> float:
    prices = Prices(**{**dict.fromkeys(vars(Prices()), 0.0), price: 1.0})
    return bill(TRAFFIC, sizes=sizes, events=events, prices=prices).total


def test_firehose_counts_each_record_in_steps_of_5_kilobytes() -> None:
    month = 100 * SECONDS_PER_MONTH / GB
    assert _only("firehose_gb", [1_000], 1) == pytest.approx(5_120 * month)
    assert _only("firehose_gb", [5_000], 5) == pytest.approx(1_024 * month)


def test_the_stream_counts_each_record_in_steps_of_1_kilobyte() -> None:
    month = 100 * SECONDS_PER_MONTH / GB
    assert _only("stream_in_gb", [450], 1) == pytest.approx(1_024 * month)
    assert _only("stream_in_gb", [10_240], 10) == pytest.approx(1_024 * month)


def test_partitioning_and_s3_cost_the_same_however_events_travel() -> None:
    single, batched, counted = compare(TRAFFIC, limits=Limits(), prices=Prices())
    assert single.partitioning == batched.partitioning == counted.partitioning > 0
    assert single.s3_puts == batched.s3_puts > 0
    assert batched.total < single.total
    assert counted.firehose == single.firehose


def test_records_are_those_that_the_client_makes() -> None:
    fast = record_sizes(TRAFFIC, Limits())
    assert fast[0] == 24 * 1_000 + 23
    slow = record_sizes(Traffic(events_per_second=10, event_bytes=1_000, producers=5), Limits())
    assert slow[0] == 2 * 1_000 + 1
