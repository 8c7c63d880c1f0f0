"""Say where the way of the data ends when things are missing: from what is deployed and what happened, no more.

It must not know how a template was changed, nor judge single events: that is the account's.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.engine.engine import Engine
from rehearsal.engine.records import TimelineEvent
from rehearsal.scenario.deployment import Deployed
from rehearsal.scenario.traffic import Ledger

_REFUSED = {
    "delivery-refused": "The topic could not deliver to its subscriber",
    "dead-letter-refused": "The topic could not deliver to its subscriber's dead-letter queue either",
    "poll-refused": "The event-source mapping could not read the queue",
    "read-refused": "Firehose could not read the event stream",
    "invocation-refused": "Firehose could not call the flattening function",
    "write-refused": "Firehose could not write to the raw bucket",
}
"""Kinds of the timeline that end the way, and what each means here."""


def diagnose(deployed: Deployed, ledger: Ledger) -> list[str]:
    """A sentence for each place at which the way of the data ends, in its order; empty when it leads to the lake."""
    timeline = deployed.engine.timeline
    refused = _refused(timeline)
    found = [refused[kind] for kind in _REFUSED if kind in refused]
    happened = {event.kind for event in timeline}
    if ledger.messages:
        found += _show_changes(deployed, ledger, happened)
    if ledger.events and "records-read" not in happened and "read-refused" not in happened:
        found.append(f"Nothing read the event stream {deployed.stream_arn}: does a delivery stream have it as source?")
    return found


def _refused(timeline: Sequence[TimelineEvent]) -> dict[str, str]:
    """The first refusal of each kind as a sentence."""
    first: dict[str, str] = {}
    for event in timeline:
        if event.kind in _REFUSED:
            first.setdefault(event.kind, f"{_REFUSED[event.kind]}: {event.detail}")
    return first


def _show_changes(deployed: Deployed, ledger: Ledger, happened: set[str]) -> list[str]:
    engine = deployed.engine
    found = []
    there = {event.kind for event in engine.timeline if event.source in (deployed.topic_arn, deployed.queue_arn)}
    if "message-delivered" not in there and "delivery-refused" not in happened:
        subscriptions = engine.client("sns").list_subscriptions_by_topic(TopicArn=deployed.topic_arn)["Subscriptions"]
        ends = ", ".join(one["Endpoint"] for one in subscriptions) or "nothing"
        found.append(
            f"No show change reached the queue {deployed.queue_arn}: the topic took {len(ledger.messages)} and "
            f"delivers to {ends}; it needs a subscription of the queue."
        )
    waiting = _depth(deployed)
    if waiting and "batch-processed" not in there and "poll-refused" not in happened:
        stack = _stack_of(engine, deployed.queue_arn)
        kind = "AWS::Lambda::EventSourceMapping"
        mappings = [one for one in engine.resources() if one.type == kind and one.stack == stack]
        why = "no batch of them came to an end" if mappings else "there is no event-source mapping"
        found.append(f"{waiting} show changes lie in the queue {deployed.queue_arn} and nobody takes them: {why}.")
    return found


def _stack_of(engine: Engine, arn: str) -> str:
    """The stack of a resource."""
    return next(one.stack for one in engine.resources() if one.arn == arn)


def _depth(deployed: Deployed) -> int:
    sqs = deployed.engine.client("sqs")
    url = sqs.get_queue_url(QueueName=deployed.queue_arn.rsplit(":", 1)[-1])["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)
