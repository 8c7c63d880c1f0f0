"""One job of the contracts on EMR on EKS: role, logs, and the template that a run is started from.

It must not give a role more than the job's entry says and what EMR itself takes to run anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Aws, CfnTag, aws_eks, aws_emrcontainers, aws_iam, aws_kms, aws_s3
from constructs import Construct

from building_blocks.acknowledgement import cited
from building_blocks.arns import arn_of
from building_blocks.cluster_versions import EMR_RELEASE
from building_blocks.eks_cluster import EksCluster
from building_blocks.emr_namespace import NAMESPACE
from building_blocks.encryption_key import key_use
from building_blocks.job_package import EMR_SCRIPT, PACKAGES_FILE, JobCode
from building_blocks.job_role import JobSurroundings, job_role
from building_blocks.log_group import LogGroup
from building_blocks.node_pools import (
    DO_NOT_DISRUPT,
    DRAIN_SECONDS,
    DRIVERS,
    IDLE_EXECUTOR_SECONDS,
    POOL_LABEL,
    TAINT_EFFECT,
)
from building_blocks.pod_templates import PodTemplates
from config.lake_jobs import JobSize
from contracts.jobs import Job

ICEBERG = "local:///usr/share/aws/iceberg/lib/iceberg-spark3-runtime.jar"
"""Iceberg of the release, in its image ("Using Apache Iceberg with Amazon EMR on EKS" page)."""

LOG_PREFIX = "jobs/"
"""Where the logs of runs lie in their bucket, below it the job's name."""

WINDOW_START, WINDOW_END, RUN_ID, ZONE = "WindowStart", "WindowEnd", "RunId", "Zone"
"""What is given to each run: its window (2026-11-18T08, UTC), its id in the run records, the zone that it stays in."""

COMPONENTS = ("spark-client", "spark-driver", "spark-executor")
"""Each has a service account of its own, made by EMR for the role ("Enable EKS Pod Identity" page)."""

_WORKER_CORES = {"1X": 4, "2X": 8, "4X": 16, "8X": 32, "12X": 48, "16X": 64}
_GIBIBYTES_EACH_CORE = {"G": 4, "R": 8}
_HEAP, _OVERHEAD = 11 / 16, 2 / 16
"""Of a worker's memory; the rest is what the node itself takes, so that a pod fits the instance of its size."""
_CORES_REQUESTED = 7 / 8
"""Of a worker's cores, for the same reason; Spark still runs a task for each core."""


@dataclass(frozen=True, kw_only=True)
class PodSize:
    """What a worker type of config/lake_jobs.py means for a pod: tasks at once, and memory in GiB."""

    cores: int
    heap_gibibytes: int
    overhead_gibibytes: int

    @property
    def request_millicores(self) -> int:
        return int(self.cores * _CORES_REQUESTED * 1_000)


def pod_size(worker_type: str) -> PodSize:
    """The pod that has what Glue's ``worker_type`` (`G.1X`, `R.2X` …) has, less what a node keeps for itself."""
    kind, _, times = worker_type.partition(".")
    cores = _WORKER_CORES[times]
    memory = cores * _GIBIBYTES_EACH_CORE[kind]
    return PodSize(cores=cores, heap_gibibytes=int(memory * _HEAP), overhead_gibibytes=int(memory * _OVERHEAD))


def base36(text: str) -> str:
    """``text``, its bytes taken for one number, in digits and lower-case letters: how EMR writes a role's name."""
    number, digits = int.from_bytes(text.encode(), "big"), ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def service_accounts(role_name: str, *, account: str) -> list[str]:
    """The service accounts as which EMR runs the pods of a job under the role of that name."""
    return [f"emr-containers-sa-{component}-{account}-{base36(role_name)}" for component in COMPONENTS]


