"""The job `show_statistics`: each day that the window touches, written again whole; computes nothing itself."""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS, SHOW_STATISTICS_DAILY
from spark_jobs.changes import Replace
from spark_jobs.job import Run
from spark_jobs.touched import arrived_in, on_days
from transforms import listening, statistics

_COUNTED = ("like", "call_in", "chat_message", "follow", "poll_vote")


def run(run: Run) -> None:
    """Write the days of the window, and those on which something happened that arrived in the window only."""
    events = {name: run.read(EVENT_TABLES[name]) for name in ("playback_metric", *_COUNTED)}
    days = sorted(day for day in {*run.window.days, *_touched_days(run, events)} if day >= _oldest(run))
    if not days:
        return
    late = timedelta(hours=listening.MAX_INTERVAL_HOURS)
    activity = statistics.Activity(
        heard=listening.heard(events["playback_metric"].where(on_days("occurred_at", days, longer=late))),
        sessions=run.read(SESSIONS).where(on_days("started_at", days)),
        **{name: events[name].where(on_days("occurred_at", days)) for name in _COUNTED},
    )
    these = "day IN ({})".format(", ".join(f"DATE '{day}'" for day in days))
    run.publish(SHOW_STATISTICS_DAILY, Replace(rows=statistics.show_statistics(activity).where(these), where=these))


def _oldest(run: Run) -> date:
    """The first day of which everything is kept that is counted; statistics of days before it stay as they are."""
    kept = (SESSIONS, *(EVENT_TABLES[name] for name in ("playback_metric", *_COUNTED)))
    least = min(table.retention_days for table in kept if table.retention_days is not None)
    return (run.record.started_at - timedelta(days=least)).date() + timedelta(days=1)


def _touched_days(run: Run, events: dict[str, DataFrame]) -> list[date]:
    new = {name: frame.where(arrived_in(run.window, run.arguments)) for name, frame in events.items()}
    days = [new[name].select(F.to_date("occurred_at").alias("day")).distinct() for name in _COUNTED]
    days.append(listening.touched_days(listening.heard(new["playback_metric"])))
    return [row["day"] for row in reduce(DataFrame.unionByName, days).distinct().collect()]
