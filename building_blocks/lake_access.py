"""What a job's entry in the contracts means in IAM: objects, tables and nothing else.

It must not widen an entry: a job that needs more says so in its entry first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_iam, aws_s3

from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from contracts.datasets import DATASETS
from contracts.jobs import RUN_RECORDS, Job
from contracts.lake import LakeTable, Zone


@dataclass(frozen=True, kw_only=True)
class Lake:
    """The lake as IAM sees it: two buckets and the Glue database of each zone."""

    raw_bucket: aws_s3.IBucket
    transformed_bucket: aws_s3.IBucket
    databases: Mapping[Zone, str]


def read_only_tables(job: Job) -> list[LakeTable]:
    """Tables that the job reads and does not write."""
    return [table for table in job.reads if table not in job.writes]


def written_tables(job: Job) -> list[LakeTable]:
    """Tables that the job writes, its run record among them."""
    return [*job.writes, *(() if RUN_RECORDS in job.writes else (RUN_RECORDS,))]


def object_patterns(job: Job) -> dict[str, list[str]]:
    """Objects by `raw`, `read` and `written`, each pattern a prefix with a star at its end.

    The first lie in the raw bucket, the others in the transformed one.
    """
    return {
        "raw": [f"{prefix}*" for prefix in job.raw_prefixes],
        "read": [f"{table.prefix}*" for table in read_only_tables(job)],
        "written": [
            *(f"{table.prefix}*" for table in written_tables(job)),
            *(f"{pattern.replace('.', '/', 1)}/*" for pattern in job.open_tables),
            *version_patterns(job),
        ],
    }


def version_patterns(job: Job) -> list[str]:
    """Objects of the versions of the data sets that the job makes, in the transformed bucket."""
    return [f"{data_set.versions_prefix}*" for data_set in job.data_sets]


def files(job: Job, *, lake: Lake) -> list[aws_iam.PolicyStatement]:
    """Reading raw files; reading and writing the files of the job's tables, with the lake's key through S3.

    Raw prefixes and those of data sets' versions can be listed, those of tables only by a job that looks for files. A
    request for an object that is not there is refused rather than answered with 404, because it names no prefix
    ("HeadObject" API page): a job asks for objects that a listing or a table told of.
    """
    patterns = object_patterns(job)
    raw, transformed = lake.raw_bucket, lake.transformed_bucket
    return [
        *_objects(raw, patterns=patterns["raw"], actions=["s3:GetObject"]),
        *_objects(transformed, patterns=patterns["read"], actions=["s3:GetObject"]),
        *_objects(
            transformed,
            patterns=patterns["written"],
            actions=["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        ),
        *_listing(raw, patterns=patterns["raw"]),
        *_listing(transformed, patterns=patterns["written"] if job.lists_files else version_patterns(job)),
        *key_use(key=transformed.encryption_key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
        *(key_use(key=raw.encryption_key, service="s3", actions=["kms:Decrypt"]) if patterns["raw"] else []),
    ]


def tables(job: Job, *, lake: Lake) -> list[aws_iam.PolicyStatement]:
    """What Iceberg calls of the Glue catalog for the job's tables, and what the job calls for those of crawlers.

    GlueCatalog and GlueTableOperations of Iceberg 1.10 look a table's database up when they make the table, read
    the table before each use and commit, and create or update it; they delete none unless it is dropped. The
    catalog and the database belong to every such call ("AWS Glue resource ARNs" page).
    """
    read = _table_arns(read_only_tables(job), lake=lake)
    open_tables = [_table_arn(lake, *_open_table(pattern)) for pattern in job.open_tables]
    written = [*_table_arns(written_tables(job), lake=lake), *open_tables]
    # Whoever looks after tables makes none but that of its runs.
    made = _table_arns([RUN_RECORDS], lake=lake) if job.lists_files else written
    zones = {table.zone for table in (*read_only_tables(job), *written_tables(job))}
    zones |= {_open_table(pattern)[0] for pattern in job.open_tables}
    databases = [_database_arn(lake, zone) for zone in sorted(zones)]
    catalog = arn_of("glue", "catalog")
    statement = aws_iam.PolicyStatement
    statements = [
        statement(actions=["glue:GetDatabase"], resources=[catalog, *databases]),
        statement(actions=["glue:GetTable", "glue:UpdateTable"], resources=[catalog, *databases, *written]),
        statement(actions=["glue:CreateTable"], resources=[catalog, *databases, *made]),
    ]
    if read:
        statements.append(statement(actions=["glue:GetTable"], resources=[catalog, *databases, *read]))
    if open_tables and job.lists_files:
        statements.append(
            statement(actions=["glue:GetTables"], resources=[catalog, _database_arn(lake, Zone.PERSONAL), *open_tables])
        )
    if job.raw_catalog:
        crawled = [_table_arn(lake, Zone.RAW, name) for name in _crawled_tables()]
        statements.append(
            statement(
                actions=["glue:GetTables"],
                resources=[catalog, _database_arn(lake, Zone.RAW), *crawled],
            )
        )
    return statements


def table_patterns(job: Job) -> list[tuple[Zone, str]]:
    """Patterns of the names of tables that are found as they come, each with the zone of its database."""
    crawled = [(Zone.RAW, name) for name in _crawled_tables() if name.endswith("*")] if job.raw_catalog else []
    return [*(_open_table(pattern) for pattern in job.open_tables), *crawled]


def _crawled_tables() -> list[str]:
    return [f"{dataset.table_name}_*" if dataset.by_folder else dataset.table_name for dataset in DATASETS]


def _open_table(pattern: str) -> tuple[Zone, str]:
    zone, _, name = pattern.partition(".")
    return Zone(zone), name


def _objects(bucket: aws_s3.IBucket, *, patterns: Sequence[str], actions: list[str]) -> list[aws_iam.PolicyStatement]:
    resources = [bucket.arn_for_objects(pattern) for pattern in patterns]
    return [aws_iam.PolicyStatement(actions=actions, resources=resources)] if resources else []


def _listing(bucket: aws_s3.IBucket, *, patterns: Sequence[str]) -> list[aws_iam.PolicyStatement]:
    if not patterns:
        return []
    return [
        aws_iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": list(patterns)}},
        )
    ]


def _table_arns(lake_tables: Sequence[LakeTable], *, lake: Lake) -> list[str]:
    return [_table_arn(lake, table.zone, table.name) for table in lake_tables]


def _table_arn(lake: Lake, zone: Zone, name: str) -> str:
    return arn_of("glue", f"table/{lake.databases[zone]}/{name}")


def _database_arn(lake: Lake, zone: Zone) -> str:
    return arn_of("glue", f"database/{lake.databases[zone]}")
