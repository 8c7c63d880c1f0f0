"""What a rehearsal finds of the batch path: crawls, tables, job runs, the account of events and files, the plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from boto3.session import Session

from contracts.datasets import DATASETS
from contracts.lake import Zone
from contracts.lake_tables.events import EVENT_TABLES
from rehearsal.scenario import comparison
from rehearsal.scenario.batch import Ran
from rehearsal.scenario.deployment import ANALYST, ANALYSTS, Deployed
from rehearsal.scenario.drops import UNKNOWN_PREFIX, Drop
from rehearsal.scenario.lake import Lake
from rehearsal.scenario.report.findings import Crawl, JobRun, TablesFindings
from rehearsal.scenario.tables import Tables
from rehearsal.scenario.tables_account import (
    DroppedFile,
    RawEvent,
    Refused,
    TableRow,
    account_of_events,
    account_of_files,
)

PLOTTED = 10
"""Shows in a plot."""


def crawls(deployed: Deployed) -> list[Crawl]:
    """Every crawl so far, by crawler and time."""
    glue = deployed.engine.client("glue")
    found = []
    for name in sorted(glue.list_crawlers()["CrawlerNames"]):
        for crawl in glue.list_crawls(CrawlerName=name)["Crawls"]:
            found.append(
                Crawl(
                    crawler=name,
                    began=crawl["StartTime"],
                    ended=crawl.get("EndTime"),
                    state=crawl["State"],
                    error=crawl.get("ErrorMessage", ""),
                )
            )
    return sorted(found, key=lambda crawl: (crawl.began, crawl.crawler))


def not_catalogued(deployed: Deployed, drops: Sequence[Drop]) -> list[str]:
    """Crawls that did not end well, and files of no dataset that nobody was told of; a sentence each."""
    failed = [
        f"crawl by {crawl.crawler} ended {crawl.state}: {crawl.error}"
        for crawl in crawls(deployed)
        if crawl.state != "COMPLETED"
    ]
    return failed + _unknown_without_letter(deployed, drops)


def read_tables(deployed: Deployed) -> Tables:
    """The lake's tables: the shared ones as the analysts' grant shows them, the personal ones as the administrator.

    A stage without that grant is read by the administrator alone.
    """
    engine = deployed.engine
    tables = Tables(endpoint_url=engine.endpoint_url)
    own = engine.administrator_environment()
    administrator = Session(
        aws_access_key_id=own["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=own["AWS_SESSION_TOKEN"],
        region_name=own["AWS_REGION"],
    )
    shared = administrator
    if ANALYSTS in deployed.reader_roles:
        role = deployed.reader_roles[ANALYSTS]
        shared = engine.session_of(role, caller=engine.principal(ANALYST, may_assume=[role]))
    tables.read(Zone.TRANSFORMED, deployed.databases[Zone.TRANSFORMED], session=shared)
    tables.read(Zone.PERSONAL, deployed.databases[Zone.PERSONAL], session=administrator)
    return tables


def find(deployed: Deployed, lake: Lake, tables: Tables, drops: Sequence[Drop], ran: Sequence[Ran]) -> TablesFindings:
    """Account for every event and file, compare with the second implementation, and gather what the page shows."""
    refused = list(_refused(tables))
    book = account_of_events(_raw_events(lake), _rows(tables), refused)
    rows_by_file = _rows_by_file(tables)
    book.files, unexpected = account_of_files(
        [DroppedFile(key=d.key, dataset=d.dataset, rows=d.rows, refused=d.refused) for d in drops],
        rows_by_file,
        refused,
        unknown={d.key for d in drops if d.dataset not in {dataset.name for dataset in DATASETS}},
    )
    book.unexpected += unexpected
    made = crawls(deployed)
    failures = [f"job {run.job} ended {run.state}: {run.error}" for run in ran if run.state != "SUCCEEDED"]
    failures += not_catalogued(deployed, drops)
    day, listeners, minutes = _statistics(tables)
    as_of, trending = _trending(tables)
    return TablesFindings(
        account=book,
        found=sorted(tables.found, key=lambda table: (table.database != Zone.TRANSFORMED, table.name)),
        databases=dict(deployed.databases),
        raw_tables=_crawled(deployed),
        runs=_runs(tables, ran),
        crawls=made,
        listeners=listeners,
        minutes=minutes,
        plotted_day=day,
        trending=trending,
        trending_as_of=as_of,
        sessions_by_minute=_sessions_by_minute(tables),
        disagreements=comparison.disagreements(tables) if ran else [],
        failures=failures,
    )


def _raw_events(lake: Lake) -> Iterator[RawEvent]:
    for name in EVENT_TABLES:
        if name in lake.tables:
            rows = lake.connection.execute(f'SELECT event_id, CAST(occurred_at AS DATE) FROM "{name}"').fetchall()
            yield from (RawEvent(type=name, event_id=event_id, day=str(day)) for event_id, day in rows)


def _rows(tables: Tables) -> Iterator[TableRow]:
    for name in EVENT_TABLES:
        if tables.has(Zone.TRANSFORMED, name):
            rows = tables.connection.execute(f'SELECT event_id, CAST(occurred_at AS DATE) FROM transformed."{name}"')
            yield from (TableRow(type=name, event_id=event_id, day=str(day)) for event_id, day in rows.fetchall())


def _refused(tables: Tables) -> Iterator[Refused]:
    if not tables.has(Zone.PERSONAL, "rejected_rows"):
        return
    rows = tables.connection.execute(
        "SELECT source, reason_code, file, event_id, original IS NULL FROM personal.rejected_rows"
    ).fetchall()
    for source, reason, file, event_id, whole in rows:
        yield Refused(source=source, reason=reason, file=_key(file), event_id=event_id, whole_file=whole)


def _key(file: str | None) -> str:
    """A file by its key, whether it was noted by key or by URI."""
    text = file or ""
    return text.split("://", 1)[1].partition("/")[2] if "://" in text else text


def _rows_by_file(tables: Tables) -> Counter[str]:
    counts: Counter[str] = Counter()
    for table in tables.found:
        if table.database == Zone.PERSONAL and table.name.startswith("batch_"):
            rows = tables.connection.execute(f'SELECT source_file, count(*) FROM personal."{table.name}" GROUP BY 1')
            counts.update({_key(file): count for file, count in rows.fetchall()})
    return counts


def _unknown_without_letter(deployed: Deployed, drops: Sequence[Drop]) -> list[str]:
    """Files below no dataset's prefix whose notice is no dead letter with the reason."""
    sqs = deployed.engine.client("sqs")
    bodies = ""
    while True:
        answer = sqs.receive_message(
            QueueUrl=deployed.crawl_dead_letter_queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=30,
            MessageAttributeNames=["All"],
        )
        if not answer.get("Messages"):
            break
        for letter in answer["Messages"]:
            reason = letter.get("MessageAttributes", {}).get("reason_code", {}).get("StringValue", "")
            bodies += letter["Body"] if reason == UNKNOWN_PREFIX else ""
    return [
        f"the notice of {one.key}, which is of no dataset, is no dead letter with the reason {UNKNOWN_PREFIX}"
        for one in drops
        if one.refused == UNKNOWN_PREFIX and one.key not in bodies
    ]


