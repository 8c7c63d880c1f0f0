"""Persons' keys: the same as any HMAC-SHA-256 gives, and no trace of the secret."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("pyspark", reason="pyspark is in requirements-dev.txt alone; make setup installs it")

from pyspark.sql import functions as F  # noqa: N812

from transforms.people import add_keys, key_frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.xdist_group("spark")
SECRET = "6f1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeff0"


def _expected(secret: str, identity: str) -> str:
    return hmac.new(secret.encode(), identity.encode(), hashlib.sha256).hexdigest()[:32]


@pytest.mark.parametrize("secret", [SECRET, "short", "longer than a block of sixty-four bytes " * 3, "zwölf Größen"])
def test_a_key_is_the_hmac_of_the_id(spark: SparkSession, secret: str) -> None:
    ids = ["u-18f3a2", "", "ünï-🎙", "x" * 500]
    listed = ", ".join(f"'{identity}'" for identity in ids)
    rows = spark.sql(f"SELECT explode(array({listed})) AS user_id")

    found = add_keys(rows, key_frame(spark, secret), {"user_key": F.col("user_id")}).collect()

    assert {row["user_id"]: row["user_key"] for row in found} == {one: _expected(secret, one) for one in ids}


def test_nobody_has_no_key(spark: SparkSession) -> None:
    rows = spark.sql("SELECT CAST(NULL AS string) AS user_id")
    found = add_keys(rows, key_frame(spark, SECRET), {"user_key": F.col("user_id")})
    assert found.columns == ["user_id", "user_key"]
    assert found.collect()[0]["user_key"] is None


@pytest.mark.parametrize("mode", ["extended", "codegen", "cost", "formatted"])
def test_no_plan_shows_the_secret(spark: SparkSession, mode: str) -> None:
    spark = spark.newSession()
    spark.conf.set("spark.sql.adaptive.enabled", "false")  # else the code is made when the query runs
    spark.conf.set("spark.sql.codegen.wholeStage", "true")
    spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK")  # as outside of tests
    rows = spark.sql("SELECT explode(array('u-1', 'u-2')) AS user_id").repartition(2)
    keyed = add_keys(rows, key_frame(spark, SECRET), {"user_key": F.col("user_id")})
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        keyed.explain(mode=mode)
    plan = shown.getvalue()
    assert "sha2" in plan
    for padding in (0x36, 0x5C):
        padded = bytes(byte ^ padding for byte in SECRET.encode().ljust(64, b"\0"))
        signed = ", ".join(str(byte - 256 if byte > 127 else byte) for byte in padded[:8])
        for form in (SECRET, SECRET.encode().hex(), padded.hex(), padded.decode("latin-1"), signed):
            assert form.lower() not in plan.lower()


def test_an_empty_secret_is_refused(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="empty"):
        key_frame(spark, "")
