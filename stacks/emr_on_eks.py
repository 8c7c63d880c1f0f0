"""The lake's jobs on EMR on EKS: a cluster without a node when idle, and what a run of each job is started from.

It must not know what a job does, nor start one: orchestration does.
"""

from aws_cdk import ArnFormat, Aws, CfnOutput, Stack, aws_iam, aws_ssm
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Runbook
from building_blocks.arns import arn_of
from building_blocks.eks_cluster import EksCluster, control_plane_logs
from building_blocks.emr_job import LOG_PREFIX, EmrJob
from building_blocks.emr_namespace import EmrNamespace
from building_blocks.encryption_key import EncryptionKey
from building_blocks.failure_notices import JOB_RUN_FAILURE, FailureNotices
from building_blocks.interruption_queue import InterruptionQueue
from building_blocks.isolated_vpc import S3_DATA_ACTIONS, EndpointUse
from building_blocks.karpenter import Karpenter
from building_blocks.lake_bucket import AccessLogBucket, LakeBucket
from building_blocks.node_pools import NodeClass, driver_pool, executor_pool
from building_blocks.pod_templates import PodTemplates
from building_blocks.private_network import private_network
from building_blocks.spark_settings import lake_catalog
from config import naming
from config.model import Part, Stage
from contracts.jobs import JOBS
from stacks.seams import CodeSeam, DataLakeSeam, EmrOnEksSeam, pin


