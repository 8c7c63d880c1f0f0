"""The job `sessions`: playback that arrived in the window, into listening sessions; computes nothing itself."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.lake_tables.events import EVENT_TABLES
from contracts.lake_tables.listening import SESSIONS
from spark_jobs.changes import Upsert
from spark_jobs.job import Run
from spark_jobs.touched import arrived_in, between, bounds
from transforms import listening


def run(run: Run) -> None:
    """Make the sessions again that an interval which arrived in the window could begin, extend or join.

    The result does not depend on the order in which windows are run, nor on how long a session is: each stretch of
    time that is made again holds whole sessions (see transforms.listening.widened).
    """
    playback = run.read(EVENT_TABLES["playback_metric"])
    # Both are small, and asked for several times.
    touched = listening.touched_listening(
        listening.heard(playback.where(arrived_in(run.window, run.arguments)))
    ).persist()
    existing = listening.touched_sessions(run.read(SESSIONS), touched).persist()
    stretches = listening.widened(touched, existing)
    reach = bounds(stretches, F.col("from_at"), F.col("until_at"))
    if reach is None:
        return
    first, last = reach
    nearby = listening.heard(playback.where(between("occurred_at", first, last + timedelta(milliseconds=1))))
    made = listening.sessions(listening.within(nearby, stretches))
    run.publish(SESSIONS, Upsert(rows=made, gone=existing.select("session_key", "started_at"), day_in_key=True))
