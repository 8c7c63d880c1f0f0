"""Ask the played account what happened in it: dead letters, metrics, roles, resources; changes nothing there."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.engine import iam
from rehearsal.engine.engine import Engine
from rehearsal.scenario import grants
from rehearsal.scenario.accounting import Account, DeadLetter
from rehearsal.scenario.catalog_service import CatalogService
from rehearsal.scenario.deployment import Deployed
from rehearsal.scenario.faults import refusal_text
from rehearsal.scenario.lake import Lake
from rehearsal.scenario.report.findings import Lane, Query, ResourceType, RoleUse, Step
from rehearsal.scenario.traffic import Ledger

RECEIPTS_USED_UP = "receive count used up"
UNDELIVERED = "not deliverable to the queue"
"""Reasons of dead letters that no function gave: SQS moved the message, or the topic put it there itself."""
MAX_RESOURCES = 6
"""Resources of one action that the report lists; the rest is counted."""

MOST_HEARD = """WITH heard AS (
    SELECT DISTINCT ON (event_id) show_id, user_id, playback_listened_ms FROM playback_metric
), shows AS (
    SELECT show_id, arg_max(show_title, show_version) AS title FROM show_catalog_entry GROUP BY show_id
)
SELECT any_value(title) AS title, show_id, count(DISTINCT user_id) AS listeners,
       CAST(sum(playback_listened_ms) / 60000 AS INTEGER) AS minutes