def spark_settings(size: JobSize) -> dict[str, str]:
    """How many and how large executors are, and what lets a run go on when Spot takes some of them away.

    A driver is as large as an executor, as on Glue, which counts it among the workers.
    """
    pod = pod_size(size.worker_type)
    each = {
        "cores": str(pod.cores),
        "memory": f"{pod.heap_gibibytes}g",
        "memoryOverhead": f"{pod.overhead_gibibytes}g",
    }
    return {
        **{f"spark.driver.{name}": value for name, value in each.items()},
        **{f"spark.executor.{name}": value for name, value in each.items()},
        "spark.kubernetes.driver.request.cores": f"{pod.request_millicores}m",
        "spark.kubernetes.executor.request.cores": f"{pod.request_millicores}m",
        # Executors come with waiting tasks and go when idle; one whose shuffle files are still needed stays.
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.minExecutors": "0",
        "spark.dynamicAllocation.initialExecutors": "1",
        "spark.dynamicAllocation.maxExecutors": str(size.max_workers - 1),
        "spark.dynamicAllocation.executorIdleTimeout": f"{IDLE_EXECUTOR_SECONDS}s",
        "spark.dynamicAllocation.shuffleTracking.timeout": "30min",
        # A warned executor takes no tasks and hands its blocks on; what it cannot hand on is worked out again, and
        # neither counts as a failure of the stage.
        "spark.decommission.enabled": "true",
        "spark.storage.decommission.enabled": "true",
        "spark.storage.decommission.shuffleBlocks.enabled": "true",
        "spark.storage.decommission.rddBlocks.enabled": "true",
        "spark.executor.decommission.forceKillTimeout": f"{DRAIN_SECONDS - 10}s",
        "spark.stage.ignoreDecommissionFetchFailure": "true",
        "spark.stage.maxConsecutiveAttempts": "10",
        "spark.task.maxFailures": "8",
    }


class EmrJob(Construct):
    """What runs ``job``: its role ``role_name``, its log group, and the job template ``name``.

    Standing arguments (which job, which lake) are in the template; window, run id and zone are its parameters.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        job: Job,
        name: str,
        role_name: str,
        cluster: EksCluster,
        code: JobCode,
        pods: PodTemplates,
        surroundings: JobSurroundings,
        catalog_settings: Mapping[str, str],
        size: JobSize,
        logs: aws_s3.IBucket,
        log_group_name: str,
        log_retention_days: int,
        key: aws_kms.IKey,
        tags: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id)
        self.name, self.job = name, job
        group = LogGroup(self, "Logs", name=log_group_name, key=key, retention_days=log_retention_days)
        written = f"{LOG_PREFIX}{job.name}/"
        self.role = job_role(
            self,
            job=job,
            name=role_name,
            description=f"What the job {job.name} may do on EMR on EKS",
            surroundings=surroundings,
            code=code,
            assumed_by=_pods_of(cluster),
            running=[*pods.reading(), *_logging(group_name=log_group_name, bucket=logs, prefix=written, key=key)],
            running_findings=_logging_findings(self, group_name=log_group_name, bucket=logs, prefix=written),
        )
        self._let_pods_in(cluster, role_name)
        template = aws_emrcontainers.CfnJobTemplate
        parameter = template.TemplateParameterConfigurationProperty(type="STRING")
        arguments = surroundings.arguments(job, shuffle_partitions=size.shuffle_partitions)
        self.template = template(
            self,
            "Template",
            name=name,
            tags=[CfnTag(key=key, value=value) for key, value in tags.items()],
            job_template_data=template.JobTemplateDataProperty(
                execution_role_arn=self.role.role_arn,
                release_label=EMR_RELEASE,
                job_driver=template.JobDriverProperty(
                    spark_submit_job_driver=template.SparkSubmitJobDriverProperty(
                        entry_point=code.url(EMR_SCRIPT.name),
                        entry_point_arguments=[
                            *(text for pair in arguments.items() for text in pair),
                            *("--window-start", f"${{{WINDOW_START}}}", "--window-end", f"${{{WINDOW_END}}}"),
                            *("--run-id", f"${{{RUN_ID}}}"),
                        ],
                        spark_submit_parameters=(
                            f"--py-files {code.url(PACKAGES_FILE)} --jars {ICEBERG} "
                            # Driver and executors beside each other: shuffling across zones is slow and paid for.
                            f"--conf spark.kubernetes.node.selector.topology.kubernetes.io/zone=${{{ZONE}}}"
                        ),
                    )
                ),
                configuration_overrides=template.ParametricConfigurationOverridesProperty(
                    application_configuration=[
                        template.ConfigurationProperty(
                            classification="spark-defaults",
                            properties={
                                **spark_settings(size),
                                **catalog_settings,
                                **_region_settings(),
                                "spark.kubernetes.driver.podTemplateFile": pods.driver.s3_object_url,
                                "spark.kubernetes.executor.podTemplateFile": pods.executor.s3_object_url,
                            },
                        ),
                        # As long as a run may take: nodes come, or others' runs end; EMR gives up after 15 minutes else
                        # ("Job run error messages" page, cluster timeout).
                        template.ConfigurationProperty(
                            classification="emr-containers-defaults",
                            properties={"job-start-timeout": str(size.timeout_minutes * 60)},
                        ),
                        # The pod that calls spark-submit, and watches: beside the driver, and as safe ("Using job
                        # submitter classification" page).
                        template.ConfigurationProperty(
                            classification="emr-job-submitter",
                            properties={
                                f"jobsubmitter.node.selector.{POOL_LABEL}": DRIVERS,
                                "jobsubmitter.node.selector.topology.kubernetes.io/zone": f"${{{ZONE}}}",
                                f"jobsubmitter.node.toleration.{POOL_LABEL}": DRIVERS,
                                f"jobsubmitter.node.toleration.{POOL_LABEL}.effect": TAINT_EFFECT,
                                f"jobsubmitter.annotation.{DO_NOT_DISRUPT}": "true",
                            },
                        ),
                    ],
                    monitoring_configuration=template.ParametricMonitoringConfigurationProperty(
                        persistent_app_ui="ENABLED",
                        cloud_watch_monitoring_configuration=(
                            template.ParametricCloudWatchMonitoringConfigurationProperty(
                                log_group_name=log_group_name, log_stream_name_prefix=job.name
                            )
                        ),
                        s3_monitoring_configuration=template.ParametricS3MonitoringConfigurationProperty(
                            log_uri=f"s3://{logs.bucket_name}/{written}"
                        ),
                    ),
                ),
                parameter_configuration=dict.fromkeys((WINDOW_START, WINDOW_END, RUN_ID, ZONE), parameter),
            ),
        )
        self.template.node.add_dependency(group)

    def _let_pods_in(self, cluster: EksCluster, role_name: str) -> None:
        """Tie the role to the service accounts of its pods, in the one namespace, by EKS rather than by its trust."""
        for component, account in zip(COMPONENTS, service_accounts(role_name, account=Aws.ACCOUNT_ID), strict=True):
            aws_eks.CfnPodIdentityAssociation(
                self,
                "".join(word.title() for word in component.split("-")),
                cluster_name=cluster.cluster.cluster_name,
                namespace=NAMESPACE,
                service_account=account,
                role_arn=self.role.role_arn,
            )


def _region_settings() -> dict[str, str]:
    """Which Region pods are in: they cannot ask the node for it, and boto3 and Java read it under two names."""
    return {
        f"{prefix}.{name}": Aws.REGION
        for prefix in ("spark.kubernetes.driverEnv", "spark.executorEnv")
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION")
    }


def _pods_of(cluster: EksCluster) -> aws_iam.IPrincipal:
    """Pods of this cluster's namespace, as EKS vouches for them ("Create an IAM role for Pod Identity" page)."""
    return aws_iam.SessionTagsPrincipal(
        aws_iam.ServicePrincipal(
            "pods.eks.amazonaws.com",
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": Aws.ACCOUNT_ID,
                    "aws:RequestTag/kubernetes-namespace": NAMESPACE,
                },
                "ArnEquals": {"aws:SourceArn": arn_of("eks", f"cluster/{cluster.name}")},
            },
        )
    )


