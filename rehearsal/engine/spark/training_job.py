"""What the Spark does whose classes are kept: reads, tells apart, joins, counts and writes tables, as jobs do.

It runs as a program of its own: `training_job.py s3://BUCKET DATABASE`. What it computes is nobody's concern.
"""

from __future__ import annotations

import sys

from pyspark.sql import Observation, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses


def main(bucket: str, database: str) -> None:
    """Work on what lies below ``bucket``/raw, in tables of ``database`` of the catalog `lake`."""
    spark = SparkSession.builder.getOrCreate()
    table, counted = f"lake.{database}.events", Observation()
    reader = spark.read.schema("id string, at timestamp, n bigint, _corrupt string")
    raw = reader.option("columnNameOfCorruptRecord", "_corrupt").json([f"{bucket}/raw/events.json"])
    newest = F.row_number().over(Window.partitionBy("id").orderBy(F.desc("at")))
    once = raw.withColumn("rank", newest).where("rank = 1").drop("rank", "_corrupt")
    once = once.observe(counted, F.count(F.lit(1)).alias("rows")).withColumn("key", F.sha2("id", 256)).persist()
    once.agg(F.collect_set(F.to_date("at")), F.count_distinct("id")).collect()
    spark.sql(
        f"CREATE TABLE {table} (id string, at timestamp, n bigint, key string) USING iceberg PARTITIONED BY (days(at))"
    )
    once.writeTo(table).append()
    once.createOrReplaceTempView("once")
    spark.sql(f"MERGE INTO {table} t USING once s ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")  # fmt: skip  # noqa: E501
    spark.table(table).where("n % 2 = 0").writeTo(table).overwritePartitions()
    spark.sql(f"DELETE FROM {table} WHERE n < 5")  # noqa: S608 - a table of this program's own
    spark.table(f"{table}.files").collect()
    spark.table(f"{table}.snapshots").collect()
    spark.sql(f"CALL lake.system.rewrite_data_files(table => '{database}.events')").collect()
    csv = spark.read.option("header", "true").csv(f"{bucket}/raw/file.csv")
    joined = csv.join(F.broadcast(spark.table(table)), "id", "left").groupBy("id").agg(F.sum("key"), F.max("at"))
    joined.join(once, "id", "left_anti").unionByName(joined.select(joined.columns)).collect()
    jvm = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
    spark.stop()
    # It ends, and writes the archive, once nobody holds its input open any more.
    jvm.stdin.close()
    jvm.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