FROM heard LEFT JOIN shows USING (show_id)
GROUP BY show_id ORDER BY minutes DESC, show_id LIMIT 8"""
"""Titles are no names of shows: several have the same."""


def read_downstream(deployed: Deployed) -> int:
    """Read the stream a little, as an application with the reader policy does; gives how many records it saw.

    What is refused there, the engine has recorded; a rehearsal goes on without.
    """
    try:
        return _read_downstream(deployed)
    except ClientError:
        return 0


def _read_downstream(deployed: Deployed) -> int:
    kinesis = deployed.engine.client("kinesis", deployed.reader_role)
    stream = {"StreamARN": deployed.stream_arn}
    kinesis.describe_stream_summary(**stream)
    kinesis.describe_stream(**stream)
    seen = 0
    for shard in kinesis.list_shards(**stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(**stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        seen += len(kinesis.get_records(**stream, ShardIterator=iterator, Limit=10)["Records"])
    return seen


def dead_letters(deployed: Deployed) -> list[DeadLetter]:
    """Every message of the dead-letter queue, left where it is."""
    sqs = deployed.engine.client("sqs")
    most_receipts = _most_receipts(deployed)
    found: dict[str, DeadLetter] = {}
    while True:
        answer = sqs.receive_message(
            QueueUrl=deployed.dead_letter_queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=60,
            MessageAttributeNames=["All"],
            AttributeNames=["ApproximateReceiveCount"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            break
        for message in messages:
            attributes = message.get("MessageAttributes", {})
            # A message that SQS moved keeps its count of receipts.
            moved = int(message["Attributes"]["ApproximateReceiveCount"]) > most_receipts
            otherwise = RECEIPTS_USED_UP if moved else UNDELIVERED
            reason = attributes.get("reason_code", {}).get("StringValue", otherwise)
            name = _topic_message_id(message)
            found[message["ReceiptHandle"]] = DeadLetter(message_id=name, reason=reason)
    for receipt in found:
        sqs.change_message_visibility(
            QueueUrl=deployed.dead_letter_queue_url, ReceiptHandle=receipt, VisibilityTimeout=0
        )
    return list(found.values())


def _most_receipts(deployed: Deployed) -> int:
    sqs = deployed.engine.client("sqs")
    url = sqs.get_queue_url(QueueName=deployed.queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    return int(json.loads(attributes["RedrivePolicy"])["maxReceiveCount"])


def _topic_message_id(message: dict[str, Any]) -> str:
    """The topic's message id, by which whoever published knows a message; else the queue's."""
    try:
        return str(json.loads(message["Body"])["MessageId"])
    except (ValueError, KeyError, TypeError):
        return str(message["MessageId"])


def metric(engine: Engine, name: str) -> float:
    """The sum of a metric that the functions emitted."""
    return sum(point.value for point in engine.metrics if point.name == name and not point.namespace.startswith("AWS/"))


def refusals(engine: Engine) -> list[str]:
    """What was refused, and what could not be judged; both must be empty."""
    said = [refusal_text(call) for call in engine.refusals]
    return list(dict.fromkeys([*said, *map(str, engine.authorizer.problems)]))


def flow(deployed: Deployed, catalog: CatalogService, ledger: Ledger, book: Account, lake: Lake) -> list[Lane]:
    """The way of the data, with what passed each place."""
    engine = deployed.engine
    runs = Counter(_logical_name(engine, run.function) for run in engine.invocations)
    failed = Counter(_logical_name(engine, run.function) for run in engine.invocations if run.outcome != "ok")
    ingest = next((name for name in runs if name.startswith("Ingest")), "")
    flatten = next((name for name in runs if name.startswith("Flatten")), "")
    letters = sum(line.dead_lettered.total() for line in book.lines)
    given_up = len(lake.given_up())
    # A repeated event is a row for each time, in quarantine too.
    rows = Counter("quarantined" if row.reason is not None else "landed" for row in lake.found())
    entries = int(metric(engine, "ShowsPublished"))
    shows = [
        Step(name="Topic", count=len(ledger.messages), unit="show changes"),
        Step(
            name="Queue to ingest function",
            count=runs[ingest],
            unit="batches",
            bad=bool(failed[ingest]),
            branches=[Step(name="Dead-letter queue", count=letters, unit="messages, each with its reason")],
        ),
        Step(name="Catalog service", count=sum(catalog.calls.values()), unit="API calls"),
        Step(name="Catalog entries", count=entries, unit="put on the stream"),
    ]
    apps = [Step(name="Apps", count=len(ledger.events), unit=f"events in {ledger.records:,} records")]
    both = [
        Step(
            name="Kinesis stream",
            count=len(ledger.events) + entries,
            unit=f"{len(ledger.events):,} events + {entries:,} catalog entries",
        ),
        Step(
            name="Firehose to flattening function",
            count=runs[flatten],
            unit="batches",
            bad=bool(failed[flatten]),
            branches=[
                Step(name="Quarantine", count=rows["quarantined"], unit="rows, each with its reason"),
                Step(name="Firehose's error prefix", count=given_up, unit="records given up", bad=bool(given_up)),
            ],
        ),
        Step(name="Raw zone", count=rows["landed"], unit="rows"),
    ]
    return [
        Lane(title="Show changes", steps=shows, joins=True),
        Lane(title="App events", steps=apps, joins=True),
        Lane(title="Both, on one stream into the lake", steps=both),
    ]


def resources(engine: Engine) -> list[ResourceType]:
    """What was deployed, by type."""
    return [
        ResourceType(
            name=covered.type,
            count=covered.count,
            only_modelled=bool(covered.modelled_only),
            honoured=list(covered.honoured),
            ignored=dict(covered.ignored),
        )
        for covered in sorted(engine.coverage(), key=lambda covered: covered.type)
    ]


def roles(deployed: Deployed, *, explain: bool, without_jobs: bool = False) -> list[RoleUse]:
    """What each role used, was refused and never needed.

    With `explain`, unused grants carry their sentence from `grants`; without (a rehearsal that does not hold every
    fault), none is called unexplained. `without_jobs` leaves the roles of jobs and of the tables' readers out, the
    warehouse among them.
    """
    engine = deployed.engine
    found = []
    for arn in sorted(engine.authorizer.roles()):
        name = _logical_name(engine, arn)
        if without_jobs and (arn in deployed.reader_roles.values() or name.startswith(("Job", "Spectrum"))):
            continue
        usage = iam.usage_of(engine.authorizer, arn)
        calls = [call for call in engine.calls if call.principal.arn == arn]
        unused: dict[str, str] = {}
        for grant in usage.never_used:
            why = grants.explanation(name, grant.action, grant.resource)
            unused[f"{grant.action} on {_short(grant.resource)}"] = (
                why if explain else why or "not needed by this input"
            )
        found.append(
            RoleUse(
                name=name,
                used=_grouped([call for call in calls if call.allowed]),
                denied=_grouped([call for call in calls if not call.allowed]),
                unused=list(unused.items()),
            )
        )
    return found


def _grouped(calls: list[iam.CallRecord]) -> list[tuple[str, str, int]]:
    counts: Counter[tuple[str, str]] = Counter()
    for call in calls:
        counts[call.need.action, _short(call.need.resource)] += call.count
    shown: list[tuple[str, str, int]] = []
    for action in sorted({action for action, _ in counts}):
        rows = [(resource, count) for (name, resource), count in counts.items() if name == action]
        rows.sort(key=lambda row: (-row[1], row[0]))
        shown += [(action, resource, count) for resource, count in rows[:MAX_RESOURCES]]
        if len(rows) > MAX_RESOURCES:
            rest = rows[MAX_RESOURCES:]
            shown.append((action, f"and {len(rest)} more", sum(count for _, count in rest)))
    return shown


def _short(resource: str) -> str:
    """An object's ARN by its folder, so that one row stands for many files."""
    if resource.startswith("arn:aws:s3:::") and "/type=" in resource:
        return resource.split("/type=")[0] + "/type=…"
    return resource


def _logical_name(engine: Engine, arn_or_name: str) -> str:
    tail = arn_or_name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    for resource in engine.resources():
        if tail == resource.physical_id or arn_or_name == resource.arn:
            return resource.logical_id
    return tail


def queries(lake: Lake) -> list[Query]:
    """A question that somebody would ask of the landed files, with its answer."""
    if {"playback_metric", "show_catalog_entry"} <= set(lake.tables):
        return [_ask(lake, "Which shows were heard most", MOST_HEARD)]
    if not lake.tables:
        return []
    sql = "\nUNION ALL ".join(
        f"SELECT '{name}' AS type, count(*) AS rows, count(DISTINCT event_id) AS events FROM \"{name}\""  # noqa: S608
        for name in lake.tables
    )
    return [_ask(lake, "What landed", f"{sql}\nORDER BY rows DESC")]


def _ask(lake: Lake, title: str, sql: str) -> Query:
    answer = lake.connection.execute(sql)
    columns = [column[0] for column in answer.description or []]
    return Query(title=title, sql=sql, columns=columns, rows=answer.fetchall())
