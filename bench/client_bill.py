"""Estimate the bill of the streaming path, batched events against single ones: `python -m bench.client_bill`.

It counts by the published rules and measures nothing; what the rules leave open is in `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clients.amp_events.batching import Batcher
from clients.amp_events.limits import Limits
from clients.amp_events.stats import billed_bytes

GB = 1_000_000_000
"""Bytes of a billed GB; the pricing pages do not say whether it is this or 2**30 (7 % less)."""
HOURS_PER_MONTH = 730
SECONDS_PER_MONTH = HOURS_PER_MONTH * 3_600

UNKNOWN = (
    "Whether Firehose counts a record of many lines as one record or as its lines. The rule says that the roundup is "
    "per record and de-aggregation comes later, but no page was found that says so of de-aggregated records: compare "
    "the usage type BilledBytes with the stream's IncomingBytes on the first bill.",
    "Whether dynamic partitioning's charge per GB counts bytes before or after compression; here before, the higher.",
    "Whether what Firehose reads from the stream is rounded up like what is written; here it is not.",
    "The prices, which are us-east-1's, without tiers, discounts or taxes, and secondary sources give them.",
    "Lambda, KMS and S3 storage are left out: batching does not change how many events they see.",
)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """US dollars, us-east-1, read on 2026-11-21 at second hand: AWS's own pages were read for the rules alone.

    Each is a parameter: check them against the pricing pages before deciding by them.
    """

    stream_hour: float = 0.04
    """On-demand data stream (Infracost's recorded AWS price list, 29.20 for 730 hours)."""
    stream_in_gb: float = 0.08
    """Written, each record rounded up to 1 KB (rule: Kinesis Data Streams pricing page; price: Infracost)."""
    stream_out_gb: float = 0.04
    """Read by Firehose (Infracost)."""
    firehose_gb: float = 0.029
    """Ingested, each record rounded up to 5 KB (rule: Amazon Data Firehose pricing page and FAQ, "5KB roundup is
    calculated at the record level"; price: first 500 TB a month, kennethjorgensen.com, 2022,
    and undated notes in public repositories)."""
    partitioning_gb: float = 0.020
    """Delivered with dynamic partitioning (rule: the pricing page; price: undated notes in public
    repositories)."""
    partitioning_1000_objects: float = 0.005
    """Objects delivered with dynamic partitioning (as above)."""
    s3_1000_puts: float = 0.005
    """S3 Standard PUT requests (as above)."""


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What producers send: `events_per_second` over all of them, evenly spread in time."""

    events_per_second: float
    event_bytes: int
    producers: int
    partitions: int = 21
    """Event types that occur in every delivery interval."""
    delivery_s: int = 60


@dataclass(frozen=True, kw_only=True)
class Bill:
    """US dollars a month."""

    stream: float
    firehose: float
    partitioning: float
    s3_puts: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.stream + self.firehose + self.partitioning + self.s3_puts


def record_sizes(traffic: Traffic, limits: Limits, *, events: int = 2_000) -> list[int]:
    """Bytes of the records into which the client gathers this many events of one producer."""
    apart_s = traffic.producers / traffic.events_per_second
    batcher = Batcher(limits)
    line = b"x" * traffic.event_bytes
    records = []
    for number in range(events):
        now = number * apart_s
        records += batcher.due(now)
        records += batcher.add(line, lane=None, now=now)
    records += batcher.seal_all()
    return [record.size for record in records]


def bill(traffic: Traffic, *, sizes: Sequence[int], events: int, prices: Prices, metered: Sequence[int] = ()) -> Bill:
    """The month's bill when `events` events travel in records of these sizes.

    `metered` are the sizes that Firehose counts, where they are other than those of the records.
    """
    scale = traffic.events_per_second * SECONDS_PER_MONTH / events
    written = sum(-(-size // 1_024) * 1_024 for size in sizes) * scale / GB
    read = sum(sizes) * scale / GB
    ingested = sum(billed_bytes(size) for size in metered or sizes) * scale / GB
    landed = traffic.event_bytes * traffic.events_per_second * SECONDS_PER_MONTH / GB
    objects = traffic.partitions * SECONDS_PER_MONTH / traffic.delivery_s
    return Bill(
        stream=prices.stream_hour * HOURS_PER_MONTH + written * prices.stream_in_gb + read * prices.stream_out_gb,
        firehose=ingested * prices.firehose_gb,
        partitioning=landed * prices.partitioning_gb + objects / 1_000 * prices.partitioning_1000_objects,
        s3_puts=objects / 1_000 * prices.s3_1000_puts,
    )


def compare(traffic: Traffic, *, limits: Limits, prices: Prices, events: int = 2_000) -> tuple[Bill, Bill, Bill]:
    """Bills of the same traffic: single events, batched, and batched if Firehose counted each line as a record."""
    single = [traffic.event_bytes] * events
    batched = record_sizes(traffic, limits, events=events)
    return (
        bill(traffic, sizes=single, events=events, prices=prices),
        bill(traffic, sizes=batched, events=events, prices=prices),
        bill(traffic, sizes=batched, events=events, prices=prices, metered=single),
    )


def main() -> None:
    """Print the table of the decision record and what is not known."""
    prices, limits = Prices(), Limits()
    print("| Events/s | Producers | Bytes | Events a record | Single $ | Batched $ | Less | If lines were counted $ |")
    print("|---|---|---|---|---|---|---|---|")
    for rate, producers, size in (
        (100, 4, 450), (1_000, 20, 450), (1_000, 200, 450), (1_000, 20, 1_000), (1_000, 20, 3_000), (10_000, 100, 450),
    ):  # fmt: skip
        traffic = Traffic(events_per_second=rate, event_bytes=size, producers=producers)
        single, batched, counted = compare(traffic, limits=limits, prices=prices)
        per_record = 2_000 / len(record_sizes(traffic, limits))
        print(
            f"| {rate:,} | {producers} | {size:,} | {per_record:.0f} | {single.total:,.0f} | {batched.total:,.0f} "
            f"| {1 - batched.total / single.total:.0%} | {counted.total:,.0f} |"
        )
    traffic = Traffic(events_per_second=1_000, event_bytes=450, producers=20)
    print("\nIn parts, 1,000 events/s of 450 bytes from 20 producers ($ a month):\n")
    print("| | Stream | Firehose | Partitioning | S3 PUTs | Total |")
    print("|---|---|---|---|---|---|")
    names = ("single", "batched", "batched, if lines were counted")
    for name, of in zip(names, compare(traffic, limits=limits, prices=prices), strict=True):
        print(
            f"| {name} | {of.stream:,.0f} | {of.firehose:,.0f} | {of.partitioning:,.0f} | {of.s3_puts:,.0f} "
            f"| {of.total:,.0f} |"
        )
    print("\nRecord size, 1,000 events/s of 1,500 bytes from 4 producers ($ of Firehose a month):\n")
    for record_bytes in (5_000, 10_000, 25_000, 100_000, 500_000):
        traffic = Traffic(events_per_second=1_000, event_bytes=1_500, producers=4)
        _, batched, _ = compare(traffic, limits=Limits(record_bytes=record_bytes), prices=prices)
        print(f"- {record_bytes:,} bytes: {batched.firehose:,.0f}")
    print("\nNot known:\n")
    for sentence in UNKNOWN:
        print(f"- {sentence}")


if __name__ == "__main__":
    main()
