"""Data outlive their stack unless the stage's configuration and the context flag both let them go."""

from dataclasses import replace
from pathlib import Path

import pytest

from config import STAGES
from config.model import Stage
from tests.stacks.assembly import Assembly, Resource, synthesize

HOLDS_DATA = (
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::Kinesis::Stream",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
)


def _holders(assembly: Assembly) -> list[Resource]:
    """Everything that holds data, the keys that they are encrypted with, and the databases of made tables.

    Warnings about instances, five minutes old at most, are none.
    """
    holders = [each for each in assembly.resources(*HOLDS_DATA) if not each.id.startswith("Interruptions")]
    passing = ("NoticesKey", "JobsKey", "NetworkKey")
    keys = [key for key in assembly.resources("AWS::KMS::Key") if not key.id.startswith(passing)]
    databases = [each for each in assembly.resources("AWS::Glue::Database") if not each.id.startswith("Raw")]
    assert len(holders) >= 7
    assert len(keys) == 8
    assert len(databases) == 2
    return [*holders, *keys, *databases]


def _stage(*, keep_data: bool) -> Stage:
    return replace(STAGES["dev"], data_lake=replace(STAGES["dev"].data_lake, keep_data=keep_data))


@pytest.mark.parametrize(("keep_data", "destroy_data"), [(True, False), (True, True), (False, False)])
def test_data_are_kept_when_either_switch_says_so(keep_data: bool, destroy_data: bool, tmp_path: Path) -> None:
    assembly = synthesize(_stage(keep_data=keep_data), tmp_path, destroy_data=destroy_data)
    for holder in _holders(assembly):
        assert holder.body["DeletionPolicy"] == "RetainExceptOnCreate", holder
        assert holder.body["UpdateReplacePolicy"] == "Retain", holder


def test_data_go_with_their_stack_when_both_switches_agree(tmp_path: Path) -> None:
    assembly = synthesize(_stage(keep_data=False), tmp_path, destroy_data=True)
    for holder in _holders(assembly):
        assert holder.body["DeletionPolicy"] == "Delete", holder


def test_without_the_flag_every_stage_keeps_its_data(assembly: Assembly) -> None:
    for holder in _holders(assembly):
        assert holder.body["UpdateReplacePolicy"] == "Retain", holder


def test_only_development_can_be_told_to_destroy_its_data() -> None:
    assert {name for name, stage in STAGES.items() if not stage.data_lake.keep_data} == {"dev"}


def test_marks_of_what_was_deleted_go_by_a_rule_that_counts_no_days(assembly: Assembly) -> None:
    buckets = [each for each in assembly.resources("AWS::S3::Bucket") if "VersioningConfiguration" in each.properties]
    assert {bucket.stack for bucket in buckets} == {"Code", "DataLake", "EmrOnEks", "Warehouse"}
    assert len(buckets) == 5
    for bucket in buckets:
        rules = bucket.properties["LifecycleConfiguration"]["Rules"]
        (cleaning,) = (rule for rule in rules if rule.get("ExpiredObjectDeleteMarker"))
        assert not {"Prefix", "ExpirationInDays", "ExpirationDate"} & set(cleaning)
