"""Reads what the function is invoked with: messages of its queue, records of the table's stream, or a person's wish."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lambdas.configure_warehouse.clusters import Cluster, named

DEPLOYMENT = "deployment"
CONTINUED = "continue"
DECLARATION_CHANGED = "declaration changed"
ACTIONS = ("plan", "apply")


class RequestError(Exception):
    """The invocation says nothing that can be done; the text tells what, given and allowed."""


class Request(NamedTuple):
    """Clusters to configure, why, whether their declarations are to be seeded before, and what the run may do."""

    clusters: tuple[str, ...]
    reason: str
    seed: bool = False
    repair: bool = False
    drop: bool = False


class Wish(NamedTuple):
    """A person's call: to plan or apply, on one cluster, by the table's declaration or by given items."""

    action: str
    cluster: str
    items: Mapping[str, Mapping[str, object]] | None
    repair: bool
    drop: bool


def of_messages(records: Iterable[Mapping[str, Any]], clusters: Mapping[str, Cluster]) -> list[Request]:
    """What messages ask for, each cluster once for each reason.

    Raises:
        RequestError: a message is not one of ours; `UnknownClusterError` when it names no cluster of ours.
    """
    asked: dict[tuple[str, bool, bool], dict[str, None]] = {}
    for record in records:
        body = _object(record["body"])
        if not isinstance(body.get("cluster"), str) or not isinstance(body.get("reason"), str):
            raise RequestError('a message is no request; allowed is {"cluster": "<name> or *", "reason": "<why>"}')
        kind = body["reason"], body.get("repair") is True, body.get("drop") is True
        for cluster in named(clusters, body["cluster"]):
            asked.setdefault(kind, {})[cluster.name] = None
    return [
        Request(clusters=tuple(names), reason=reason, seed=reason == DEPLOYMENT, repair=repair, drop=drop)
        for (reason, repair, drop), names in sorted(asked.items(), key=lambda one: one[0][0] != DEPLOYMENT)
    ]


def to_messages(request: Request) -> list[str]:
    """The bodies of messages that `of_messages` reads as the request, one for each cluster."""
    wishes = {"repair": request.repair, "drop": request.drop}
    return [json.dumps({"cluster": name, "reason": request.reason, **wishes}) for name in request.clusters]


def of_stream(records: Iterable[Mapping[str, Any]], clusters: Mapping[str, Cluster]) -> list[Request]:
    """The clusters whose declaration changed."""
    changed = {record["dynamodb"]["Keys"]["declaration"]["S"] for record in records}
    names = tuple(cluster.name for cluster in clusters.values() if cluster.declaration in changed)
    return [Request(clusters=names, reason=DECLARATION_CHANGED)] if names else []


def wish(event: Mapping[str, Any]) -> Wish:
    """A direct call.

    Raises:
        RequestError: it is none that is known.
    """
    known = {"action", "cluster", "items", "repair", "drop"}
    if event.get("action") not in ACTIONS or set(event) - known or not isinstance(event.get("cluster"), str):
        raise RequestError(
            f"the call is not known: {sorted(event)}; allowed are action ({' or '.join(ACTIONS)}), cluster, and for a "
            "plan items; repair and drop are true or false"
        )
    items = event.get("items")
    if items is not None and (event["action"] != "plan" or not isinstance(items, Mapping)):
        raise RequestError("items are for a plan, and an object of items by name; an apply takes those of the table")
    return Wish(
        action=event["action"],
        cluster=event["cluster"],
        items=items,
        repair=event.get("repair") is True,
        drop=event.get("drop") is True,
    )


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}
