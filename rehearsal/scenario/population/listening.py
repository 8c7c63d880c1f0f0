"""What happens while somebody listens: intervals of playing, likes, chat, votes, calls, reports."""

from __future__ import annotations

import random
from dataclasses import dataclass

from rehearsal.scenario.population.people import Listener, Sender
from rehearsal.scenario.population.producer import Producer, Sent
from rehearsal.scenario.population.programme import Programme
from rehearsal.scenario.population.randomness import short_id
from rehearsal.scenario.population.settings import MINUTE_MS, moment_of
from rehearsal.scenario.population.shows import Show
from rehearsal.scenario.population.truth import Reality
from rehearsal.scenario.population.words import CHAT, POLL_LABELS, REPORT_COMMENTS, REPORT_REASONS

MODERATION = Sender(user_id=None)
BIG_BYTES_RATE = 0.004
"""Share of the playing intervals whose byte counter overflowed in the player: more than 2^53 bytes."""
_LIKE, _CHAT, _VOTE, _CALL, _REPORT = 0.14, 0.11, 0.04, 0.02, 0.012
"""Chances of what a listener does in a minute of a live show; a report in a recording, too."""


@dataclass(slots=True, kw_only=True)
class _Spell:
    """One stretch of listening. `live_since_ms` is None for a recording."""

    out: list[Sent]
    listener: Listener
    session_id: str
    show: Show
    live_since_ms: int | None


