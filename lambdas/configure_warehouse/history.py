"""The table of configurations: who is at work on a cluster, what was made so, and what each run did."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lambdas.configure_warehouse.facts import Fact, Table, from_json, table_of, to_json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table as DynamoTable

KEY, ITEM = "cluster", "item"
LOCK, APPLIED = "lock", "applied"
KEPT_DAYS = 400
"""Days for which the record of a run is kept (the table's time to live is ``expires_at``)."""

_LONGEST_LIST = 1_000
_MOST_BYTES = 390_000
"""Of what is remembered: an item holds 400 kB ("Quotas" page of DynamoDB)."""


class TooManyFactsError(Exception):
    """More rights than can be remembered of one cluster."""


class HeldError(Exception):
    """Another run is at work on the cluster."""


class History:
    """What DynamoDB keeps of one cluster."""

    def __init__(self, *, table: DynamoTable, cluster: str, now: Callable[[], float]) -> None:
        """Remember where; nothing is called. ``now`` gives seconds since the epoch."""
        self._table, self._cluster, self._now = table, cluster, now

    def lock(self, run: str, *, seconds: float) -> str:
        """Take the cluster for a run for so long; gives the statement that an earlier run may have left running.

        Raises:
            HeldError: another run has it.
        """
        try:
            old = self._table.put_item(
                Item={**self._key(LOCK), "run": run, "until": int(self._now() + seconds)},
                ConditionExpression="attribute_not_exists(#item) OR #until < :now OR #run = :run",
                ExpressionAttributeNames={"#item": ITEM, "#until": "until", "#run": "run"},
                ExpressionAttributeValues={":now": int(self._now()), ":run": run},
                ReturnValues="ALL_OLD",
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException as error:
            raise HeldError(f"another run is at work on cluster {self._cluster}") from error
        return str(old.get("Attributes", {}).get("statement", ""))

    def running(self, run: str, statement_id: str) -> None:
        """Note the statement that the run waits for, for whoever comes after it."""
        self._held(run, "SET #statement = :statement", {":statement": statement_id}, {"#statement": "statement"})

    def leave(self, run: str) -> None:
        """Give the cluster back with a statement that still runs there, for which the next run waits."""
        self._held(run, "SET #until = :past", {":past": 0}, {"#until": "until"})

    def unlock(self, run: str) -> None:
        """Give the cluster back; a lock that another run has taken over stays."""
        try:
            self._table.delete_item(
                Key=self._key(LOCK),
                ConditionExpression="#run = :run",
                ExpressionAttributeNames={"#run": "run"},
                ExpressionAttributeValues={":run": run},
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException:
            return

    def applied(self, tables: Mapping[Table, str]) -> frozenset[Fact]:
        """What earlier runs made so, but for what went with a table that was dropped and made again since.

        Args:
            tables: the tables that there are, with their numbers.
        """
        item = self._table.get_item(Key=self._key(APPLIED), ConsistentRead=True).get("Item")
        if not item:
            return frozenset()
        held = json.loads(lzma.decompress(bytes(item["facts"].value)))  # type: ignore[union-attr]
        numbers = {(schema, table): number for schema, table, number in held["tables"]}
        return frozenset(
            fact
            for fact in from_json(held["facts"])
            if (table := table_of(fact)) is None or tables.get(table, numbers.get(table)) == numbers.get(table)
        )

    def apply(self, facts: Collection[Fact], tables: Mapping[Table, str]) -> None:
        """Remember what is made so by now, of which tables; it is written after the database said so, never before.

        Raises:
            TooManyFactsError: it does not fit into an item.
        """
        named = sorted({table for fact in facts if (table := table_of(fact)) is not None and table in tables})
        held = {"facts": to_json(facts), "tables": [[*table, tables[table]] for table in named]}
        packed = lzma.compress(json.dumps(held).encode())
        if len(packed) > _MOST_BYTES:
            raise TooManyFactsError(
                f"{len(facts):,} rights of cluster {self._cluster} take {len(packed):,} bytes; remembered can be "
                f"{_MOST_BYTES:,}; give rights to fewer roles, or have fewer tables in schemas with rights on *"
            )
        self._table.put_item(Item={**self._key(APPLIED), "facts": packed, "count": len(facts), "at": self._moment()})

    def record(self, run: str, entry: Mapping[str, Any]) -> None:
        """Write what a run did; lists are cut at a thousand entries, with how many there were."""
        fields: dict[str, Any] = {}
        for name, value in entry.items():
            fields[name] = list(value[:_LONGEST_LIST]) if isinstance(value, list | tuple) else value
            if isinstance(value, list | tuple) and len(value) > _LONGEST_LIST:
                fields[f"{name}_count"] = len(value)
        moment = datetime.fromtimestamp(self._now(), tz=UTC)
        expires = int((moment + timedelta(days=KEPT_DAYS)).timestamp())
        key = f"run#{moment:%Y-%m-%dT%H:%M:%S}#{run}"
        self._table.put_item(
            Item={**self._key(key), **json.loads(json.dumps(fields), parse_float=str), "expires_at": expires}
        )

    def _held(self, run: str, update: str, values: dict[str, Any], names: dict[str, str]) -> None:
        try:
            self._table.update_item(
                Key=self._key(LOCK),
                UpdateExpression=update,
                ConditionExpression="#run = :run",
                ExpressionAttributeNames={"#run": "run", **names},
                ExpressionAttributeValues={":run": run, **values},
            )
        except self._table.meta.client.exceptions.ConditionalCheckFailedException as error:
            raise HeldError(f"another run has taken cluster {self._cluster} over") from error

    def _key(self, item: str) -> dict[str, str]:
        return {KEY: self._cluster, ITEM: item}

    def _moment(self) -> str:
        return datetime.fromtimestamp(self._now(), tz=UTC).isoformat(timespec="seconds")
