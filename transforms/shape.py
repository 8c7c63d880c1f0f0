"""The last step of every transform: a table's columns by its contract, in order and typed; decides no value."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses

from contracts.model import Table


def shaped(frame: DataFrame, table: Table) -> DataFrame:
    """`frame` with exactly the table's columns; a column that is missing there is an AnalysisException of Spark."""
    return frame.select(*(F.col(column.name).cast(column.type).alias(column.name) for column in table.columns))
