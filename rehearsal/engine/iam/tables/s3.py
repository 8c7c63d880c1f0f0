"""Needs of Amazon S3 requests.

It must not look at object contents; of a batch deletion it reads the keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

from rehearsal.engine.iam.model import ContextValue, Need
from rehearsal.engine.iam.scope import Parameters, Rule, Scope, anywhere, on

# S3 guide, "Protecting data with server-side encryption using AWS KMS keys (SSE-KMS)": writing needs
# GenerateDataKey, reading Decrypt, a multipart upload both, because parts are read back.
_WRITE, _READ, _WRITE_PART = ("kms:GenerateDataKey",), ("kms:Decrypt",), ("kms:GenerateDataKey", "kms:Decrypt")

# S3 reference, "Condition keys for Amazon S3": request parameters that policies may compare.
_SENT = {
    "ACL": "s3:x-amz-acl",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "StorageClass": "s3:x-amz-storage-class",
    "CopySource": "s3:x-amz-copy-source",
    "VersionId": "s3:VersionId",
    "IfNoneMatch": "s3:if-none-match",
    "IfMatch": "s3:if-match",
}
_LISTED = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}


def _context(parameters: Parameters, names: Mapping[str, str]) -> dict[str, ContextValue]:
    return {key: str(parameters[name]) for name, key in names.items() if parameters.get(name) is not None}


def _bucket(parameters: Parameters, scope: Scope) -> str:
    return f"arn:{scope.partition}:s3:::{parameters['Bucket']}"


def _object(parameters: Parameters, scope: Scope) -> str:
    return f"{_bucket(parameters, scope)}/{parameters['Key']}"


def _key_needs(parameters: Parameters, scope: Scope, actions: Iterable[str]) -> list[Need]:
    algorithm = parameters.get("ServerSideEncryption")
    if algorithm is not None and not str(algorithm).startswith("aws:kms"):
        return []
    bucket = _bucket(parameters, scope)
    named = str(parameters.get("SSEKMSKeyId") or "")
    if named and not named.startswith(("arn:", "alias/")):
        named = f"key/{named}"
    subject = bucket if scope.bucket_key_enabled(bucket) else _object(parameters, scope)
    return scope.key_needs(
        bucket,
        via="s3",
        actions=actions,
        encryption_context={"aws:s3:arn": subject},
        key=scope.arn("kms", named) if named else None,
    )


def _write(key_actions: Iterable[str]) -> Rule:
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        resource, context = _object(parameters, scope), _context(parameters, _SENT)
        needs = [Need(action="s3:PutObject", resource=resource, context=context)]
        if parameters.get("ACL"):
            needs.append(Need(action="s3:PutObjectAcl", resource=resource, context=context))
        if parameters.get("Tagging"):
            needs.append(Need(action="s3:PutObjectTagging", resource=resource, context=context))
        if parameters.get("ObjectLockMode"):
            needs.append(Need(action="s3:PutObjectRetention", resource=resource, context=context))
        return [*needs, *_key_needs(parameters, scope, key_actions)]

    return rule


def _read(parameters: Parameters, scope: Scope) -> list[Need]:
    action = "s3:GetObjectVersion" if parameters.get("VersionId") else "s3:GetObject"
    return [Need(action=action, resource=_object(parameters, scope), context=_context(parameters, _SENT))]


def _get(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    return [*_read(parameters, scope), *_key_needs(parameters, scope, _READ)]


def _head(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    # S3 reference, "HeadObject": the key is used only to give a checksum back.
    checksum = str(parameters.get("ChecksumMode") or "").upper() == "ENABLED"
    return [*_read(parameters, scope), *(_key_needs(parameters, scope, _READ) if checksum else ())]


def _attributes(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    version = "Version" if parameters.get("VersionId") else ""
    named = Need(action=f"s3:GetObject{version}Attributes", resource=_object(parameters, scope))
    return [*_get(parameters, scope), named]


def _source(parameters: Parameters, scope: Scope) -> list[Need]:
    given = parameters["CopySource"]
    if isinstance(given, Mapping):
        return list(_get(given, scope))
    path, _, version = str(given).partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    if bucket.startswith("arn:"):
        bucket = bucket.rsplit(":", 1)[-1]
    source = {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}
    return list(_get(source, scope))


def _copy(key_actions: Iterable[str]) -> Rule:
    write = _write(key_actions)

    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        return [*_source(parameters, scope), *write(parameters, scope)]

    return rule


def _delete_many(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    return [_delete({"Bucket": parameters["Bucket"], **item}, scope)[0] for item in parameters["Delete"]["Objects"]]


def _delete(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    action = "s3:DeleteObjectVersion" if parameters.get("VersionId") else "s3:DeleteObject"
    return [Need(action=action, resource=_object(parameters, scope), context=_context(parameters, _SENT))]


def _versioned(action: str) -> Rule:
    # S3 guide, "Required permissions for Amazon S3 API operations": Get…/Put…/DeleteObjectTagging name a
    # version in the action when the request does.
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        name = action.replace("Object", "ObjectVersion", 1) if parameters.get("VersionId") else action
        return [Need(action=name, resource=_object(parameters, scope))]

    return rule


def _list(action: str) -> Rule:
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        return [Need(action=action, resource=_bucket(parameters, scope), context=_context(parameters, _LISTED))]

    return rule


# Operations on a bucket's configuration, whose actions are named otherwise (same guide page).
_CONFIGURATION = {
    "BucketAccelerateConfiguration": "AccelerateConfiguration",
    "BucketAcl": "BucketAcl",
    "BucketCors": "BucketCORS",
    "BucketEncryption": "EncryptionConfiguration",
    "BucketLifecycleConfiguration": "LifecycleConfiguration",
    "BucketLogging": "BucketLogging",
    "BucketNotificationConfiguration": "BucketNotification",
    "BucketOwnershipControls": "BucketOwnershipControls",
    "BucketPolicy": "BucketPolicy",
    "BucketReplication": "ReplicationConfiguration",
    "BucketRequestPayment": "BucketRequestPayment",
    "BucketTagging": "BucketTagging",
    "BucketVersioning": "BucketVersioning",
    "BucketWebsite": "BucketWebsite",
    "ObjectLockConfiguration": "BucketObjectLockConfiguration",
    "PublicAccessBlock": "BucketPublicAccessBlock",
}
# Deletions with an action of their own; the others are decided as the Put.
_OWN_DELETION = {"BucketPolicy": "DeleteBucketPolicy", "BucketWebsite": "DeleteBucketWebsite"}
_NO_DELETION = {
    "BucketAccelerateConfiguration", "BucketAcl", "BucketLogging", "BucketNotificationConfiguration",
    "BucketRequestPayment", "BucketVersioning", "ObjectLockConfiguration",
}  # fmt: skip


def _configuration() -> dict[str, Rule]:
    table: dict[str, Rule] = {}
    for operation, name in _CONFIGURATION.items():
        table[f"Get{operation}"] = on(f"s3:Get{name}", _bucket)
        table[f"Put{operation}"] = on(f"s3:Put{name}", _bucket)
        if operation == "BucketLifecycleConfiguration":
            table["DeleteBucketLifecycle"] = on(f"s3:Put{name}", _bucket)
        elif operation not in _NO_DELETION:
            table[f"Delete{operation}"] = on(f"s3:{_OWN_DELETION.get(operation, f'Put{name}')}", _bucket)
    return table


TABLE: Mapping[str, Rule] = {
    "ListBuckets": anywhere("s3:ListAllMyBuckets"),
    "CreateBucket": on("s3:CreateBucket", _bucket),
    "DeleteBucket": on("s3:DeleteBucket", _bucket),
    "GetBucketLocation": on("s3:GetBucketLocation", _bucket),
    "HeadBucket": _list("s3:ListBucket"),
    "ListObjects": _list("s3:ListBucket"),
    "ListObjectsV2": _list("s3:ListBucket"),
    "ListObjectVersions": _list("s3:ListBucketVersions"),
    "ListMultipartUploads": _list("s3:ListBucketMultipartUploads"),
    **_configuration(),
    "PutObject": _write(_WRITE),
    "CopyObject": _copy(_WRITE),
    "CreateMultipartUpload": _write(_WRITE),
    "UploadPart": _write(_WRITE_PART),
    "UploadPartCopy": _copy(_WRITE_PART),
    "CompleteMultipartUpload": _write(_READ),
    "AbortMultipartUpload": on("s3:AbortMultipartUpload", _object),
    "ListParts": on("s3:ListMultipartUploadParts", _object),
    "GetObject": _get,
    "SelectObjectContent": _get,
    "HeadObject": _head,
    "GetObjectAttributes": _attributes,
    "DeleteObject": _delete,
    "DeleteObjects": _delete_many,
    "GetObjectTagging": _versioned("s3:GetObjectTagging"),
    "PutObjectTagging": _versioned("s3:PutObjectTagging"),
    "DeleteObjectTagging": _versioned("s3:DeleteObjectTagging"),
    "GetObjectAcl": _versioned("s3:GetObjectAcl"),
    "PutObjectAcl": _versioned("s3:PutObjectAcl"),
    "GetObjectRetention": on("s3:GetObjectRetention", _object),
    "PutObjectRetention": on("s3:PutObjectRetention", _object),
    "GetObjectLegalHold": on("s3:GetObjectLegalHold", _object),
    "PutObjectLegalHold": on("s3:PutObjectLegalHold", _object),
    "RestoreObject": on("s3:RestoreObject", _object),
}
