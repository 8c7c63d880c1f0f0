"""EventBridge rules of the default bus: which events they match, and bringing those to topics, queues and functions.

A rule with a schedule is due at its times when a rehearsal lets time pass. What settles does not wait for it nor, once
begun, for times that pass meanwhile; times that were jumped over at once count as one.
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.events.models import EventPattern
from moto.sns.models import sns_backends

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.async_invocations import AsyncInvocations
from rehearsal.engine.functions import Functions
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.schedules import Cron, Rate, read_schedule
from rehearsal.engine.services.sqs import Queues

PRINCIPAL = "events.amazonaws.com"
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")


@dataclass(frozen=True, kw_only=True)
class _Target:
    arn: str
    role_arn: str = ""
    text: str = ""
    paths: Mapping[str, str] | None = None
    template: str = ""
    dead_letters: str = ""


@dataclass(frozen=True, kw_only=True)
class _Rule:
    name: str
    arn: str
    pattern: EventPattern | None
    targets: Sequence[_Target]


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    rule: _Rule
    target: _Target
    text: str
    time: float


class EventRules:
    """Activity: the rules of the default bus, and what they have matched."""

    def __init__(self, account: Account) -> None:
        self.name = "EventBridge rules"
        self.refusals = 0
        self._account = account
        self._rules: list[_Rule] = []
        self._pending: deque[_Delivery] = deque()

    def put(self, rule: _Rule) -> None:
        """Let a rule take part."""
        self._rules.append(rule)

    def happened(self, event: Mapping[str, Any]) -> None:
        """Note for each target of each rule that matches what it must be told."""
        for rule in self._rules:
            if rule.pattern is not None and rule.pattern.matches_event(event):
                self.matched(rule, event)

    def matched(self, rule: _Rule, event: Mapping[str, Any]) -> None:
        """Note for each target of a rule what it must be told of an event."""
        for target in rule.targets:
            text, now = _told(target, event), self._account.clock.time()
            self._pending.append(_Delivery(rule=rule, target=target, text=text, time=now))

    def due(self) -> float | None:
        """At once, in the order of the events."""
        return self._pending[0].time if self._pending else None

    def step(self) -> None:
        """Tell one target; a refused event goes to the target's dead-letter queue, or is lost for it."""
        delivery = self._pending.popleft()
        records, rule = self._account.records, delivery.rule
        try:
            self._deliver(delivery)
        except (iam.AccessDenied, ClientError, KeyError) as error:
            records.happened("event-refused", rule.arn, f"{delivery.target.arn}: {error}")
            records.measured("AWS/Events", "FailedInvocations", 1, RuleName=rule.name)
            self._to_dead_letters(delivery)
        else:
            records.happened("event-delivered", rule.arn, delivery.target.arn, size=len(delivery.text))
        records.measured("AWS/Events", "Invocations", 1, RuleName=rule.name)

    def waiting(self) -> str:
        """How many events are on their way."""
        return f"{len(self._pending)} events to tell" if self._pending else ""

    def _deliver(self, delivery: _Delivery) -> None:
        account, target, text = self._account, delivery.target, delivery.text
        service, source = target.arn.split(":")[2], delivery.rule.arn
        if target.role_arn:
            self._deliver_as_role(delivery, service)
        elif service == "sns":
            # Amazon EventBridge User Guide, "Using resource-based policies": conditions cannot be used in the policy
            # of a topic, because the request names no source.
            self._authorize("sns", "Publish", {"TopicArn": target.arn, "Message": text})
            region, account_id = target.arn.split(":")[3:5]
            sns_backends[account_id][region].publish(arn=target.arn, message=text)
        elif service == "sqs":
            self._send(target.arn, text, source)
        else:
            parameters = {"FunctionName": target.arn, "InvocationType": "Event"}
            account.authorize_service(PRINCIPAL, "lambda", "Invoke", parameters, source_arn=source)
            account.service(AsyncInvocations).enqueue(target.arn, text.encode(), source=source)

    def _send(self, queue_arn: str, text: str, source: str) -> None:
        account = self._account
        queue = account.service(Queues).queue(queue_arn)
        parameters = {"QueueUrl": f"{account.endpoint_url}/{queue.account_id}/{queue.name}", "MessageBody": text}
        account.authorize_service(PRINCIPAL, "sqs", "SendMessage", parameters, source_arn=source)
        account.service(Queues).send(queue_arn, text)

    def _to_dead_letters(self, delivery: _Delivery) -> None:
        queue_arn, records = delivery.target.dead_letters, self._account.records
        if queue_arn:
            try:
                self._send(queue_arn, delivery.text, delivery.rule.arn)
            except (iam.AccessDenied, KeyError) as error:
                records.happened("dead-letter-refused", delivery.rule.arn, str(error))
            else:
                records.happened("dead-lettered", delivery.rule.arn, queue_arn)

    def _deliver_as_role(self, delivery: _Delivery, service: str) -> None:
        account, target = self._account, delivery.target
        client = account.client_as(
            service, target.role_arn, acting=PRINCIPAL, session=delivery.rule.name, source_arn=delivery.rule.arn
        )
        if service == "sns":
            client.publish(TopicArn=target.arn, Message=delivery.text)
        else:
            account_id, name = target.arn.split(":")[4:6]
            url = f"{account.endpoint_url}/{account_id}/{name}"
            client.send_message(QueueUrl=url, MessageBody=delivery.text)

    def _authorize(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        authorizer = self._account.authorizer
        needs = authorizer.needs_of(service, operation, parameters)
        authorizer.authorize(iam.Principal(arn=PRINCIPAL, kind="service"), needs)


class ScheduledRule:
    """Periodic activity: one rule with a schedule."""

    def __init__(self, account: Account, rule: _Rule, schedule: Rate | Cron) -> None:
        self.name = f"EventBridge schedule {rule.name}"
        self.refusals = 0
        self._account, self._rule, self._schedule = account, rule, schedule
        self._due = schedule.next_after(account.clock.time())

    def due(self) -> float | None:
        """The next time of the schedule; a rate counts from the creation of the rule."""
        return self._due if math.isfinite(self._due) else None

    def step(self) -> None:
        """Let the rule match the time that is due; others that have passed meanwhile are let go."""
        account, now = self._account, self._account.clock.time()
        event = _event(
            account,
            source="aws.events",
            detail_type="Scheduled Event",
            detail={},
            resources=[self._rule.arn],
            at=datetime.fromtimestamp(self._due, UTC),
        )
        account.service(EventRules).matched(self._rule, event)
        while self._due <= now:
            self._due = self._schedule.next_after(self._due)

    def waiting(self) -> str:
        """Nothing: the next time is not waited for."""
        return ""


def put_event(
    account: Account, *, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()
) -> None:
    """Let an AWS service put an event on the default bus.

    Args:
        account: whose bus.
        source: such as ``aws.glue``.
        detail_type: exactly as the service spells it.
        detail: the service's own part.
        resources: ARNs.
    """
    event = _event(
        account, source=source, detail_type=detail_type, detail=detail, resources=resources, at=account.clock.now()
    )
    account.service(EventRules).happened(event)


def _event(
    account: Account,
    *,
    source: str,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str],
    at: datetime,
) -> Mapping[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account.id,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": account.region,
        "resources": list(resources),
        "detail": dict(detail),
    }


