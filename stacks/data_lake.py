"""The lake: keys, buckets, Glue databases and tables, the notices of batch files, the alarm topic.

It must not know who writes to the lake or reads from it.
"""

from aws_cdk import Aws, CfnOutput, Stack, aws_glue, aws_sns_subscriptions
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.catalog_table import CatalogTable, arrival_hours, one_of
from building_blocks.encryption_key import EncryptionKey
from building_blocks.lake_bucket import AccessLogBucket, LakeBucket, ObjectNotices
from building_blocks.notice_topic import NoticeTopic
from building_blocks.retention import removal_policy
from config import naming
from config.model import Part, Stage
from contracts.events import EVENTS
from contracts.tables import QUARANTINE, UNKNOWN
from stacks.seams import DataLakeSeam, pin

BATCH_PREFIX = "batch/"
"""Where batch files land in the raw bucket."""


class DataLakeStack(Stack):
    """Where everything lands and stays; the stack that all others stand on."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, keep_data: bool) -> None:
        """Make the stack for ``stage``; with ``keep_data`` its data outlive it."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.DATA_LAKE),
            description="Amp data platform: lake buckets, catalog, keys, notices and alarms",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        self._stage = stage
        self._keep = keep_data
        lake_key = EncryptionKey(
            self,
            "LakeKey",
            description="Data of the lake's buckets",
            alias=naming.key_alias(stage=stage, purpose="lake"),
            keep=keep_data,
        )
        # A key of its own: its policy names the raw bucket and the alarms, and none of them sees data's key.
        self._notices_key = EncryptionKey(
            self,
            "NoticesKey",
            description="Notices on topics: files that arrive, alarms",
            alias=naming.key_alias(stage=stage, purpose="notices"),
            keep=False,
        )
        access_logs = AccessLogBucket(
            self, "AccessLogs", retention_days=stage.data_lake.access_log_retention_days, keep=keep_data
        )
        batch_files = self._batch_files()
        raw = LakeBucket(
            self,
            "Raw",
            name=self._bucket_name("raw"),
            key=lake_key,
            access_logs=access_logs,
            keep=keep_data,
            retention_days=stage.data_lake.raw_retention_days,
            infrequent_access_after_days=stage.data_lake.raw_infrequent_access_after_days,
            noncurrent_retention_days=stage.data_lake.noncurrent_retention_days,
            notices=batch_files,
        )
        transformed = LakeBucket(
            self,
            "Transformed",
            name=self._bucket_name("transformed"),
            key=lake_key,
            access_logs=access_logs,
            keep=keep_data,
            noncurrent_retention_days=stage.data_lake.noncurrent_retention_days,
        )
        raw_database = self._database("RawDatabase", zone="raw", description="What arrived, as it arrived", keep=False)
        transformed_database = self._database(
            "TransformedDatabase",
            zone="transformed",
            description="Tables that jobs make from the raw zone",
            keep=keep_data,
            location=f"s3://{transformed.bucket_name}/",
        )
        self._tables(database=raw_database, bucket=raw)
        self.seam = DataLakeSeam(
            raw_bucket=raw,
            transformed_bucket=transformed,
            raw_database_name=raw_database.ref,
            transformed_database_name=transformed_database.ref,
            batch_files_topic=batch_files.topic,
            notices_key=self._notices_key,
            alarm_topic=self._alarm_topic(),
        )
        pin(
            self,
            *(raw.bucket_arn, raw.bucket_name, transformed.bucket_arn, transformed.bucket_name),
            *(lake_key.key_arn, self._notices_key.key_arn),
            *(batch_files.topic.topic_arn, self.seam.alarm_topic.topic_arn),
            *(raw_database.ref, transformed_database.ref),
        )
        for name, value in (
            ("RawBucketName", raw.bucket_name),
            ("TransformedBucketName", transformed.bucket_name),
            ("RawDatabaseName", raw_database.ref),
            ("TransformedDatabaseName", transformed_database.ref),
            ("BatchFilesTopicArn", batch_files.topic.topic_arn),
            ("AlarmTopicArn", self.seam.alarm_topic.topic_arn),
        ):
            CfnOutput(self, name, value=value)

    def _bucket_name(self, zone: str) -> str:
        return naming.bucket_name(stage=self._stage, zone=zone, account=Aws.ACCOUNT_ID, region=Aws.REGION)

    def _batch_files(self) -> ObjectNotices:
        """The topic that the raw bucket tells of batch files; the bucket's name is fixed so that it can be named."""
        topic = NoticeTopic(self, "BatchFiles", display_name="Batch files in the lake", key=self._notices_key)
        conditions = {
            "ArnEquals": {"aws:SourceArn": f"arn:{Aws.PARTITION}:s3:::{self._bucket_name('raw')}"},
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        }
        self._notices_key.allow_service("s3.amazonaws.com", conditions=conditions)
        permission = topic.allow_service("s3.amazonaws.com", conditions=conditions)
        return ObjectNotices(topic=topic, prefix=BATCH_PREFIX, permission=permission)

    def _alarm_topic(self) -> NoticeTopic:
        """The topic of all alarms of this stage, by the names that CloudFormation gives alarms."""
        topic = NoticeTopic(self, "Alarms", display_name="Alarms of the data platform", key=self._notices_key)
        alarms = f"alarm:{naming.stack_name_prefix(stage=self._stage)}*"
        conditions = {
            "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:cloudwatch:{Aws.REGION}:{Aws.ACCOUNT_ID}:{alarms}"},
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        }
        topic.allow_service("cloudwatch.amazonaws.com", conditions=conditions)
        self._notices_key.allow_service("cloudwatch.amazonaws.com", conditions=conditions)
        for address in self._stage.operations.alarm_emails:
            subscription = topic.add_subscription(aws_sns_subscriptions.EmailSubscription(address))
            acknowledge(
                subscription,
                finding="Serverless-SNSRedrivePolicy",
                reason="A mail that cannot be delivered loses nothing: the alarm and its history stay in CloudWatch.",
            )
        return topic

    def _database(
        self, id: str, *, zone: str, description: str, keep: bool, location: str | None = None
    ) -> aws_glue.CfnDatabase:
        database = aws_glue.CfnDatabase(
            self,
            id,
            catalog_id=Aws.ACCOUNT_ID,
            database_input=aws_glue.CfnDatabase.DatabaseInputProperty(
                name=naming.database_name(stage=self._stage, zone=zone),
                description=description,
                location_uri=location,
            ),
        )
        database.apply_removal_policy(removal_policy(keep=keep))
        return database

    def _tables(self, *, database: aws_glue.CfnDatabase, bucket: LakeBucket) -> None:
        """One table per event contract, one for undeclared types, one for the quarantine of all of them."""
        arrival = arrival_hours(since=self._stage.data_lake.first_arrival_hour)
        for table in (*(event.table for event in EVENTS), UNKNOWN):
            CatalogTable(
                self,
                f"Events-{table.name}",
                contract=table,
                database=database,
                bucket=bucket,
                prefix=f"events/type={table.name}/",
                partitions=[arrival],
            )
        types = one_of(name="type", values=[*(event.type for event in EVENTS), UNKNOWN.name])
        CatalogTable(
            self,
            "Quarantine",
            contract=QUARANTINE,
            database=database,
            bucket=bucket,
            prefix="quarantine/",
            partitions=[types, arrival],
        )
