"""What has been replayed, and who is replaying what now: one small object beside each object of failed records.

Every write is conditional, so that of two replays at once one takes an object and the other learns of it ("Conditional
writes" page of the S3 guide). It puts nothing on a stream.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from operations.line_set import LineSet
from operations.platform import OperationsError, date_of

LEDGER_PREFIX = "operations/replayed/"
REPLAYS_PREFIX = "operations/replays/"
CLAIM_MINUTES = 15
"""How long a claim lasts without a sign of its owner; each batch that is put renews it."""

_CHANGED_MEANWHILE = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_ABSENT = ("NoSuchKey", "404")


@dataclass(kw_only=True)
class Entry:
    """The state of one object of failed records: lines that are back on the stream, by whom, and who works on it."""

    done: LineSet = field(default_factory=LineSet)
    replays: dict[str, dict[str, Any]] = field(default_factory=dict)
    claim: dict[str, str] | None = None
    etag: str = ""
    read_at: datetime | None = None

    def replayed_by(self, replay_id: str) -> int:
        """How many of the object's records a replay put back."""
        return int(self.replays.get(replay_id, {}).get("records", 0))


@dataclass(frozen=True, kw_only=True)
class Held:
    """Another replay works on the object: which, whose, and until when if it gives no sign (ISO 8601)."""

    replay_id: str
    by: str
    until: str


class ClaimLostError(Exception):
    """Another replay took the object over, because this one gave no sign for too long."""


class Ledger:
    """The ledger of a raw bucket."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def entry(self, key: str) -> Entry:
        """The state of an object; an empty one when nobody replayed any of it."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=_ledger_key(key))
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return Entry(read_at=date_of(error.response))
            raise
        state = json.loads(answer["Body"].read())
        return Entry(
            done=LineSet(state["done"]),
            replays=state["replays"],
            claim=state["claim"],
            etag=answer["ETag"],
            read_at=date_of(answer),
        )

    def done(self, key: str) -> LineSet:
        """The lines of an object that are back on the stream."""
        return self.entry(key).done

    def claim(self, key: str, *, replay_id: str, by: str) -> Claim | Held:
        """Take an object to work on, or learn who has it. A replay may take its own again, as after it was killed."""
        while True:
            entry = self.entry(key)
            claim = entry.claim
            if claim is not None and claim["replay"] != replay_id and _moment(claim["until"]) > _read_at(entry):
                return Held(replay_id=claim["replay"], by=claim["by"], until=claim["until"])
            taken = Claim(self, key, entry, replay_id=replay_id, by=by)
            try:
                taken.advance(())
            except ClaimLostError:
                continue
            return taken

    def write(self, key: str, entry: Entry) -> None:
        """Write a state over the one that was read.

        Raises:
            ClaimLostError: it is no longer the one that was read.
        """
        state = {"object": key, "done": entry.done.ranges, "replays": entry.replays, "claim": entry.claim}
        condition = {"IfMatch": entry.etag} if entry.etag else {"IfNoneMatch": "*"}
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket,
                Key=_ledger_key(key),
                Body=json.dumps(state).encode(),
                ContentType="application/json",
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED_MEANWHILE:
                raise ClaimLostError(key) from None
            raise
        entry.etag, entry.read_at = answer["ETag"], date_of(answer)

    # --- records of replays ---------------------------------------------------------------------------

    def start_replay(self, replay_id: str, record: dict[str, Any]) -> None:
        """Write down that a replay begins.

        Raises:
            OperationsError: there is one of this id.
        """
        try:
            self._s3.put_object(Bucket=self._bucket, Key=_replay_key(replay_id), Body=_json(record), IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in _CHANGED_MEANWHILE:
                raise
            raise OperationsError(
                f"There is a replay {replay_id} already; allowed: a new id; fix: go on with it by --resume {replay_id}."
            ) from None

    def replay(self, replay_id: str) -> dict[str, Any]:
        """What was written down of a replay.

        Raises:
            OperationsError: there is none of this id.
        """
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=_replay_key(replay_id))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            raise OperationsError(
                f"There is no replay {replay_id!r}; allowed: the id that the replay said when it began; fix: see "
                f"s3://{self._bucket}/{REPLAYS_PREFIX}."
            ) from None
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found

    def update_replay(self, replay_id: str, record: dict[str, Any]) -> None:
        """Write down how far a replay is. Only its own process writes it."""
        self._s3.put_object(Bucket=self._bucket, Key=_replay_key(replay_id), Body=_json(record))


class Claim:
    """An object that this replay works on."""

    def __init__(self, ledger: Ledger, key: str, entry: Entry, *, replay_id: str, by: str) -> None:
        self._ledger, self._key, self._id, self._by = ledger, key, replay_id, by
        self.entry = entry

    def advance(self, lines: tuple[int, ...]) -> None:
        """Mark lines as put, and stay the owner for `CLAIM_MINUTES` more.

        Raises:
            ClaimLostError: another replay owns it.
        """
        entry = self.entry
        until = _read_at(entry) + timedelta(minutes=CLAIM_MINUTES)
        entry.claim = {"replay": self._id, "by": self._by, "until": until.isoformat()}
        if lines:
            entry.done = entry.done.with_lines(lines)
            entry.replays[self._id] = {
                "by": self._by,
                "at": _read_at(entry).isoformat(),
                "records": entry.replayed_by(self._id) + len(lines),
            }
        self._ledger.write(self._key, entry)

    def release(self) -> None:
        """Let others have it.

        Raises:
            ClaimLostError: another replay owns it.
        """
        self.entry.claim = None
        self._ledger.write(self._key, self.entry)


def _ledger_key(key: str) -> str:
    return f"{LEDGER_PREFIX}{key}.json"


def _replay_key(replay_id: str) -> str:
    return f"{REPLAYS_PREFIX}{replay_id}.json"


def _json(record: dict[str, Any]) -> bytes:
    return json.dumps(record, indent=2, ensure_ascii=False).encode()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _read_at(entry: Entry) -> datetime:
    if entry.read_at is None:
        raise ValueError("an entry of the ledger was not read from it; take it from Ledger.entry")
    return entry.read_at