def attach(account: Account) -> None:
    """Let the rules take part."""
    rules = EventRules(account)
    account.register(rules)
    account.scheduler.add(rules)


def _told(target: _Target, event: Mapping[str, Any]) -> str:
    if target.text:
        return target.text
    if not target.template:
        return json.dumps(event)
    found = {name: _at(event, path) for name, path in (target.paths or {}).items()}

    def put(match: re.Match[str]) -> str:
        value = found.get(match[1], "")
        within_text = target.template[: match.start()].replace('\\"', "").count('"') % 2
        written = json.dumps(value)
        # Amazon EventBridge User Guide, "Amazon EventBridge input transformation": outside of a text, a text is quoted.
        return written[1:-1] if within_text and isinstance(value, str) else written

    return _PLACEHOLDER.sub(put, target.template)


def _at(event: Mapping[str, Any], path: str) -> Any:
    """The value at a JSON path of plain names, ``$.detail.jobName``; empty when there is none."""
    value: Any = event
    for part in path.removeprefix("$").strip(".").split("."):
        value = value.get(part, "") if isinstance(value, Mapping) and part else value
    return value


def _rule(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("Name"))
    arn = account.arn("events", f"rule/{name}")
    if properties.get("EventBusName", "default") != "default":
        raise declaration.unsupported("EventBusName is not played", "Use the default bus")
    targets = [_target(account, declaration, target) for target in properties.get("Targets", [])]
    schedule = _schedule(declaration)
    if schedule is None and "EventPattern" not in properties:
        raise declaration.fail("neither EventPattern nor ScheduleExpression is given; give one")
    if properties.get("State", "ENABLED") != "DISABLED":
        pattern = EventPattern.load(json.dumps(properties["EventPattern"])) if "EventPattern" in properties else None
        rule = _Rule(name=name, arn=arn, pattern=pattern, targets=targets)
        account.service(EventRules).put(rule)
        if schedule is not None:
            account.scheduler.add_periodic(ScheduledRule(account, rule, schedule))
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


def _schedule(declaration: Declaration) -> Rate | Cron | None:
    if "ScheduleExpression" not in declaration.properties:
        return None
    try:
        return read_schedule(declaration.properties["ScheduleExpression"])
    except ValueError as error:
        raise declaration.fail(f"ScheduleExpression: {error}") from error


def _target(account: Account, declaration: Declaration, given: Mapping[str, Any]) -> _Target:
    arn, transformer = given["Arn"], given.get("InputTransformer", {})
    service = arn.split(":")[2]
    if service not in {"sns", "sqs", "lambda"} or (service == "lambda" and "RoleArn" in given):
        raise declaration.unsupported(f"a target of {service} is not played", "Use a topic, a queue or a function")
    if service == "sqs" and not account.service(Queues).exists(arn):
        raise declaration.fail(f"target {arn} is not a queue")
    if service == "lambda":
        account.service(Functions).find(arn)
    return _Target(
        arn=arn,
        role_arn=given.get("RoleArn", ""),
        text=given.get("Input", ""),
        paths=transformer.get("InputPathsMap"),
        template=transformer.get("InputTemplate", ""),
        dead_letters=given.get("DeadLetterConfig", {}).get("Arn", ""),
    )


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Events::Rule",
        create=_rule,
        honoured=(
            "EventBusName",
            "EventPattern",
            "Name",
            "ScheduleExpression",
            "State",
            "Targets.Arn",
            "Targets.DeadLetterConfig.Arn",
            "Targets.Input",
            "Targets.InputTransformer.InputPathsMap",
            "Targets.InputTransformer.InputTemplate",
            "Targets.RoleArn",
        ),
        ignored={
            "Description": "a text for people",
            "Tags": "no rule of the rehearsal reads a rule's tags",
            "Targets.Id": "it names the target in the API",
            "Targets.RetryPolicy": "a delivery fails for want of permission alone, which is not tried again",
        },
    ),
)
