"""The lake: keys, buckets, Glue databases and tables, the secret of persons' keys, the topics of notices and alarms.

It must not know who writes to the lake or reads from it.
"""

from aws_cdk import Aws, CfnOutput, Stack, aws_glue, aws_sns_subscriptions
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.arns import arn_of
from building_blocks.catalog_table import CatalogTable, arrival_hours, one_of
from building_blocks.encryption_key import EncryptionKey
from building_blocks.lake_bucket import AccessLogBucket, LakeBucket, ObjectNotices
from building_blocks.notice_topic import NoticeTopic
from building_blocks.operator_policy import FAILED_PREFIXES, OperatorPolicy
from building_blocks.person_key_secret import PersonKeySecret
from building_blocks.retention import removal_policy
from config import naming
from config.model import Part, Stage
from contracts.datasets import BATCH_PREFIX
from contracts.events import EVENTS
from contracts.lake import Zone
from contracts.tables import QUARANTINE, UNKNOWN
from stacks.seams import DataLakeSeam, pin


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
            # Not batch files: those that a table is made of must not go unannounced; their owners remove them.
            expiring_prefixes=("events/", *FAILED_PREFIXES),
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
        raw_database = self._database(Zone.RAW, description="What arrived, as it arrived", keep=False)
        transformed_database = self._database(
            Zone.TRANSFORMED,
            description="Tables that jobs make, without personal values",
            keep=keep_data,
            bucket=transformed,
        )
        personal_database = self._database(
            Zone.PERSONAL, description="Tables that jobs make, with personal values", keep=keep_data, bucket=transformed
        )
        person_key = PersonKeySecret(self, "PersonKey", key=lake_key, keep=keep_data)
        readers = NoticeTopic(self, "Readers", display_name="News for readers of the lake", key=self._notices_key)
        self._tables(database=raw_database, bucket=raw)
        self.seam = DataLakeSeam(
            raw_bucket=raw,
            transformed_bucket=transformed,
            raw_database_name=raw_database.ref,
            transformed_database_name=transformed_database.ref,
            personal_database_name=personal_database.ref,
            person_key=person_key,
            batch_files_topic=batch_files.topic,
            readers_topic=readers,
            notices_key=self._notices_key,
            alarm_topic=self._alarm_topic(),
        )
        operator_policy = OperatorPolicy(
            self,
            "OperatorPolicy",
            bucket=raw,
            database=raw_database,
            alarm_topic=self.seam.alarm_topic,
            stack_name_prefix=naming.stack_name_prefix(stage=stage),
        )
        pin(
            self,
            *(raw.bucket_arn, raw.bucket_name, transformed.bucket_arn, transformed.bucket_name),
            *(lake_key.key_arn, self._notices_key.key_arn),
            *(batch_files.topic.topic_arn, readers.topic_arn, self.seam.alarm_topic.topic_arn),
            *(raw_database.ref, transformed_database.ref, personal_database.ref),
            person_key.secret_arn,
        )
        for name, value in (
            ("RawBucketName", raw.bucket_name),
            ("TransformedBucketName", transformed.bucket_name),
            ("RawDatabaseName", raw_database.ref),
            ("TransformedDatabaseName", transformed_database.ref),
            ("PersonalDatabaseName", personal_database.ref),
            ("PersonKeySecretArn", person_key.secret_arn),
            ("BatchFilesTopicArn", batch_files.topic.topic_arn),
            ("ReadersTopicArn", readers.topic_arn),
            ("AlarmTopicArn", self.seam.alarm_topic.topic_arn),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
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
            "ArnLike": {"aws:SourceArn": arn_of("cloudwatch", alarms)},
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
        self, zone: Zone, *, description: str, keep: bool, bucket: LakeBucket | None = None
    ) -> aws_glue.CfnDatabase:
        """The database of ``zone``; ``bucket`` holds what jobs make of it, below the zone's name."""
        database = aws_glue.CfnDatabase(
            self,
            f"{zone.capitalize()}Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=aws_glue.CfnDatabase.DatabaseInputProperty(
                name=naming.database_name(stage=self._stage, zone=zone),
                description=description,
                location_uri=None if bucket is None else f"s3://{bucket.bucket_name}/{zone}/",
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
