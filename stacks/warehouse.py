"""Redshift over the lake, configured from declarations by a function, and Athena for those without a cluster.

It must not know what is declared, nor hold a password: the functions' contracts and Secrets Manager do.
"""

from collections.abc import Sequence

from aws_cdk import Aws, CfnOutput, Stack, aws_ec2, aws_iam
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Runbook
from building_blocks.athena_workgroup import AthenaWorkgroup
from building_blocks.encryption_key import EncryptionKey
from building_blocks.item_table import ItemTable
from building_blocks.lake_reading import ZonesRead
from building_blocks.python_function import Placement, PythonFunction
from building_blocks.queue_rules import QueueRules
from building_blocks.queue_with_dead_letters import QueueWithDeadLetters
from building_blocks.redshift_cluster import PORT, RedshiftCluster, audit_log_names
from building_blocks.spectrum_role import SpectrumRole
from building_blocks.table_feed import TableFeed
from building_blocks.user_secrets import OWN_STATEMENTS, UserSecrets
from building_blocks.warehouse_alarms import WarehouseAlarms
from building_blocks.warehouse_declaration import DeclarationFile
from config import naming
from config.model import Part, Stage
from config.warehouse import Cluster
from contracts.lake import Zone
from contracts.warehouse.checking import check_admin
from stacks.seams import DataLakeSeam, NetworkSeam

CONFIGURATION_SERVICE = "configure-warehouse"
ROTATION_SERVICE = "rotate-password"

CONFIGURATION_TIMEOUT_SECONDS = 300
"""Time-out of the configuration function; a run that needs longer goes on with its next message."""

ROTATION_TIMEOUT_SECONDS = 180
"""Time-out of the rotation function: a step is a few calls and logins, each tried again within seconds."""

CONFIGURATION_MEMORY_MEBIBYTES = 512
ROTATION_MEMORY_MEBIBYTES = 256

MAX_CONCURRENCY = 2
"""Messages at once, the least that Lambda takes; a cluster is configured by one run at a time whatever this is."""

MAX_RECEIVES = 5
OLDEST_MESSAGE_SECONDS = 7_200
"""Age of a request above which an alarm is raised: two runs of the schedule."""

SCHEDULE = "rate(1 hour)"