class EmrOnEksStack(Stack):
    """Network, cluster, autoscaler and virtual cluster, and each job with a role of its own."""

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, keep_data: bool, data_lake: DataLakeSeam, code: CodeSeam
    ) -> None:
        """Make the stack for ``stage``; with ``keep_data`` the logs of runs, and their key, outlive it."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.EMR_ON_EKS),
            description="Amp data platform: EMR on EKS, without a node when idle",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        self._stage, self._keep, self._data_lake, self._code = stage, keep_data, data_lake, code
        self._settings = stage.emr_on_eks
        self._log_prefix = naming.log_group_prefix(stage=stage, part=Part.EMR_ON_EKS)
        name = naming.eks_cluster_name(stage=stage)
        self._key = EncryptionKey(
            self,
            "EmrKey",
            description="Secrets, disks, queue and logs of the cluster that runs jobs",
            alias=naming.key_alias(stage=stage, purpose="emr-on-eks"),
            keep=keep_data,
            log_group_prefix=self._log_prefix,
        )
        self._key.allow_logs(control_plane_logs(name))
        self._key.allow_spot_disks()
        network = private_network(
            self,
            network=self._settings.network,
            egress=self._settings.egress,
            nat_gateways=self._settings.nat_gateways,
            gateways=_gateway_uses(),
            interfaces=_endpoint_uses(),
            log_group_name=f"{self._log_prefix}/flow-logs",
            log_retention_days=stage.operations.log_retention_days,
            log_key=self._key,
        )
        cluster = EksCluster(
            self,
            "Kubernetes",
            name=name,
            vpc=network.vpc,
            public_cidrs=self._settings.public_cidrs,
            admin_role_arns=[self._role_arn(each) for each in self._settings.admin_roles],
            key=self._key,
            log_prefix=self._log_prefix,
            log_retention_days=stage.operations.log_retention_days,
            registry=self._settings.registry,
            after=network.ways,
        )
        queue = InterruptionQueue(
            self,
            "Interruptions",
            key=self._key,
            alarm_topic=data_lake.alarm_topic,
            runbook=Runbook.CLUSTER_DOES_NOT_SCALE,
        )
        karpenter = Karpenter(
            self,
            "Autoscaler",
            cluster=cluster,
            queue=queue,
            volume_key=self._key,
            registry=self._settings.registry,
            replicas=self._settings.controller_replicas,
        )
        nodes = NodeClass(
            instance_profile=karpenter.instance_profile.ref,
            subnet_ids=[subnet.subnet_id for subnet in network.vpc.private_subnets],
            security_group_id=cluster.security_group_id,
            volume_key_arn=self._key.key_arn,
            volume_gibibytes=self._settings.node_volume_gibibytes,
            tags={**stage.tags, "Name": f"{name}-node"},
        )
        pools = cluster.apply(
            "Pools",
            nodes.manifest(),
            driver_pool(cpus=self._settings.driver_cpus),
            executor_pool(cpus=self._settings.executor_cpus),
            after=[karpenter.ready],
        )
        namespace = EmrNamespace(
            self,
            "Emr",
            cluster=cluster,
            name=naming.virtual_cluster_name(stage=stage),
            cpus=self._settings.driver_cpus + self._settings.executor_cpus,
            tags=stage.tags,
            after=[pools],
        )
        jobs = self._jobs(cluster)
        virtual_cluster = namespace.virtual_cluster
        FailureNotices(
            self,
            "Failures",
            failure=JOB_RUN_FAILURE,
            owners=[virtual_cluster.attr_id],
            meaning="The tables that it makes stay as they were, and grow old.",
            runbook=Runbook.JOB_FAILED,
            topic=data_lake.alarm_topic,
            topic_key=data_lake.notices_key,
        )
        template_ids = ",".join(f"{each.job.name}={each.template.attr_id}" for each in jobs)
        # An export could not change while somebody imports it, and each change of a job makes another template.
        parameter = aws_ssm.CfnParameter(
            self,
            "JobTemplates",
            name=naming.job_templates_parameter(stage=stage),
            description="Job templates by the job's name; whoever submits a run asks here each time",
            type="String",
            value=template_ids,
        )
        submitter_policy = self._submitter_policy(virtual_cluster.attr_arn, jobs, parameter)
        self.seam = EmrOnEksSeam(
            virtual_cluster_id=virtual_cluster.attr_id,
            job_templates_parameter=naming.job_templates_parameter(stage=stage),
            zones=network.zones,
            submitter_policy=submitter_policy,
        )
        operator_policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Sees which hours the runs of the job of events were for",
            statements=[
                # Runs cannot be told apart by job: those of all jobs are the virtual cluster's.
                aws_iam.PolicyStatement(actions=["emr-containers:ListJobRuns"], resources=[virtual_cluster.attr_arn]),
                aws_iam.PolicyStatement(
                    actions=["emr-containers:DescribeJobRun"], resources=[f"{virtual_cluster.attr_arn}/jobruns/*"]
                ),
            ],
        )
        self._acknowledge_runs(operator_policy, virtual_cluster.attr_arn)
        pin(self, virtual_cluster.attr_id, submitter_policy.managed_policy_arn)
        for output, value in (
            ("ClusterName", name),
            ("VirtualClusterId", virtual_cluster.attr_id),
            ("JobTemplateIds", template_ids),
            ("Zones", ",".join(network.zones)),
            ("LogBucketName", self._logs.bucket_name),
            ("SubmitterPolicyArn", submitter_policy.managed_policy_arn),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
        ):
            CfnOutput(self, output, value=value)

    def _jobs(self, cluster: EksCluster) -> list[EmrJob]:
        stage, data_lake = self._stage, self._data_lake
        access_logs = AccessLogBucket(
            self, "AccessLogs", retention_days=stage.data_lake.access_log_retention_days, keep=self._keep
        )
        self._logs = LakeBucket(
            self,
            "RunLogs",
            name=naming.bucket_name(stage=stage, zone="emr-logs", account=Aws.ACCOUNT_ID, region=Aws.REGION),
            key=self._key,
            access_logs=access_logs,
            keep=self._keep,
            noncurrent_retention_days=1,
            retention_days=self._settings.log_retention_days,
            expiring_prefixes=(LOG_PREFIX,),
        )
        pods = PodTemplates(self, "Pods")
        surroundings = data_lake.job_surroundings(database_prefix=naming.database_prefix(stage=stage))
        return [
            EmrJob(
                self,
                "".join(["Job", *(word.title() for word in job.name.split("_"))]),
                job=job,
                name=naming.job_name(stage=stage, job=job.name),
                role_name=naming.emr_job_role_name(stage=stage, job=job.name),
                cluster=cluster,
                code=self._code.jobs,
                pods=pods,
                surroundings=surroundings,
                catalog_settings=lake_catalog(warehouse=f"s3://{data_lake.transformed_bucket.bucket_name}"),
                size=stage.lake_jobs.size_of(job.name),
                logs=self._logs,
                log_group_name=f"{self._log_prefix}/jobs/{job.name}",
                log_retention_days=stage.operations.log_retention_days,
                key=self._key,
                tags=stage.tags,
            )
            for job in JOBS
        ]

    def _submitter_policy(
        self, virtual_cluster_arn: str, jobs: list[EmrJob], parameter: aws_ssm.CfnParameter
    ) -> aws_iam.ManagedPolicy:
        """For orchestration, and people who do it by hand: start runs under the jobs' roles, watch and cancel them."""
        statement = aws_iam.PolicyStatement
        runs = f"{virtual_cluster_arn}/jobruns/*"
        policy = aws_iam.ManagedPolicy(
            self,
            "SubmitterPolicy",
            description="Starts, watches and cancels runs of the lake's jobs on EMR on EKS",
            statements=[
                statement(
                    actions=["emr-containers:StartJobRun"],
                    resources=[virtual_cluster_arn],
                    conditions={
                        "StringEquals": {"emr-containers:ExecutionRoleArn": [each.role.role_arn for each in jobs]}
                    },
                ),
                statement(actions=["emr-containers:ListJobRuns"], resources=[virtual_cluster_arn]),
                statement(actions=["emr-containers:CancelJobRun", "emr-containers:DescribeJobRun"], resources=[runs]),
                statement(
                    actions=["emr-containers:DescribeJobTemplate"],
                    resources=[each.template.attr_arn for each in jobs],
                ),
                statement(actions=["ssm:GetParameter"], resources=[arn_of("ssm", f"parameter{parameter.name}")]),
            ],
        )
        self._acknowledge_runs(policy, virtual_cluster_arn)
        return policy

    def _acknowledge_runs(self, policy: aws_iam.ManagedPolicy, virtual_cluster_arn: str) -> None:
        acknowledge(
            policy,
            finding=f"AwsSolutions-IAM5[Resource::<{'.'.join(self.resolve(virtual_cluster_arn)['Fn::GetAtt'])}>/jobruns/*]",
            reason="EMR names each run as it is started; all of them are runs of this virtual cluster.",
        )

    def _role_arn(self, role: str) -> str:
        if role.startswith("arn:"):
            return role
        return self.format_arn(
            service="iam",
            region="",
            resource="role",
            resource_name=role.removeprefix("role/"),
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )


