"""The table of declarations: reads one as a whole, and seeds it from the files of the function's package.

An item is ``declaration`` (which), ``item`` (such as ``users.ana``), its fields, and, if it came from a file,
``revision``: a digest of what the file says. Items without one were put by people; a file's item of the same name
replaces them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from contracts.warehouse.declaration import declaration_of
from contracts.warehouse.model import Declaration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEY, ITEM, REVISION = "declaration", "item", "revision"
SEEDING = "_seeding"
"""The item that stands while a declaration is being seeded: what is half written is not to be made true."""

PACKAGED = Path(__file__).parents[2] / "declarations"
"""Where the package holds the repository's declarations, one file of items each."""

Items = Mapping[str, Mapping[str, object]]


class BeingSeededError(Exception):
    """The declaration is being written; it can be read in a moment."""


class NoDeclarationError(Exception):
    """There is no item of the declaration; making that true would take everything away."""


class Seeded(NamedTuple):
    """What seeding changed, by items' names."""

    written: tuple[str, ...]
    deleted: tuple[str, ...]


class Declarations:
    """The declarations in DynamoDB."""

    def __init__(self, *, table: Table, packaged: Path = PACKAGED) -> None:
        """Remember where; nothing is called."""
        self._table, self._packaged = table, packaged

    def read(self, name: str) -> Declaration:
        """A declaration as it stands.

        Raises:
            DeclarationError: it cannot be taken; names each bad item.
            NoDeclarationError: it has no item.
            BeingSeededError: it is being written.
        """
        found = self._items(name)
        if SEEDING in found:
            raise BeingSeededError(f"declaration {name} is being seeded")
        if not found:
            raise NoDeclarationError(
                f"the table has no item of declaration {name!r}; a deployment seeds it, or ask for "
                "that with the reason 'deployment'"
            )
        return declaration_of({item: fields_of(attributes) for item, attributes in found.items()})

    def seed(self, name: str) -> Seeded:
        """Write the items of the package's file that differ, and delete those that it does not have any more.

        Interrupted, it is done again from the start by the next deployment or retry; until then nobody reads it.
        """
        file = json.loads((self._packaged / f"{name}.json").read_text())
        there = self._items(name)
        revisions = {item: _revision(fields) for item, fields in file.items()}
        written = [
            item
            for item in file
            if item not in there
            or there[item].get(REVISION) != revisions[item]
            or _revision(fields_of(there[item])) != revisions[item]
        ]
        deleted = [item for item in there if item not in file and REVISION in there[item] and item != SEEDING]
        if not written and not deleted and SEEDING not in there:
            return Seeded(written=(), deleted=())
        self._table.put_item(Item={KEY: name, ITEM: SEEDING})
        with self._table.batch_writer() as batch:
            for item in written:
                batch.put_item(Item={**file[item], KEY: name, ITEM: item, REVISION: revisions[item]})
            for item in deleted:
                batch.delete_item(Key={KEY: name, ITEM: item})
        self._table.delete_item(Key={KEY: name, ITEM: SEEDING})
        return Seeded(written=tuple(written), deleted=tuple(deleted))

    def _items(self, name: str) -> dict[str, dict[str, Any]]:
        from boto3.dynamodb.conditions import Key

        found: dict[str, dict[str, Any]] = {}
        start: dict[str, Any] = {}
        while True:
            page = self._table.query(KeyConditionExpression=Key(KEY).eq(name), ConsistentRead=True, **start)
            found.update({str(item[ITEM]): item for item in page["Items"]})
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def fields_of(attributes: Mapping[str, Any]) -> dict[str, object]:
    """An item's own fields, numbers as whole numbers where they are."""
    return {name: _plain(value) for name, value in attributes.items() if name not in (KEY, ITEM, REVISION)}


def _plain(value: Any) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _revision(fields: Mapping[str, object]) -> str:
    return sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]
