"""Events for the bench as the stream lands them: gzip JSON lines by type and hour of arrival, the same every time.

It must not write outside the folder it is given. Columns follow the contracts; volume and spread are no claim about
any real day.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

START = datetime(2026, 11, 15, tzinfo=UTC)
DAYS = 3
END = START + timedelta(days=DAYS)
LATE_HOUR = END
"""The hour in which the late batch arrives: the first after the window that all else arrives in."""
SHARES = {"playback_metric": 0.45, "like": 0.2, "chat_message": 0.2, "follow": 0.15}
"""Each type's share of the bytes."""
REPEATED, LATE, NOT_SIGNED_IN = 0.02, 0.02, 0.03
LATE_DAYS = 3
FILE_BYTES = 32_000_000
"""JSON of one file at most; an hour that holds more comes in several."""
_SEED = 20_261_118
_COMPRESSION = 4

_DEVICES = tuple(
    f'"device_os":"{system}","device_os_version":"{version}"{model},"app_version":"{app}"'
    for system, version, model in (
        ("ios", "18.1", ',"device_model":"iPhone17,3"'),
        ("ios", "17.6", ',"device_model":"iPhone14,5"'),
        ("android", "15", ',"device_model":"Pixel 9"'),
        ("web", "131", ""),
    )
    for app in ("5.2.0", "5.1.3", "5.0.9")
)
_WORDS = (
    "tonight",
    "everyone",
    "hello",
    "love",
    "this",
    "song",
    "again",
    "please",
    "more",
    "best",
    "show",
    "最高",
    "❤️",
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What lies in a folder of generated events: `json_bytes` before compression, `rows` with repeats."""

    folder: str
    json_bytes: int
    gzip_bytes: int
    rows: int
    files: int


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What one process writes by itself: some hours of one type."""

    folder: str
    type: str
    first_hour: datetime
    hours: int
    hour_bytes: int
    persons: int
    late_share: float


def generate(cache: Path, gigabytes: float, *, workers: int = 2) -> Made:
    """Events of so many GB (10^9 bytes of JSON) that arrive from START to END; made once, then found again.

    2 % are delivered twice, half of them an hour later; 2 % happened up to three days before they arrive.
    """
    size = gigabytes * 1_000_000_000
    parts = [
        _Part(
            folder="",
            type=name,
            first_hour=START + timedelta(days=day),
            hours=24,
            hour_bytes=round(size * share / (24 * DAYS)),
            persons=20_000 + round(size / 10_000),
            late_share=LATE,
        )
        for name, share in SHARES.items()
        for day in range(DAYS)
    ]
    return _made(cache, f"events-{gigabytes:g}", parts, workers)


def late_batch(cache: Path, *, rows: int = 4_000) -> Made:
    """About so many events that arrive in LATE_HOUR and happened on the three days before it."""
    parts = [
        _Part(
            folder="",
            type=name,
            first_hour=LATE_HOUR,
            hours=1,
            hour_bytes=round(rows * 600 * share),
            persons=20_000,
            late_share=1.0,
        )
        for name, share in SHARES.items()
    ]
    return _made(cache, f"late-{rows}", parts, 1)


def _made(cache: Path, name: str, parts: Sequence[_Part], workers: int) -> Made:
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = cache.resolve() / f"{name}-{source}"
    note = folder / "made.json"
    if not note.exists():
        for older in cache.glob(f"{name}-*"):
            shutil.rmtree(older)
        parts = [_Part(**{**asdict(part), "folder": str(folder)}) for part in parts]
        with ProcessPoolExecutor(max_workers=workers) as pool:
            counts = list(pool.map(_write, parts))
        files = list(folder.rglob("*.json.gz"))
        made = Made(
            folder=str(folder),
            json_bytes=sum(size for size, _ in counts),
            gzip_bytes=sum(path.stat().st_size for path in files),
            rows=sum(rows for _, rows in counts),
            files=len(files),
        )
        note.write_text(json.dumps(asdict(made)), "utf-8")
    return Made(**json.loads(note.read_text("utf-8")))


def _write(part: _Part) -> tuple[int, int]:
    """Write a part's files; gives their bytes of JSON and rows."""
    rng = random.Random(f"{_SEED} {part.type} {part.first_hour}")
    size = rows = 0
    again: list[str] = []
    for hour in range(part.hours):
        at = part.first_hour + timedelta(hours=hour)
        folder = Path(part.folder, f"events/type={part.type}/arrival={at:%Y-%m-%d-%H}")
        folder.mkdir(parents=True, exist_ok=True)
        later: list[str] = []
        lines = _lines(part, at, rng, again, later)
        again = later
        left, number = part.hour_bytes, 0
        while left > 0:
            held: list[bytes] = []
            wanted, taken = min(left, FILE_BYTES), 0
            while taken < wanted:
                held.append(next(lines).encode())
                taken += len(held[-1])
            content = gzip.compress(b"".join(held), _COMPRESSION, mtime=0)
            (folder / f"part-{number:03d}.json.gz").write_bytes(content)
            left, number = left - taken, number + 1
            size, rows = size + taken, rows + len(held)
    return size, rows


def _lines(part: _Part, at: datetime, rng: random.Random, again: Sequence[str], later: list[str]) -> Iterator[str]:
    """Lines that arrive in the hour `at`, without end: `again` first, then new ones; `later` takes what comes again."""
    own = _OWN[part.type]
    draw, bits = rng.random, rng.getrandbits
    hour_ms = int(at.timestamp()) * 1000
    sequence = int(at.timestamp()) << 64
    for head in again:
        yield _arrived(head, hour_ms + int(draw() * 3_600_000), sequence := sequence + 1, draw)
    while True:
        arrived = hour_ms + int(draw() * 3_600_000)
        late = draw() < part.late_share
        sent = arrived - int((LATE_DAYS * 86_400_000 if late else 20_000) * draw()) - 200
        person = int(draw() * draw() * part.persons)
        user = "" if draw() < NOT_SIGNED_IN else f'"user_id":"u-{person:08x}",'
        head = (
            f'{{"event_id":"{bits(128):032x}","event_type":"{part.type}","schema_version":1,'
            f'"occurred_at":"{_time(sent - 150)}","sent_at":"{_time(sent)}",{user}'
            f'"session_id":"s-{person:x}-{at:%d%H}","device_id":"d-{person * 2_654_435_761 % 4_294_967_296:08x}",'
            f"{_DEVICES[person % len(_DEVICES)]},"
            f'{own(draw)},"event_id_derived":false,'
        )
        sequence += 1
        yield _arrived(head, arrived, sequence, draw)
        repeated = draw()
        if repeated < REPEATED / 2:
            sequence += 1
            yield _arrived(head, min(arrived + 5_000, hour_ms + 3_599_999), sequence, draw)
        elif repeated < REPEATED:
            later.append(head)


def _arrived(head: str, arrived_ms: int, sequence: int, draw: Callable[[], float]) -> str:
    extra = ',"extra":"{\\"flag\\":\\"a\\"}"' if draw() < 0.005 else ""
    return f'{head}"arrived_at":"{_time(arrived_ms)}","sequence_number":"{sequence:056d}"{extra}}}\n'


def _time(epoch_ms: int) -> str:
    minutes, ms = divmod(epoch_ms, 60_000)
    return f"{_minute(minutes)}{ms // 1000:02d}.{ms % 1000:03d}"


@lru_cache(maxsize=20_000)
def _minute(minutes: int) -> str:
    return f"{datetime.fromtimestamp(minutes * 60, tz=UTC):%Y-%m-%d %H:%M:}"


def _show(draw: Callable[[], float]) -> str:
    return f'"show_id":"show-{int(draw() * draw() * 2_000)}"'


def _playback(draw: Callable[[], float]) -> str:
    chance = draw()
    state = "playing" if chance < 0.9 else "buffering" if chance < 0.95 else "stopped"
    return (
        f'{_show(draw)},"playback_id":"p-{int(draw() * 1e12):010x}","playback_state":"{state}",'
        f'"playback_listened_ms":{30_000 if chance < 0.8 else int(chance * 30_000)},'
        f'"playback_position_ms":{int(draw() * 7_200) * 1000},"playback_bitrate_kbps":{90 + int(draw() * 400) / 10},'
        f'"playback_stalls":{0 if chance < 0.9 else 1},"playback_bytes":{int(draw() * 400_000)},'
        f'"playback_network":"{"wifi" if chance < 0.6 else "cellular"}"'
    )


def _like(draw: Callable[[], float]) -> str:
    return _show(draw) + ("" if draw() < 0.5 else f',"like_count":{1 + int(draw() * 9)}')


def _chat(draw: Callable[[], float]) -> str:
    text = " ".join(_WORDS[int(draw() * len(_WORDS))] for _ in range(2 + int(draw() * 10)))
    reply = "" if draw() < 0.7 else f',"message_reply_to":"m-{int(draw() * 1e9):x}"'
    mentions = "" if draw() < 0.8 else f',"message_mentions":["u-{int(draw() * 20_000):08x}"]'
    return f'{_show(draw)},"message_id":"m-{int(draw() * 1e12):x}","message_text":"{text}"{reply}{mentions}'


def _follow(draw: Callable[[], float]) -> str:
    kind, prefix = ("creator", "u") if draw() < 0.7 else ("show", "show")
    action = "follow" if draw() < 0.8 else "unfollow"
    return (
        f'"follow_target_kind":"{kind}","follow_target_id":"{prefix}-{int(draw() * draw() * 3_000):08x}",'
        f'"follow_action":"{action}"'
    )


_OWN: dict[str, Callable[[Callable[[], float]], str]] = {
    "playback_metric": _playback,
    "like": _like,
    "chat_message": _chat,
    "follow": _follow,
}
