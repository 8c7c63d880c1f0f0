"""An Amazon MWAA environment: execution role, security group, log groups, and the alarms over what it tells of itself.

It must not give its role more than MWAA asks for and the statements that it is handed.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, aws_cloudwatch, aws_ec2, aws_iam, aws_kms, aws_mwaa, aws_s3, aws_sns
from constructs import Construct, IDependable

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.airflow_files import DAGS_PREFIX
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.arns import arn_of
from building_blocks.log_group import LogGroup
from config.orchestration import AIRFLOW_VERSION, Orchestration

METRICS_NAMESPACE = "AmazonMWAA"
"""Where MWAA puts Airflow's metrics ("Apache Airflow environment metrics in CloudWatch" page)."""

QUEUE_NAMESPACE = "AWS/MWAA"
"""Where MWAA puts its own, of containers, database and the queue to workers ("Container, queue, and database metrics"
page)."""

LOG_KINDS = ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker")
"""What the names of the environment's log groups end with; MWAA takes no others."""

READ_PREFIX = "airflow/"
"""Below which DAGs and requirements lie in the code bucket."""

_HTTPS, _POSTGRES = 443, 5432


def log_group_names(name: str) -> str:
    """The names of the log groups of the environment ``name``, as a pattern."""
    return f"airflow-{name}-*"