def _runs(tables: Tables, ran: Sequence[Ran]) -> list[JobRun]:
    if not tables.has(Zone.TRANSFORMED, "job_runs"):
        return []
    seconds = {run.run_id: run.seconds for run in ran}
    rows = tables.connection.execute(
        "SELECT run_id, job, status, files_in, bytes_in, rows_in, rows_out, rows_rejected, duration_ms, rejected, "
        "error FROM transformed.job_runs ORDER BY started_at"
    ).fetchall()
    return [
        JobRun(
            job=row[1],
            status=row[2],
            files_in=row[3] or 0,
            bytes_in=row[4] or 0,
            rows_in=row[5] or 0,
            rows_out=row[6] or 0,
            rows_rejected=row[7] or 0,
            duration_ms=row[8] or 0,
            seconds=seconds.get(row[0], (row[8] or 0) / 1000),
            rejected=dict(row[9] or {}),
            error=row[10] or "",
        )
        for row in rows
    ]


def _titled(tables: Tables) -> str:
    """A join that gives a show its title where the table of shows holds it."""
    if not tables.has(Zone.TRANSFORMED, "shows"):
        return "SELECT s.show_id AS title, s.* FROM s"
    return (
        "SELECT coalesce(shows.show_title, s.show_id) AS title, s.* FROM s LEFT JOIN transformed.shows USING (show_id)"
    )


