"""The job `trending_shows`: ranks as of each full hour of the window; computes nothing itself."""

from __future__ import annotations

from datetime import timedelta

from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import TRENDING_SHOWS
from spark_jobs.changes import Upsert
from spark_jobs.job import Run
from spark_jobs.touched import between
from transforms import listening, trending


def run(run: Run) -> None:
    """Rank shows as of the end of each hour of the window, by what the events tables hold by now.

    Events that arrive later count in the ranks of later hours; earlier ranks change when their window is run again.
    """
    hours = int(run.window.length / timedelta(hours=1))
    as_of = [run.window.start + timedelta(hours=hour + 1) for hour in range(hours)]
    first = as_of[0] - timedelta(hours=max(trending.WINDOWS_HOURS))
    events = {
        name: run.read(EVENT_TABLES[name]).where(between("occurred_at", first, run.window.end))
        for name in ("playback_metric", "like", "call_in", "chat_message", "follow")
    }
    activity = trending.Activity(heard=listening.heard(events.pop("playback_metric")), **events)
    ranks = trending.trending_shows(trending.hourly_activity(activity), as_of=as_of)
    former = run.read(TRENDING_SHOWS).where(between("as_of", as_of[0], as_of[-1] + timedelta(hours=1)))
    run.publish(TRENDING_SHOWS, Upsert(rows=ranks, gone=former.select(*TRENDING_SHOWS.key)))
