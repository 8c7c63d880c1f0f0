"""What a stage has not leaves nothing behind, and what a stack hands on does not depend on who takes it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from config import STAGES
from config.model import NEEDS, ConfigurationError, Part
from tests.stacks.assembly import Assembly, synthesize


@pytest.mark.parametrize(
    "parts",
    [
        {Part.DATA_LAKE},
        {Part.DATA_LAKE, Part.EVENT_STREAM},
        {Part.DATA_LAKE, Part.CATALOG},
        {Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS},
        {Part.DATA_LAKE, Part.NETWORK, Part.WAREHOUSE},
    ],
    ids=lambda parts: "+".join(sorted(part.value for part in parts)),
)
def test_a_part_that_is_off_leaves_no_resource_behind(parts: set[Part], tmp_path: Path) -> None:
    stage = replace(STAGES["dev"], parts=frozenset(parts))
    assert set(synthesize(stage, tmp_path).templates) == {part.value for part in parts}


@pytest.mark.parametrize(
    "parts",
    [
        {Part.DATA_LAKE},
        {Part.DATA_LAKE, Part.EVENT_STREAM},
        {Part.DATA_LAKE, Part.CATALOG},
        {Part.DATA_LAKE, Part.NETWORK},
        {Part.DATA_LAKE, Part.CODE},
    ],
)
def test_a_stack_is_the_same_whoever_stands_on_it(parts: set[Part], dev: Assembly, tmp_path: Path) -> None:
    alone = synthesize(replace(STAGES["dev"], parts=frozenset(parts)), tmp_path)
    for part in parts:
        assert alone.templates[part.value] == dev.templates[part.value]


@pytest.mark.parametrize("part", [part for part in Part if NEEDS[part]])
def test_a_part_without_what_it_needs_is_refused_by_name(part: Part) -> None:
    with pytest.raises(ConfigurationError, match=f"{part.name} without .*DATA_LAKE"):
        replace(STAGES["dev"], parts=frozenset({part}))


def test_every_stage_has_every_part() -> None:
    for stage in STAGES.values():
        assert stage.parts == set(Part), stage.name


def test_every_stack_is_named_for_its_stage(assemblies: dict[str, Assembly]) -> None:
    for name, assembly in assemblies.items():
        manifest = json.loads((assembly.folder / "manifest.json").read_text())
        stacks = {
            artifact["properties"]["stackName"]
            for artifact in manifest["artifacts"].values()
            if artifact["type"] == "aws:cloudformation:stack"
        }
        assert stacks == {f"Amp-{name}-{part.value}" for part in STAGES[name].parts}


def test_an_existing_topic_of_another_account_is_subscribed_to_and_none_is_made(tmp_path: Path) -> None:
    arn = "arn:aws:sns:eu-west-1:210987654321:show-changes"
    catalog = replace(STAGES["dev"].show_catalog, existing_topic_arn=arn)
    assembly = synthesize(replace(STAGES["dev"], show_catalog=catalog), tmp_path)
    (subscription,) = (each for each in assembly.resources("AWS::SNS::Subscription") if each.stack == "ShowCatalog")
    assert subscription.properties["TopicArn"] == arn
    assert subscription.properties["Region"] == "eu-west-1"
    assert not [topic for topic in assembly.resources("AWS::SNS::Topic") if topic.stack == "ShowCatalog"]
    let_in = [
        statement["Condition"]
        for holder, statement in assembly.statements()
        if holder.stack == "ShowCatalog" and statement.get("Principal") == {"Service": "sns.amazonaws.com"}
    ]
    assert let_in == [{"ArnEquals": {"aws:SourceArn": arn}}] * 3  # queue, dead-letter queue, their key


def test_a_provisioned_stream_has_its_shards_and_an_on_demand_one_none(dev: Assembly, tmp_path: Path) -> None:
    stream = dev.one("AWS::Kinesis::Stream").properties
    assert stream["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert "ShardCount" not in stream
    settings = replace(STAGES["dev"].event_stream, provisioned_shards=3)
    assembly = synthesize(replace(STAGES["dev"], event_stream=settings), tmp_path)
    stream = assembly.one("AWS::Kinesis::Stream").properties
    assert stream["StreamModeDetails"] == {"StreamMode": "PROVISIONED"}
    assert stream["ShardCount"] == 3


def test_alarm_addresses_are_subscribed_to_the_alarm_topic(tmp_path: Path) -> None:
    operations = replace(STAGES["dev"].operations, alarm_emails=("on-call@amp.example",))
    stage = replace(STAGES["dev"], operations=operations, parts=frozenset({Part.DATA_LAKE}))
    assembly = synthesize(stage, tmp_path, judged=True)
    subscription = assembly.one("AWS::SNS::Subscription").properties
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@amp.example")


def test_filtered_fields_reach_the_function_and_an_empty_list_is_left_out(dev: Assembly, tmp_path: Path) -> None:
    def variables(assembly: Assembly) -> dict[str, object]:
        (function,) = (each for each in assembly.resources("AWS::Lambda::Function") if each.stack == "ShowCatalog")
        found: dict[str, object] = function.properties["Environment"]["Variables"]
        return found

    assert "FILTERED_FIELDS" not in variables(dev)
    catalog = replace(STAGES["dev"].show_catalog, filtered_fields=("internal_notes", "payout"))
    assembly = synthesize(replace(STAGES["dev"], show_catalog=catalog), tmp_path)
    assert variables(assembly)["FILTERED_FIELDS"] == "internal_notes,payout"