class WarehouseStack(Stack):
    """The clusters of a stage, what makes them as declared, and who may use and look after them."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        keep_data: bool,
        data_lake: DataLakeSeam,
        network: NetworkSeam,
    ) -> None:
        """Make the stack for ``stage``; with ``keep_data`` tables, results and key outlive it, and clusters a snapshot.

        Raises:
            ConfigurationError: a cluster's declaration is not there, or has no role that a queue is for.
            DeclarationError: a declaration cannot be taken; the text names each bad item.
        """
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.WAREHOUSE),
            description="Amp data platform: Redshift over the lake, configured as declared, and Athena",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        self._stage, self._keep, self._data_lake, self._network = stage, keep_data, data_lake, network
        self._settings = stage.warehouse
        self._log_prefix = naming.log_group_prefix(stage=stage, part=Part.WAREHOUSE)
        self._key = EncryptionKey(
            self,
            "WarehouseKey",
            description="Clusters, secrets of their users, tables, queue, query results and logs of the warehouse",
            alias=naming.key_alias(stage=stage, purpose="warehouse"),
            keep=keep_data,
            log_group_prefix=self._log_prefix,
        )
        self._lake = data_lake.lake
        self._files = {
            name: DeclarationFile(name) for name in sorted({each.declaration for each in self._settings.clusters})
        }
        self._spectrum_roles: dict[str, aws_iam.Role] = {}
        self._clusters = {each.name: self._cluster(each) for each in self._settings.clusters}
        self._secrets = UserSecrets(prefixes=self._secret_prefixes(), key=self._key)
        self._registry = self.to_json_string({each.name: self._registered(each) for each in self._settings.clusters})
        rotation = self._rotation()
        declarations = ItemTable(
            self,
            "Declarations",
            partition_key="declaration",
            sort_key="item",
            key=self._key,
            keep=keep_data,
            tells_keys=True,
        )
        configurations = ItemTable(
            self,
            "Configurations",
            partition_key="cluster",
            sort_key="item",
            key=self._key,
            keep=keep_data,
            expires_by="expires_at",
        )
        queue = QueueWithDeadLetters(
            self,
            "Requests",
            key=self._key,
            consumer_timeout_seconds=CONFIGURATION_TIMEOUT_SECONDS,
            batch_window_seconds=0,
            max_receives=MAX_RECEIVES,
            keep=keep_data,
            oldest_message_seconds=OLDEST_MESSAGE_SECONDS,
            alarm_topic=data_lake.alarm_topic,
            runbook=Runbook.WAREHOUSE_IS_NOT_CONFIGURED,
        )
        configuration = self._configuration(
            declarations=declarations, configurations=configurations, queue=queue, rotation=rotation
        )
        rules = QueueRules(self, "Rules", queue=queue)
        rules.after_deployments({"cluster": "*", "reason": "deployment"})
        rules.on_schedule({"cluster": "*", "reason": "schedule"}, expression=SCHEDULE)
        WarehouseAlarms(
            self,
            "WarehouseAlarms",
            metrics_namespace=naming.metrics_namespace(stage=stage),
            configuration_service=CONFIGURATION_SERVICE,
            rotation_service=ROTATION_SERVICE,
            alarm_topic=data_lake.alarm_topic,
        )
        workgroup = AthenaWorkgroup(
            self,
            "Athena",
            name=naming.workgroup_name(stage=stage),
            bucket_name=naming.bucket_name(
                stage=stage, zone="query-results", account=Aws.ACCOUNT_ID, region=Aws.REGION
            ),
            scan_limit_gigabytes=self._settings.athena_scan_limit_gigabytes,
            retention_days=self._settings.query_results_retention_days,
            access_log_retention_days=stage.data_lake.access_log_retention_days,
            key=self._key,
            keep=keep_data,
        )
        policies = {
            "OperatorPolicyArn": self._operator_policy(
                functions=[configuration, rotation], configurations=configurations, queue=queue
            ),
            "PersonPolicyArn": self._person_policy(),
            "QueryPolicyArn": self._query_policy(workgroup),
            "RawQueryPolicyArn": self._raw_query_policy(),
        }
        for name, value in (
            ("ClusterNames", ",".join(self._clusters)),
            ("ClusterIdentifiers", ",".join(each.identifier for each in self._clusters.values())),
            ("DeclarationTableName", declarations.table.table_name),
            ("ConfigurationTableName", configurations.table.table_name),
            ("ConfigurationFunctionName", configuration.function.function_name),
            ("RotationFunctionName", rotation.function.function_name),
            ("ConfigurationQueueUrl", queue.queue.queue_url),
            ("DeadLetterQueueUrl", queue.dead_letters.queue_url),
            ("AthenaWorkgroupName", workgroup.name),
            ("SecretPrefixes", ",".join(self._secret_prefixes())),
            *((name, policy.managed_policy_arn) for name, policy in policies.items()),
        ):
            CfnOutput(self, name, value=value)

    def _secret_prefixes(self) -> list[str]:
        return [naming.warehouse_secret_prefix(stage=self._stage, cluster=name) for name in self._clusters]

    def _cluster(self, settings: Cluster) -> RedshiftCluster:
        identifier = naming.cluster_identifier(stage=self._stage, cluster=settings.name)
        self._key.allow_logs(audit_log_names(identifier))
        declaration = self._files[settings.declaration].declaration
        check_admin(declaration, settings.admin_user)
        construct = settings.name.title().replace("-", "")
        spectrum = SpectrumRole(
            self,
            f"Spectrum{construct}",
            cluster_identifier=identifier,
            zones={Zone(schema.zone) for schema in declaration.external_schemas},
            lake=self._lake,
        )
        self._spectrum_roles[settings.name] = spectrum.role
        return RedshiftCluster(
            self,
            f"Cluster{construct}",
            identifier=identifier,
            settings=settings,
            warehouse=self._settings,
            declaration=declaration,
            vpc=self._network.vpc,
            key=self._key,
            lake_role=spectrum.role,
            log_retention_days=self._stage.operations.log_retention_days,
            keep=self._keep,
            alarm_topic=self._data_lake.alarm_topic,
        )

    def _registered(self, settings: Cluster) -> dict[str, object]:
        """What both functions are told of a cluster."""
        cluster = self._clusters[settings.name]
        return {
            "cluster_identifier": cluster.identifier,
            "database": settings.database,
            "admin_user": settings.admin_user,
            "declaration": settings.declaration,
            "host": cluster.host,
            "port": PORT,
            "spectrum_role_arn": self._spectrum_roles[settings.name].role_arn,
            "secret_prefix": naming.warehouse_secret_prefix(stage=self._stage, cluster=settings.name),
            "databases": {str(zone): name for zone, name in self._lake.databases.items()},
        }

    def _logging_in(self) -> list[aws_iam.PolicyStatement]:
        """Temporary credentials of each cluster's admin for its one database."""
        return [
            statement
            for each in self._settings.clusters
            for statement in self._clusters[each.name].logging_in(user=each.admin_user, database=each.database)
        ]

    def _rotation(self) -> PythonFunction:
        """The only code that holds a password; it stands in the network, because it logs in as the users do."""
        group = aws_ec2.SecurityGroup(
            self,
            "RotationSecurityGroup",
            vpc=self._network.vpc,
            description="Rotation function: to endpoints and clusters",
            allow_all_outbound=False,
        )
        group.add_egress_rule(
            aws_ec2.Peer.ipv4(self._network.vpc.vpc_cidr_block), aws_ec2.Port.tcp(443), "AWS services, by endpoints"
        )
        for cluster in self._clusters.values():
            group.add_egress_rule(cluster.security_group, aws_ec2.Port.tcp(PORT), "Clusters")
            cluster.security_group.add_ingress_rule(group, aws_ec2.Port.tcp(PORT), "Rotation function")
        rotation = self._function(
            "Rotation",
            name="rotate_password",
            description="Gives a warehouse user a new password, in four steps that can each be repeated",
            service=ROTATION_SERVICE,
            environment={"CLUSTERS": self._registry},
            permissions=[*self._secrets.rotating(), *self._logging_in()],
            memory_mebibytes=ROTATION_MEMORY_MEBIBYTES,
            timeout_seconds=ROTATION_TIMEOUT_SECONDS,
            placement=Placement(vpc=self._network.vpc, security_group=group),
            runbook=Runbook.ROTATION_FAILED,
        )
        self._secrets.acknowledge(rotation.role)
        rotation.function.add_permission(
            "SecretsManager",
            principal=aws_iam.ServicePrincipal("secretsmanager.amazonaws.com"),
            source_account=Aws.ACCOUNT_ID,
        )
        return rotation

    def _configuration(
        self,
        *,
        declarations: ItemTable,
        configurations: ItemTable,
        queue: QueueWithDeadLetters,
        rotation: PythonFunction,
    ) -> PythonFunction:
        """Makes clusters what is declared; it holds no password and stands in no network."""
        statement = aws_iam.PolicyStatement
        clusters = [cluster.arn for cluster in self._clusters.values()]
        configuration = self._function(
            "Configuration",
            name="configure_warehouse",
            description="Makes each cluster what its declaration says, and tells what was changed by hand",
            service=CONFIGURATION_SERVICE,
            environment={
                "CLUSTERS": self._registry,
                "DECLARATION_TABLE": declarations.table.table_name,
                "CONFIGURATION_TABLE": configurations.table.table_name,
                "QUEUE_URL": queue.queue.queue_url,
                "ROTATION_FUNCTION_ARN": rotation.function.function_arn,
                "SECRET_KEY_ARN": self._key.key_arn,
                "PERSON_ROTATION_DAYS": str(self._settings.person_rotation_days),
                "SERVICE_ROTATION_DAYS": str(self._settings.service_rotation_days),
            },
            permissions=[
                *declarations.using(
                    actions=[
                        "dynamodb:BatchWriteItem",
                        "dynamodb:DeleteItem",
                        "dynamodb:PutItem",
                        "dynamodb:Query",
                    ]
                ),
                *declarations.following(),
                *configurations.using(
                    actions=["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
                ),
                *queue.consuming(),
                *queue.sending(),
                *queue.dead_lettering(),
                *self._secrets.keeping(),
                *self._logging_in(),
                statement(actions=["lambda:InvokeFunction"], resources=[rotation.function.function_arn]),
                statement(actions=["redshift:DescribeClusters"], resources=clusters),
                statement(
                    actions=["redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"],
                    resources=clusters,
                ),
                statement(
                    actions=["redshift-data:DescribeStatement", "redshift-data:GetStatementResult"],
                    resources=["*"],
                    conditions=OWN_STATEMENTS,
                ),
            ],
            memory_mebibytes=CONFIGURATION_MEMORY_MEBIBYTES,
            timeout_seconds=CONFIGURATION_TIMEOUT_SECONDS,
            files=dict(file.packaged for file in self._files.values()),
        )
        self._secrets.acknowledge(configuration.role)
        acknowledge(
            configuration.role,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Secrets are listed by a call that knows no resource and shows no value; calls about statements "
            "know none either and are held to the function's own.",
        )
        acknowledge(
            configuration.role,
            finding="Serverless-LambdaStarPermissions",
            reason="Only the calls that know no resource are not held to one: secrets are listed, and statements, by a "
            "condition the function's own, are asked about.",
        )
        queue.feed(function=configuration.function, batch_size=1, max_concurrency=MAX_CONCURRENCY)
        TableFeed(
            self, "DeclarationChanges", table=declarations, function=configuration.function, failures=queue.dead_letters
        )
        return configuration

    def _function(
        self,
        id: str,
        *,
        name: str,
        description: str,
        service: str,
        environment: dict[str, str],
        permissions: Sequence[aws_iam.PolicyStatement],
        memory_mebibytes: int,
        timeout_seconds: int,
        files: dict[str, str] | None = None,
        placement: Placement | None = None,
        runbook: Runbook = Runbook.FUNCTION_FAILS,
    ) -> PythonFunction:
        operations = self._stage.operations
        return PythonFunction(
            self,
            id,
            name=name,
            description=description,
            environment={
                **environment,
                "POWERTOOLS_SERVICE_NAME": service,
                "POWERTOOLS_METRICS_NAMESPACE": naming.metrics_namespace(stage=self._stage),
                "POWERTOOLS_LOG_LEVEL": operations.log_level,
            },
            permissions=permissions,
            memory_mebibytes=memory_mebibytes,
            timeout_seconds=timeout_seconds,
            log_group_name=f"{self._log_prefix}/{service}",
            log_retention_days=operations.log_retention_days,
            log_level=operations.log_level,
            key=self._key,
            alarm_topic=self._data_lake.alarm_topic,
            files=files,
            placement=placement,
            runbook=runbook,
        )

    def _operator_policy(
        self, *, functions: Sequence[PythonFunction], configurations: ItemTable, queue: QueueWithDeadLetters
    ) -> aws_iam.ManagedPolicy:
        statement = aws_iam.PolicyStatement
        configuration, rotation = functions
        policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Plans and applies declarations, asks for rotations, wakes clusters, moves dead letters back",
            statements=[
                statement(
                    actions=["lambda:InvokeFunction"],
                    resources=[configuration.function.function_arn, rotation.function.function_arn],
                ),
                *configurations.using(actions=["dynamodb:GetItem", "dynamodb:Query"]),
                *self._secrets.looking_after(),
                statement(
                    actions=["redshift:DescribeClusters", "redshift:PauseCluster", "redshift:ResumeCluster"],
                    resources=[cluster.arn for cluster in self._clusters.values()],
                ),
                *queue.redriving(),
            ],
        )
        self._secrets.acknowledge(policy)
        return policy

    def _person_policy(self) -> aws_iam.ManagedPolicy:
        """For people: their own secret, and the Data API with it, which is what the query editor uses."""
        statement = aws_iam.PolicyStatement
        policy = aws_iam.ManagedPolicy(
            self,
            "PersonPolicy",
            description="Reads the one password that is tagged with the reader's own name, and queries with it",
            statements=[
                *self._secrets.reading_own(),
                statement(
                    actions=["redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"],
                    resources=[cluster.arn for cluster in self._clusters.values()],
                ),
                statement(
                    actions=[
                        "redshift-data:CancelStatement",
                        "redshift-data:DescribeStatement",
                        "redshift-data:GetStatementResult",
                        "redshift-data:ListStatements",
                    ],
                    resources=["*"],
                    conditions=OWN_STATEMENTS,
                ),
            ],
        )
        self._secrets.acknowledge(policy)
        acknowledge(
            policy,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Calls about statements know no resource; a condition holds them to the caller's own statements.",
        )
        return policy

    def _query_policy(self, workgroup: AthenaWorkgroup) -> aws_iam.ManagedPolicy:
        """For people without a cluster: the workgroup, and what is shared of the lake."""
        read = ZonesRead(lake=self._lake, zones=[Zone.TRANSFORMED])
        policy = aws_iam.ManagedPolicy(
            self,
            "QueryPolicy",
            description="Queries the shared zone of the lake in the Athena workgroup",
            statements=[*workgroup.querying(), *read.statements()],
        )
        workgroup.acknowledge(policy)
        read.acknowledge(policy)
        return policy

    def _raw_query_policy(self) -> aws_iam.ManagedPolicy:
        """Beside the one above, for the few who must see what arrived, which holds personal values."""
        read = ZonesRead(lake=self._lake, zones=[Zone.RAW])
        policy = aws_iam.ManagedPolicy(
            self,
            "RawQueryPolicy",
            description="Reads the raw zone of the lake, which holds personal values; attach it beside QueryPolicy",
            statements=read.statements(),
        )
        read.acknowledge(policy)
        return policy
