"""Experiments of any size in the tables of events, written by one statement each; knows nothing of the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.reports.small_lake import SmallLake


@dataclass(frozen=True, kw_only=True)
class Arm:
    """So many listeners of an experiment met the variant at 8 in the morning, each in a session of their own.

    The first `listened` of them listened half an hour later, the first `followed` followed.
    """

    experiment: str
    variant: str
    units: int
    listened: int = 0
    followed: int = 0


def expose(lake: SmallLake, arms: Sequence[Arm]) -> None:
    """Add what happened in the arms on 18 November 2026."""
    connection = lake.connection
    connection.execute(
        "create or replace temp table arms (experiment varchar, variant varchar, units int, listened int, followed int)"
    )
    connection.executemany(
        "insert into arms values (?, ?, ?, ?, ?)",
        [[arm.experiment, arm.variant, arm.units, arm.listened, arm.followed] for arm in arms],
    )
    connection.execute(
        """
        create or replace temp table drawn as
        select experiment, variant, number < listened as listens, number < followed as follows,
            experiment || '-' || variant || '-' || number as unit
        from (select *, unnest(range(units)) as number from arms)
        """
    )
    write(lake)


def write(lake: SmallLake) -> None:
    """Write the events of `drawn`: experiment, variant, unit, listens, follows; the unit is the session, too."""
    connection = lake.connection
    connection.execute(
        """
        insert into transformed.experiment_exposure by name
        select 'x-' || unit as event_id, unit as user_key, unit as session_id, 'user' as experiment_unit,
            experiment as experiment_id, variant as experiment_variant,
            timestamp '2026-11-18 08:00:00' as occurred_at
        from drawn
        """
    )
    connection.execute(
        """
        insert into transformed.playback_metric by name
        select 'p-' || unit as event_id, unit as user_key, unit as session_id, 'show-1' as show_id,
            60000 as playback_listened_ms, timestamp '2026-11-18 08:30:00' as occurred_at
        from drawn where listens
        """
    )
    connection.execute(
        """
        insert into transformed.follow by name
        select 'f-' || unit as event_id, unit as user_key, unit as session_id, 'follow' as follow_action,
            timestamp '2026-11-18 08:30:00' as occurred_at
        from drawn where follows
        """
    )
