"""Put failed records back on the event stream, each once; it mends no record.

A line of an object is marked as done right after the stream took it. A replay that is killed between the two puts at
most one batch twice; each event keeps its id, so that it is told. Two replays at once share the objects between them.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.model import Table
from operations.contract_check import refusal
from operations.drift import drifted_tables
from operations.explaining import parsed
from operations.failed_records import (
    QUARANTINE,
    UNREADABLE,
    FailedObject,
    FailedRecord,
    declared_type,
    download,
    objects,
    records,
)
from operations.output import Progress
from operations.platform import OperationsError, Platform
from operations.put_back_header import Place, sub_sequence_of, unwrap, wrap
from operations.replay_ledger import Claim, ClaimLostError, Held, Ledger
from operations.selection import HOUR_FORMAT, Selection
from operations.stream_writer import MAX_BYTES, MAX_RECORD_BYTES, Put, RefusedError, StreamWriter

DEFAULT_RATE = 500.0
"""Records a second: half of what one shard takes."""

_TOO_LARGE = "too_large"
_NO_SEQUENCE_NUMBER = "replay-"
"""How the sequence number of a record begins whose own Firehose did not keep."""


@dataclass(kw_only=True)
class Replayed:
    """What a replay did, over all its runs. `left` counts by reason what today's contract would refuse again.

    `present_hour` counts the records of a replay without an end that have to wait until `next_hour`.
    """

    replay_id: str
    by: str
    started_at: str
    selection: Selection
    dry_run: bool = False
    force: bool = False
    records: int = 0
    types: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    done_before: int = 0
    objects: int = 0
    present_hour: int = 0
    next_hour: str = ""
    held: list[str] = field(default_factory=list)
    ended_at: str = ""

    def as_json(self) -> dict[str, Any]:
        """The record as `--json` and the ledger write it. `types` counts those of the last run alone."""
        counts = {"types": dict(self.types), "left": dict(self.left), "selection": asdict(self.selection)}
        return {field.name: counts.get(field.name, getattr(self, field.name)) for field in fields(self)}


def replay(
    platform: Platform,
    selection: Selection,
    *,
    everything: bool = False,
    resume: str = "",
    rate: float = DEFAULT_RATE,
    force: bool = False,
    dry_run: bool = False,
    begun: Callable[[str], None] = lambda _: None,
    progress: Progress,
) -> Replayed:
    """Put selected failed records back on the stream.

    Args:
        platform: where.
        selection: what; an open end is the beginning of the present hour.
        everything: confirms a selection that leaves nothing out.
        resume: id of a replay that was begun and not ended; its own selection counts.
        rate: records a second.
        force: put back what today's contract would refuse again, and what the deployed tables do not know yet.
        dry_run: only count.
        begun: told the replay's id before anything is put.
        progress: told how far it is.

    Raises:
        OperationsError: it would do harm or nothing, says why; or the stream refuses.
    """
    ledger = Ledger(platform.client("s3"), platform.raw_bucket)
    now = platform.now()
    if resume:
        record = ledger.replay(resume)
        selection = Selection(**{name: _tuple(value) for name, value in record["selection"].items()})
        force = force or record["force"]
        open_end = False
    else:
        open_end = not selection.until
        selection = _checked(selection, everything=everything, now=now)
    if not force:
        _refuse_drift(platform, selection)
    state = Replayed(
        replay_id=resume or f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        by=platform.caller,
        started_at=record["started_at"] if resume else now.isoformat(),
        selection=selection,
        dry_run=dry_run,
        force=force,
    )
    if not dry_run and not resume:
        ledger.start_replay(state.replay_id, state.as_json())
    if not dry_run:
        begun(state.replay_id)
    run = _Run(platform, ledger, state, rate=rate, progress=progress)
    if open_end:
        run.count_present_hour(now)
    run.all()
    state.ended_at = platform.now().isoformat()
    if not dry_run:
        ledger.update_replay(state.replay_id, state.as_json())
    return state


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _checked(selection: Selection, *, everything: bool, now: datetime) -> Selection:
    """The selection with an end, which lies before the present hour.

    What is replayed arrives in the present hour. A range that held it would chase its own records.
    """
    if selection.selects_everything and not everything:
        raise OperationsError(
            "A replay of everything that ever failed; given: no hours, type or reason; allowed: a selection, or --all; "
            "fix: name what was mended, as in --since 2026-11-18 --until 2026-11-19."
        )
    present = now.strftime(HOUR_FORMAT)
    if selection.until > present:
        raise OperationsError(
            f"A replay whose range holds the present hour, in which replayed records arrive; given: --until "
            f"{selection.until}; allowed: {present} (UTC) at most; fix: wait for the hour to end, or leave --until out."
        )
    return Selection(
        since=selection.since, until=selection.until or present, types=selection.types, reasons=selection.reasons
    )


def _refuse_drift(platform: Platform, selection: Selection) -> None:
    drifted: list[Table] = [table for table in drifted_tables(platform) if selection.takes_type(table.name)]
    if drifted:
        raise OperationsError(
            f"The deployed tables are not those of this checkout's contracts: {', '.join(t.name for t in drifted)}; "
            "allowed: a replay after the fix is deployed; fix: deploy, or check out what is deployed (`check` shows "
            "the difference), or pass --force."
        )


class _Run:
    """One run of a replay over its objects."""

    def __init__(self, platform: Platform, ledger: Ledger, state: Replayed, *, rate: float, progress: Progress) -> None:
        self._s3, self._bucket = platform.client("s3"), platform.raw_bucket
        self._ledger, self._state, self._progress = ledger, state, progress
        self._writer = StreamWriter(platform.client("kinesis"), platform.stream_arn, records_per_second=rate)

    def all(self) -> None:
        for one in objects(self._s3, self._bucket, self._state.selection):
            if self._state.dry_run:
                self._count(one)
            else:
                self._replay(one)
            self._progress(f"{self._state.records:,} records of {self._state.objects:,} objects, at {one.hour}")

    def count_present_hour(self, now: datetime) -> None:
        """Count what would be put back if its hour had ended; before anything is put, which arrives in it."""
        selection = replace(self._state.selection, since=max(self._state.selection.since, now.strftime(HOUR_FORMAT)))
        for one in objects(self._s3, self._bucket, replace(selection, until="")):
            done = self._ledger.done(one.key)
            with download(self._s3, self._bucket, one.key) as content:
                for record in records(one.source, content):
                    self._state.present_hour += record.line not in done and self._takes(one, record)
        self._state.next_hour = f"{now + timedelta(hours=1):%H}:00 UTC"

    def _count(self, one: FailedObject) -> None:
        self._state.objects += 1
        done = self._ledger.done(one.key)
        with download(self._s3, self._bucket, one.key) as content:
            for record in records(one.source, content):
                if not self._takes(one, record):
                    continue
                if record.line in done:
                    self._state.done_before += 1
                elif self._puts(one, record):
                    self._taken(one, record)

    def _replay(self, one: FailedObject) -> None:
        state = self._state
        claim = self._ledger.claim(one.key, replay_id=state.replay_id, by=state.by)
        if isinstance(claim, Held):
            state.held.append(f"{one.key}: replay {claim.replay_id} of {claim.by}, until {claim.until}")
            return
        state.objects += 1
        # Of earlier runs of this replay too: they are its records.
        state.records += claim.entry.replayed_by(state.replay_id)
        state.done_before += len(claim.entry.done) - claim.entry.replayed_by(state.replay_id)
        try:
            with download(self._s3, self._bucket, one.key) as content:
                for batch in self._batches(one, claim, records(one.source, content)):
                    self._put(batch, claim)
                    self._progress(f"{state.records:,} records of {state.objects:,} objects, at {one.hour}")
            claim.release()
        except ClaimLostError:
            state.held.append(f"{one.key}: another replay took it over, because this one gave no sign for too long")

    def _put(self, batch: list[Put], claim: Claim) -> None:
        try:
            self._writer.put(batch)
        except RefusedError as error:
            claim.advance(error.accepted)
            claim.release()
            raise
        claim.advance(tuple({put.line for put in batch}))

    def _batches(self, one: FailedObject, claim: Claim, found: Iterator[FailedRecord]) -> Iterator[list[Put]]:
        """Batches of a call each; all parts of one line are in one batch, as far as a call takes them."""
        already = claim.entry.done
        batch: list[Put] = []
        size = 0
        for record in found:
            if record.line in already or not self._takes(one, record):
                continue
            puts = self._puts(one, record)
            if not puts:
                continue
            weight = sum(len(put.data) + len(put.partition_key) for put in puts)
            if batch and (len(batch) + len(puts) > self._writer.batch_records or size + weight > MAX_BYTES):
                yield batch
                batch, size = [], 0
            self._taken(one, record)
            batch += puts
            size += weight
        if batch:
            yield batch

    def _taken(self, one: FailedObject, record: FailedRecord) -> None:
        self._state.records += 1
        self._state.types[one.folder if one.source == QUARANTINE else declared_type(parsed(record.original))] += 1

    def _takes(self, one: FailedObject, record: FailedRecord) -> bool:
        selection = self._state.selection
        if not selection.takes_reason(record.reason):
            return False
        return (
            one.source == QUARANTINE
            or not selection.types
            or selection.takes_type(declared_type(parsed(record.original)))
        )

    def _puts(self, one: FailedObject, record: FailedRecord) -> list[Put]:
        """What goes on the stream for a record: its lines, each with its first place; nothing when it is left."""
        if record.reason == UNREADABLE:
            self._state.left[UNREADABLE] += 1
            return []
        original, first = unwrap(record.original.rstrip(b"\r\n"))
        place = first or _first_place(one, record, original)
        puts: list[Put] = []
        for number, line in enumerate(part for part in original.split(b"\n") if part.strip()):
            # What Firehose gave up was judged by nobody yet; what the contract refused is held against today's.
            violation = refusal(line) if one.source == QUARANTINE and not self._state.force else None
            part = Place(
                sequence_number=place.sequence_number,
                sub_sequence=place.sub_sequence + number,
                arrived_at_ms=place.arrived_at_ms,
            )
            data = wrap(line, part)
            if len(data) > MAX_RECORD_BYTES:
                data = line + b"\n"
            if violation is not None or len(data) > MAX_RECORD_BYTES:
                self._state.left[violation.reason.value if violation is not None else _TOO_LARGE] += 1
                return []
            puts.append(Put(line=record.line, data=data, partition_key=_partition_key(one, record, number)))
        return puts


def _first_place(one: FailedObject, record: FailedRecord, original: bytes) -> Place:
    if one.source == QUARANTINE:
        arrived = datetime.fromisoformat(record.arrived_at).replace(tzinfo=UTC)
        sub_sequence = sub_sequence_of(record.event_id, record.sequence_number, original) if record.derived_id else 0
        return Place(
            sequence_number=record.sequence_number,
            sub_sequence=sub_sequence,
            arrived_at_ms=round(arrived.timestamp() * 1000),
        )
    # Firehose keeps no sequence number; object and line never change, so a repetition derives the same id.
    name = hashlib.sha256(one.key.encode()).hexdigest()[:32]
    return Place(
        sequence_number=f"{_NO_SEQUENCE_NUMBER}{name}",
        sub_sequence=record.line,
        arrived_at_ms=int(record.arrived_at),
    )


def _partition_key(one: FailedObject, record: FailedRecord, number: int) -> str:
    """Spreads the records over the shards, the same way each time."""
    return hashlib.sha256(f"{one.key}:{record.line}:{number}".encode()).hexdigest()[:16]
