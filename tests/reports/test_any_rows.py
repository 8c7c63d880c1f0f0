"""Whatever small tables hold, models of engagement, trending and effects run, and their own tests hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reports.small_lake import DAY, SmallLake, at

MODELS = (
    "engagement_daily", "retention", "funnel_daily", "notification_path", "trending_settled", "experiment_effects",
    "promotion_effects",
)  # fmt: skip
_NAMES = st.sampled_from((None, "a", "b"))
_MOMENTS = st.builds(
    lambda days, minutes: at("00:00", day=DAY) + timedelta(days=days, minutes=minutes),
    st.sampled_from((0, 0, 0, -1, -7, -28, 1)),
    st.sampled_from((0, 1, 540, 545, 570, 1290, 1439)),
)


def _events(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    common = {"user_key": _NAMES, "device_key": _NAMES, "session_id": _NAMES, "occurred_at": _MOMENTS}
    return st.lists(st.fixed_dictionaries(common | columns), max_size=5)


_TABLES = st.fixed_dictionaries(
    {
        "app_opened": _events(),
        "playback_metric": _events(
            show_id=_NAMES, playback_listened_ms=st.sampled_from((None, -1, 0, 1, 60_000, 9_000_000_000))
        ),
        "like": _events(show_id=_NAMES, like_count=st.sampled_from((None, -1, 0, 3, 2_000_000_000))),
        "follow": _events(
            follow_target_kind=st.sampled_from(("show", "creator", None)),
            follow_target_id=_NAMES,
            follow_action=st.sampled_from(("follow", "unfollow", None)),
        ),
        "notification_delivered": _events(notification_id=_NAMES, notification_kind=_NAMES),
        "notification_opened": _events(notification_id=_NAMES),
        "experiment_exposure": _events(
            experiment_id=_NAMES,
            experiment_variant=st.sampled_from((None, "control", "treatment")),
            experiment_unit=st.sampled_from((None, "user", "device")),
        ),
        "promotion_exposure": _events(promotion_id=_NAMES, show_id=_NAMES),
    }
)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=_TABLES)
def test_shares_are_shares_and_nothing_divides_by_zero(
    lake: SmallLake, tables: Mapping[str, list[dict[str, Any]]]
) -> None:
    for name, events in tables.items():
        lake.connection.execute(f'delete from transformed."{name}"')
        lake.happened(f'"{name}"' if name == "like" else name, *events)
    lake.connection.execute("delete from transformed.sessions")
    for event in tables["playback_metric"]:
        heard = event["playback_listened_ms"] or 0
        if heard > 0:
            lake.fill(
                "transformed.sessions",
                {
                    "listener_key": event["user_key"] or event["device_key"],
                    "started_at": event["occurred_at"] - timedelta(milliseconds=min(heard, 43_200_000)),
                    "ended_at": event["occurred_at"],
                },
            )
    for model in MODELS:
        for row in lake.run(model):
            assert all(row[name] is None or 0 <= row[name] <= 1 for name in row if name.endswith("_share"))
