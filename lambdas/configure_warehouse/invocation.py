"""One invocation from event to answer: which clusters, in which order, and what is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.configure_warehouse import logic, requests
from lambdas.configure_warehouse.clusters import named
from lambdas.configure_warehouse.connections import Connections
from lambdas.configure_warehouse.settings import (
    METRIC_CONFIGURED,
    METRIC_DRIFT,
    METRIC_FAILED,
    METRIC_OPEN,
    METRIC_STATEMENTS,
    METRIC_UNAVAILABLE,
    METRICS,
)

_COUNTED = {
    logic.CONFIGURED: METRIC_CONFIGURED,
    logic.UNCHANGED: METRIC_CONFIGURED,
    logic.REFUSED: METRIC_FAILED,
    logic.FAILED: METRIC_FAILED,
    logic.UNAVAILABLE: METRIC_UNAVAILABLE,
}


class Invocation:
    """Does what one event asks for; ``outcomes`` are those so far, also when it ends with an error."""

    def __init__(self, connections: Connections, *, remaining_seconds: Callable[[], float]) -> None:
        """Remember what to work with."""
        self._connections = connections
        self._configuring = logic.Configuring(
            declarations=connections.declarations,
            remaining_seconds=remaining_seconds,
            ask_again=connections.ask_again,
        )
        self.outcomes: list[logic.Outcome] = []

    def answer(self, event: Mapping[str, Any]) -> Any:
        """Do it.

        Raises:
            RequestError: the event is none that is known.
            UnknownClusterError: it names a cluster that is not ours.
        """
        if "Records" not in event:
            return self._wished(requests.wish(event)).told()
        records, clusters = event["Records"], self._connections.clusters
        of_queue = records and records[0].get("eventSource") == "aws:sqs"
        asked = requests.of_messages(records, clusters) if of_queue else requests.of_stream(records, clusters)
        for request in asked:
            if request.seed:
                for declaration in sorted({clusters[name].declaration for name in request.clusters}):
                    self._configuring.seed(declaration)
            for name in request.clusters:
                warehouse = self._connections.warehouses[name]
                self.outcomes.append(
                    self._configuring.run(warehouse, reason=request.reason, repair=request.repair, drop=request.drop)
                )
        return {"batchItemFailures": []}

    def counts(self) -> dict[str, int]:
        """Each metric's count, zeros too."""
        counts = dict.fromkeys(METRICS, 0)
        for outcome in self.outcomes:
            if outcome.result in _COUNTED:
                counts[_COUNTED[outcome.result]] += 1
            counts[METRIC_DRIFT] += outcome.drift
            counts[METRIC_STATEMENTS] += outcome.changes
            counts[METRIC_OPEN] += outcome.open
        return counts

    def _wished(self, wish: requests.Wish) -> logic.Outcome:
        (cluster, *others) = named(self._connections.clusters, wish.cluster)
        if others:
            raise requests.RequestError("a call is for one cluster; name it")
        warehouse = self._connections.warehouses[cluster.name]
        if wish.action == "plan":
            return self._configuring.planned(warehouse, items=wish.items, repair=wish.repair, drop=wish.drop)
        outcome = self._configuring.run(warehouse, reason="hand", repair=wish.repair, drop=wish.drop)
        self.outcomes.append(outcome)
        return outcome