def _gateway_uses() -> list[EndpointUse]:
    """S3 for the lake, logs and code by this account's principals, and for AWS's own images and Spark histories."""
    account = (
        f"arn:{Aws.PARTITION}:s3:::{naming.SYSTEM.lower()}-*",
        f"arn:{Aws.PARTITION}:s3:::cdk-*-assets-{Aws.ACCOUNT_ID}-{Aws.REGION}",
    )
    return [
        EndpointUse(
            service="s3",
            actions=S3_DATA_ACTIONS,
            resources=tuple(each for arn in account for each in (arn, f"{arn}/*")),
            # Layers of images, by addresses that ECR signs ("Amazon ECR interface VPC endpoints" page); histories that
            # EMR keeps for Spark's user interface; and what functions in the VPC, which apply manifests, answer
            # CloudFormation by addresses that it signs ("VPC endpoints and CloudFormation" page): without it a
            # deployment waits for an hour and fails.
            anybody={
                "s3:GetObject": (f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*",),
                "s3:PutObject": (
                    f"arn:{Aws.PARTITION}:s3:::prod.{Aws.REGION}.appinfo.src/*",
                    f"arn:{Aws.PARTITION}:s3:::cloudformation-custom-resource-response-*/*",
                ),
            },
        )
    ]


def _endpoint_uses() -> list[EndpointUse]:
    """What nodes, pods and the functions that apply manifests call.

    What may be asked is in their roles, and here that it is this account that asks. A pod that has no
    credentials yet exchanges its token for them, as nobody's principal.
    """
    services = (
        *("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "glue", "lambda", "logs", "secretsmanager"),
        *("sns", "sqs", "ssm", "sts"),
    )
    return [
        EndpointUse(
            service=service,
            actions=(),
            resources=(),
            general=(f"{service.partition('.')[0]}:*",),
            anybody={"sts:AssumeRoleWithWebIdentity": ("*",)} if service == "sts" else {},
        )
        for service in services
    ]
