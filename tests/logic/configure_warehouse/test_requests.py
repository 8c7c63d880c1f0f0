"""What the function is invoked with, and which clusters that means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdas.configure_warehouse.clusters import UnknownClusterError, read_clusters
from lambdas.configure_warehouse.requests import Request, RequestError, of_messages, of_stream, to_messages, wish

FIELDS = {
    "cluster_identifier": "amp-dev-x",
    "database": "amp",
    "admin_user": "amp_admin",
    "host": "localhost",
    "port": "5439",
    "spectrum_role_arn": "arn:aws:iam::123456789012:role/s",
    "databases": {},
}
CLUSTERS = read_clusters(
    json.dumps(
        {
            "one": {**FIELDS, "declaration": "standard", "secret_prefix": "amp/one/"},
            "two": {**FIELDS, "declaration": "standard", "secret_prefix": "amp/two/"},
            "three": {**FIELDS, "declaration": "other", "secret_prefix": "amp/three/"},
        }
    )
)


def message(**body: object) -> dict[str, Any]:
    return {"eventSource": "aws:sqs", "body": json.dumps(body)}


def record(declaration: str) -> dict[str, Any]:
    return {"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"declaration": {"S": declaration}}}}


def test_messages_name_one_cluster_or_all_and_each_is_configured_once_a_reason() -> None:
    asked = of_messages(
        [
            message(cluster="one", reason="hand"),
            message(cluster="*", reason="hand"),
            message(cluster="*", reason="hand"),
        ],
        CLUSTERS,
    )
    assert asked == [Request(clusters=("one", "two", "three"), reason="hand")]


def test_what_a_run_may_do_goes_on_with_it() -> None:
    again = Request(clusters=("two",), reason="continue", repair=True)
    records = [{"eventSource": "aws:sqs", "body": body} for body in to_messages(again)]
    assert of_messages([*records, message(cluster="one", reason="continue")], CLUSTERS) == [
        again,
        Request(clusters=("one",), reason="continue"),
    ]


def test_a_deployment_seeds_and_comes_first() -> None:
    asked = of_messages(
        [message(cluster="two", reason="continue"), message(cluster="*", reason="deployment")], CLUSTERS
    )
    assert [(request.reason, request.seed) for request in asked] == [("deployment", True), ("continue", False)]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"cluster": 1, "reason": "x"}', '{"cluster": "one"}'])
def test_a_message_that_asks_for_nothing_known_is_an_error(body: str) -> None:
    with pytest.raises(RequestError, match="a message is no request"):
        of_messages([{"body": body}], CLUSTERS)


def test_a_cluster_that_is_not_there_is_an_error_that_tells_which_are() -> None:
    with pytest.raises(UnknownClusterError, match="there is no cluster 'four'; there are one, three, two"):
        of_messages([message(cluster="four", reason="hand")], CLUSTERS)


def test_a_changed_declaration_means_the_clusters_that_have_it() -> None:
    assert of_stream([record("standard"), record("standard")], CLUSTERS) == [
        Request(clusters=("one", "two"), reason="declaration changed")
    ]
    assert of_stream([record("nobody's")], CLUSTERS) == []


def test_a_call_is_read_as_what_it_says() -> None:
    called = wish({"action": "plan", "cluster": "one", "items": {"users.ana": {}}})
    assert (called.action, called.cluster, called.repair, called.drop) == ("plan", "one", False, False)
    assert wish({"action": "apply", "cluster": "one", "repair": True, "drop": True})[3:] == (True, True)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"action": "destroy", "cluster": "one"},
        {"action": "plan"},
        {"action": "plan", "cluster": "one", "force": True},
        {"action": "apply", "cluster": "one", "items": {}},
        {"action": "plan", "cluster": "one", "items": []},
    ],
)
def test_a_call_that_is_not_known_is_an_error(event: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        wish(event)