def _statistics(tables: Tables) -> tuple[str, list[tuple[str, float]], list[tuple[str, float]]]:
    if not tables.has(Zone.TRANSFORMED, "show_statistics_daily"):
        return "", [], []
    day = tables.connection.execute(
        "SELECT day FROM transformed.show_statistics_daily GROUP BY day ORDER BY sum(minutes_listened) DESC LIMIT 1"
    ).fetchone()
    if day is None:
        return "", [], []

    def top(column: str) -> list[tuple[str, float]]:
        rows = tables.connection.execute(
            f"WITH s AS (SELECT * FROM transformed.show_statistics_daily WHERE day = ?) "
            f"SELECT title, {column} FROM ({_titled(tables)}) ORDER BY {column} DESC, title LIMIT {PLOTTED}",
            [day[0]],
        ).fetchall()
        return [
            (title, round(float(value), 1) if column == "minutes_listened" else int(value)) for title, value in rows
        ]

    return str(day[0]), top("listeners"), top("minutes_listened")


def _trending(tables: Tables) -> tuple[str, dict[int, list[tuple[str, float]]]]:
    if not tables.has(Zone.TRANSFORMED, "trending_shows"):
        return "", {}
    last = tables.connection.execute("SELECT max(as_of) FROM transformed.trending_shows").fetchone()
    if last is None or last[0] is None:
        return "", {}
    rows = tables.connection.execute(
        f"WITH s AS (SELECT * FROM transformed.trending_shows WHERE as_of = ? AND rank <= {PLOTTED}) "
        f"SELECT window_hours, title, score FROM ({_titled(tables)}) ORDER BY window_hours, rank",
        [last[0]],
    ).fetchall()
    by_window: dict[int, list[tuple[str, float]]] = {}
    for hours, title, score in rows:
        by_window.setdefault(int(hours), []).append((title, round(float(score), 1)))
    return f"{last[0]:%Y-%m-%d %H:%M} UTC", by_window


def _sessions_by_minute(tables: Tables) -> list[tuple[str, int]]:
    if not tables.has(Zone.TRANSFORMED, "sessions"):
        return []
    rows: list[tuple[str, int]] = tables.connection.execute(
        # Around the middle one: some devices' clocks are hours off.
        """WITH counts AS (
               SELECT date_trunc('minute', started_at) AS minute, count(*) AS sessions
               FROM transformed.sessions GROUP BY 1
           ), middle AS (SELECT median(started_at) AS moment FROM transformed.sessions)
           SELECT strftime(minute, '%H:%M'), sessions FROM counts, middle
           WHERE abs(date_diff('minute', moment, minute)) <= 60 ORDER BY minute"""
    ).fetchall()
    return rows


def _crawled(deployed: Deployed) -> list[tuple[str, list[tuple[str, str]], str]]:
    """The tables that crawlers keep in the raw database: name, columns, and whether they are marked as deprecated."""
    glue = deployed.engine.client("glue")
    found: list[tuple[str, list[tuple[str, str]], str]] = []
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=deployed.databases[Zone.RAW]):
        for table in page["TableList"]:
            if table["Name"].startswith("batch_"):
                columns = [(c["Name"], c["Type"]) for c in _columns(table)]
                gone = any(name.startswith("DEPRECATED") for name in table.get("Parameters", {}))
                found.append((table["Name"], columns, "deprecated: its files are gone" if gone else ""))
    return found


def _columns(table: dict[str, Any]) -> list[dict[str, Any]]:
    return [*table["StorageDescriptor"]["Columns"], *table.get("PartitionKeys", [])]
