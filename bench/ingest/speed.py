"""Times contenders batch by batch in interleaved rounds, and counts their calls of the API; knows no target."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence

from bench.ingest.batches import repeated
from bench.ingest.contenders import BARE, Contender
from bench.ingest.results import Rate, Repeats
from bench.ingest.services import Services
from rehearsal.scenario.catalog_service import slow


def rates(
    contenders: Mapping[str, Contender],
    services: Services,
    show_ids: Sequence[str],
    latencies_ms: Sequence[float],
    rounds: int,
) -> list[Rate]:
    """Shows a second of each contender, a batch of `show_ids`, where the API takes so long for each answer.

    A round takes each latency and contender once, so that what disturbs the machine disturbs all; a ratio is of one
    round. One batch of each without latency goes before, for connections and caches.
    """
    for contender in contenders.values():
        contender(show_ids)
    taken: dict[tuple[float, str], list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for latency_ms in latencies_ms:
            for name, contender in contenders.items():
                for show_id in show_ids:
                    services.catalog.script(show_id, slow(latency_ms / 1_000))
                began, computed = time.perf_counter(), time.thread_time()
                contender(show_ids)
                spent = time.perf_counter() - began, time.thread_time() - computed
                taken.setdefault((latency_ms, name), []).append(spent)
    return [
        _rate(latency_ms, name, times, taken[latency_ms, BARE], len(show_ids))
        for (latency_ms, name), times in taken.items()
    ]


def _rate(
    latency_ms: float,
    name: str,
    times: Sequence[tuple[float, float]],
    bare: Sequence[tuple[float, float]],
    shows: int,
) -> Rate:
    per_s = [shows / wall for wall, _ in times]
    cpu_ms = [cpu / shows * 1e3 for _, cpu in times]
    return Rate(
        latency_ms=latency_ms,
        contender=name,
        shows=shows,
        per_s=statistics.median(per_s),
        per_s_of_each=[min(per_s), max(per_s)],
        to_bare=statistics.median(wall / least for (wall, _), (least, _) in zip(times, bare, strict=True)),
        cpu_ms=statistics.median(cpu_ms),
        cpu_ms_of_each=[min(cpu_ms), max(cpu_ms)],
    )


def repeats(
    contender: Contender, services: Services, show_ids: Sequence[str], *, times: int, messages: int, in_bursts: bool
) -> Repeats:
    """Calls of the API where each show is announced `times` times, in batches of up to `messages` messages."""
    batches = repeated(show_ids, times=times, messages=messages, in_bursts=in_bursts)
    before = sum(services.catalog.calls.values())
    for one in batches:
        contender(one)
    return Repeats(
        order="in bursts" if in_bursts else "in any order",
        batches=len(batches),
        messages=sum(map(len, batches)),
        shows=len(show_ids),
        shows_of_batches=sum(len(set(one)) for one in batches),
        calls=sum(services.catalog.calls.values()) - before,
    )
