"""Workload management of a cluster as Redshift reads it: queues, what comes first, and rules that end a query.

It must not know a cluster's size; automatic workload management shares out memory and slots.
"""

import json
from collections.abc import Sequence
from typing import Any

from config.warehouse import QueryQueue

NESTED_LOOP_ROWS = 100_000_000
"""Rows of a nested loop above which a query is written down: a join without its condition, most likely."""

MEBIBYTES_IN_A_GIGABYTE = 1_000_000_000 / 1_048_576

LONGEST_CONFIGURATION = 8_000
"""Characters of the parameter ("Workload management" page)."""


def wlm_configuration(queues: Sequence[QueryQueue], *, everybody: QueryQueue) -> str:
    """The parameter `wlm_json_configuration`: ``queues`` in their order, ``everybody`` last, short queries apart.

    Property names as on the page "Workload management", metrics and actions as on "WLM query monitoring rules".

    Raises:
        ValueError: it is longer than Redshift takes.
    """
    configuration = [*(_queue(queue) for queue in (*queues, everybody)), {"short_query_queue": True}]
    text = json.dumps(configuration, separators=(",", ":"))
    if len(text) > LONGEST_CONFIGURATION:
        raise ValueError(
            f"The queues of a cluster are too long a text; given: {len(text)} characters; allowed: "
            f"{LONGEST_CONFIGURATION}; fix: fewer queues, or fewer roles in them."
        )
    return text


def _queue(queue: QueryQueue) -> dict[str, Any]:
    members: dict[str, Any] = {"user_role": list(queue.roles), "user_role_wild_card": 0} if queue.roles else {}
    return {
        "name": queue.name,
        "queue_type": "auto",
        "auto_wlm": True,
        "priority": queue.priority,
        "concurrency_scaling": "off",
        "user_group": [],
        "user_group_wild_card": 0,
        "query_group": [],
        "query_group_wild_card": 0,
        **members,
        "rules": [
            _rule(queue, "too_long", metric="query_execution_time", above=queue.longest_minutes * 60, action="abort"),
            _rule(
                queue,
                "too_much_lake",
                metric="spectrum_scan_size_mb",
                above=int(queue.lake_gigabytes * MEBIBYTES_IN_A_GIGABYTE),
                action="abort",
            ),
            {
                **_rule(
                    queue,
                    "too_busy",
                    metric="query_cpu_time",
                    above=queue.busy_seconds,
                    action="change_query_priority",
                ),
                "value": "lowest",
            },
            _rule(
                queue,
                "nested_loop",
                metric="nested_loop_join_row_count",
                above=NESTED_LOOP_ROWS,
                action="log",
            ),
        ],
    }


def _rule(queue: QueryQueue, name: str, *, metric: str, above: int, action: str) -> dict[str, Any]:
    """A rule whose name is unique among all queues, at most 32 characters, as Redshift asks."""
    return {
        "rule_name": f"{queue.name}_{name}",
        "predicate": [{"metric_name": metric, "operator": ">", "value": above}],
        "action": action,
    }