def _logging(
    *, group_name: str, bucket: aws_s3.IBucket, prefix: str, key: aws_kms.IKey
) -> Sequence[aws_iam.PolicyStatement]:
    """Writing a run's logs into the job's own group and prefix ("Configure a job run to use CloudWatch Logs" page)."""
    statement = aws_iam.PolicyStatement
    return [
        statement(
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[arn_of("logs", f"log-group:{group_name}:*")],
        ),
        statement(actions=["logs:DescribeLogGroups"], resources=["*"]),
        statement(actions=["s3:GetObject", "s3:PutObject"], resources=[bucket.arn_for_objects(f"{prefix}*")]),
        statement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions={"StringLike": {"s3:prefix": [f"{prefix}*"]}},
        ),
        *key_use(key=key, service="s3", actions=["kms:Decrypt", "kms:GenerateDataKey"]),
    ]


def _logging_findings(scope: Construct, *, group_name: str, bucket: aws_s3.IBucket, prefix: str) -> dict[str, str]:
    files = cited(scope, owner=bucket, arn=bucket.bucket_arn)
    return {
        f"AwsSolutions-IAM5[Resource::{files}/{prefix}*]": "EMR names the log files of a run, below the one prefix "
        "that this job has.",
        f"AwsSolutions-IAM5[Resource::{arn_of('logs', f'log-group:{group_name}:*', nag=True)}]": "EMR names the "
        "streams of the one log group that this job has.",
        "AwsSolutions-IAM5[Resource::*]": "EMR lists log groups by a call that knows no resource; it tells names.",
    }