class AirflowEnvironment(Construct):
    """The environment ``name``, in two private subnets; everything it keeps is under one key.

    The key is the source bucket's: MWAA puts it on its queue, its database, its logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: Orchestration,
        options: Mapping[str, str],
        bucket: aws_s3.IBucket,
        key: aws_kms.IKey,
        requirements_key: str,
        requirements_version: str,
        vpc: aws_ec2.IVpc,
        after: Sequence[IDependable],
        permissions: Sequence[aws_iam.PolicyStatement],
        permission_findings: Mapping[str, str],
        managed_policies: Sequence[aws_iam.IManagedPolicy],
        metric_namespaces: Sequence[str],
        log_retention_days: int,
        alarm_topic: aws_sns.ITopic,
        tags: Mapping[str, str],
    ) -> None:
        """Make it once all of ``after`` stands; ``permissions`` and ``managed_policies`` are what its DAGs call.

        ``permission_findings`` say why each wildcard in ``permissions`` is right: cdk-nag's finding, and the reason.
        """
        super().__init__(scope, id)
        self.name, self._settings, self._topic = name, settings, alarm_topic
        self.role = self._role(
            bucket=bucket,
            key=key,
            permissions=permissions,
            managed_policies=managed_policies,
            metric_namespaces=metric_namespaces,
            findings=permission_findings,
        )
        group = self._security_group(vpc)
        logs = [
            LogGroup(self, f"{kind}Logs", name=f"airflow-{name}-{kind}", key=key, retention_days=log_retention_days)
            for kind in LOG_KINDS
        ]
        environment = aws_mwaa.CfnEnvironment
        self.environment = environment(
            self,
            "Environment",
            name=name,
            airflow_version=AIRFLOW_VERSION,
            environment_class=settings.environment_class,
            min_workers=settings.min_workers,
            max_workers=settings.max_workers,
            schedulers=settings.schedulers,
            webserver_access_mode="PUBLIC_ONLY" if settings.public_web_server else "PRIVATE_ONLY",
            weekly_maintenance_window_start=settings.maintenance_window,
            execution_role_arn=self.role.role_arn,
            kms_key=key.key_arn,
            source_bucket_arn=bucket.bucket_arn,
            dag_s3_path=DAGS_PREFIX.rstrip("/"),
            requirements_s3_path=requirements_key,
            requirements_s3_object_version=requirements_version,
            airflow_configuration_options=dict(options),
            network_configuration=environment.NetworkConfigurationProperty(
                subnet_ids=[subnet.subnet_id for subnet in vpc.private_subnets], security_group_ids=[group.ref]
            ),
            logging_configuration=self._logging(),
            tags=dict(tags),
        )
        for each in (*after, *logs):  # groups that MWAA makes itself are kept for ever
            self.environment.node.add_dependency(each)
        self._watch()

    def _logging(self) -> aws_mwaa.CfnEnvironment.LoggingConfigurationProperty:
        """All five kinds, tasks at a level of their own."""

        def at(level: str) -> aws_mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty:
            return aws_mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty(enabled=True, log_level=level)

        service = self._settings.service_log_level
        return aws_mwaa.CfnEnvironment.LoggingConfigurationProperty(
            dag_processing_logs=at(service),
            scheduler_logs=at(service),
            task_logs=at(self._settings.task_log_level),
            webserver_logs=at(service),
            worker_logs=at(service),
        )

    def _security_group(self, vpc: aws_ec2.IVpc) -> aws_ec2.CfnSecurityGroup:
        """Schedulers, workers, web server and database find one another by it ("Security in your VPC" page)."""
        properties = aws_ec2.CfnSecurityGroup
        group = properties(
            self,
            "SecurityGroup",
            group_description="Airflow: its own parts, its web server, and services of AWS",
            vpc_id=vpc.vpc_id,
            security_group_ingress=[
                properties.IngressProperty(
                    ip_protocol="tcp", from_port=_HTTPS, to_port=_HTTPS, cidr_ip=cidr, description="Web server"
                )
                for cidr in self._settings.web_cidrs
            ],
            security_group_egress=[
                properties.EgressProperty(
                    ip_protocol="tcp",
                    from_port=_HTTPS,
                    to_port=_HTTPS,
                    cidr_ip="0.0.0.0/0",
                    description="Services of AWS",
                )
            ],
        )
        for name, port in (("WebServer", _HTTPS), ("Database", _POSTGRES)):
            aws_ec2.CfnSecurityGroupIngress(
                self,
                f"{name}In",
                group_id=group.ref,
                source_security_group_id=group.ref,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"{name} of its own",
            )
            aws_ec2.CfnSecurityGroupEgress(
                self,
                f"{name}Out",
                group_id=group.ref,
                destination_security_group_id=group.ref,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description=f"{name} of its own",
            )
        return group

    def _role(
        self,
        *,
        bucket: aws_s3.IBucket,
        key: aws_kms.IKey,
        permissions: Sequence[aws_iam.PolicyStatement],
        managed_policies: Sequence[aws_iam.IManagedPolicy],
        metric_namespaces: Sequence[str],
        findings: Mapping[str, str],
    ) -> aws_iam.Role:
        """As on the page "Amazon MWAA execution role", its action wildcards spelt out, and what DAGs call."""
        statement = aws_iam.PolicyStatement
        groups = f"log-group:{log_group_names(self.name)}"
        # MWAA's queue lies in an account of AWS's.
        queues = f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:*:airflow-celery-*"
        own = [
            statement(actions=["airflow:PublishMetrics"], resources=[arn_of("airflow", f"environment/{self.name}")]),
            statement(
                actions=["s3:GetObject", "s3:GetObjectVersion"], resources=[bucket.arn_for_objects(f"{READ_PREFIX}*")]
            ),
            statement(
                actions=[
                    "s3:GetBucketLocation",
                    "s3:GetBucketPublicAccessBlock",
                    "s3:GetBucketVersioning",
                    "s3:GetEncryptionConfiguration",
                    "s3:ListBucket",
                    "s3:ListBucketVersions",
                ],
                resources=[bucket.bucket_arn],
            ),
            statement(actions=["logs:DescribeLogGroups", "s3:GetAccountPublicAccessBlock"], resources=["*"]),
            statement(
                actions=[
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:GetLogEvents",
                    "logs:GetLogGroupFields",
                    "logs:GetLogRecord",
                    "logs:GetQueryResults",
                    "logs:PutLogEvents",
                ],
                resources=[arn_of("logs", groups)],
            ),
            statement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={
                    "StringEquals": {"cloudwatch:namespace": [METRICS_NAMESPACE, QUEUE_NAMESPACE, *metric_namespaces]}
                },
            ),
            statement(
                actions=[
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:GetQueueUrl",
                    "sqs:ReceiveMessage",
                    "sqs:SendMessage",
                ],
                resources=[queues],
            ),
            statement(
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=[key.key_arn],
                conditions={
                    "StringEquals": {"kms:ViaService": [f"{each}.{Aws.REGION}.amazonaws.com" for each in ("s3", "sqs")]}
                },
            ),
        ]
        role = aws_iam.Role(
            self,
            "ExecutionRole",
            description="What Airflow itself needs, and what its DAGs call",
            assumed_by=aws_iam.CompositePrincipal(
                *(
                    aws_iam.ServicePrincipal(
                        service,
                        conditions={
                            "ArnLike": {"aws:SourceArn": arn_of("airflow", f"environment/{self.name}")},
                            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                        },
                    )
                    for service in ("airflow.amazonaws.com", "airflow-env.amazonaws.com")
                )
            ),
            managed_policies=list(managed_policies),
            inline_policies={
                "Airflow": aws_iam.PolicyDocument(statements=own),
                "Dags": aws_iam.PolicyDocument(statements=list(permissions)),
            },
        )
        source = cited(role, owner=bucket, arn=bucket.bucket_arn)
        for finding, reason in {
            f"Resource::{source}/{READ_PREFIX}*": "Airflow reads all that is published for it, below one prefix.",
            f"Resource::{arn_of('logs', groups, nag=True)}": "MWAA completes the names of its log groups.",
            "Resource::arn:<AWS::Partition>:sqs:<AWS::Region>:*:airflow-celery-*": "The queue of tasks lies in an "
            "account of AWS's, under a name that MWAA chooses; the key holds it to ours.",
            "Resource::*": "Log groups and the account's block of public access are read by calls that know no "
            "resource; a condition holds metrics to their namespaces.",
            **findings,
        }.items():
            acknowledge(role, finding=f"AwsSolutions-IAM5[{finding}]", reason=reason)
        return role

    def _watch(self) -> None:
        settings = self._settings
        Alarm(
            self,
            "SchedulerSilence",
            metric=self._metric("SchedulerHeartbeat", "Sum", Function="Scheduler"),
            threshold=1,
            periods=2,
            below=True,
            silence_breaches=True,
            meaning="No scheduler has beaten for ten minutes: nothing is started, and no job runs.",
            runbook=Runbook.SCHEDULER_IS_SILENT,
            topic=self._topic,
        )
        Alarm(
            self,
            "TasksWait",
            # Airflow's own QueuedTasks are those that the scheduler has not sent yet, workers or none.
            metric=metric(
                namespace=QUEUE_NAMESPACE,
                name="ApproximateAgeOfOldestTask",
                dimensions={"Environment": self.name},
                statistic="Maximum",
                period_seconds=300,
            ),
            threshold=settings.queued_minutes * 60,
            meaning=f"A task has waited for a worker for {settings.queued_minutes} minutes.",
            runbook=Runbook.TASKS_WAIT,
            topic=self._topic,
        )
        Alarm(
            self,
            "ImportErrors",
            metric=self._metric("ImportErrors", "Maximum", Function="DAG Processing"),
            threshold=0,
            periods=2,
            meaning="A file of DAGs cannot be read: its DAGs are not there, and their jobs do not run.",
            runbook=Runbook.DAG_IS_BROKEN,
            topic=self._topic,
        )

    def _metric(self, name: str, statistic: str, **dimensions: str) -> aws_cloudwatch.Metric:
        return metric(
            namespace=METRICS_NAMESPACE,
            name=name,
            dimensions={**dimensions, "Environment": self.name},
            statistic=statistic,
            period_seconds=300,
        )
