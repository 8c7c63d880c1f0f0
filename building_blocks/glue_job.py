"""One job of the contracts as a Glue job: role, logs, size and arguments.

It must not give a role more than the job's entry says and what Glue itself takes to run anything.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_glue, aws_iam, aws_kms
from constructs import Construct

from building_blocks.arns import arn_of
from building_blocks.glue_security import GlueSecurity
from building_blocks.job_package import GLUE_SCRIPT, PACKAGES_FILE, JobCode
from building_blocks.job_role import JobSurroundings, job_role
from building_blocks.log_group import LogGroup
from config.lake_jobs import JobSize
from contracts.jobs import Job

GLUE_VERSION = "5.1"
"""Spark 3.5.6, Python 3.11, Java 17, Iceberg 1.10 ("AWS Glue versions" page)."""

METRICS_NAMESPACE = "Glue"
"""Where Glue puts the metrics of runs ("Monitoring with AWS Glue observability metrics" page)."""

_LOG_KINDS = ("error", "output")


class GlueJob(Construct):
    """The Glue job ``name`` that runs ``job``, its role, and its two log groups below ``log_prefix``.

    Standing arguments (which job, which lake) cannot be changed by who starts a run; all others of the entry can be
    given to a run (`--window-start`, `--days` …).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        job: Job,
        name: str,
        code: JobCode,
        surroundings: JobSurroundings,
        spark_settings: Mapping[str, str],
        size: JobSize,
        security: GlueSecurity,
        log_prefix: str,
        log_retention_days: int,
        log_key: aws_kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self.name = name
        self.role = job_role(
            self,
            job=job,
            description=f"What the Glue job {name} may do",
            surroundings=surroundings,
            code=code,
            assumed_by=aws_iam.ServicePrincipal("glue.amazonaws.com"),
            running=_running(log_prefix=log_prefix),
            running_findings={
                f"AwsSolutions-IAM5[Resource::{_log_groups(log_prefix, nag=True)}]": "Glue chooses the names of log "
                "groups and streams below the prefix that this one job has.",
                "AwsSolutions-IAM5[Resource::*]": "CloudWatch knows no resource for putting metrics; a condition "
                "limits it to Glue's namespace.",
            },
        )
        log_groups = [
            LogGroup(
                self,
                f"{kind.title()}Logs",
                # Glue puts the security configuration and the role between the prefix and the kind.
                name=f"{log_prefix}/{security.name}-role/{self.role.role_name}/{kind}",
                key=log_key,
                retention_days=log_retention_days,
            )
            for kind in _LOG_KINDS
        ]
        glue_job = aws_glue.CfnJob
        self.glue_job = glue_job(
            self,
            "Job",
            name=name,
            description=job.description,
            role=self.role.role_arn,
            glue_version=GLUE_VERSION,
            command=glue_job.JobCommandProperty(
                name="glueetl", python_version="3", script_location=code.url(GLUE_SCRIPT.name)
            ),
            default_arguments={
                "--conf": conf_argument(spark_settings),
                "--custom-logGroup-prefix": log_prefix,
                "--datalake-formats": "iceberg",
                "--enable-auto-scaling": "true",
                "--enable-continuous-cloudwatch-log": "true",
                "--enable-metrics": "true",
                "--enable-observability-metrics": "true",
                "--extra-py-files": code.url(PACKAGES_FILE),
                "--job-bookmark-option": "job-bookmark-disable",
            },
            non_overridable_arguments=surroundings.arguments(job, shuffle_partitions=size.shuffle_partitions),
            worker_type=size.worker_type,
            number_of_workers=size.max_workers,
            timeout=size.timeout_minutes,
            max_retries=size.retries,
            execution_class="FLEX" if size.flexible else "STANDARD",
            execution_property=glue_job.ExecutionPropertyProperty(max_concurrent_runs=size.max_concurrent_runs),
            security_configuration=security.configuration.ref,
        )
        for log_group in log_groups:  # or Glue would make them itself, to keep for ever
            self.glue_job.node.add_dependency(log_group)


def conf_argument(settings: Mapping[str, str]) -> str:
    """Several Spark settings as the value of Glue's one argument `--conf` ("Job parameters" page).

    The argument cannot be repeated, so that each setting after the first brings its own `--conf` along.
    """
    return " --conf ".join(f"{name}={value}" for name, value in settings.items())


def _running(*, log_prefix: str) -> Sequence[aws_iam.PolicyStatement]:
    """What any job of Glue's needs: to write its logs, and to put its metrics."""
    statement = aws_iam.PolicyStatement
    return [
        statement(
            actions=[
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            ],
            resources=[_log_groups(log_prefix)],
        ),
        statement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": METRICS_NAMESPACE}},
        ),
    ]


def _log_groups(prefix: str, *, nag: bool = False) -> str:
    return arn_of("logs", f"log-group:{prefix}/*", nag=nag)
