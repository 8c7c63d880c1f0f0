"""The jobs that make lake tables, as Glue jobs: one for each entry of contracts/jobs.py, each with a role of its own.

It must not know what a job does: transforms and spark_jobs do, and its entry says what it may touch.
"""

from aws_cdk import CfnOutput, Stack, aws_iam
from constructs import Construct

from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.arns import arn_of
from building_blocks.encryption_key import EncryptionKey
from building_blocks.failure_notices import JOB_FAILURE, FailureNotices
from building_blocks.glue_job import METRICS_NAMESPACE, GlueJob
from building_blocks.glue_security import GlueSecurity
from building_blocks.spark_settings import lake_catalog
from config import naming
from config.lake_jobs import LakeJobs
from config.model import ConfigurationError, Part, Stage
from contracts.jobs import EVENTS, JOBS
from stacks.seams import CodeSeam, DataLakeSeam, LakeJobsSeam


class LakeJobsStack(Stack):
    """Runs the lake's jobs without a cluster, each as far as its entry goes and no further."""

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, keep_data: bool, data_lake: DataLakeSeam, code: CodeSeam
    ) -> None:
        """Make the stack for ``stage``; it holds no data but logs.

        Raises:
            ConfigurationError: a size is configured for a job that there is not, or runs at once for one that may not.
        """
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.LAKE_JOBS),
            description="Amp data platform: Glue jobs that make the lake's tables",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        _check_names(stage.lake_jobs)
        self._stage, self._data_lake = stage, data_lake
        log_prefix = naming.log_group_prefix(stage=stage, part=Part.LAKE_JOBS)
        key = EncryptionKey(
            self,
            "JobsKey",
            description="Logs of the Glue jobs",
            alias=naming.key_alias(stage=stage, purpose="lake-jobs"),
            keep=False,
            log_group_prefix=log_prefix,
        )
        security = GlueSecurity(
            self,
            "Security",
            name=naming.security_configuration_name(stage=stage, part=Part.LAKE_JOBS),
            log_key=key,
            data_key=data_lake.transformed_bucket.encryption_key,
        )
        surroundings = data_lake.job_surroundings(database_prefix=naming.database_prefix(stage=stage))
        jobs = [
            GlueJob(
                self,
                "".join(["Job", *(word.title() for word in job.name.split("_"))]),
                job=job,
                name=naming.job_name(stage=stage, job=job.name),
                code=code.jobs,
                surroundings=surroundings,
                spark_settings=lake_catalog(warehouse=f"s3://{data_lake.transformed_bucket.bucket_name}"),
                size=stage.lake_jobs.size_of(job.name),
                security=security,
                log_prefix=f"{log_prefix}/{job.name}",
                log_retention_days=stage.operations.log_retention_days,
                log_key=key,
            )
            for job in JOBS
        ]
        FailureNotices(
            self,
            "Failures",
            failure=JOB_FAILURE,
            owners=[job.name for job in jobs],
            meaning="The tables that it makes stay as they were, and grow old.",
            runbook=Runbook.JOB_FAILED,
            topic=data_lake.alarm_topic,
            topic_key=data_lake.notices_key,
        )
        if Part.ORCHESTRATION not in stage.parts or Part.EMR_ON_EKS not in stage.parts:
            self._silence_alarm()  # else runs are on EMR, and Airflow's canary looks
        self.seam = LakeJobsSeam(job_names={job.name: naming.job_name(stage=stage, job=job.name) for job in JOBS})
        operator_policy = aws_iam.ManagedPolicy(
            self,
            "OperatorPolicy",
            description="Sees which hours the runs of the job of events were for",
            statements=[
                aws_iam.PolicyStatement(
                    actions=["glue:GetJobRuns"],
                    resources=[arn_of("glue", f"job/{naming.job_name(stage=stage, job=EVENTS.name)}")],
                )
            ],
        )
        for output, value in (
            ("JobNames", ",".join(job.name for job in jobs)),
            ("OperatorPolicyArn", operator_policy.managed_policy_arn),
        ):
            CfnOutput(self, output, value=value)

    def _silence_alarm(self) -> None:
        """Raise when nothing runs the job that all others wait for: a run that is not started cannot fail."""
        hours = self._stage.lake_jobs.max_quiet_hours
        Alarm(
            self,
            "EventsSilence",
            metric=metric(
                namespace=METRICS_NAMESPACE,
                name="glue.succeed.ALL",
                dimensions={
                    "JobName": naming.job_name(stage=self._stage, job=EVENTS.name),
                    "JobRunId": "ALL",
                    "ObservabilityGroup": "error",
                    "Type": "count",
                },
                statistic="Sum",
                period_seconds=3600,
            ),
            threshold=1,
            periods=hours,
            below=True,
            silence_breaches=True,
            meaning=f"No run of the job of events has succeeded for {hours} hours: the lake's tables grow old.",
            runbook=Runbook.JOB_FAILED,
            topic=self._data_lake.alarm_topic,
        )


def _check_names(settings: LakeJobs) -> None:
    names = {job.name for job in JOBS}
    unknown = sorted(set(settings.sizes) - names)
    if unknown:
        raise ConfigurationError(
            what="lake_jobs.sizes names jobs that there are not",
            given=unknown,
            allowed=", ".join(sorted(names)),
            fix="correct the name, or declare the job in contracts/jobs.py",
        )
    alone = sorted(job.name for job in JOBS if not job.overlaps and settings.size_of(job.name).max_concurrent_runs > 1)
    if alone:
        raise ConfigurationError(
            what="max_concurrent_runs above 1 for jobs of which one run would not see what another does",
            given=alone,
            allowed=", ".join(sorted(job.name for job in JOBS if job.overlaps)),
            fix="leave it at 1 and let a backfill wait for the schedule's run",
        )
