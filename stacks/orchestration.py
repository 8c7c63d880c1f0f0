"""Airflow on Amazon MWAA: what runs the lake's jobs, when, and in which order.

It must not know what a DAG does: `dags/` does, and lists the calls that it makes.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Aws, CfnOutput, Stack, aws_events, aws_iam, aws_s3_assets
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.airflow_environment import AirflowEnvironment
from building_blocks.airflow_files import CANARY_PREFIX, DAGS_PREFIX, lay_out, requirements, requirements_key
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.arns import arn_of
from building_blocks.encryption_key import EncryptionKey, key_use
from building_blocks.isolated_vpc import EndpointUse
from building_blocks.job_package import PREFIX
from building_blocks.private_network import private_network
from building_blocks.publisher import PublishedFile, PublishedFolder, Publisher
from building_blocks.queue_with_dead_letters import QueueWithDeadLetters
from building_blocks.rule_principal import rules_of_stack
from config import naming
from config.model import Part, Stage
from contracts.datasets import DATASETS
from contracts.lake import Zone
from contracts.lake_tables.events import EVENT_TABLES
from stacks.seams import CodeSeam, DataLakeSeam, EmrOnEksSeam, LakeJobsSeam

CONSUMER_SECONDS = 60
"""How long Airflow's triggerer may take to take a message off the queue; it is hidden six times as long."""

MAX_RECEIVES = 5
OLDEST_MESSAGE_SECONDS = 7_200
"""Age of a message above which nobody takes them: the DAG of batch files is paused, or Airflow stands still."""

CANARY_HOURS = 2
"""Hours without a proof that the path is whole after which an alarm is raised."""