class Listening:
    """Writes stretches of listening; remembers chats and polls, so that answers have something to answer."""

    def __init__(self, programme: Programme, producer: Producer, chance: random.Random) -> None:
        """Take what is on air, the producer and the chance."""
        self._programme = programme
        self._producer = producer
        self._chance = chance
        self._last_message: dict[int, str] = {}
        self._votes: dict[int, list[int]] = {}
        self.spells: list[tuple[int, int, int]] = []
        """Index of the show, start and end in epoch milliseconds, of every stretch in a live show."""

    def write(
        self, out: list[Sent], listener: Listener, session_id: str, show: Show, start_ms: int, minutes: int
    ) -> int:
        """Add a stretch of whole minutes and a part of one; returns when it ended."""
        chance = self._chance
        spell = _Spell(
            out=out,
            listener=listener,
            session_id=session_id,
            show=show,
            live_since_ms=self._programme.on_air_since(show, start_ms),
        )
        playback_id = short_id("p", chance)
        network = "wifi" if chance.random() < 0.6 else "cellular"
        begins_ms = start_ms - (start_ms if spell.live_since_ms is None else spell.live_since_ms)
        at_ms = start_ms
        for minute in range(minutes):
            last = minute == minutes - 1
            listened_ms = 5_000 + int(chance.random() * 50_000) if last else MINUTE_MS
            does_ms = at_ms + int(chance.random() * listened_ms)
            at_ms += listened_ms
            whole_minutes_left = max(0, minutes - minute - 2)
            self._interact(spell, does_ms, left_ms=at_ms - does_ms + whole_minutes_left * MINUTE_MS)
            rate = 64 + round(chance.random() * 64, 2)
            received = int(rate * listened_ms / 8)
            realities: tuple[Reality, ...] = ()
            stalls = int(chance.random() * 1.1)
            playback: dict[str, object] = {
                "id": playback_id,
                "state": "stopped" if last else "buffering" if stalls else "playing",
                "listened_ms": listened_ms,
                "position_ms": max(0, begins_ms) + at_ms - start_ms,
                "bitrate_kbps": rate,
                "network": network,
            }
            if chance.random() < BIG_BYTES_RATE:
                received += 2**53 + 1
                realities = (Reality.BIG_INTEGER,)
            if chance.random() < 0.95:
                playback |= {"stalls": stalls, "bytes": received}
            else:
                realities = ()
            self._add(spell, at_ms, "playback_metric", {"playback": playback}, realities)
        if spell.live_since_ms is not None:
            self.spells.append((show.index, start_ms, at_ms))
        return at_ms

    def _add(
        self,
        spell: _Spell,
        at_ms: int,
        event_type: str,
        body: dict[str, object],
        realities: tuple[Reality, ...] = (),
    ) -> None:
        body["show"] = {"id": spell.show.id}
        spell.out.append(
            self._producer.send(
                at_ms,
                event_type,
                spell.listener.sender,
                body,
                session_id=spell.session_id,
                realities=realities,
            )
        )

    def _interact(self, spell: _Spell, at_ms: int, *, left_ms: int) -> None:
        luck = self._chance.random()
        if luck < _REPORT:
            self._report(spell, at_ms)
        elif spell.live_since_ms is None:
            return
        elif (luck := luck - _REPORT) < _LIKE:
            taps = 1 + int(self._chance.expovariate(0.5))
            self._add(spell, at_ms, "like", {"like": {"count": taps}} if taps > 1 else {})
        elif (luck := luck - _LIKE) < _CHAT:
            self._chat(spell, at_ms)
        elif (luck := luck - _CHAT) < _VOTE:
            self._vote(spell, at_ms)
        elif luck - _VOTE < _CALL:
            self._call(spell, at_ms, left_ms)

    def _chat(self, spell: _Spell, at_ms: int) -> None:
        chance, index = self._chance, spell.show.index
        texts = CHAT[spell.listener.region.language]
        message: dict[str, object] = {
            "id": short_id("m", chance),
            "text": texts[int(chance.random() * len(texts))],
        }
        if index in self._last_message and chance.random() < 0.3:
            message["reply_to"] = self._last_message[index]
        if chance.random() < 0.1:
            message["mentions"] = [spell.show.creator.id]
        self._last_message[index] = str(message["id"])
        self._add(spell, at_ms, "chat_message", {"message": message})

    def _vote(self, spell: _Spell, at_ms: int) -> None:
        votes = self._votes.setdefault(spell.show.index, [0] * (2 + spell.show.index % 4))
        option = int(self._chance.random() * len(votes))
        votes[option] += 1
        options = [
            {"id": "abcde"[place], "label": POLL_LABELS[place], "votes": count} for place, count in enumerate(votes)
        ]
        day = moment_of(spell.live_since_ms or at_ms).date().isoformat()
        poll = {"id": f"poll-{spell.show.id}-{day}", "option_id": "abcde"[option], "options": options}
        self._add(spell, at_ms, "poll_vote", {"poll": poll})

    def _call(self, spell: _Spell, at_ms: int, left_ms: int) -> None:
        chance = self._chance
        call: dict[str, object] = {"id": short_id("call", chance)}
        self._add(spell, at_ms, "call_in", {"call": {**call, "state": "requested"}})
        wait_ms = min(2_000 + int(chance.random() * 20_000), left_ms // 2)
        accepted = chance.random() < 0.6
        state = "accepted" if accepted else "declined"
        self._add(spell, at_ms + wait_ms, "call_in", {"call": {**call, "state": state, "wait_ms": wait_ms}})
        if accepted:
            duration_ms = min(10_000 + int(chance.random() * 150_000), left_ms // 2)
            ended = {**call, "state": "ended", "wait_ms": wait_ms, "duration_ms": duration_ms}
            self._add(spell, at_ms + wait_ms + duration_ms, "call_in", {"call": ended})

    def _report(self, spell: _Spell, at_ms: int) -> None:
        chance, show = self._chance, spell.show
        kind, target = ("show", show.id) if chance.random() < 0.3 else ("user", show.creator.id)
        if show.index in self._last_message and chance.random() < 0.7:
            kind, target = "message", self._last_message[show.index]
        about = {"target_kind": kind, "target_id": target}
        report: dict[str, object] = {
            "id": short_id("r", chance),
            **about,
            "reason": REPORT_REASONS[int(chance.random() * len(REPORT_REASONS))],
        }
        if chance.random() < 0.5:
            report["comment"] = REPORT_COMMENTS[int(chance.random() * len(REPORT_COMMENTS))]
        spell.out.append(
            self._producer.send(
                at_ms, "content_report", spell.listener.sender, {"report": report}, session_id=spell.session_id
            )
        )
        by_model = chance.random() < 0.6
        decided_ms = at_ms + int((2_000 if by_model else 20 * MINUTE_MS) * (0.2 + 0.8 * chance.random()))
        action = ("none", "none", "warn", "remove", "suspend")[int(chance.random() * 5)]
        decision: dict[str, object] = {
            "id": short_id("mod", chance),
            "report_id": report["id"],
            **about,
            "action": action,
            "decided_by": "model" if by_model else "moderator",
        }
        if by_model:
            decision["score"] = round(chance.random(), 6)
        if action == "suspend":
            decision["effective_until"] = moment_of(decided_ms + 7 * 1440 * MINUTE_MS).date().isoformat()
        spell.out.append(self._producer.send(decided_ms, "moderation_decision", MODERATION, {"decision": decision}))
