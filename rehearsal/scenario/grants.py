"""Why a grant stays that a default rehearsal never needs; the report shows the sentence beside a role's grant.

A role's grant that is neither used nor explained here makes the rehearsal fail. An explanation of nothing must not
stay: the suite refuses it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple


class Explanation(NamedTuple):
    """Why a grant stays: the start of its role's logical name, its action, a part of its resource, the sentence.

    An action may be a pattern (`ec2:*`). `jobs_on` is `glue` or `emr` where only a rehearsal with its jobs there has
    the grant.
    """

    role: str
    action: str
    resource: str
    why: str
    jobs_on: str = ""

    def of(self, role: str, action: str, resource: str) -> bool:
        """Whether it is about this grant."""
        return role.startswith(self.role) and fnmatchcase(action, self.action) and self.resource in resource


_ERRORS = "Firehose writes here only what the flattening function could not answer; a default rehearsal has none."
_UPLOADS = (
    "Firehose's documentation asks for it (Grant Firehose access to an Amazon S3 destination): uploads in parts and "
    "retries need it. Here each file is one PutObject."
)
_BY_VERSION = (
    "Firehose may name the function with its version; its documentation shows that form, and a refusal would stop "
    "delivery."
)
_CRAWLED = (
    "AWS's policies for crawlers hold it (Step 2: Create an IAM role for AWS Glue). Which calls a crawl makes depends "
    "on what the files hold: files of several kinds become tables of several names, folders become partitions."
)
_CRAWLER_LETTERS = (
    "A crawler puts events there that it cannot take (Accelerating crawls using Amazon S3 event notifications); here "
    "it can take all."
)

_TABLE_KEY = (
    "DynamoDB's documentation asks for it of whoever uses a table with a customer managed key (Encryption at rest: "
    "usage notes) and does not say which call needs which."
)
_EXTERNAL = (
    "Redshift's documentation lists what a cluster asks of the catalog and of S3 for a query (IAM policies for Amazon "
    "Redshift Spectrum). The rehearsal's external tables have no rows, so that no file is read."
)

_ASKED_BY_MWAA = (
    "MWAA's documentation asks for it (Amazon MWAA execution role): its own containers check the bucket, keep their "
    "queue and show logs by this role."
)
_MAINTENANCE = "Maintenance runs with ALL=1."
_DATA_SETS = "Data sets are made of weeks; a rehearsal lasts for minutes and does not run their job."

EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation("DeliveryRole", "lambda:InvokeFunction", ":$LATEST", _BY_VERSION),
    Explanation(
        "DeliveryRole",
        "lambda:GetFunctionConfiguration",
        "",
        "Firehose's documentation asks for it beside InvokeFunction (Manage IAM roles through Amazon Data Firehose "
        "console) and does not say when it is called.",
    ),
    Explanation("DeliveryRole", "s3:PutObject", "/firehose-errors/", _ERRORS),
    Explanation("DeliveryRole", "s3:AbortMultipartUpload", "", _UPLOADS),
    Explanation("DeliveryRole", "s3:GetObject", "", _UPLOADS),
    Explanation("DeliveryRole", "s3:GetBucketLocation", "", _UPLOADS),
    Explanation("DeliveryRole", "s3:ListBucket", "", _UPLOADS),
    Explanation("DeliveryRole", "s3:ListBucketMultipartUploads", "", _UPLOADS),
    Explanation(
        "DeliveryRole",
        "kms:Decrypt",
        "",
        "S3 asks for it when Firehose uploads a large file in parts (Amazon S3 guide, uploading with SSE-KMS).",
    ),
    Explanation("DeliveryRole", "logs:PutLogEvents", "", "Firehose logs only when a delivery fails."),
    *(
        Explanation("Crawler", action, "", _CRAWLED)
        for action in (
            "glue:BatchCreatePartition",
            "glue:BatchDeletePartition",
            "glue:BatchGetPartition",
            "glue:BatchUpdatePartition",
            "glue:CreateTable",
            "glue:GetPartitions",
            "glue:GetTable",
            "glue:GetTables",
            "glue:UpdateTable",
            "s3:GetBucketLocation",
        )
    ),
    *(
        Explanation("Crawler", action, "DeadLetters", _CRAWLER_LETTERS)
        for action in ("sqs:GetQueueUrl", "sqs:SendMessage")
    ),
    Explanation("Crawler", "kms:GenerateDataKey", "", _CRAWLER_LETTERS),
    *(
        Explanation("Failures", action, "", "Used when a crawl or a job fails.")
        for action in ("kms:Decrypt", "kms:GenerateDataKey", "sns:Publish")
    ),
    Explanation(
        "Job", "cloudwatch:PutMetricData", "", "Glue's own metrics of a run, which the rehearsal does not emit.", "glue"
    ),
    *(
        Explanation("Job", action, "", "Glue makes the group where it is not there; the stack makes it before.", "glue")
        for action in ("logs:AssociateKmsKey", "logs:CreateLogGroup")
    ),
    Explanation("Job", "s3:AbortMultipartUpload", "", "For files of more than 32 MB, which are uploaded in parts."),
    Explanation("Job", "s3:DeleteObject", "", "Iceberg removes the files of a commit that failed or expired."),
    *(
        Explanation("Job", "glue:CreateTable", table, "Whichever job runs first in a new lake makes the table.")
        for table in ("job_runs", "rejected_rows")
    ),
    *(
        Explanation("JobBatchFiles", action, "", "Readers are told when a dataset was withdrawn.")
        for action in ("sns:Publish", "kms:Decrypt", "kms:GenerateDataKey")
    ),
    *(
        Explanation("JobMaintenance", action, "", "Maintenance writes a table again only where it has small files.")
        for action in ("s3:PutObject", "glue:UpdateTable")
    ),
    *(
        Explanation("JobMaintenance", action, "", "For the table of runs, which another job has made.")
        for action in ("glue:CreateTable", "glue:GetDatabase")
    ),
    *(
        Explanation("JobsPublishing", action, resource, "Only a deployment over another one looks at what is there.")
        for action, resource in (("s3:GetObject", "/jobs/"), ("kms:Decrypt", ""))
    ),
    *(
        Explanation("FilesPublishing", action, "", "Only a deployment over another one looks at what is there.", "emr")
        for action in ("s3:GetObject", "s3:DeleteObject", "kms:Decrypt")
    ),
    *(
        Explanation("Job", action, resource, why, "emr")
        for why in (
            "EMR's documentation asks for it of a job's role beside PutObject (Configure a job run to use S3 logs).",
        )
        for action, resource in (("s3:GetObject", "-emr-logs-"), ("s3:ListBucket", "-emr-logs-"), ("kms:Decrypt", ""))
    ),
    Explanation("JobMaintenance", "*", "", _MAINTENANCE, "emr"),
    Explanation("JobDataSets", "*", "", _DATA_SETS),
    *(
        Explanation(role, "*", "", why, "emr")
        for role, why in (
            ("AutoscalerController", "Karpenter starts nodes for pods and ends them; a rehearsal has neither."),
            ("AutoscalerNode", "Nodes act by it, and a rehearsal has none."),
            ("Interruptions", "Used when EC2 tells of an interruption or of a node's health."),
            ("KubernetesControlPlane", "EKS acts by it; a rehearsal records the cluster."),
            ("KubernetesClusterKubectlProvider", "CDK's provider applies manifests by it; a rehearsal records them."),
            ("KubernetesDeployer", "Manifests and charts are applied by it; a rehearsal records them."),
            ("KubernetesSystemPod", "Pods on Fargate are started and logged by it; a rehearsal has none."),
        )
    ),
    *(
        Explanation("AirflowExecution", action, resource, _ASKED_BY_MWAA, "emr")
        for action, resource in (
            ("airflow:PublishMetrics", ""),
            ("kms:DescribeKey", ""),
            ("kms:Encrypt", ""),
            ("logs:CreateLogGroup", ""),
            ("logs:DescribeLogGroups", ""),
            ("logs:Get*", ""),
            ("s3:GetAccountPublicAccessBlock", ""),
            ("s3:GetBucket*", ""),
            ("s3:GetEncryptionConfiguration", ""),
            ("s3:ListBucketVersions", ""),
            ("sqs:*", ":airflow-celery-"),
        )
    ),
    *(
        Explanation("AirflowExecution", action, "", "Used when a task gives up, and people are told.", "emr")
        for action in ("kms:GenerateDataKey", "sns:Publish")
    ),
    *(
        Explanation("AirflowExecution", action, resource, "Used where a message starts a run: with ALL=1.", "emr")
        for action, resource in (("sqs:*Message", "Catalogued"), ("kms:Decrypt", ""))
    ),
    Explanation(
        "AirflowExecution", "emr-containers:CancelJobRun", "", "Used when a task is ended, or takes too long.", "emr"
    ),
    Explanation("AirflowExecution", "emr-containers:DescribeJobTemplate", "", _MAINTENANCE, "emr"),
    Explanation(
        "AirflowExecution",
        "glue:GetTable",
        "_transformed/",
        "Used by the canary for each type of which events landed in its hour, which not all types have.",
        "emr",
    ),
    Explanation("Reader", "sns:Subscribe", "", "A team subscribes its own address or queue when it wants to."),
    *(
        Explanation("Readerrecommendations", action, "", "The rehearsal reads the tables under another grant.")
        for action in (
            "glue:GetDatabase",
            "glue:GetTable",
            "glue:GetTables",
            "s3:GetObject",
            "s3:ListBucket",
            "kms:Decrypt",
        )
    ),
    *(
        Explanation("NetworkFlowLogRole", action, "", "VPC flow logs tell of packets, of which a rehearsal has none.")
        for action in (
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        )
    ),
    *(
        Explanation("ClusterAnalyticsScheduleRole", action, "", "Redshift's scheduler acts at its hours of a weekday.")
        for action in ("redshift:PauseCluster", "redshift:ResumeCluster")
    ),
    *(
        Explanation("ConfigurationExecutionRole", action, "", _TABLE_KEY)
        for action in ("kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
    ),
    *(
        Explanation("ConfigurationExecutionRole", "sqs:SendMessage", queue, why)
        for queue, why in (
            ("RequestsQueue", "A run that has not the time to end asks for another here."),
            ("RequestsDeadLetters", "For changes of a declaration that the function could not take again and again."),
        )
    ),
    *(
        Explanation("Spectrum", action, "", _EXTERNAL)
        for action in (
            "glue:GetDatabases",
            "glue:GetPartition",
            "glue:GetPartitions",
            "glue:GetTable",
            "kms:Decrypt",
            "s3:GetBucketLocation",
            "s3:GetObject",
            "s3:ListBucket",
        )
    ),
    Explanation("rehearsal-app", "kinesis:PutRecord", "", "For producers that put one event at a time."),
)


class StatementExplanation(NamedTuple):
    """Why a resource policy's statement stays: the start of its owner's logical name, the service, the sentence.

    `jobs_on` is as in `Explanation`.
    """

    owner: str
    service: str
    why: str
    jobs_on: str = ""


_UNDELIVERED = "The topic puts here what it cannot deliver; in a default rehearsal it can deliver everything."

STATEMENTS: tuple[StatementExplanation, ...] = (
    StatementExplanation(
        "AccessLogs", "logging.s3.amazonaws.com", "S3 writes access logs hours later; a rehearsal has no such log."
    ),
    StatementExplanation("Alarms", "cloudwatch.amazonaws.com", "For alarms, which a rehearsal does not evaluate."),
    StatementExplanation("NoticesKey", "cloudwatch.amazonaws.com", "For alarms, which a rehearsal does not evaluate."),
    *(StatementExplanation(owner, "sns.amazonaws.com", _UNDELIVERED) for owner in ("Crawler", "BatchFilesDeadLetters")),
    StatementExplanation("Failures", "events.amazonaws.com", "For crawls and jobs that fail; in this one none does."),
    StatementExplanation("CodeKey", "logs.eu-west-1.amazonaws.com", "For the logs of Airflow, which runs with Spark."),
    StatementExplanation(
        "AthenaAccessLogs",
        "logging.s3.amazonaws.com",
        "S3 writes access logs hours later; a rehearsal has no such log.",
    ),
    StatementExplanation(
        "ClusterAnalyticsScheduleRole", "scheduler.redshift.amazonaws.com", "It acts at its hours of a weekday."
    ),
    StatementExplanation(
        "NetworkKey", "", "It lets the account's own policies grant the key's administration; flow logs need another."
    ),
    StatementExplanation(
        "Readerrecommendations", "", "Another team's; a rehearsal reads as the analysts, and a proof as this one."
    ),
    StatementExplanation(
        "JobsKey",
        "",
        "It lets the account's own policies grant the key's administration; the jobs' logs need another.",
        "glue",
    ),
    StatementExplanation(
        "EmrKey",
        "",
        "They let the account's own policies grant the key's administration, and EC2 encrypt the disks of nodes, of "
        "which a rehearsal has none.",
        "emr",
    ),
    StatementExplanation(
        "OrchestrationKey",
        "",
        "It lets the account's own policies grant the key's administration; the queue and logs need others.",
        "emr",
    ),
    *(
        StatementExplanation(owner, service, "A rehearsal records the cluster; none of its parts acts.", "emr")
        for owner, service in (
            ("AutoscalerController", ""),
            ("AutoscalerNode", "ec2.amazonaws.com"),
            ("KubernetesControlPlane", "eks.amazonaws.com"),
            ("KubernetesSystemPod", "eks-fargate-pods.amazonaws.com"),
        )
    ),
    StatementExplanation(
        "InterruptionsRole", "events.amazonaws.com", "Taken on when EC2 tells of an interruption.", "emr"
    ),
    StatementExplanation("JobMaintenance", "pods.eks.amazonaws.com", _MAINTENANCE, "emr"),
    StatementExplanation("JobDataSets", "pods.eks.amazonaws.com", _DATA_SETS, "emr"),
    StatementExplanation("JobDataSets", "glue.amazonaws.com", _DATA_SETS, "glue"),
    StatementExplanation(
        "ShowChangesDeadLetters",
        "sns.amazonaws.com",
        _UNDELIVERED,
    ),
)


def explanation(role: str, action: str, resource: str) -> str:
    """The sentence for an unused grant, empty when there is none."""
    return next(
        (known.why for known in EXPLANATIONS if known.of(role, action, resource)),
        "",
    )


def statement_explanation(owner: str, service: str) -> str:
    """The sentence for a statement of a resource's policy that nobody needed, empty when there is none."""
    return next(
        (known.why for known in STATEMENTS if owner.startswith(known.owner) and service == known.service),
        "",
    )
