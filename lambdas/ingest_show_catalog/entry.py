"""Make a catalog entry, the event, of what the catalog service answered; it calls nothing."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from contracts.events.catalog import SHOW_CATALOG_ENTRY
from contracts.reasons import ContractViolation, Reason
from contracts.views.rows import Row, reader
from lambdas.ingest_show_catalog.outcomes import Refusal
from lambdas.shared import exact_json
from lambdas.shared.failures import CanNeverSucceedError

MAX_RECORD_BYTES = 1_024_000
"""Largest record: Firehose takes 1,000 KiB ("Amazon Data Firehose quota" page), Kinesis 1 MiB by default."""

MAX_PARTITION_KEY_CHARACTERS = 256
"""Longest partition key that Kinesis takes (API reference, `PutRecordsRequestEntry`)."""

MAX_DEPTH = 100
"""Deepest nesting of a show that is carried; readers of the lake give up somewhat later."""

_EVENT_IDS = uuid.UUID("7f1d3a0e-5c1b-5b0e-9a53-2f4f9d0c6e11")
"""Namespace of the event ids; another one would give every known change a second id."""
_OPTIONAL = tuple(column.name for column in SHOW_CATALOG_ENTRY.columns if not column.required)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One record for the stream, and what is to be counted about it."""

    show_id: str
    event_id: str
    line: bytes
    missing_optional_columns: int
    unknown_fields: int

    @property
    def partition_key(self) -> str:
        """The show, cut to what Kinesis takes: equal shows have equal keys, and that is all a key is for."""
        return self.show_id[:MAX_PARTITION_KEY_CHARACTERS]

    @property
    def size_bytes(self) -> int:
        """What the entry weighs against the limits of Kinesis: data and partition key."""
        return len(self.line) + len(self.partition_key.encode())


def build(
    answer: bytes,
    *,
    show_id: str,
    changed_at: tuple[object, ...],
    now_ms: int,
    filtered_fields: Collection[str] = (),
) -> Entry:
    """The entry of one show.

    What the contract knows is checked, and everything travels as it was sent, numbers digit for digit, except that
    the show's id always stands in `show.id`, as text.

    Args:
        answer: body of the catalog service's answer: a JSON object with `id` or `show_id`.
        show_id: the show that was asked for.
        changed_at: when it changed, best source first; used when the show has no `updated_at`. What is no time stamp
            is passed over; when none is left, `now_ms` is taken.
        now_ms: the present, in epoch milliseconds.
        filtered_fields: fields that must not leave the function: a name (`email`) or the end of a dotted path
            (`creator.email`), at any depth and inside arrays. The show's own id is never dropped.

    Raises:
        CanNeverSucceedError: the answer is no JSON object, is of another show, breaks the contract or is too large.
    """
    given = _read(answer)
    identity = "show_id" if given.get("id") in (None, "") else "id"
    rest = {key: value for key, value in given.items() if key not in ("id", identity)}
    show = {"id": given.get(identity)}
    show.update(cast("dict[str, object]", _kept(rest, (), frozenset(filtered_fields))))
    row = _checked({"event_type": SHOW_CATALOG_ENTRY.type, "occurred_at": now_ms, "show": show})
    if row.columns["show_id"] != show_id:
        raise CanNeverSucceedError(
            code=Refusal.WRONG_SHOW, sentence="The catalog service answered with another show than was asked for."
        )
    show["id"] = show_id
    content = exact_json.write(show, sort_keys=True)
    _encoded(content)
    occurred_at = show["updated_at"] if "show_updated_at" in row.columns else _first_moment(changed_at, now_ms)
    event_id = _event_id(show_id, version=row.columns.get("show_version"), occurred_at=occurred_at, content=content)
    event = {
        "event_id": event_id,
        "event_type": SHOW_CATALOG_ENTRY.type,
        "schema_version": SHOW_CATALOG_ENTRY.version,
        "occurred_at": occurred_at,
        "sent_at": now_ms,
        "show": show,
    }
    entry = Entry(
        show_id=show_id,
        event_id=event_id,
        line=_encoded(exact_json.write(event) + "\n"),
        missing_optional_columns=sum(name not in row.columns for name in _OPTIONAL),
        unknown_fields=row.unknown_fields,
    )
    if entry.size_bytes > MAX_RECORD_BYTES:
        raise CanNeverSucceedError(
            code=Refusal.TOO_LARGE,
            sentence=f"The entry has {entry.size_bytes} bytes, a record may have {MAX_RECORD_BYTES}; filter fields.",
        )
    return entry


def _read(answer: bytes) -> dict[str, object]:
    try:
        given = exact_json.read(answer)
    except ContractViolation as violation:
        code = Refusal.ANSWER_NOT_JSON if violation.reason is Reason.NOT_JSON else violation.reason
        sentence = f"The catalog service's answer cannot be read: {violation.sentence}."
        raise CanNeverSucceedError(code=code, sentence=sentence) from None
    if not isinstance(given, dict):
        raise CanNeverSucceedError(
            code=Refusal.ANSWER_NOT_AN_OBJECT,
            sentence="The catalog service answered with JSON that is no JSON object.",
        )
    return given


def _kept(value: object, path: tuple[str, ...], filtered: frozenset[str], *, depth: int = 0) -> object:
    if depth > MAX_DEPTH:
        raise CanNeverSucceedError(code=Reason.TOO_DEEP, sentence=f"The show is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, dict):
        return {
            key: _kept(item, (*path, key), filtered, depth=depth + 1)
            for key, item in value.items()
            if not _is_filtered((*path, key), filtered)
        }
    if isinstance(value, list):
        return [_kept(item, path, filtered, depth=depth + 1) for item in value]
    return value


def _is_filtered(path: tuple[str, ...], filtered: frozenset[str]) -> bool:
    return bool(filtered) and any(".".join(path[start:]) in filtered for start in range(len(path)))


def _checked(body: dict[str, object]) -> Row:
    try:
        return reader(SHOW_CATALOG_ENTRY).read(body)
    except ContractViolation as violation:
        sentence = f"The show breaks the contract: {violation.sentence}."
        raise CanNeverSucceedError(code=violation.reason, sentence=sentence) from None
    except (ArithmeticError, ValueError):
        # Numbers of hundreds of digits, where the conversion itself gives up.
        sentence = "The show breaks the contract: a number is too large for its column."
        raise CanNeverSucceedError(code=Reason.OUT_OF_RANGE, sentence=sentence) from None


def _first_moment(candidates: tuple[object, ...], now_ms: int) -> object:
    for moment in candidates:
        body = {"event_type": SHOW_CATALOG_ENTRY.type, "occurred_at": moment, "show": {"id": "any"}}
        try:
            _checked(body)
        except CanNeverSucceedError:
            continue
        return moment
    return now_ms


def _event_id(show_id: str, *, version: object, occurred_at: object, content: str) -> str:
    """The version is the change. Without one its moment is part of it, or a show could not go back to what it was."""
    known_by = ["version", version] if version is not None else ["content", content, occurred_at]
    return str(uuid.uuid5(_EVENT_IDS, exact_json.write([show_id, *known_by])))


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise CanNeverSucceedError(
            code=Reason.INVALID_TEXT,
            sentence="The show holds half of a surrogate pair, which no UTF-8 text can hold.",
        ) from None
