"""The Spark settings under which every job finds the lake's tables, whatever it is deployed on.

It must not hold what a job sets itself (time zone, shuffle partitions) nor what one kind of cluster alone knows.
"""

CATALOG = "lake"
"""Name of the Spark catalog: a table is `lake.<database>.<table>`."""

_EXTENSIONS = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"


def lake_catalog(*, warehouse: str) -> dict[str, str]:
    """Iceberg tables in the Glue catalog, files in S3 below ``warehouse`` (`s3://bucket/…`, no slash at its end).

    A database with a location puts its tables there; the warehouse is for one that has none ("Iceberg AWS
    Integrations" page). Commits lock optimistically by the version that Glue keeps of a table. Glue's own archive of
    versions stays off: Iceberg has the history, and a table that is committed to each hour would reach Glue's limit
    of versions. Files are encrypted by the bucket's default, with its key.
    """
    catalog = f"spark.sql.catalog.{CATALOG}"
    return {
        "spark.sql.extensions": _EXTENSIONS,
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": warehouse,
        f"{catalog}.glue.skip-archive": "true",
    }
