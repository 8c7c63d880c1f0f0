"""Rows of all result tables that pages read: made up, plain to check, with ugly titles among them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date, timedelta

DAY = date(2026, 11, 21)
UGLY = '<script>alert("1")</script>'
RIGHT_TO_LEFT = "برنامج الصباح مع ليلى"
EMOJI = "Late night 🎙️🔥 & friends"
LONG = "An hour about everything and nothing " * 9
TITLES = (
    "Morning Coffee with Dana", UGLY, RIGHT_TO_LEFT, EMOJI, LONG[:300], "Indie Discoveries", "Football Phone-in",
    "深夜ラジオ", "True Crime Tuesday", "Jazz, quietly",
)  # fmt: skip

Rows = dict[str, list[dict[str, object]]]


def rows(day: date = DAY) -> Rows:
    """Rows of every table, by its name; as JSON gives them."""
    made: Rows = {}
    for back in range(40, -1, -1):
        for name, make in _BY_DAY.items():
            made.setdefault(name, []).append({"day": (day - timedelta(days=back)).isoformat(), **make(back)})
    for name, list_of in _OF_THE_DAY.items():
        made[name] = [{"day": day.isoformat(), **row} for row in list_of(day)]
    parsed: Rows = json.loads(json.dumps(made))
    return parsed


def _wave(back: int, base: float, swing: float) -> int:
    """A number that goes up and down with the week, and grows a little."""
    return round(base + swing * math.sin(back * 2 * math.pi / 7) - base * back / 200)


def _engagement(back: int) -> dict[str, object]:
    daily, monthly = _wave(back, 4200, 500), _wave(back, 12800, 90)
    listeners, sessions = daily - 900, daily + 2100
    return {
        "daily_active": daily,
        "weekly_active": _wave(back, 8100, 200),
        "monthly_active": monthly,
        "stickiness_share": daily / monthly,
        "days_with_activity": 28,
        "app_opens": daily * 2,
        "listeners": listeners,
        "listening_share": listeners / daily,
        "sessions": sessions,
        "minutes_listened": f"{listeners * 42.5:.3f}",
        "minutes_per_listener": 42.5 + math.cos(back),
        "sessions_per_listener": sessions / listeners,
    }


def _funnel(back: int) -> dict[str, object]:
    opened = _wave(back, 4000, 450)
    listened, followed = opened * 3 // 4, opened // 20
    return {
        "opened": opened,
        "listened": listened,
        "followed": followed,
        "listened_share": listened / opened,
        "followed_share": followed / listened,
        "open_to_follow_share": followed / opened,
    }


def _retention(day: date) -> list[dict[str, object]]:
    made = []
    for back in range(28, -1, -1):
        new = 180 + back % 7 * 9
        row: dict[str, object] = {
            "cohort_day": (day - timedelta(days=back)).isoformat(),
            "days_of_data_before": 40 - back,
            "new_listeners": new,
        }
        for days, part in ((1, 0.41), (7, 0.23), (28, 0.11)):
            returned = int(new * part) if back >= days else None
            row |= {f"returned_day_{days}": returned, f"day_{days}_share": None if returned is None else returned / new}
        made.append(row)
    return made


def _notifications(_day: date) -> list[dict[str, object]]:
    made = []
    for kind, channel, delivered, opened, listened in (
        ("show_started", "push", 5210, 1102, 803),
        ("followed_creator_live", "push", 2110, 590, 467),
        ("weekly_digest", "email", 1480, 96, 31),
        ("reminder", "push", 12, 0, 0),
    ):
        made.append(
            {
                "kind": kind,
                "channel": channel,
                "delivered": delivered,
                "opened": opened,
                "listened": listened,
                "opened_share": opened / delivered,
                "listened_share": listened / opened if opened else None,
                "delivery_to_listen_share": listened / delivered,
            }
        )
    return made


def _experiments(_day: date) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for experiment, outcome, variants in (
        ("home_ranking_v2", "listen", (("control", 5012, 1503, None), ("popularity", 4978, 1742, "higher"))),
        ("home_ranking_v2", "follow", (("control", 5012, 201, None), ("popularity", 4978, 212, "no difference found"))),
        ("quiet_onboarding", "listen", (("control", 61, 20, None), ("short", 57, 19, "too little data"))),
        ("autoplay", "listen", (("control", 3000, 1200, None), ("off", 3011, 1066, "lower"))),
    ):
        base = variants[0][2] / variants[0][1]
        for variant, units, conversions, verdict in variants:
            share, refused = conversions / units, experiment == "quiet_onboarding"
            spread = 1.96 * math.sqrt(share * (1 - share) / units)
            difference = share - base
            made.append(
                {
                    "experiment_id": experiment,
                    "outcome": outcome,
                    "variant": variant,
                    "units": units,
                    "units_in_two_variants": 17,
                    "conversions": conversions,
                    "converted_share": None if refused else share,
                    "converted_low_share": None if refused else share - spread,
                    "converted_high_share": None if refused else share + spread,
                    "difference": None if refused or verdict is None else difference,
                    "difference_low": None if refused or verdict is None else difference - 1.4 * spread,
                    "difference_high": None if refused or verdict is None else difference + 1.4 * spread,
                    "detectable_difference": 2 * spread,
                    "sample_ratio_chi_square": 0.4,
                    "verdict": verdict or ("too little data" if refused else "control"),
                }
            )
    return made


def _promotions(_day: date) -> list[dict[str, object]]:
    return [
        {
            "promotion_id": "autumn_banner",
            "show_id": "show-02",
            "exposure": exposure,
            "units": 2000,
            "conversions": 90 if exposure == "exposed" else 61,
            "converted_share": 0.045 if exposure == "exposed" else 0.0305,
            "converted_low_share": 0.037,
            "converted_high_share": 0.055,
            "difference": 0.0145 if exposure == "exposed" else None,
            "difference_low": 0.002 if exposure == "exposed" else None,
            "difference_high": 0.027 if exposure == "exposed" else None,
            "detectable_difference": 0.017,
            "sample_ratio_chi_square": None,
            "verdict": "higher" if exposure == "exposed" else "control",
        }
        for exposure in ("not exposed", "exposed")
    ]


def _ranks(day: date, hour: int, shows: int) -> list[dict[str, object]]:
    made = []
    for place in range(shows):
        lift = max(5.2 - 0.9 * place - 0.15 * abs(hour - 18), 0.7)
        expected = 310.0 - 11 * place
        made.append(
            {
                "as_of": f"{day}T{hour:02}:00:00Z",
                "rank": place + 1,
                "show_id": f"show-{place:02}",
                "is_trending": lift >= 2,
                "trending_score": lift * 3,
                "lift": lift,
                "activity": (expected + 120) * lift - 120,
                "expected_activity": expected,
                "usual_weeks": 4,
                "listeners": 240 - 20 * place,
                "minutes_listened": f"{(240 - 20 * place) * 21.4:.3f}",
                "activity_of_all": (expected + 120) * lift,
            }
        )
    return made


def _compared(column: str, now: float, back: int = 0) -> dict[str, object]:
    return {
        column: now,
        f"{column}_yesterday": round(now * 1.08),
        f"{column}_week_before": round(now * 0.97),
        f"{column}_mean_28_days": now * 1.02,
    }


_COUNTS = (
    ("listeners", 3300), ("new_users", 184), ("sessions", 6300), ("shows", 212), ("minutes_listened", 141_230),
    ("peak_concurrency", 904), ("peak_concurrency_of_a_show", 231), ("likes", 15_870), ("calls", 88),
    ("chat_messages", 9_120), ("follows_gained", 301), ("poll_votes", 1_204),
)  # fmt: skip


def _flash(back: int) -> dict[str, object]:
    row: dict[str, object] = {"events": 98_200, "days_compared": 28}
    for column, base in _COUNTS:
        row |= _compared(column, _wave(back, base, base / 9), back)
    return row


def _top_shows(_day: date) -> list[dict[str, object]]:
    return [
        {
            "place": place,
            "place_yesterday": (None, 1, 3, 2, 7)[place % 5],
            "show_id": f"show-{place:02}",
            "title": title,
            "creator_key": f"{place:02}c0ffee{place:08}",
            "listeners": 700 - 50 * place,
            "sessions": 900 - 60 * place,
            **_compared("minutes_listened", 16_000 - 1_400 * place),
            "minutes_listened_share": (16_000 - 1_400 * place) / 141_230,
            "peak_concurrency": 231 - 20 * place,
            "likes": 12,
            "calls": 3,
            "chat_messages": 40,
            "follows_gained": 9 - 2 * place,
        }
        for place, title in enumerate(TITLES, start=1)
    ]


def _top_creators(_day: date) -> list[dict[str, object]]:
    return [
        {
            "place": place,
            "creator_key": f"{place:02}c0ffee{place:08}",
            "shows": 1 + place % 3,
            "listeners": 800 - 60 * place,
            "sessions": 900 - 60 * place,
            **_compared("minutes_listened", 18_000 - 1_500 * place),
            "minutes_listened_share": (18_000 - 1_500 * place) / 141_230,
            "peak_concurrency_of_a_show": 231 - 20 * place,
            "follows_gained": 12 - place,
        }
        for place in range(1, 9)
    ]


def _movers(_day: date) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for compared_with in ("yesterday", "week_before"):
        for place, title in enumerate(TITLES, start=1):
            change = (1 if place % 3 else -1) * (3_000 - 250 * place)
            made.append(
                {
                    "compared_with": compared_with,
                    "show_id": f"show-{place:02}",
                    "title": title,
                    "place": place,
                    "place_by_listeners": len(TITLES) + 1 - place,
                    "minutes_listened": 9_000 + change,
                    "minutes_listened_before": 9_000,
                    "minutes_listened_change": change,
                    "minutes_listened_change_of_all": -4_230,
                    "minutes_listened_change_share": abs(change) / 40_000,
                    "listeners": 400 + change // 20,
                    "listeners_before": 400,
                    "listeners_change": change // 20,
                    "listeners_change_of_all": -120,
                    "listeners_change_share": abs(change // 20) / 2_000,
                }
            )
    return made


def _catalog(day: date) -> list[dict[str, object]]:
    return [
        {
            "show_id": f"show-{place:02}",
            "changed_at": f"{day} {place:02}:14:00",
            "change": ("added", "changed", "withdrawn")[place % 3],
            "changed_columns": None if place % 3 == 0 else "status,schedule_starts_at",
            "version": place,
            "title": title,
            "title_before": None if place % 3 == 0 else title,
            "status": "live",
            "status_before": None if place % 3 == 0 else "scheduled",
        }
        for place, title in enumerate(TITLES, start=1)
    ]


EVENT_TYPES = ("playback_metric", "app_opened", "like", "chat_message", "show_impression", "follow", "poll_vote")


def _events(_day: date) -> list[dict[str, object]]:
    return [
        {"event_type": name, "events": 40_000 // (place + 1), "events_late": 40 * place}
        for place, name in enumerate(EVENT_TYPES)
    ]


def _review(day: date, first: date) -> list[dict[str, object]]:
    row: dict[str, object] = {
        "first_day": first.isoformat(),
        "days": (day - first).days + 1,
        "data_begin_on": "2026-10-12",
        "before_gap": None,
        "year_before_gap": "the data begin on 2026-10-12",
        "minutes_per_listener": 101.4,
        "minutes_per_listener_before": 96.0,
        "minutes_per_listener_year_before": None,
    }
    for column, base in _COUNTS:
        row |= {column: base * 5, f"{column}_before": round(base * 4.8), f"{column}_year_before": None}
    return [{name: value for name, value in row.items() if not name.startswith("peak_concurrency") or "_of_" in name}]


def _creators(_day: date) -> list[dict[str, object]]:
    return [
        {
            "creator_key": f"{place:02}c0ffee{place:08}",
            "shows": 1 + place % 3,
            "shows_live": place % 2,
            "shows_heard": 1,
            "days_heard": 28 - place % 9,
            "listeners": max(2_400 - 90 * place, 0),
            "listeners_new": max(700 - 25 * place, 0),
            "listeners_before": None if place > 20 else 2_000,
            "listeners_on_several_days_share": None if place > 25 else 0.44 - place / 100,
            "sessions": 5_000,
            "minutes_listened": f"{max(90_000 - 3_300 * place, 0)}.250",
            "minutes_listened_before": None if place > 20 else f"{84_000 - 2_500 * place}.000",
            "minutes_per_listener": None,
            "peak_concurrency_of_a_show": 240 - 7 * place,
            "likes": 10,
            "calls": 1,
            "chat_messages": 4,
            "poll_votes": 0,
            "follows_gained": 4,
            "creator_follows_gained": 30 - 3 * place,
        }
        for place in range(30)
    ]


def _categories(day: date) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for back in range(27, -1, -1):
        for dimension, parts in (
            (
                "topic",
                {
                    "music": 31 - back % 7,
                    "talk": 24,
                    "sports": 12 + back % 7,
                    "true_crime": 11,
                    "news": 9,
                    "unknown": 3,
                },
            ),
            ("language", {"en": 66, "es": 21, "ar": 8, "ja": 5}),
            ("hour", {f"{hour:02}": 1 + (hour - 3) % 24 // 2 for hour in range(24)}),
        ):
            whole = sum(parts.values())
            for category, part in parts.items():
                made.append(
                    {
                        "day": (day - timedelta(days=back)).isoformat(),
                        "dimension": dimension,
                        "category": category,
                        "shows": part,
                        "listeners": part * 60,
                        "listeners_share": min(part * 60 / 3_300, 1),
                        "minutes_listened": f"{141_230 * part / whole:.3f}",
                        "minutes_listened_share": part / whole,
                    }
                )
    return made


def _health(_day: date) -> list[dict[str, object]]:
    made = []
    for place, name in enumerate((*EVENT_TYPES, "sessions", "show_statistics_daily")):
        rows, event = 40_000 // (place + 1), name in EVENT_TYPES
        late, rejected = 40 * place, 200 if name == "like" else 0
        made.append(
            {
                "table_name": name,
                **_compared("row_count", 900 if name == "poll_vote" else rows),
                "row_count_mean_28_days": rows * 1.01,
                "days_compared": 28,
                "hours_since_newest": 0.02 + place / 9 + (30 if name == "show_impression" else 0),
                "freshness_hours": 26,
                "rows_late": late if event else None,
                "late_share": late / rows if event else None,
                "rows_rejected": rejected if event else None,
                "rejected_share": rejected / (rows + rejected) if event else None,
                "schema_version": (3 if name == "follow" else 1) if event else None,
                "schema_version_before": (2 if name == "follow" else 1) if event else None,
                "schema_changed": name == "follow" if event else None,
            }
        )
    return made


def _jobs(_day: date) -> list[dict[str, object]]:
    return [
        {
            "job": job,
            "runs": runs,
            "runs_succeeded": runs - failed,
            "runs_failed": failed,
            "runs_refused": 0,
            "rows_in": 98_400,
            "rows_out": 98_200,
            "rows_rejected": 200,
            "rejected_share": 200 / 98_400,
            "longest_ms": 95_000,
        }
        for job, runs, failed in (("events", 24, 1), ("listening", 24, 0), ("statistics", 24, 0), ("catalog", 2, 0))
    ]


def _quarantine(_day: date) -> list[dict[str, object]]:
    return [
        {"event_type": "playback_metric", "reason_code": "wrong_type", "records": 41},
        {"event_type": "unknown", "reason_code": "unknown_type", "records": 7},
    ]


_BY_DAY: dict[str, Callable[[int], dict[str, object]]] = {
    "flash_report": _flash,
    "engagement_daily": _engagement,
    "funnel_daily": _funnel,
}
_OF_THE_DAY: dict[str, Callable[[date], list[dict[str, object]]]] = {
    "flash_top_shows": _top_shows,
    "flash_top_creators": _top_creators,
    "flash_movers": _movers,
    "flash_catalog_changes": _catalog,
    "flash_events": _events,
    "business_review_week": lambda day: _review(day, day - timedelta(days=day.weekday())),
    "business_review_month": lambda day: _review(day, day.replace(day=1)),
    "creator_scorecard": _creators,
    "show_categories": _categories,
    "data_health": _health,
    "health_jobs": _jobs,
    "health_quarantine": _quarantine,
    "retention": _retention,
    "notification_path": _notifications,
    "experiment_effects": _experiments,
    "promotion_effects": _promotions,
    "trending_now": lambda day: _ranks(day, 20, 8),
    "trending_settled": lambda day: [row for hour in range(24) for row in _ranks(day, hour, 8)],
}
