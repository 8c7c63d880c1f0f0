"""The job `shows`: catalog entries that arrived in the window, into shows, history and creators; computes nothing."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.lake_tables.events import EVENT_DETAILS, EVENT_TABLES
from contracts.lake_tables.shows import CREATOR_PROFILES, CREATORS, SHOW_HISTORY, SHOWS
from spark_jobs.changes import Upsert
from spark_jobs.job import Run
from spark_jobs.touched import arrived_in, between, bounds
from transforms import shows


def run(run: Run) -> None:
    """Make the shows again of which an entry arrived in the window; what became of their creators follows.

    The history comes first: current shows and creators are made from what readers see of it, so that a run that died in
    between is completed by the next one.
    """
    entries = run.read(EVENT_TABLES["show_catalog_entry"])
    touched = entries.where(arrived_in(run.window, run.arguments, any_age=True)).select("show_id").distinct()
    mine = shows.dated(entries.join(touched, "show_id", how="left_semi"))
    known = run.read(SHOW_HISTORY).join(touched, "show_id", how="left_semi")
    history = shows.show_history(shows.with_older_versions(mine, known))
    run.publish(SHOW_HISTORY, Upsert(rows=history, gone=known.select(*SHOW_HISTORY.key)))
    whole = run.read(SHOW_HISTORY)
    run.publish(SHOWS, Upsert(rows=shows.shows(whole)))
    run.publish(CREATORS, Upsert(rows=shows.creators(whole)))
    theirs = mine.where("show_creator_key IS NOT NULL").select("show_creator_key").distinct()
    newest = shows.newest_by_creator(shows.dated(entries.join(theirs, "show_creator_key", how="left_semi")))
    told = bounds(newest, F.col("occurred_at"), F.col("occurred_at"))
    if told:
        details = run.read(EVENT_DETAILS).where(between("occurred_at", told[0], told[1] + timedelta(milliseconds=1)))
        run.publish(CREATOR_PROFILES, Upsert(rows=shows.creator_profiles(newest, details)))
