"""Say what failed and why: groups of failed records with their count, first and last arrival, and a masked sample.

It moves nothing, and holds one group in memory for each reason, type and version, never the records.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

from contracts.tables import UNKNOWN
from operations.dead_letters import DeadLetters
from operations.failed_records import QUARANTINE, FailedObject, FailedRecord, declared_type, download, objects, records
from operations.line_set import LineSet
from operations.masking import Sample, letter_sample, sample_of
from operations.output import Progress
from operations.platform import Platform
from operations.put_back_header import unwrap
from operations.replay_ledger import Ledger
from operations.selection import HOUR_FORMAT, Selection

MAX_GROUPS = 2_000
"""Groups that are told apart; what comes beyond is counted under the reason `other`, so that memory stays bounded."""

_TOLD_EVERY = 5_000
_FETCHES = 6
_LARGEST_VERSION = 1_000
_Read = tuple[FailedObject, IO[bytes], LineSet]


@dataclass(slots=True, kw_only=True)
class Group:
    """Failed records alike. `schema_version` is what the producer said, `replayed` how many are back on the stream."""

    source: str
    reason: str
    type: str
    schema_version: str
    count: int = 0
    replayed: int = 0
    first: str = ""
    last: str = ""
    sentence: str = ""
    sample: Sample = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The group as `--json` writes it."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True, kw_only=True)
class Explanation:
    """All groups, largest first, and what could not be looked at."""

    groups: list[Group]
    objects: int = 0
    notes: list[str] = field(default_factory=list)


def explain(
    platform: Platform, selection: Selection, *, letters: Selection | None = None, progress: Progress
) -> Explanation:
    """Group all that failed: quarantined rows, what Firehose gave up and, with ``letters``, dead letters by that."""
    groups: dict[tuple[str, str, str, str], Group] = {}
    explanation = Explanation(groups=[])
    _explain_objects(platform, selection, groups, explanation, progress)
    for pair in platform.queues if letters is not None else ():
        if letters is not None and letters.takes_type(pair.name):
            _explain_letters(DeadLetters(platform.client("sqs"), pair), letters, groups, explanation, progress)
    explanation.groups = sorted(groups.values(), key=lambda group: -group.count)
    return explanation


def _explain_letters(
    queue: DeadLetters,
    selection: Selection,
    groups: dict[tuple[str, str, str, str], Group],
    explanation: Explanation,
    progress: Progress,
) -> None:
    with queue.looked_through() as found:
        for letter in found:
            hour = letter.failed_at[:13].replace("T", "-")
            if selection.takes_reason(letter.reason) and selection.takes_hour(hour):
                group = _group(groups, f"dead letters of {queue.name}", letter.reason, queue.name, "-")
                _count(group, letter.failed_at, letter.sentence)
                group.sample = group.sample or letter_sample(letter.body)
                progress(f"{group.count:,} dead letters of {queue.name}")
    explanation.notes += queue.notes


def _explain_objects(
    platform: Platform,
    selection: Selection,
    groups: dict[tuple[str, str, str, str], Group],
    explanation: Explanation,
    progress: Progress,
) -> None:
    s3, bucket = platform.client("s3"), platform.raw_bucket
    count = 0
    for one, content, done in _read_ahead(s3, bucket, objects(s3, bucket, selection)):
        explanation.objects += 1
        for record in records(one.source, content):
            if selection.takes_reason(record.reason) and _explain_record(
                groups, one, record, record.line in done, selection
            ):
                count += 1
                if count % _TOLD_EVERY == 0:
                    progress(f"{count:,} failed records in {explanation.objects:,} objects, at {one.hour}")
    progress(f"{count:,} failed records in {explanation.objects:,} objects")


def _read_ahead(s3: Any, bucket: str, found: Iterator[FailedObject]) -> Iterator[_Read]:
    """Each object, its bytes and the lines that were replayed, in order; a few are fetched while one is worked on."""
    ledger = Ledger(s3, bucket)

    def fetch(one: FailedObject) -> _Read:
        return one, download(s3, bucket, one.key), ledger.done(one.key)

    waiting: deque[Future[_Read]] = deque()
    with ThreadPoolExecutor(_FETCHES) as pool:
        while True:
            while len(waiting) < _FETCHES and (one := next(found, None)) is not None:
                waiting.append(pool.submit(fetch, one))
            if not waiting:
                return
            read = waiting.popleft().result()
            with read[1]:
                yield read


def _explain_record(
    groups: dict[tuple[str, str, str, str], Group],
    one: FailedObject,
    record: FailedRecord,
    replayed: bool,
    selection: Selection,
) -> bool:
    body = parsed(record.original)
    kind = one.folder if one.source == QUARANTINE else declared_type(body)
    if not selection.takes_type(kind):
        return False
    source = one.source if one.source == QUARANTINE else f"{one.source}/{one.folder}"
    group = _group(groups, source, record.reason, kind, _schema_version(body, kind))
    _count(group, _moment(record.arrived_at), record.sentence)
    group.replayed += replayed
    if not group.sample:
        group.sample = sample_of(record, body)
    return True


def _schema_version(body: Any, kind: str) -> str:
    """The version that the producer had in hand; anything else that stands there is not shown."""
    version = body.get("schema_version") if isinstance(body, dict) and kind != UNKNOWN.name else None
    return str(version) if type(version) is int and 0 < version < _LARGEST_VERSION else "-"


def parsed(line: bytes) -> Any:
    """An event's body, without the header of one that was put back; None for what is no JSON."""
    try:
        return json.loads(unwrap(line)[0])
    except (ValueError, RecursionError):
        return None


def _group(groups: dict[tuple[str, str, str, str], Group], source: str, reason: str, kind: str, version: str) -> Group:
    key = (source, reason, kind, version)
    if key not in groups and len(groups) >= MAX_GROUPS:
        key = (source, "other", "other", "-")
    if key not in groups:
        groups[key] = Group(source=source, reason=key[1], type=key[2], schema_version=key[3])
    return groups[key]


def _count(group: Group, moment: str, sentence: str) -> None:
    group.count += 1
    group.first = min(group.first, moment) if group.first else moment
    group.last = max(group.last, moment)
    if not group.sentence:
        group.sentence = sentence


def _moment(arrived_at: str) -> str:
    """A moment as ISO 8601: rows hold text in UTC, Firehose's envelopes epoch milliseconds."""
    if arrived_at.isdigit():
        return datetime.fromtimestamp(int(arrived_at) / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{arrived_at[:19].replace(' ', 'T')}Z" if arrived_at else ""


def last_hours(platform: Platform, hours: int) -> Selection:
    """The hours of arrival that ended, or began, within the last so many hours of the platform's clock."""
    begin = platform.now().timestamp() - hours * 3600
    return Selection(since=datetime.fromtimestamp(begin, tz=UTC).strftime(HOUR_FORMAT))


def lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for people."""
    if not explanation.groups:
        yield "Nothing failed in this range."
    for group in explanation.groups:
        again = f", {group.replayed:,} of them replayed" if group.replayed else ""
        yield f"{group.count:,} × {group.reason} in {group.source}{again}"
        yield f"    type {group.type}, schema version {group.schema_version}, {group.first} to {group.last}"
        if group.sentence:
            yield f"    {group.sentence}"
        yield f"    sample: {json.dumps(group.sample, ensure_ascii=False)}"
    yield from explanation.notes