class OrchestrationStack(Stack):
    """The environment with its network, its DAGs, the queue that starts one of them, and the rights that they use."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        keep_data: bool,
        data_lake: DataLakeSeam,
        code: CodeSeam,
        lake_jobs: LakeJobsSeam,
        emr_on_eks: EmrOnEksSeam | None,
    ) -> None:
        """Make the stack for ``stage``; jobs are submitted to ``emr_on_eks``, or run on Glue where it is None."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.ORCHESTRATION),
            description="Amp data platform: Airflow, which runs the lake's jobs",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        self._stage, self._keep, self._settings = stage, keep_data, stage.orchestration
        self._data_lake, self._code, self._lake_jobs, self._emr = data_lake, code, lake_jobs, emr_on_eks
        self._log_prefix = naming.log_group_prefix(stage=stage, part=Part.ORCHESTRATION)
        self._key = EncryptionKey(
            self,
            "OrchestrationKey",
            description="Queue of catalogued drops, flow logs, and the logs of what publishes DAGs",
            alias=naming.key_alias(stage=stage, purpose="orchestration"),
            keep=keep_data,
            log_group_prefix=self._log_prefix,
        )
        queue = self._catalogued()
        publisher = self._published()
        network = private_network(
            self,
            network=self._settings.network,
            egress=self._settings.egress,
            nat_gateways=self._settings.nat_gateways,
            gateways=[_gateway_use()],
            interfaces=_endpoint_uses(emr=emr_on_eks is not None),
            log_group_name=f"{self._log_prefix}/flow-logs",
            log_retention_days=stage.operations.log_retention_days,
            log_key=self._key,
        )
        permissions = self._calls(queue)
        airflow = AirflowEnvironment(
            self,
            "Airflow",
            name=naming.airflow_environment_name(stage=stage),
            settings=self._settings,
            options={
                # What is deployed runs: nobody opens the web server to switch a DAG on.
                "core.dags_are_paused_at_creation": "False",
                **{f"amp.{name}": value for name, value in self._told(queue).items()},
            },
            bucket=code.bucket,
            key=code.key,
            requirements_key=requirements_key(),
            requirements_version=publisher.version_of("Requirements"),
            vpc=network.vpc,
            after=network.ways,
            permissions=permissions,
            permission_findings=self._findings(),
            managed_policies=[] if emr_on_eks is None else [emr_on_eks.submitter_policy],
            metric_namespaces=[naming.metrics_namespace(stage=stage)],
            log_retention_days=stage.operations.log_retention_days,
            alarm_topic=data_lake.alarm_topic,
            tags=stage.tags,
        )
        self._canary_alarm()
        self._attempts_alarm()
        operator_policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Looks through dead letters of catalogued drops and moves them back",
            statements=queue.redriving(),
        )
        for output, value in (
            ("EnvironmentName", airflow.name),
            ("ExecutionRoleArn", airflow.role.role_arn),
            ("CataloguedQueueUrl", queue.queue.queue_url),
            ("DeadLetterQueueUrl", queue.dead_letters.queue_url),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
            ("WebServer", airflow.environment.attr_webserver_url),
        ):
            CfnOutput(self, output, value=value)

    def _told(self, queue: QueueWithDeadLetters) -> dict[str, str]:
        """Airflow's section `amp`: what DAGs are told of the stage. A change restarts the environment."""
        stage, settings, emr = self._stage, self._settings, self._emr
        told = {
            "stage": stage.name,
            "environment_name": naming.airflow_environment_name(stage=stage),
            "code_bucket": self._code.bucket.bucket_name,
            "raw_bucket": self._data_lake.raw_bucket.bucket_name,
            "database_prefix": naming.database_prefix(stage=stage),
            "engine": "glue" if emr is None else "emr",
            "notices_topic_arn": self._data_lake.alarm_topic.topic_arn,
            "catalogued_queue_url": queue.queue.queue_url,
            "canary_bucket": self._code.bucket.bucket_name,
            "canary_prefix": CANARY_PREFIX,
            "metrics_namespace": naming.metrics_namespace(stage=stage),
            "runbook_url": settings.runbook_url,
            "schedules": "on" if settings.schedules else "off",
        }
        if settings.schedule_from is not None:
            told["schedule_from"] = settings.schedule_from
        if emr is None:
            names = self._lake_jobs.job_names
            told["glue_job_names"] = ",".join(f"{job}={name}" for job, name in names.items())
        else:
            told |= {
                "virtual_cluster_id": emr.virtual_cluster_id,
                # Not the ids: each change of a job makes another template.
                "job_templates_parameter": emr.job_templates_parameter,
                "zones": ",".join(emr.zones),
            }
        return told

    def _calls(self, queue: QueueWithDeadLetters) -> list[aws_iam.PolicyStatement]:
        """What DAGs call beside EMR, whose share is in its own policy."""
        statement, lake, code = aws_iam.PolicyStatement, self._data_lake, self._code.bucket
        transformed = naming.database_name(stage=self._stage, zone=Zone.TRANSFORMED)
        calls = [
            # A run's first task: which code, and that it is there.
            statement(actions=["s3:GetObject"], resources=[code.arn_for_objects(f"{PREFIX}*")]),
            # Notices of tasks that gave up.
            statement(actions=["sns:Publish"], resources=[lake.alarm_topic.topic_arn]),
            *key_use(key=lake.notices_key, service="sns", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
            # The triggerer that waits for catalogued drops.
            statement(actions=["sqs:DeleteMessage", "sqs:ReceiveMessage"], resources=[queue.queue.queue_arn]),
            *key_use(key=self._key, service="sqs", actions=["kms:Decrypt"]),
            # The canary: what landed, what was committed, and the proof.
            statement(
                actions=["s3:ListBucket"],
                resources=[lake.raw_bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": ["events/*"]}},
            ),
            statement(
                actions=["glue:GetTable"],
                resources=[
                    arn_of("glue", "catalog"),
                    arn_of("glue", f"database/{transformed}"),
                    *(arn_of("glue", f"table/{transformed}/{table.name}") for table in EVENT_TABLES.values()),
                ],
            ),
            statement(actions=["s3:PutObject"], resources=[code.arn_for_objects(f"{CANARY_PREFIX}*")]),
        ]
        if self._emr is None:
            calls.append(
                statement(
                    actions=[
                        "glue:BatchStopJobRun",
                        "glue:GetJob",
                        "glue:GetJobRun",
                        "glue:GetJobRuns",
                        "glue:StartJobRun",
                    ],
                    resources=[arn_of("glue", f"job/{name}") for name in self._lake_jobs.job_names.values()],
                )
            )
        return calls

    def _findings(self) -> Mapping[str, str]:
        code = cited(self, owner=self._code.bucket, arn=self._code.bucket.bucket_arn)
        return {
            f"Resource::{code}/{PREFIX}*": "A run takes the version of the code that the pointer names when it begins.",
            f"Resource::{code}/{CANARY_PREFIX}*": "The canary names its proofs by their hour, below this one prefix.",
        }

    def _catalogued(self) -> QueueWithDeadLetters:
        """A message for each crawl of a batch dataset that succeeded, sent by a rule under a role of its own.

        A role, because the service's name in the policy of the queue's key could not be held to the rule (as in
        `failure_notices`).
        """
        queue = QueueWithDeadLetters(
            self,
            "Catalogued",
            key=self._key,
            consumer_timeout_seconds=CONSUMER_SECONDS,
            batch_window_seconds=0,
            max_receives=MAX_RECEIVES,
            keep=self._keep,
            oldest_message_seconds=OLDEST_MESSAGE_SECONDS,
            alarm_topic=self._data_lake.alarm_topic,
        )
        role = aws_iam.Role(
            self,
            "CataloguedRole",
            description="Tells Airflow of catalogued drops and does nothing else",
            assumed_by=rules_of_stack(self),
            inline_policies={"Sending": aws_iam.PolicyDocument(statements=queue.sending())},
        )
        crawlers = [naming.crawler_name(stage=self._stage, dataset=dataset.name) for dataset in DATASETS]
        rule = aws_events.CfnRule(
            self,
            "CataloguedRule",
            description="A drop of batch files has been catalogued",
            event_pattern={
                "source": ["aws.glue"],
                "detail-type": ["Glue Crawler State Change"],
                "detail": {"crawlerName": crawlers, "state": ["Succeeded"]},
            },
            targets=[aws_events.CfnRule.TargetProperty(id="Queue", arn=queue.queue.queue_arn, role_arn=role.role_arn)],
        )
        acknowledge(
            rule,
            finding="Serverless-EventBusDLQ",
            reason="EventBridge tries for a day, and each night's run takes whatever no message told of.",
        )
        return queue

    def _published(self) -> Publisher:
        """DAGs with the contracts that they import, and the requirements, into the code bucket."""
        with tempfile.TemporaryDirectory() as scratch:
            folder, file = Path(scratch) / "dags", Path(scratch) / "requirements.txt"
            lay_out(target=folder)
            file.write_text(requirements())
            dags = aws_s3_assets.Asset(self, "Dags", path=str(folder))
            needed = aws_s3_assets.Asset(self, "Requirements", path=str(file))
        return Publisher(
            self,
            "Files",
            bucket=self._code.bucket,
            files={"Requirements": PublishedFile(asset=needed, key=requirements_key())},
            folders={"Dags": PublishedFolder(asset=dags, prefix=DAGS_PREFIX)},
            log_group_name=f"{self._log_prefix}/publish-dags",
            log_retention_days=self._stage.operations.log_retention_days,
            log_level=self._stage.operations.log_level,
            key=self._key,
            alarm_topic=self._data_lake.alarm_topic,
        )

    def _attempts_alarm(self) -> None:
        """Raise when more attempts fail than retries make good, by the DAGs' own count.

        MWAA's `TaskInstanceFailures` stays empty: Airflow 3.0.6 counts next to no failure of a task.
        """
        Alarm(
            self,
            "TasksFail",
            metric=metric(
                namespace=naming.metrics_namespace(stage=self._stage),
                name="AttemptsFailed",
                dimensions={"Stage": self._stage.name},
                statistic="Sum",
                period_seconds=3600,
            ),
            threshold=self._settings.failed_attempts,
            meaning=f"More than {self._settings.failed_attempts} attempts of tasks failed within an hour.",
            runbook=Runbook.TASK_FAILED,
            topic=self._data_lake.alarm_topic,
        )

    def _canary_alarm(self) -> None:
        """Raise when events land and no table gets them, or nobody looks: a run that is not started cannot fail."""
        Alarm(
            self,
            "PathBroken",
            metric=metric(
                namespace=naming.metrics_namespace(stage=self._stage),
                name="PathBroken",
                dimensions={"Stage": self._stage.name},
                statistic="Maximum",
                period_seconds=3600,
            ),
            threshold=0,
            periods=CANARY_HOURS,
            silence_breaches=True,
            meaning=f"For {CANARY_HOURS} hours events landed that no table has, or nobody looked: tables grow old.",
            runbook=Runbook.EVENTS_ARE_LATE,
            topic=self._data_lake.alarm_topic,
        )


def _gateway_use() -> EndpointUse:
    """S3 for code, proofs and the raw zone's listing by this account's principals, and for AWS's own images."""
    buckets = f"arn:{Aws.PARTITION}:s3:::{naming.SYSTEM.lower()}-*"
    return EndpointUse(
        service="s3",
        actions=(
            "s3:GetBucketLocation",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:PutObject",
        ),
        resources=(buckets, f"{buckets}/*"),
        general=("s3:GetAccountPublicAccessBlock",),
        # Layers of images, by addresses that ECR signs ("Amazon ECR interface VPC endpoints" page).
        anybody={"s3:GetObject": (f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*",)},
    )


def _endpoint_uses(*, emr: bool) -> list[EndpointUse]:
    """What the environment and its DAGs call; what may be asked is in the role, and here that this account asks.

    MWAA's own are those of the page "Creating the required VPC service endpoints".
    """
    services = {
        **{f"airflow.{each}": "airflow" for each in ("api", "env", "ops")},
        **{each: each for each in ("kms", "logs", "sqs", "glue", "sns")},
        "monitoring": "cloudwatch",
        **({each: each for each in ("emr-containers", "ssm")} if emr else {}),
    }
    return [
        EndpointUse(service=service, actions=(), resources=(), general=(f"{prefix}:*",))
        for service, prefix in services.items()
    ]
