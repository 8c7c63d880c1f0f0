"""The autoscaler hears of instances that will go: each rule matches AWS's own event, and nothing beside it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from building_blocks.interruption_queue import RULES
from tests.stacks.assembly import Assembly, Resource

EVENTS = Path(__file__).resolve().parents[1] / "events" / "interruptions"

SAMPLES = {
    "SpotInterruption": "spot_interruption.json",
    "Rebalance": "rebalance_recommendation.json",
    "StateChange": "state_change.json",
    "ScheduledChange": "scheduled_change.json",
    "CapacityReservation": "capacity_reservation.json",
}


def _rules(assembly: Assembly) -> dict[str, Resource]:
    queue = _queue(assembly)
    return {
        name: rule
        for rule in assembly.resources("AWS::Events::Rule")
        for name in RULES
        if rule.stack == "EmrOnEks"
        and rule.id.startswith(f"Interruptions{name}")
        and assembly.target(rule.stack, rule.properties["Targets"][0]["Arn"]) == queue
    }


def _queue(assembly: Assembly) -> Resource:
    (queue,) = (each for each in assembly.resources("AWS::SQS::Queue") if each.stack == "EmrOnEks")
    return queue


def _sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / SAMPLES[name]).read_text())
    return event


def _matches(rule: Resource, event: dict[str, Any]) -> bool:
    models = pytest.importorskip("moto.events.models", reason="moto is in requirements-dev.txt")
    pattern = models.EventPattern.load(json.dumps(rule.properties["EventPattern"]))
    return bool(pattern.matches_event(event))


def test_every_rule_matches_its_event_and_no_other_rule_s(assembly: Assembly) -> None:
    rules = _rules(assembly)
    assert set(rules) == set(SAMPLES) == set(RULES)
    for name, rule in rules.items():
        assert {sample for sample in SAMPLES if _matches(rule, _sample(sample))} == {name}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_detail_type_that_differs_by_a_letter_is_not_matched(dev: Assembly, name: str) -> None:
    event = _sample(name)
    assert not _matches(_rules(dev)[name], {**event, "detail-type": event["detail-type"].lower()})


def test_what_karpenter_does_not_act_on_stays_away(dev: Assembly) -> None:
    rules = _rules(dev)
    running, notice = copy.deepcopy(_sample("StateChange")), copy.deepcopy(_sample("ScheduledChange"))
    running["detail"]["state"] = "running"
    notice["detail"]["service"] = "RDS"
    assert not _matches(rules["StateChange"], running)
    assert not _matches(rules["ScheduledChange"], notice)


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated"])
def test_every_state_of_an_instance_that_goes_is_matched(dev: Assembly, state: str) -> None:
    event = copy.deepcopy(_sample("StateChange"))
    event["detail"]["state"] = state
    assert _matches(_rules(dev)["StateChange"], event)


def test_rules_send_under_a_role_that_may_use_queue_and_key(assembly: Assembly) -> None:
    for rule in _rules(assembly).values():
        (target,) = rule.properties["Targets"]
        role = assembly.target(rule.stack, target["RoleArn"])
        assert role is not None
        statements = [
            statement for policy in role.properties["Policies"] for statement in policy["PolicyDocument"]["Statement"]
        ]
        send, key = statements
        assert send["Action"] == "sqs:SendMessage"
        assert assembly.target(rule.stack, send["Resource"]) == _queue(assembly)
        assert key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
        assert "Input" not in target
        assert "InputTransformer" not in target, "Karpenter reads the event as AWS sent it"


def test_a_warning_is_not_kept_longer_than_it_is_of_use(assembly: Assembly) -> None:
    assert _queue(assembly).properties["MessageRetentionPeriod"] <= 300
