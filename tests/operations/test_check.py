"""A check says what is not as it should be, and ends with 1 then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from config import stage_named
from operations.checking import jobs, listeners
from operations.job_coverage import uncovered_hours
from operations.platform import Platform
from tests.operations.fakes import FakeS3
from tests.rehearsal.proofs.played import like

if TYPE_CHECKING:
    from tests.operations.desk import Desk, Said


def problems(said: Said) -> list[str]:
    return [one["sentence"] for one in said.result if one["level"] == "problem"]


def alarm(desk: Desk, name: str, **more: object) -> None:
    given: dict[str, object] = {
        "AlarmName": f"Amp-dev-{name}",
        "Namespace": "AWS/Firehose",
        "MetricName": "Errors",
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 600,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [desk.engine.outputs("Amp-dev-DataLake")["AlarmTopicArn"]],
    }
    desk.engine.client("cloudwatch").put_metric_alarm(**{**given, **more})


def test_a_platform_as_it_was_deployed_is_in_order(desk: Desk) -> None:
    desk.played.put(like("a"))
    desk.played.settle()
    said = desk.run("check")
    assert (said.code, problems(said)) == (0, [])
    assert {one["subject"] for one in said.result if one["level"] == "unknown"} == {"alarms", "delay"}


def test_each_drift_of_a_table_is_named(desk: Desk) -> None:
    glue = desk.engine.client("glue")

    def change(name: str, **changes: object) -> None:
        table = glue.get_table(DatabaseName="amp_dev_raw", Name=name)["Table"]
        kept = {key: table[key] for key in ("Name", "StorageDescriptor", "Parameters", "PartitionKeys")}
        glue.update_table(DatabaseName="amp_dev_raw", TableInput={**kept, **changes})

    like_table = glue.get_table(DatabaseName="amp_dev_raw", Name="like")["Table"]
    columns = [
        {**column, "Type": "string"} if column["Name"] == "like_count" else column
        for column in like_table["StorageDescriptor"]["Columns"]
        if column["Name"] != "user_id"
    ]
    extra = {"Name": "new_one", "Type": "int"}
    change("like", StorageDescriptor={**like_table["StorageDescriptor"], "Columns": [*columns, extra]})
    quarantine = glue.get_table(DatabaseName="amp_dev_raw", Name="quarantine")["Table"]
    change("quarantine", Parameters={**quarantine["Parameters"], "projection.type.values": "like"})
    change("click", PartitionKeys=[])
    glue.delete_table(DatabaseName="amp_dev_raw", Name="follow")
    said = desk.run("check")
    assert said.code == 1
    found = problems(said)
    for sentence in (
        "table like lacks the column user_id",
        "table like has the column new_one, which its contract does not",
        "table like has like_count as string, its contract as int",
        "table click is partitioned by nothing, not by arrival",
        "table follow is not deployed",
    ):
        assert sentence in found
    assert any("table quarantine has projection.type.values 'like'" in sentence for sentence in found)
    assert len(found) == 6


def test_hours_with_events_that_no_run_of_the_job_was_for_are_named(desk: Desk) -> None:
    desk.played.put(like("a"))
    desk.next_hour()
    assert problems(desk.run("check")) == [], "the hour is not due yet"
    desk.next_hour()
    desk.next_hour()
    said = desk.run("check")
    assert said.code == 1
    assert problems(said) == [
        "no successful run of the job events on Glue was for 1 hours that hold events: 2026-11-18-20. "
        "Have it run for them by hand. Runbook: docs/runbooks/backfill.md"
    ]


@pytest.mark.with_cluster
def test_a_run_on_emr_that_succeeded_takes_its_hours(desk: Desk) -> None:
    desk.played.put(like("a"))
    for _ in range(3):
        desk.next_hour()
    window = ["--window-start", "2026-11-18T20", "--window-end", "2026-11-18T21"]
    desk.run_on_emr("raise SystemExit(1)", ["--job", "events", *window])
    desk.run_on_emr("", ["--job", "shows", *window])
    said = desk.run("check")
    assert problems(said) == [
        "no successful run of the job events on Glue or EMR on EKS was for 1 hours that hold events: 2026-11-18-20. "
        "Have it run for them by hand. Runbook: docs/runbooks/backfill.md"
    ]
    desk.run_on_emr("", ["--job", "events", *window])
    said = desk.run("check")
    assert problems(said) == []
    assert (
        "a run of the job events on Glue or EMR on EKS was for each hour of the last 24 h that holds events and is due"
        in [one["sentence"] for one in said.result]
    )


STARTED = datetime(2026, 11, 18, 20, 5, tzinfo=UTC)
LATER = STARTED + timedelta(hours=4)
WINDOWS: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({}, ["18", "19"]),
    ({"--as-of": "2026-11-18T12"}, ["10", "11"]),
    ({"--window-start": "2026-11-18T08", "--window-end": "2026-11-18T11"}, ["08", "09", "10"]),
    ({"--window-start": "2026-11-18T18", "--window-end": "2026-11-18T21"}, ["18", "19"]),
    ({"--days": "1"}, []),
    ({"--types": "follow"}, []),
)


@pytest.mark.parametrize("engine", ["Glue", "EMR on EKS"])
@pytest.mark.parametrize(("arguments", "hours"), WINDOWS)
def test_a_run_is_for_the_hours_of_its_window_and_types(
    arguments: dict[str, str], hours: list[str], engine: str
) -> None:
    if engine == "Glue":
        platform = platform_with(on_glue=[arguments], on_emr=None)
    else:
        platform = platform_with(on_glue=None, on_emr=[arguments])
    assert taken(platform) == hours


def test_where_both_engines_run_jobs_the_hours_of_both_are_taken() -> None:
    morning = {"--window-start": "2026-11-18T08", "--window-end": "2026-11-18T09"}
    noon = {"--window-start": "2026-11-18T12", "--window-end": "2026-11-18T13"}
    assert taken(platform_with(on_glue=[morning], on_emr=[noon])) == ["08", "12"]
    assert taken(platform_with(on_glue=[], on_emr=[noon])) == ["12"]


def test_a_stage_without_an_engine_has_no_run() -> None:
    assert taken(platform_with(on_glue=None, on_emr=None)) == []


@pytest.mark.parametrize(("parts", "way"), [((), "by hand"), (("Orchestration",), "by Airflow's DAG backfill")])
def test_what_was_missed_is_made_up_for_by_what_starts_runs(parts: tuple[str, ...], way: str) -> None:
    (finding,) = jobs(platform_with(on_glue=[], on_emr=None, others=parts), 24)
    assert f"Have it run for them {way}." in finding.sentence


def taken(platform: Platform) -> list[str]:
    """The hours of the day for which there was a run."""
    missed = uncovered_hours(platform, hours=24)
    return [f"{hour:02}" for hour in range(22) if f"2026-11-18-{hour:02}" not in missed]


def platform_with(
    *, on_glue: list[dict[str, str]] | None, on_emr: list[dict[str, str]] | None, others: tuple[str, ...] = ()
) -> Platform:
    """A platform with likes in each hour of a day, and runs of the job of events on the engines that it has."""
    s3, glue, emr = FakeS3(), Mock(), Mock()
    s3.now = LATER
    for hour in range(24):
        s3.objects[f"events/type=like/arrival=2026-11-18-{hour:02}/one.json.gz"] = b""
    week = {"--days": "7", "--as-of": "2026-11-19"}
    glue.get_paginator.return_value.paginate.return_value = [
        {
            "JobRuns": [
                {"JobRunState": "FAILED", "StartedOn": STARTED, "Arguments": week},
                *({"JobRunState": "SUCCEEDED", "StartedOn": STARTED, "Arguments": each} for each in on_glue or ()),
            ]
        }
    ]
    runs = [{"--job": "shows", **week}, *({"--job": "events", **each} for each in on_emr or ())]
    # As EMR lists runs: without what they were started with.
    listed = [{"id": str(number), "name": "by-hand", "createdAt": STARTED} for number in range(len(runs))]
    emr.get_paginator.return_value.paginate.return_value = [
        {"jobRuns": [*listed, {"id": "unasked", "name": "sessions-20261118T00-1", "createdAt": STARTED}]}
    ]
    described = {
        str(number): {
            "createdAt": STARTED,
            "jobDriver": {
                "sparkSubmitJobDriver": {"entryPointArguments": [text for pair in run.items() for text in pair]}
            },
        }
        for number, run in enumerate(runs)
    }
    emr.describe_job_run.side_effect = lambda **asked: {"jobRun": described[asked["id"]]}
    outputs = {
        "Amp-dev-DataLake": {"RawBucketName": "b"},
        "Amp-dev-LakeJobs": {} if on_glue is None else {"JobNames": "events"},
        "Amp-dev-EmrOnEks": {} if on_emr is None else {"VirtualClusterId": "v"},
        **{f"Amp-dev-{part}": {"EnvironmentName": "e"} for part in others},
    }
    clients = {"s3": s3, "glue": glue, "emr-containers": emr}
    return Platform(stage=stage_named("dev"), outputs=outputs, _clients=clients)


def test_an_alarm_that_tells_nobody_or_is_raised_is_named(desk: Desk) -> None:
    alarm(desk, "fine")
    alarm(desk, "mute", AlarmActions=[])
    alarm(desk, "off", ActionsEnabled=False)
    alarm(desk, "raised", AlarmDescription="Runbook: docs/runbooks/events-are-late.md")
    desk.engine.client("cloudwatch").set_alarm_state(AlarmName="Amp-dev-raised", StateValue="ALARM", StateReason="test")
    said = desk.run("check")
    assert said.code == 1
    assert problems(said) == [
        "alarm Amp-dev-mute tells nobody: it has no action",
        "alarm Amp-dev-off tells nobody: its actions are off",
        "alarm Amp-dev-raised is raised. Runbook: docs/runbooks/events-are-late.md",
    ]


@pytest.mark.parametrize(("stage", "confirmed", "level"), [("prod", 0, "problem"), ("dev", 0, "note"), ("prod", 1, "")])
def test_alarms_that_nobody_hears_are_wrong_where_data_are_kept(stage: str, confirmed: int, level: str) -> None:
    sns = Mock()
    sns.get_topic_attributes.return_value = {"Attributes": {"SubscriptionsConfirmed": str(confirmed)}}
    outputs = {f"Amp-{stage}-DataLake": {"AlarmTopicArn": "topic"}}
    platform = Platform(stage=stage_named(stage), outputs=outputs, _clients={"sns": sns})
    assert [finding.level for finding in listeners(platform)] == ([level] if level else [])


@pytest.mark.parametrize(("seconds", "code"), [(90, 0), (900, 1)])
def test_the_age_of_the_oldest_record_on_its_way_is_told_by_the_metrics_that_alarms_watch(
    desk: Desk, seconds: int, code: int
) -> None:
    dimensions = [{"Name": "DeliveryStreamName", "Value": "d"}]
    alarm(desk, "fresh", MetricName="DeliveryToS3.DataFreshness", Dimensions=dimensions)
    point = {"MetricName": "DeliveryToS3.DataFreshness", "Dimensions": dimensions, "Value": seconds}
    now = desk.engine.clock.now()
    desk.engine.client("cloudwatch").put_metric_data(Namespace="AWS/Firehose", MetricData=[{**point, "Timestamp": now}])
    desk.engine.advance(60)
    said = desk.run("check")
    assert said.code == code
    (sentence,) = [one["sentence"] for one in said.result if one["subject"] == "delay"]
    assert f"{seconds} s old (late above 600 s)" in sentence


def test_what_failed_and_was_not_replayed_is_wrong_until_it_is(desk: Desk) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(like("a"))
    desk.played.settle()
    desk.played.put(b"no json")
    desk.played.announce_text("poison")
    desk.next_hour()
    said = desk.run("check")
    assert said.code == 1
    assert problems(said) == [
        "the dead-letter queue of show-changes holds about 1 messages",
        "1 records of the last 24 h are quarantined and not replayed",
        "1 records of the last 24 h were given up by Firehose and not replayed",
    ]
    desk.run("replay", "--since", "2026-11-18", "--reason", "Lambda.FunctionError")
    assert len(problems(desk.run("check"))) == 2


def test_the_region_is_taken_from_the_variable_of_the_aws_command_line_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert desk.run("check").code == 0
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    refused = desk.run("check")
    assert (refused.code, "fix: set AWS_REGION" in refused.err) == (2, True)
