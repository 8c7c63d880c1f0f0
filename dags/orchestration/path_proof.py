"""Whether events get from the stream into tables: what landed in the raw zone in an hour, against commits to tables.

It lists and asks, and reads no event. Calls: s3 ListObjectsV2 on the raw bucket below `events/`, glue GetTable on the
tables of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from botocore.exceptions import ClientError

from contracts.lake_tables.events import EVENT_TABLES
from orchestration.windows import Hours


class Verdict(StrEnum):
    """What an hour proves."""

    PROVEN = "proven"
    """Events landed in it, and a table of their types was committed to since."""
    QUIET = "quiet"
    """No event landed in it: nothing is proven either way."""
    BROKEN = "broken"
    """Events landed in it, and none of their tables was committed to since."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was found of one hour: by event type the newest file in the raw zone, and the last commit to the table.

    A commit of another kind than the job's (a backfill, maintenance) counts too, so that a broken path can look whole
    for an hour, not for two. A type whose events were all refused has no commit, which is why one type is enough.
    """

    hour: Hours
    landed: Mapping[str, datetime]
    committed: Mapping[str, datetime]

    @property
    def verdict(self) -> Verdict:
        """What it proves."""
        if not self.landed:
            return Verdict.QUIET
        through = any(self.committed[type] > at for type, at in self.landed.items() if type in self.committed)
        return Verdict.PROVEN if through else Verdict.BROKEN

    @property
    def result(self) -> dict[str, Any]:
        """As it is written down."""
        return {
            "hour": self.hour.texts["start"],
            "verdict": str(self.verdict),
            "landed": {type: at.isoformat() for type, at in self.landed.items()},
            "committed": {type: at.isoformat() for type, at in self.committed.items()},
        }


def prove(hour: Hours, *, s3: Any, glue: Any, raw_bucket: str, database: str) -> Proof:
    """Look at one hour of arrival; ``database`` is that of the tables of events."""
    landed = {}
    for event_type in EVENT_TABLES:
        prefix = f"events/type={event_type}/arrival={hour.start:%Y-%m-%d-%H}/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=raw_bucket, Prefix=prefix)
        newest = max((file["LastModified"] for page in pages for file in page.get("Contents", ())), default=None)
        if newest is not None:
            landed[event_type] = newest
    return Proof(hour=hour, landed=landed, committed=_commits(landed, glue=glue, database=database))


def _commits(types: Iterable[str], *, glue: Any, database: str) -> dict[str, datetime]:
    """When each type's table was last committed to: Iceberg's catalog updates Glue's entry at each commit."""
    found = {}
    for event_type in types:
        try:
            table = glue.get_table(DatabaseName=database, Name=EVENT_TABLES[event_type].name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            continue
        found[event_type] = table.get("UpdateTime") or table["CreateTime"]
    return found
