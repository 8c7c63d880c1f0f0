"""A Redshift cluster that only its network reaches: encrypted, TLS alone, audited, watched, paused when configured.

It must not hold a password, nor know what is in the cluster beyond the roles that its queues name.
"""

from aws_cdk import RemovalPolicy, aws_cloudwatch, aws_ec2, aws_iam, aws_kms, aws_redshift, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.arns import arn_of
from building_blocks.log_group import LogGroup
from building_blocks.query_queues import wlm_configuration
from config.checks import ConfigurationError
from config.warehouse import Cluster, Warehouse
from contracts.warehouse.model import Declaration

PORT = 5439
"""Redshift's port; clients of people and services expect it."""

PARAMETER_GROUP_FAMILY = "redshift-1.0"

AUDIT_LOGS = ("connectionlog", "userlog", "useractivitylog")
"""Who connected, which users changed, which statements ran ("Database audit logging" page)."""


class RedshiftCluster(Construct):
    """The cluster ``identifier`` as ``settings`` has it, in the isolated subnets of ``vpc``."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        identifier: str,
        settings: Cluster,
        warehouse: Warehouse,
        declaration: Declaration,
        vpc: aws_ec2.IVpc,
        key: aws_kms.IKey,
        lake_role: aws_iam.IRole,
        log_retention_days: int,
        keep: bool,
        alarm_topic: aws_sns.ITopic,
    ) -> None:
        """Make it; with ``keep`` deleting it leaves a snapshot. ``key`` must let logs in (`audit_log_names`).

        Raises:
            ConfigurationError: a queue is for a role that the declaration does not have.
        """
        super().__init__(scope, id)
        _check_queues(settings, declaration)
        self.identifier = identifier
        self._alarm_topic = alarm_topic
        self.security_group = self._security_group(vpc, warehouse)
        logs = [
            LogGroup(
                self,
                f"{name.title()}Group",
                name=f"{_audit_log_prefix(identifier)}{name}",
                key=key,
                retention_days=log_retention_days,
            )
            for name in AUDIT_LOGS
        ]
        cluster = self._cluster(settings, vpc=vpc, key=key, lake_role=lake_role)
        cluster.apply_removal_policy(RemovalPolicy.SNAPSHOT if keep else RemovalPolicy.DESTROY)
        # Redshift makes those that are missing, without key and retention.
        cluster.node.add_dependency(*logs)
        self.cluster = cluster
        self.host: str = cluster.attr_endpoint_address
        self.arn = arn_of("redshift", f"cluster:{identifier}")
        if settings.pause_at is not None and settings.resume_at is not None:
            self._pause(at=settings.pause_at, until=settings.resume_at)
        if warehouse.spectrum_terabytes_per_day is not None:
            aws_redshift.CfnUsageLimit(
                self,
                "LakeLimit",
                cluster_identifier=cluster.ref,
                feature_type="spectrum",
                limit_type="data-scanned",
                amount=warehouse.spectrum_terabytes_per_day,
                period="daily",
                breach_action="disable",
            )
        self._watch(settings, warehouse)

    def logging_in(self, *, user: str, database: str) -> list[aws_iam.PolicyStatement]:
        """What temporary credentials of ``user`` for ``database`` take; no user is made, no group joined."""
        return [
            aws_iam.PolicyStatement(
                actions=["redshift:GetClusterCredentials"],
                resources=[
                    arn_of("redshift", f"dbuser:{self.identifier}/{user}"),
                    arn_of("redshift", f"dbname:{self.identifier}/{database}"),
                ],
            )
        ]

    def _security_group(self, vpc: aws_ec2.IVpc, warehouse: Warehouse) -> aws_ec2.SecurityGroup:
        group = aws_ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            description=f"Redshift cluster {self.identifier}",
            allow_all_outbound=False,
        )
        # To endpoints and, by a route, to S3, whose addresses have no name that a template could know; the subnets have
        # no other way out.
        group.add_egress_rule(aws_ec2.Peer.any_ipv4(), aws_ec2.Port.tcp(443), "AWS services, by endpoints")
        for cidr in warehouse.client_cidrs:
            group.add_ingress_rule(aws_ec2.Peer.ipv4(cidr), aws_ec2.Port.tcp(PORT), "Clients")
        return group

    def _cluster(
        self, settings: Cluster, *, vpc: aws_ec2.IVpc, key: aws_kms.IKey, lake_role: aws_iam.IRole
    ) -> aws_redshift.CfnCluster:
        parameters = aws_redshift.CfnClusterParameterGroup(
            self,
            "Parameters",
            description=f"{self.identifier}: TLS, activity log, queues",
            parameter_group_family=PARAMETER_GROUP_FAMILY,
            parameters=[
                aws_redshift.CfnClusterParameterGroup.ParameterProperty(parameter_name=name, parameter_value=value)
                for name, value in (
                    ("enable_user_activity_logging", "true"),
                    ("require_ssl", "true"),
                    ("wlm_json_configuration", wlm_configuration(settings.queues, everybody=settings.everybody)),
                )
            ],
        )
        subnets = aws_redshift.CfnClusterSubnetGroup(
            self,
            "Subnets",
            description=f"{self.identifier}: isolated subnets",
            subnet_ids=[subnet.subnet_id for subnet in vpc.isolated_subnets],
        )
        deferral = settings.deferral
        cluster = aws_redshift.CfnCluster(
            self,
            "Cluster",
            cluster_identifier=self.identifier,
            cluster_type="multi-node" if settings.nodes > 1 else "single-node",
            node_type=settings.node_type,
            number_of_nodes=settings.nodes if settings.nodes > 1 else None,
            db_name=settings.database,
            port=PORT,
            master_username=settings.admin_user,
            manage_master_password=True,
            master_password_secret_kms_key_id=key.key_id,
            encrypted=True,
            kms_key_id=key.key_id,
            cluster_parameter_group_name=parameters.ref,
            cluster_subnet_group_name=subnets.ref,
            vpc_security_group_ids=[self.security_group.security_group_id],
            publicly_accessible=False,
            enhanced_vpc_routing=True,
            iam_roles=[lake_role.role_arn],
            allow_version_upgrade=True,
            preferred_maintenance_window=settings.maintenance_window,
            defer_maintenance=None if deferral is None else True,
            defer_maintenance_start_time=None if deferral is None else deferral.start,
            defer_maintenance_duration=None if deferral is None else deferral.days,
            automated_snapshot_retention_period=settings.snapshot_retention_days,
            logging_properties=aws_redshift.CfnCluster.LoggingPropertiesProperty(
                log_destination_type="cloudwatch", log_exports=list(AUDIT_LOGS)
            ),
        )
        acknowledge(
            cluster,
            finding="AwsSolutions-RS4",
            reason="The cluster has no public address and its security group names who may connect; another port would "
            "only have to be told to every client.",
        )
        return cluster

    def _pause(self, *, at: str, until: str) -> None:
        """Pause and resume by Redshift's own scheduler, under a role that can do nothing else, to this cluster."""
        role = aws_iam.Role(
            self,
            "ScheduleRole",
            description=f"Pauses and resumes {self.identifier} and does nothing else",
            # Which condition keys the scheduler passes is not documented; the role is good for nothing else.
            assumed_by=aws_iam.ServicePrincipal("scheduler.redshift.amazonaws.com"),
            inline_policies={
                "Pausing": aws_iam.PolicyDocument(
                    statements=[
                        aws_iam.PolicyStatement(
                            actions=["redshift:PauseCluster", "redshift:ResumeCluster"], resources=[self.arn]
                        )
                    ]
                )
            },
        )
        target = aws_redshift.CfnScheduledAction
        for verb, schedule, action in (
            (
                "pause",
                at,
                target.ScheduledActionTypeProperty(
                    pause_cluster=target.PauseClusterMessageProperty(cluster_identifier=self.cluster.ref)
                ),
            ),
            (
                "resume",
                until,
                target.ScheduledActionTypeProperty(
                    resume_cluster=target.ResumeClusterMessageProperty(cluster_identifier=self.cluster.ref)
                ),
            ),
        ):
            target(
                self,
                verb.title(),
                scheduled_action_name=f"{self.identifier}-{verb}",
                scheduled_action_description=f"{verb.title()}s {self.identifier}",
                enable=True,
                iam_role=role.role_arn,
                schedule=schedule,
                target_action=action,
            )

    def _watch(self, settings: Cluster, warehouse: Warehouse) -> None:
        self._alarm(
            "Health",
            _metric(self.identifier, "HealthStatus", statistic="Minimum"),
            threshold=1,
            below=True,
            periods=3,
            meaning="The cluster does not answer its own health check: people and reports get no data.",
        )
        for id, name, threshold, periods, meaning in (
            (
                "Disk",
                "PercentageDiskSpaceUsed",
                warehouse.disk_percent,
                3,
                "The cluster's storage fills up; when it is full, queries that write fail.",
            ),
            (
                "Processor",
                "CPUUtilization",
                warehouse.cpu_percent,
                12,
                "The cluster's processors have been busy for an hour: queries take longer than they should.",
            ),
            (
                "Connections",
                "DatabaseConnections",
                warehouse.connections,
                1,
                "Connections run out: clients leave them open, and soon nobody new gets in.",
            ),
        ):
            measured = _metric(self.identifier, name, statistic="Average")
            self._alarm(id, measured, threshold=threshold, periods=periods, meaning=meaning)
        for queue in (*settings.queues, settings.everybody):
            waiting = _metric(self.identifier, "WLMQueueWaitTime", statistic="Average", QueueName=queue.name)
            self._alarm(
                f"Wait-{queue.name}",
                waiting,
                threshold=warehouse.queue_wait_seconds * 1000,
                meaning=f"Queries of the queue {queue.name} wait long before they run.",
            )

    def _alarm(
        self,
        id: str,
        measured: aws_cloudwatch.Metric,
        *,
        threshold: float,
        meaning: str,
        periods: int = 1,
        below: bool = False,
    ) -> None:
        Alarm(
            self,
            id,
            metric=measured,
            threshold=threshold,
            periods=periods,
            below=below,
            meaning=meaning,
            runbook=Runbook.WAREHOUSE_IS_UNWELL,
            topic=self._alarm_topic,
        )


def audit_log_names(identifier: str) -> str:
    """Log groups of a cluster's audit, for the policy of the key that encrypts them."""
    return f"{_audit_log_prefix(identifier)}*"


def _audit_log_prefix(identifier: str) -> str:
    """Redshift chooses these names."""
    return f"/aws/redshift/cluster/{identifier}/"


def _check_queues(settings: Cluster, declaration: Declaration) -> None:
    roles = {role.name for role in declaration.roles}
    unknown = sorted({role for queue in settings.queues for role in queue.roles} - roles)
    if unknown:
        raise ConfigurationError(
            what=f"queues of cluster {settings.name} are for roles that its declaration does not have",
            given=unknown,
            allowed=", ".join(sorted(roles)),
            fix=f"correct them, or declare them in config/warehouse/{settings.declaration}.toml",
        )


def _metric(identifier: str, name: str, *, statistic: str, **dimensions: str) -> aws_cloudwatch.Metric:
    return metric(
        namespace="AWS/Redshift",
        name=name,
        dimensions={"ClusterIdentifier": identifier, **dimensions},
        statistic=statistic,
    )
