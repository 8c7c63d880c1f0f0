"""Glue columns of a table; knows nothing of buckets, formats or partitions."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.model import Table

COMMENT_LIMIT = 255
"""Characters that a Glue column comment may have (AWS Glue API reference, Column structure)."""


@dataclass(frozen=True, kw_only=True)
class GlueColumn:
    """A column as `AWS::Glue::Table` takes it: name, Hive type string, comment."""

    name: str
    type: str
    comment: str


def columns(table: Table) -> list[GlueColumn]:
    """The table's data columns in order, partition columns not among them."""
    return [
        GlueColumn(name=column.name, type=column.type, comment=column.description[:COMMENT_LIMIT])
        for column in table.columns
    ]
