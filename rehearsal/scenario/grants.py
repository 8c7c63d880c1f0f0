"""Why a grant stays that a default rehearsal never needs; the report shows the sentence beside a role's grant.

A role's grant that is neither used nor explained here makes the rehearsal fail. An explanation of nothing must not
stay: the suite refuses it.
"""

from __future__ import annotations

from typing import NamedTuple


class Explanation(NamedTuple):
    """Why a grant stays: the start of its role's logical name, its action, a part of its resource, the sentence."""

    role: str
    action: str
    resource: str
    why: str


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
        "Job", "cloudwatch:PutMetricData", "", "Glue's own metrics of a run, which the rehearsal does not emit."
    ),
    *(
        Explanation("Job", action, "", "Glue makes the group where it is not there; the stack makes it before.")
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
    """Why a resource policy's statement stays: the start of its owner's logical name, the service, the sentence."""

    owner: str
    service: str
    why: str


_UNDELIVERED = "The topic puts here what it cannot deliver; in a default rehearsal it can deliver everything."

STATEMENTS: tuple[StatementExplanation, ...] = (
    StatementExplanation(
        "AccessLogs", "logging.s3.amazonaws.com", "S3 writes access logs hours later; a rehearsal has no such log."
    ),
    StatementExplanation("Alarms", "cloudwatch.amazonaws.com", "For alarms, which a rehearsal does not evaluate."),
    StatementExplanation("NoticesKey", "cloudwatch.amazonaws.com", "For alarms, which a rehearsal does not evaluate."),
    *(StatementExplanation(owner, "sns.amazonaws.com", _UNDELIVERED) for owner in ("Crawler", "BatchFilesDeadLetters")),
    StatementExplanation("Failures", "events.amazonaws.com", "For crawls and jobs that fail; in this one none does."),
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
        "JobsKey", "", "It lets the account's own policies grant the key's administration; the jobs' logs need another."
    ),
    StatementExplanation(
        "ShowChangesDeadLetters",
        "sns.amazonaws.com",
        _UNDELIVERED,
    ),
)


def explanation(role: str, action: str, resource: str) -> str:
    """The sentence for an unused grant, empty when there is none."""
    return next(
        (
            known.why
            for known in EXPLANATIONS
            if role.startswith(known.role) and action == known.action and known.resource in resource
        ),
        "",
    )


def statement_explanation(owner: str, service: str) -> str:
    """The sentence for a statement of a resource's policy that nobody needed, empty when there is none."""
    return next(
        (known.why for known in STATEMENTS if owner.startswith(known.owner) and service == known.service),
        "",
    )
