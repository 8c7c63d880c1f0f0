"""Compare what is deployed with what should be, and say what is late or failed; it mends nothing.

Each finding is a problem, a note, or something that could not be asked where the platform runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from config import naming
from config.model import Part
from operations.dead_letters import DeadLetters
from operations.drift import TABLES, deployed_tables, differences
from operations.explaining import Explanation, explain, last_hours
from operations.failed_records import QUARANTINE
from operations.job_coverage import uncovered_hours
from operations.job_runs import engines_of
from operations.output import Progress
from operations.platform import Platform

Level = Literal["problem", "note", "unknown"]

DELAYS = {
    "GetRecords.IteratorAgeMilliseconds": 0.001,
    "KinesisMillisBehindLatest": 0.001,
    "DeliveryToS3.DataFreshness": 1.0,
    "ApproximateAgeOfOldestMessage": 1.0,
}
"""Metrics that say how old the oldest record is that is still on its way, and their unit in seconds."""

FLATTEN_EVENTS_METRIC = "Events"
FLATTEN_DIMENSION = {"Name": "service", "Value": "flatten-events"}
"""The flattening function's count of all events; a test holds them to the function and its stack."""

_LOOK_BACK = timedelta(minutes=15)
_METRICS_PER_CALL = 500
_HOURS_NAMED = 6


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    `subject` groups: tables, alarms, delay, dead letters, jobs, quarantine, deliveries.
    """

    level: Level
    subject: str
    sentence: str


def check(platform: Platform, *, hours: int = 24, progress: Progress) -> list[Finding]:
    """Everything that is wrong, with what is fine as notes.

    Args:
        platform: where.
        hours: how far back failed records are counted, and hours looked for that no job took.
        progress: told what is looked at.
    """
    progress("tables")
    findings = list(_tables(platform))
    progress("alarms")
    alarms = _alarms_of(platform)
    findings += _alarms(platform, alarms)
    findings += _delays(platform, alarms)
    progress("dead letters")
    findings += _dead_letters(platform)
    if engines_of(platform):
        progress("jobs")
        findings += jobs(platform, hours)
    explanation = explain(platform, last_hours(platform, hours), progress=progress)
    findings += _failed(platform, explanation, hours)
    return findings


def _tables(platform: Platform) -> Iterator[Finding]:
    deployed = deployed_tables(platform)
    wrong = [sentence for table in TABLES for sentence in differences(table, deployed, platform.raw_bucket)]
    for sentence in wrong:
        yield Finding(level="problem", subject="tables", sentence=sentence)
    if not wrong:
        yield Finding(level="note", subject="tables", sentence=f"all {len(TABLES)} tables are as their contracts say")


def _alarms_of(platform: Platform) -> list[Mapping[str, Any]]:
    pages = platform.client("cloudwatch").get_paginator("describe_alarms")
    prefix = naming.stack_name_prefix(stage=platform.stage)
    return [alarm for page in pages.paginate(AlarmNamePrefix=prefix) for alarm in page.get("MetricAlarms", [])]


def _alarms(platform: Platform, alarms: list[Mapping[str, Any]]) -> Iterator[Finding]:
    if not alarms:
        # A rehearsal models alarms and keeps none; in an account their absence is a fault.
        level: Level = "problem" if platform.from_cloudformation else "unknown"
        prefix = naming.stack_name_prefix(stage=platform.stage)
        yield Finding(level=level, subject="alarms", sentence=f"there is no alarm whose name begins with {prefix}")
        return
    for alarm in alarms:
        name = alarm["AlarmName"]
        if not alarm.get("AlarmActions"):
            yield Finding(level="problem", subject="alarms", sentence=f"alarm {name} tells nobody: it has no action")
        elif not alarm.get("ActionsEnabled", True):
            yield Finding(level="problem", subject="alarms", sentence=f"alarm {name} tells nobody: its actions are off")
        if alarm.get("StateValue") == "ALARM":
            meaning = alarm.get("AlarmDescription", "")
            yield Finding(level="problem", subject="alarms", sentence=f"alarm {name} is raised. {meaning}")
    yield from listeners(platform)
    yield Finding(level="note", subject="alarms", sentence=f"{len(alarms)} alarms are deployed")


def listeners(platform: Platform) -> Iterator[Finding]:
    """Whether somebody hears the alarms."""
    attributes = platform.client("sns").get_topic_attributes(TopicArn=platform.alarm_topic_arn)["Attributes"]
    confirmed, wanted = int(attributes["SubscriptionsConfirmed"]), len(platform.stage.operations.alarm_emails)
    if confirmed < wanted:
        sentence = f"{confirmed} of {wanted} configured addresses have confirmed that they want alarms"
        yield Finding(level="problem", subject="alarms", sentence=sentence)
    elif not confirmed:
        # Where data are kept somebody would miss them; a stage to try things in may ring for nobody.
        level: Level = "problem" if platform.stage.data_lake.keep_data else "note"
        sentence = "nobody is subscribed to the alarm topic, so that no alarm is heard; name somebody in alarm_emails"
        yield Finding(level=level, subject="alarms", sentence=sentence)


def _delays(platform: Platform, alarms: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """The alarms name what is watched and from when on it is late; their metrics say how it is now."""
    watched = [alarm for alarm in alarms if alarm.get("MetricName") in DELAYS][:_METRICS_PER_CALL]
    values = _newest(platform, watched, platform.now()) if watched else {}
    for alarm in watched:
        name, metric = alarm["AlarmName"], alarm["MetricName"]
        if name not in values:
            continue
        seconds, limit = values[name] * DELAYS[metric], alarm["Threshold"] * DELAYS[metric]
        late = seconds > limit
        yield Finding(
            level="problem" if late else "note",
            subject="delay",
            sentence=f"{metric}: the oldest record on its way is {seconds:,.0f} s old (late above {limit:,.0f} s)",
        )
    if not values:
        sentence = "no metric of the last quarter of an hour says how old the oldest record on its way is"
        yield Finding(level="unknown", subject="delay", sentence=sentence)


def _newest(platform: Platform, watched: list[Mapping[str, Any]], now: datetime) -> dict[str, float]:
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": alarm["Namespace"],
                    "MetricName": alarm["MetricName"],
                    "Dimensions": alarm.get("Dimensions", []),
                },
                "Period": 60,
                "Stat": "Maximum",
            },
        }
        for number, alarm in enumerate(watched)
    ]
    answer = platform.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=now - _LOOK_BACK, EndTime=now, ScanBy="TimestampDescending"
    )
    found = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {
        alarm["AlarmName"]: float(found[f"m{number}"][0])
        for number, alarm in enumerate(watched)
        if found.get(f"m{number}")
    }


def _dead_letters(platform: Platform) -> Iterator[Finding]:
    for pair in platform.queues:
        depth = DeadLetters(platform.client("sqs"), pair).depth()
        sentence = f"the dead-letter queue of {pair.name} holds about {depth:,} messages"
        yield Finding(level="problem" if depth else "note", subject="dead letters", sentence=sentence)


def jobs(platform: Platform, hours: int) -> Iterator[Finding]:
    """Whether the job that all others wait for ran for each hour, and who makes up for those that it missed."""
    where = " or ".join(engine.name for engine in engines_of(platform))
    late = uncovered_hours(platform, hours=hours)
    if not late:
        sentence = (
            f"a run of the job events on {where} was for each hour of the last {hours} h that holds events and is due"
        )
        yield Finding(level="note", subject="jobs", sentence=sentence)
        return
    named = ", ".join(late[:_HOURS_NAMED]) + (
        f" and {len(late) - _HOURS_NAMED} more" if len(late) > _HOURS_NAMED else ""
    )
    way = "by Airflow's DAG backfill" if platform.has(Part.ORCHESTRATION) else "by hand"
    yield Finding(
        level="problem",
        subject="jobs",
        sentence=f"no successful run of the job events on {where} was for {len(late)} hours that hold events: {named}. "
        f"Have it run for them {way}. Runbook: docs/runbooks/backfill.md",
    )


def _failed(platform: Platform, explanation: Explanation, hours: int) -> Iterator[Finding]:
    """Failed records that were not replayed; the quarantine holds some of any day, Firehose's error prefix none."""
    open_ones = {True: 0, False: 0}
    for group in explanation.groups:
        if not group.source.startswith("dead letters"):
            open_ones[group.source == QUARANTINE] += group.count - group.replayed
    quarantined, given_up = open_ones[True], open_ones[False]
    share = _share(platform, quarantined, hours)
    limit = platform.stage.operations.quarantined_percent
    much = quarantined > 0 if share is None else share > limit
    told = "" if share is None else f" ({share:.2f} % of all; too much above {limit:g} %)"
    yield Finding(
        level="problem" if much else "note",
        subject="quarantine",
        sentence=f"{quarantined:,} records of the last {hours} h are quarantined and not replayed{told}",
    )
    yield Finding(
        level="problem" if given_up else "note",
        subject="deliveries",
        sentence=f"{given_up:,} records of the last {hours} h were given up by Firehose and not replayed",
    )


def _share(platform: Platform, quarantined: int, hours: int) -> float | None:
    """Quarantined records in percent of all events, by the flattening function's own metric; None without it."""
    now = platform.now()
    answer = platform.client("cloudwatch").get_metric_statistics(
        Namespace=naming.metrics_namespace(stage=platform.stage),
        MetricName=FLATTEN_EVENTS_METRIC,
        Dimensions=[FLATTEN_DIMENSION],
        StartTime=now - timedelta(hours=hours),
        EndTime=now,
        Period=3600,
        Statistics=["Sum"],
    )
    events = sum(point["Sum"] for point in answer["Datapoints"])
    return 100 * quarantined / events if events else None


def lines(findings: list[Finding]) -> Iterator[str]:
    """The findings for people, problems first."""
    words = {"problem": "WRONG", "unknown": "not known", "note": "fine"}
    for level, word in words.items():
        yield from (
            f"{word:<9}  {finding.subject}: {finding.sentence}" for finding in findings if finding.level == level
        )
