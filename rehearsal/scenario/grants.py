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
    Explanation("rehearsal-app", "kinesis:PutRecord", "", "For producers that put one event at a time."),
)


class StatementExplanation(NamedTuple):
    """Why a resource policy's statement stays: the start of its owner's logical name, the service, the sentence."""

    owner: str
    service: str
    why: str


STATEMENTS: tuple[StatementExplanation, ...] = (
    StatementExplanation(
        "AccessLogs", "logging.s3.amazonaws.com", "S3 writes access logs hours later; a rehearsal has no such log."
    ),
    StatementExplanation("Alarms", "cloudwatch.amazonaws.com", "For alarms, which a rehearsal does not evaluate."),
    StatementExplanation("NoticesKey", "cloudwatch.amazonaws.com", "For alarms, which a rehearsal does not evaluate."),
    StatementExplanation(
        "ShowChangesDeadLetters",
        "sns.amazonaws.com",
        "The topic puts here what it cannot deliver; in a default rehearsal it can deliver everything.",
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
