"""Listeners, creators and bots: who they are and what they like; sends nothing."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from rehearsal.scenario.population.effects import EXPERIMENTS
from rehearsal.scenario.population.randomness import Weighted, generator, short_id
from rehearsal.scenario.population.settings import DAY_MS, HOUR_MS, PopulationSettings
from rehearsal.scenario.population.truth import Reality
from rehearsal.scenario.population.words import APP_VERSIONS, CREATOR_NAMES, DEVICES, REGIONS, TOPICS, Region

YEAR_MS = 365 * DAY_MS
HOURS_OFF_SHARE = 0.01
YEARS_OFF_SHARE = 0.0025
NUMERIC_ID_SHARE = 0.05
CHURN_SHARE = 0.25
LIVE_NEWCOMER_SHARE = 0.02
HISTORY_NEWCOMER_SHARE = 0.28
EVENTS_PER_NEWCOMER = 250
"""A window has at most one sign-up for so many events."""


@dataclass(slots=True, kw_only=True)
class Sender:
    """An installation of the app, or a service, that sends events.

    `user_id` is a number for accounts whose ids are numbers. `offset_minutes` is None where moments are sent as epoch
    milliseconds, else they are text at that offset from UTC. `device` and `app_version` are None for services.
    """

    user_id: str | int | None
    device: dict[str, object] | None = None
    app_version: str | None = None
    offset_minutes: int | None = None
    clock_error_ms: int = 0
    realities: tuple[Reality, ...] = ()


@dataclass(slots=True, kw_only=True)
class Listener:
    """Somebody with the app and habits. Moments are epoch milliseconds; `activity` is relative."""

    sender: Sender
    region: Region
    topics: tuple[str, ...]
    activity: float
    signed_up_ms: int
    churned_ms: int | None
    variants: dict[str, str]

    def appetite(self, at_ms: int) -> float:
        """How likely a session is that day, relative to others: falls after sign-up, zero before and after churn."""
        if at_ms < self.signed_up_ms or (self.churned_ms is not None and at_ms >= self.churned_ms):
            return 0.0
        return self.activity * (0.25 + 0.75 * math.pow(1 + (at_ms - self.signed_up_ms) / DAY_MS, -0.7))


@dataclass(slots=True, kw_only=True)
class Creator:
    """Somebody who hosts shows. `reach` is relative."""

    id: str
    name: str
    region: Region
    topics: tuple[str, ...]
    reach: float
    sender: Sender


def creators(settings: PopulationSettings) -> list[Creator]:
    """All creators; their reach falls with rank as in a long tail."""
    chance = generator(settings.seed, "creators")
    regions = _regions()
    found = []
    for rank in range(settings.creators):
        name = CREATOR_NAMES[rank % len(CREATOR_NAMES)]
        region = regions.draw(chance)
        identity = short_id("u", chance)
        found.append(
            Creator(
                id=identity,
                name=name if rank < len(CREATOR_NAMES) else f"{name} {rank // len(CREATOR_NAMES) + 1}",
                region=region,
                topics=_topics(chance),
                reach=(rank + 1) ** -0.8,
                sender=_sender(chance, identity, region),
            )
        )
    return found


def listeners(settings: PopulationSettings) -> list[Listener]:
    """All listeners, those who sign up in the windows last."""
    chance = generator(settings.seed, "listeners")
    regions = _regions()
    signed_up = _sign_ups(settings, chance)
    hours_off = max(1, round(settings.listeners * HOURS_OFF_SHARE))
    years_off = max(1, round(settings.listeners * YEARS_OFF_SHARE))
    found = []
    for index, signed_up_ms in enumerate(signed_up):
        region = regions.draw(chance)
        sender = _listener_sender(chance, region)
        activity = math.exp(chance.gauss(0.0, 0.8))
        if index < hours_off + years_off:
            _set_clock_wrong(chance, sender, years=index >= hours_off)
            activity = max(activity, 1.0)
        leaves = chance.random() < CHURN_SHARE
        found.append(
            Listener(
                sender=sender,
                region=region,
                topics=_topics(chance),
                activity=activity,
                signed_up_ms=signed_up_ms,
                churned_ms=_churn(chance, settings, signed_up_ms) if leaves else None,
                variants={
                    experiment.id: "treatment" if chance.random() < 0.5 else "control" for experiment in EXPERIMENTS
                },
            )
        )
    return found


def bots(settings: PopulationSettings) -> list[Sender]:
    """Accounts that only storm: one model of device, no session."""
    chance = generator(settings.seed, "bots")
    return [
        Sender(
            user_id=short_id("u", chance),
            device={"id": short_id("d", chance), "os": "android", "os_version": "9", "model": "generic_x86_64"},
            app_version="4.9.7",
        )
        for _ in range(settings.bots)
    ]


def _sign_ups(settings: PopulationSettings, chance: random.Random) -> list[int]:
    new: list[int] = []
    for day in range(settings.history_days):
        share = settings.listeners * HISTORY_NEWCOMER_SHARE / settings.history_days
        count = min(round(share), settings.events_per_history_day // EVENTS_PER_NEWCOMER)
        start = settings.history_start_ms + day * DAY_MS
        new += [start + int(chance.random() * DAY_MS) for _ in range(count)]
    count = min(round(settings.listeners * LIVE_NEWCOMER_SHARE), settings.live_events // EVENTS_PER_NEWCOMER)
    span = settings.live_end_ms - settings.live_start_ms
    new += [settings.live_start_ms + int(chance.random() * span * 0.9) for _ in range(count)]
    new = new[: settings.listeners // 2]
    # The age of an account is squared: a growing service has more young accounts than old ones.
    old = [
        settings.history_start_ms - DAY_MS - int(chance.random() ** 2 * 2 * YEAR_MS)
        for _ in range(settings.listeners - len(new))
    ]
    return old + sorted(new)


def _churn(chance: random.Random, settings: PopulationSettings, signed_up_ms: int) -> int:
    earliest = max(signed_up_ms, settings.history_start_ms)
    return earliest + int(chance.random() * (settings.live_end_ms - earliest + DAY_MS))


def _set_clock_wrong(chance: random.Random, sender: Sender, *, years: bool) -> None:
    if years:
        error, reality = round(chance.uniform(1, 6) * YEAR_MS), Reality.CLOCK_YEARS_OFF
    else:
        error, reality = round(chance.uniform(1, 11) * HOUR_MS), Reality.CLOCK_HOURS_OFF
    sender.clock_error_ms = error if chance.random() < 0.5 else -error
    sender.realities = (*sender.realities, reality)


def _regions() -> Weighted[Region]:
    return Weighted(REGIONS, [region.share for region in REGIONS])


def _topics(chance: random.Random) -> tuple[str, ...]:
    return tuple(chance.sample(TOPICS, 1 + (chance.random() < 0.7) + (chance.random() < 0.3)))


def _listener_sender(chance: random.Random, region: Region) -> Sender:
    if chance.random() >= NUMERIC_ID_SHARE:
        return _sender(chance, short_id("u", chance), region)
    sender = _sender(chance, 2**60 + chance.getrandbits(48), region)
    sender.realities = (*sender.realities, Reality.NUMERIC_ID)
    return sender


def _sender(chance: random.Random, user_id: str | int, region: Region) -> Sender:
    os = ("ios", "ios", "android", "android", "web")[int(chance.random() * 5)]
    model, version = DEVICES[os][int(chance.random() * len(DEVICES[os]))]
    text = os == "web"
    return Sender(
        user_id=user_id,
        device={"id": short_id("d", chance), "os": os, "os_version": version, "model": model},
        app_version=APP_VERSIONS[int(chance.random() * len(APP_VERSIONS))],
        offset_minutes=(region.offset_minutes if chance.random() < 0.4 else 0) if text else None,
        realities=(Reality.TEXT_TIME,) if text else (),
    )
