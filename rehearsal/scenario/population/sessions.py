"""What one listener does from opening the app to closing it; chooses neither who nor when."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.scenario.population.effects import (
    EXPERIMENTS,
    EXPOSURE_PROBABILITY,
    FOLLOW_PROBABILITY,
    LISTEN_PROBABILITY,
    PROMOTION_PROBABILITY,
    RANKING_EXPERIMENT,
    Promotion,
    Surge,
)
from rehearsal.scenario.population.listening import Listening
from rehearsal.scenario.population.people import Listener
from rehearsal.scenario.population.producer import Producer, Sent
from rehearsal.scenario.population.programme import Programme
from rehearsal.scenario.population.randomness import short_id
from rehearsal.scenario.population.settings import MINUTE_MS
from rehearsal.scenario.population.shows import SURGE, Show
from rehearsal.scenario.population.truth import Reality
from rehearsal.scenario.population.words import ACTIVITY

SESSION_LIMIT_MS = 40 * MINUTE_MS
"""No session lasts longer."""
NOTIFIED_PROBABILITY = 0.2
_PROMOTION_SLOT = 0.2
"""The shares of chance in which two promotions make a session play their shows start so far apart."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """What sessions of one window share."""

    shows: list[Show]
    programme: Programme
    promotions: tuple[Promotion, ...]
    surge: Surge
    earliest_ms: int


@dataclass(slots=True, kw_only=True)
class _Visit:
    """What is fixed at the start of a session."""

    session_id: str
    listener: Listener
    at_ms: int
    signed_in: bool = True
    ranking_variant: str | None = None


class Sessions:
    """Writes sessions of one window, one after another, from one chance."""

    def __init__(self, cast: Cast, producer: Producer, chance: random.Random) -> None:
        """Take what the sessions share."""
        self._cast = cast
        self._producer = producer
        self._chance = chance
        self.listening = Listening(cast.programme, producer, chance)

    def write(self, listener: Listener, start_ms: int, *, newcomer: bool = False) -> list[Sent]:
        """The events of one session, and what it causes elsewhere (a delivered notification, a decision on a report).

        A newcomer signs up in it, and is no user before.
        """
        chance = self._chance
        out: list[Sent] = []
        visit = _Visit(session_id=short_id("s", chance), listener=listener, at_ms=start_ms, signed_in=not newcomer)
        notified = self._open(out, visit)
        if newcomer:
            self._browse(out, visit, promoted=None)
            self._sign_up(out, visit)
        variants = self._expose(out, visit)
        visit.ranking_variant = variants.get(RANKING_EXPERIMENT.id)
        luck, played = chance.random(), None
        for place, promotion in enumerate(self._cast.promotions):
            exposed = chance.random() < PROMOTION_PROBABILITY
            if exposed:
                self._promote(out, visit, promotion)
            # One draw decides on listening and on the promoted shows, so that each effect is exactly as planted.
            probability = promotion.exposed_probability if exposed else promotion.unexposed_probability
            if 0 <= luck - place * _PROMOTION_SLOT < probability:
                played = promotion
        self._browse(out, visit, promoted=played)
        chosen = None
        if luck < _probability("listen", variants, LISTEN_PROBABILITY):
            chosen = self._listen(out, visit, played, notified)
        if chance.random() < _probability("follow", variants, FOLLOW_PROBABILITY):
            self._follow(out, visit, chosen, "follow")
        elif chance.random() < 0.01:
            self._follow(out, visit, chosen, "unfollow")
        if chance.random() < 0.02:
            self._share(out, visit, chosen)
        self._close(out, visit, start_ms)
        return out

    def _add(
        self,
        out: list[Sent],
        visit: _Visit,
        event_type: str,
        body: Mapping[str, object],
        realities: tuple[Reality, ...] = (),
    ) -> None:
        out.append(
            self._producer.send(
                visit.at_ms,
                event_type,
                visit.listener.sender,
                body,
                session_id=visit.session_id,
                realities=realities,
                signed_in=visit.signed_in,
            )
        )

    def _open(self, out: list[Sent], visit: _Visit) -> Show | None:
        chance = self._chance
        opened: dict[str, object] = {"source": "icon" if chance.random() < 0.85 else "link"}
        if chance.random() < 0.5:
            opened["cold_start_ms"] = 300 + int(chance.random() * 2_000)
        show = None
        if visit.signed_in and chance.random() < NOTIFIED_PROBABILITY:
            show = self._cast.programme.choose(visit.at_ms, visit.listener.topics, chance)
            notification = {"id": short_id("n", chance), "kind": "show_started"}
            # Delivery never lies before the window: whoever reads the window finds both ends of the path.
            longest = max(1_000, min(20 * MINUTE_MS, visit.at_ms - self._cast.earliest_ms))
            delay_ms = 500 + int((longest - 500) * chance.random() ** 3)
            delivered = {"notification": {**notification, "channel": "push"}, "show": {"id": show.id}}
            sender = visit.listener.sender
            out.append(self._producer.send(visit.at_ms - delay_ms, "notification_delivered", sender, delivered))
            self._add(
                out,
                visit,
                "notification_opened",
                {"notification": {**notification, "delay_ms": delay_ms}, "show": {"id": show.id}},
            )
            visit.at_ms += 250
            opened |= {"source": "notification", "notification_id": notification["id"]}
        self._add(out, visit, "app_opened", {"open": opened})
        return show

    def _sign_up(self, out: list[Sent], visit: _Visit) -> None:
        chance = self._chance
        visit.at_ms += 15_000 + int(chance.random() * 60_000)
        visit.signed_in = True
        body: dict[str, object] = {
            "method": ("email", "apple", "google")[int(chance.random() * 3)],
            "country": visit.listener.region.country,
        }
        if chance.random() < 0.3:
            body["campaign_id"] = f"camp-{1 + int(chance.random() * 9)}"
        if chance.random() < 0.15:
            body["referrer_user_id"] = short_id("u", chance)
        self._add(out, visit, "sign_up", {"sign_up": body})

    def _expose(self, out: list[Sent], visit: _Visit) -> dict[str, str]:
        variants = {}
        for experiment in EXPERIMENTS:
            if self._chance.random() < EXPOSURE_PROBABILITY:
                visit.at_ms += 40
                variant = variants[experiment.id] = visit.listener.variants[experiment.id]
                exposure = {"id": experiment.id, "variant": variant, "unit": "user"}
                self._add(out, visit, "experiment_exposure", {"experiment": exposure})
        return variants

    def _promote(self, out: list[Sent], visit: _Visit, promotion: Promotion) -> None:
        chance = self._chance
        visit.at_ms += 300
        as_text = chance.random() < 0.8
        exposure: dict[str, object] = {
            "id": promotion.id,
            "placement": ("banner", "home", "player")[int(chance.random() * 3)],
            "creative": ("creative-a", "creative-b", "creative-ü")[int(chance.random() * 3)],
            "cost": "0.0125" if as_text else 0.0125,
            "currency": "EUR" if visit.listener.region.country == "AT" else "USD",
        }
        self._add(
            out,
            visit,
            "promotion_exposure",
            {"promotion": exposure, "show": {"id": promotion.show_id}},
            (Reality.TEXT_DECIMAL,) if as_text else (),
        )

    def _browse(self, out: list[Sent], visit: _Visit, *, promoted: Promotion | None) -> None:
        chance = self._chance
        place = ("home", "home", "home", "search", "category")[int(chance.random() * 5)]
        for rank in range(1, 2 + int(chance.random() * 5)):
            visit.at_ms += 400 + int(chance.random() * 4_000)
            impression: dict[str, object] = {"place": place, "rank": rank}
            if promoted is not None and rank == 1:
                impression["promotion_id"] = promoted.id
                show_id = promoted.show_id
            else:
                show_id = self._cast.programme.choose(visit.at_ms, visit.listener.topics, chance).id
            if visit.ranking_variant is not None:
                impression |= {"experiment_id": RANKING_EXPERIMENT.id, "variant": visit.ranking_variant}
            self._add(out, visit, "show_impression", {"impression": impression, "show": {"id": show_id}})

    def _listen(self, out: list[Sent], visit: _Visit, promotion: Promotion | None, notified: Show | None) -> Show:
        chance, cast, listener = self._chance, self._cast, visit.listener
        count = 2 if chance.random() < 0.25 else 1
        for turn in range(count):
            if turn == 0 and promotion is not None:
                show = next(show for show in cast.shows if show.id == promotion.show_id)
            elif turn == 0 and notified is not None:
                show = notified
            elif self._surges(visit.at_ms):
                show = cast.shows[SURGE]
            else:
                show = cast.programme.choose(visit.at_ms, listener.topics, chance)
            visit.at_ms += 1_000 + int(chance.random() * 3_000)
            self._click(out, visit, "show-card", show)
            minutes = min(16, 1 + int(chance.expovariate(1 / 4)))
            visit.at_ms = self.listening.write(out, listener, visit.session_id, show, visit.at_ms, minutes)
        return show

    def _surges(self, at_ms: int) -> bool:
        surge = self._cast.surge
        return surge.start_ms <= at_ms < surge.end_ms and self._chance.random() < surge.listen_share

    def _click(self, out: list[Sent], visit: _Visit, target: str, show: Show) -> None:
        chance = self._chance
        click: dict[str, object] = {"target": target, "screen": "home" if target == "show-card" else "show"}
        if chance.random() < 0.9:
            click |= {"x": round(chance.random(), 4), "y": round(chance.random(), 4)}
        device = visit.listener.sender.device
        if device is not None and device["os"] == "web":
            click["url"] = f"https://amp.example/shows/{show.id}?q=%E2%9C%A6"
            click["utm"] = {"utm_source": "newsletter", "utm_campaign": "düsk"}
        self._add(out, visit, "click", {"click": click, "show": {"id": show.id}})

    def _follow(self, out: list[Sent], visit: _Visit, show: Show | None, action: str) -> None:
        chance = self._chance
        if show is None:
            show = self._cast.programme.choose(visit.at_ms, visit.listener.topics, chance)
        visit.at_ms += 2_000
        self._click(out, visit, "follow-button", show)
        visit.at_ms += 150
        kind = "creator" if chance.random() < 0.7 else "show"
        follow = {
            "target_kind": kind,
            "target_id": show.creator.id if kind == "creator" else show.id,
            "action": action,
        }
        self._add(out, visit, "follow", {"follow": follow})

    def _share(self, out: list[Sent], visit: _Visit, show: Show | None) -> None:
        visit.at_ms += 3_000
        texts = ACTIVITY[visit.listener.region.language]
        activity: dict[str, object] = {
            "kind": "shared",
            "text": texts[int(self._chance.random() * len(texts))],
            "counters": {"shares": 1 + int(self._chance.random() * 40)},
        }
        body: dict[str, object] = {"activity": activity}
        if show is not None:
            activity["mentions"] = [show.creator.id]
            body["show"] = {"id": show.id}
        self._add(out, visit, "activity_update", body)

    def _close(self, out: list[Sent], visit: _Visit, start_ms: int) -> None:
        luck = self._chance.random()
        visit.at_ms += 500 + int(luck * 5_000)
        reason = "background" if luck < 0.8 else "killed" if luck < 0.98 else "crash"
        self._add(out, visit, "app_closed", {"close": {"foreground_ms": visit.at_ms - start_ms, "reason": reason}})


def _probability(outcome: str, variants: dict[str, str], otherwise: float) -> float:
    for experiment in EXPERIMENTS:
        if experiment.outcome == outcome and experiment.lift and experiment.id in variants:
            treated = variants[experiment.id] == "treatment"
            return experiment.treatment_probability if treated else experiment.control_probability
    return otherwise
