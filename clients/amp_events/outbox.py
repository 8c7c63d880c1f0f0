"""Choose which sealed records the next call carries, and what a refusal means for them; makes no call itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from .batching import Record
from .limits import MAX_BYTES_PER_CALL, MAX_RECORDS_PER_CALL, Limits

MAX_KEY_BYTES = 256
"""Room counted for a partition key (API reference, PutRecordsRequestEntry)."""


class Outbox:
    """Sealed records until they are settled, in the order in which they were sealed.

    One call is under way at a time. Of a lane only the oldest record may travel, because `PutRecords` keeps no order
    among its records (API reference, PutRecords) and a refused one would be overtaken.
    """

    def __init__(self, limits: Limits, *, jitter: Callable[[float, float], float] = random.uniform) -> None:
        """Start empty."""
        self._limits = limits
        self._jitter = jitter
        self._records: dict[Record, None] = {}
        self._failed_calls = 0
        self._paused_until = 0.0

    def extend(self, records: Sequence[Record]) -> None:
        """Take sealed records."""
        self._records.update(dict.fromkeys(records))

    def __len__(self) -> int:
        """Records that are not settled."""
        return len(self._records)

    def records(self) -> list[Record]:
        """Records that are not settled, oldest first."""
        return list(self._records)

    def take(self, now: float) -> list[Record]:
        """The records of the next call; each counts one more attempt. Empty when nothing may be sent yet."""
        if now < self._paused_until:
            return []
        chosen: list[Record] = []
        size = 0
        for record in self._candidates():
            if record.not_before > now:
                continue
            if size + record.size + MAX_KEY_BYTES > MAX_BYTES_PER_CALL or len(chosen) == MAX_RECORDS_PER_CALL:
                break
            size += record.size + MAX_KEY_BYTES
            record.attempts += 1
            chosen.append(record)
        return chosen

    def wake_at(self) -> float | None:
        """When the next record may be sent; None when there is none."""
        times = [record.not_before for record in self._candidates()]
        return max(min(times), self._paused_until) if times else None

    def settle(
        self, records: Sequence[Record], errors: Sequence[str], *, now: float
    ) -> tuple[list[Record], list[Record]]:
        """Note how a call went: for each record its error code, empty where it is on the stream.

        Returns the records that are sent and those that are given up; the others stay for another attempt.
        """
        self._failed_calls = 0
        sent, given_up = [], []
        for record, error in zip(records, errors, strict=True):
            if record.settled:
                continue  # closing has abandoned it meanwhile
            if not error:
                sent.append(record)
            elif record.attempts >= self._limits.max_attempts:
                record.error = error
                given_up.append(record)
            else:
                record.error = error
                record.not_before = now + self._wait(record.attempts)
        self._remove(sent + given_up)
        return sent, given_up

    def fail(self, records: Sequence[Record], error: str, *, now: float) -> list[Record]:
        """Note that a whole call failed: nothing is sent for a while. Returns the records that are given up."""
        failed_calls = self._failed_calls + 1
        _, given_up = self.settle(records, [error] * len(records), now=now)
        for record in records:
            record.not_before = 0.0  # the pause is theirs already
        self._failed_calls = failed_calls
        self._paused_until = now + self._wait(failed_calls)
        return given_up

    def abandon(self) -> list[Record]:
        """Settle everything as not sent; gives what there was."""
        left = self.records()
        self._remove(left)
        return left

    def _remove(self, records: Sequence[Record]) -> None:
        for record in records:
            record.settled = True
            del self._records[record]

    def _candidates(self) -> list[Record]:
        lanes: set[int] = set()
        found = []
        for record in self._records:
            if record.lane is not None:
                if record.lane in lanes:
                    continue
                lanes.add(record.lane)
            found.append(record)
        return found

    def _wait(self, attempts: int) -> float:
        longest = min(self._limits.backoff_ms * 2 ** min(attempts - 1, 40), self._limits.max_backoff_ms)
        return self._jitter(0, longest / 1_000)
