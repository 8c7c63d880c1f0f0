"""What happens beside sessions: hosts at work, listener counts, unopened notifications, storms of bots."""

from __future__ import annotations

import random

from rehearsal.scenario.population.effects import Storm
from rehearsal.scenario.population.people import Listener, Sender
from rehearsal.scenario.population.producer import Producer, Sent
from rehearsal.scenario.population.programme import Broadcast
from rehearsal.scenario.population.randomness import short_id
from rehearsal.scenario.population.settings import MINUTE_MS
from rehearsal.scenario.population.shows import Show
from rehearsal.scenario.population.words import ACTIVITY

AUDIO_SERVICE = Sender(user_id=None)
_CO_HOSTED_EVERY = 3


def hosting(
    broadcasts: list[Broadcast], creators: list[Sender], producer: Producer, chance: random.Random, *, most: int
) -> list[Sent]:
    """Hosts go live, and every third broadcast has a co-host; at most `most` events, from broadcasts all over."""
    stride = max(1, -(-len(broadcasts) * 2 // max(1, most)))
    out: list[Sent] = []
    for place, broadcast in enumerate(broadcasts[::stride]):
        show = broadcast.show
        texts = ACTIVITY[show.creator.region.language]
        activity = {"kind": "went_live", "text": texts[int(chance.random() * len(texts))]}
        body: dict[str, object] = {"activity": activity, "show": {"id": show.id}}
        out.append(producer.send(broadcast.start_ms + 500, "activity_update", show.creator.sender, body))
        if place % _CO_HOSTED_EVERY == 0:
            guest = creators[int(chance.random() * len(creators))].user_id
            span_ms = broadcast.end_ms - broadcast.start_ms
            for part, action in ((0.05, "invited"), (0.08, "joined"), (0.9, "left")):
                body = {"co_host": {"user_id": guest, "action": action}, "show": {"id": show.id}}
                moment = broadcast.start_ms + int(part * span_ms)
                out.append(producer.send(moment, "co_host", show.creator.sender, body))
    return out


def listener_counts(
    spells: list[tuple[int, int, int]],
    shows: list[Show],
    producer: Producer,
    *,
    start_ms: int,
    end_ms: int,
    most: int,
) -> list[Sent]:
    """What the audio service counts, each whole minute in which a live show has listeners; thinned out to `most`."""
    minutes: dict[tuple[int, int], int] = {}
    for index, begins_ms, ends_ms in spells:
        first, last = max(start_ms, begins_ms), min(end_ms, ends_ms)
        for minute in range(-(-first // MINUTE_MS), last // MINUTE_MS + 1):
            minutes[minute, index] = minutes.get((minute, index), 0) + 1
    peaks: dict[int, int] = {}
    counted = []
    for (minute, index), current in sorted(minutes.items()):
        peaks[index] = max(peaks.get(index, 0), current)
        counted.append((minute, index, {"current": current, "peak": peaks[index]}))
    stride = max(1, -(-len(counted) // max(1, most)))
    return [
        producer.send(
            minute * MINUTE_MS,
            "listener_count",
            AUDIO_SERVICE,
            {"listeners": listeners, "show": {"id": shows[index].id}},
        )
        for minute, index, listeners in counted[::stride][:most]
    ]


def ignored_notification(listener: Listener, show: Show, at_ms: int, producer: Producer, chance: random.Random) -> Sent:
    """A notification that nobody opens."""
    kind = ("show_started", "show_started", "new_follower", "digest")[int(chance.random() * 4)]
    body: dict[str, object] = {
        "notification": {
            "id": short_id("n", chance),
            "kind": kind,
            "channel": "email" if kind == "digest" else "push",
        }
    }
    if kind == "show_started":
        body["show"] = {"id": show.id}
    return producer.send(at_ms, "notification_delivered", listener.sender, body)


def storm(storm: Storm, bots: list[Sender], producer: Producer, chance: random.Random, *, count: int) -> list[Sent]:
    """Likes and plays by bots, `count` in all, at any moment of the storm."""
    out = []
    span_ms = storm.end_ms - storm.start_ms
    for place in range(count):
        at_ms = storm.start_ms + int(chance.random() * span_ms)
        bot = bots[place % len(bots)]
        body: dict[str, object] = {"show": {"id": storm.show_id}}
        if place % 3:
            body["like"] = {"count": 50}
            out.append(producer.send(at_ms, "like", bot, body))
        else:
            body["playback"] = {"id": short_id("p", chance), "state": "playing", "listened_ms": 1_000}
            out.append(producer.send(at_ms, "playback_metric", bot, body))
    return out
