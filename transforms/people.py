"""Persons' keys: what stands for a person in shared tables; reads no secret.

A key is HMAC-SHA-256 (RFC 2104) of the id under a secret, its first 32 hex digits, made by Spark's own functions. The
two padded keys come in as a frame of one row, so that no plan, log or argument holds them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

_BLOCK_BYTES = 64
_INNER, _OUTER = "_person_key_inner", "_person_key_outer"
KEY_DIGITS = 32


def key_frame(spark: SparkSession, secret: str) -> DataFrame:
    """The one-row frame that `add_keys` takes, made from the secret's text (its UTF-8 bytes are the HMAC key)."""
    key = secret.encode()
    if not key:
        raise ValueError("the secret of persons' keys is empty; it should hold at least 32 random characters")
    key = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    jvm = spark._jvm
    assert jvm is not None  # noqa: S101 - a session has one until it is stopped
    # Straight into the JVM: Python's own way would put the row into a temporary file.
    values = spark.sparkContext._gateway.new_array(jvm.java.lang.Object, 2)  # type: ignore[union-attr]
    values[0] = bytes(byte ^ 0x36 for byte in key)
    values[1] = bytes(byte ^ 0x5C for byte in key)
    rows = jvm.java.util.ArrayList()
    rows.add(jvm.org.apache.spark.sql.RowFactory.create(values))
    types = jvm.org.apache.spark.sql.types.StructType.fromDDL(f"{_INNER} binary, {_OUTER} binary")
    return DataFrame(spark._jsparkSession.createDataFrame(rows, types), spark)


def add_keys(rows: DataFrame, keys: DataFrame, columns: Mapping[str, Column]) -> DataFrame:
    """The rows and, under each name in `columns`, the key of the id that the column holds; null for null."""
    return (
        rows.crossJoin(F.broadcast(keys))
        .withColumns({name: _key(identity) for name, identity in columns.items()})
        .drop(_INNER, _OUTER)
    )


def _key(identity: Column) -> Column:
    inner = F.sha2(F.concat(F.col(_INNER), F.encode(identity, "UTF-8")), 256)
    return F.left(F.sha2(F.concat(F.col(_OUTER), F.unhex(inner)), 256), F.lit(KEY_DIGITS))
