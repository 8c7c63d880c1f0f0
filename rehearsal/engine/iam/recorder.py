"""The record of decisions: equal ones are counted, so that a long run stays small.

It must not decide; it is told the decision and what part of the context mattered.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

from rehearsal.engine.iam.decisions import Decision
from rehearsal.engine.iam.model import CallRecord, Need, Principal

DISTINCT_RESOURCES = 5_000
"""How many different resources or contexts of one principal, action and deciding statement are kept apart."""

_Group = tuple[str, str, bool, str]
_Key = tuple[_Group, str, tuple[tuple[str, ...], ...]]


class Recorder:
    """Tallies of decisions. Not thread safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._first: dict[_Key, CallRecord] = {}
        self._counts: Counter[_Key] = Counter()
        self._overflow: dict[_Group, _Key] = {}
        self._sizes: Counter[_Group] = Counter()
        self._sequence = 0

    def record(
        self,
        principal: Principal,
        need: Need,
        decision: Decision,
        shape: tuple[tuple[str, ...], ...],
        *,
        at: datetime,
    ) -> None:
        """Counts a decision; past `DISTINCT_RESOURCES` it is counted with the first of its group."""
        self._sequence += 1
        group = (principal.arn, need.action, decision.allowed, decision.reason)
        key = (group, need.resource, shape)
        if key not in self._counts:
            if self._sizes[group] >= DISTINCT_RESOURCES:
                key = self._overflow[group]
            else:
                self._sizes[group] += 1
                self._overflow.setdefault(group, key)
                self._first[key] = CallRecord(
                    time=at,
                    principal=principal,
                    need=need,
                    allowed=decision.allowed,
                    reason=decision.reason,
                    sequence=self._sequence,
                )
        self._counts[key] += 1

    def calls(self) -> list[CallRecord]:
        """The records of roles and services, in order of first occurrence."""
        return self._records(administrator=False)

    def administrator_calls(self) -> list[CallRecord]:
        """The records of the administrator."""
        return self._records(administrator=True)

    def _records(self, *, administrator: bool) -> list[CallRecord]:
        return [
            replace(record, count=self._counts[key])
            for key, record in self._first.items()
            if (record.principal.kind == "administrator") == administrator
        ]
