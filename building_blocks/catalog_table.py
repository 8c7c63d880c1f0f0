"""A Glue table made from a contract, over a folder of gzip JSON lines, with partitions that Athena projects.

It must not repeat a column: names, types and comments come from the contract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, aws_glue, aws_s3
from constructs import Construct

from contracts.model import Table
from contracts.views import glue


@dataclass(frozen=True, kw_only=True)
class ProjectedPartition:
    """A partition key that Athena computes instead of looking it up ("Partition projection" pages)."""

    name: str
    properties: Mapping[str, str]
    """Projection properties without their `projection.<name>.` in front."""


def arrival_hours(*, since: str) -> ProjectedPartition:
    """The UTC hour of arrival, from ``since`` (yyyy-MM-dd-HH) to the hour that has just begun."""
    return ProjectedPartition(
        name="arrival",
        properties={
            "type": "date",
            "format": "yyyy-MM-dd-HH",
            "range": f"{since},NOW+1HOURS",
            "interval": "1",
            "interval.unit": "HOURS",
        },
    )


def one_of(*, name: str, values: Sequence[str]) -> ProjectedPartition:
    """A key with a fixed list of values."""
    return ProjectedPartition(name=name, properties={"type": "enum", "values": ",".join(values)})


class CatalogTable(Construct):
    """Table ``contract`` over ``prefix`` of ``bucket``, its partition folders written `key=value/`.

    Only Athena reads projected partitions; Redshift, Spark and Glue see none (same pages), and read the raw zone
    by path.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        contract: Table,
        database: aws_glue.CfnDatabase,
        bucket: aws_s3.IBucket,
        prefix: str,
        partitions: Sequence[ProjectedPartition],
    ) -> None:
        """Make the table; ``prefix`` ends with a slash.

        Raises:
            ValueError: a partition key has the name of a column, which no engine could tell apart.
        """
        super().__init__(scope, id)
        columns = glue.columns(contract)
        clash = {column.name for column in columns} & {partition.name for partition in partitions}
        if clash:
            raise ValueError(
                f"Table {contract.name} has partition keys named like its columns; given: {sorted(clash)}; allowed: "
                "names that the contract does not use; fix: rename the column in its contract."
            )
        location = f"s3://{bucket.bucket_name}/{prefix}"
        folders = "".join(f"{partition.name}=${{{partition.name}}}/" for partition in partitions)
        parameters = {
            "EXTERNAL": "TRUE",
            "classification": "json",
            "compressionType": "gzip",
            "contract_version": str(contract.version),
            "projection.enabled": "true",
            "storage.location.template": location + folders,
        }
        for partition in partitions:
            for name, value in partition.properties.items():
                parameters[f"projection.{partition.name}.{name}"] = value
        self.table = aws_glue.CfnTable(
            self,
            "Table",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=database.ref,
            table_input=aws_glue.CfnTable.TableInputProperty(
                name=contract.name,
                description=contract.description,
                table_type="EXTERNAL_TABLE",
                parameters=parameters,
                partition_keys=[
                    aws_glue.CfnTable.ColumnProperty(name=partition.name, type="string") for partition in partitions
                ],
                storage_descriptor=aws_glue.CfnTable.StorageDescriptorProperty(
                    columns=[
                        aws_glue.CfnTable.ColumnProperty(name=column.name, type=column.type, comment=column.comment)
                        for column in columns
                    ],
                    location=location,
                    compressed=True,
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=aws_glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe",
                        parameters={"case.insensitive": "true", "ignore.malformed.json": "true"},
                    ),
                ),
            ),
        )
