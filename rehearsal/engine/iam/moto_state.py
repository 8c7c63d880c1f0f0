"""What a request leaves to the service to know: the stream of an iterator, the key of an alias or ciphertext.

It must not change moto's state, and is the only module that reads it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from moto.kinesis.utils import decompose_shard_iterator
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.engine.iam.scope import Scope

_KEY_ID_LENGTH = 36


def json_body(data: bytes) -> Mapping[str, Any]:
    """The parameters of a request in the JSON protocol; an empty body has none."""
    body = json.loads(data) if data else {}
    return body if isinstance(body, dict) else {}


def completed(service: str, parameters: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    """The parameters with the full names of resources that the request gives by another name."""
    if service == "kinesis" and "ShardIterator" in parameters and "StreamARN" not in parameters:
        return {**parameters, "StreamName": decompose_shard_iterator(parameters["ShardIterator"])[0]}
    if service == "kms":
        return _with_keys(parameters, scope)
    if service == "secretsmanager":
        return _with_secrets(parameters, scope)
    return parameters


def _with_keys(parameters: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    full = dict(parameters)
    if "KeyId" not in full and "CiphertextBlob" in full:
        full["KeyId"] = _key_of_ciphertext(full["CiphertextBlob"])
    if "SourceKeyId" not in full and "DestinationKeyId" in full:
        full["SourceKeyId"] = _key_of_ciphertext(full["CiphertextBlob"])
    for name in ("KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"):
        if name in full:
            full[name] = _key_arn(str(full[name]), scope)
    return full


def _key_of_ciphertext(blob: str) -> str:
    # moto writes the id of the key at the beginning of what it encrypts.
    return base64.b64decode(blob)[:_KEY_ID_LENGTH].decode("ascii", "replace")


def _key_arn(name: str, scope: Scope) -> str:
    if name.startswith("arn:") and ":alias/" not in name:
        return name
    backend = kms_backends[scope.account][scope.region]
    alias = backend.get_alias_name(name)
    key_id = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else alias
    return scope.arn("kms", f"key/{key_id}") if key_id else name


def _with_secrets(parameters: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    full = dict(parameters)
    if "SecretId" in full:
        full["SecretId"] = _secret_arn(str(full["SecretId"]), scope)
        full |= _rotation_and_tags(full["SecretId"], full, scope)
    if full.get("KmsKeyId"):
        full["KmsKeyId"] = _key_arn(str(full["KmsKeyId"]), scope)
    if "SecretIdList" in full:
        full["SecretIdList"] = [_secret_arn(str(name), scope) for name in full["SecretIdList"]]
    return full


def _rotation_and_tags(secret_arn: str, given: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The function that rotates a secret, if the request names none, and the secret's tags (`ResourceTags`)."""
    secret = secretsmanager_backends[scope.account][scope.region].secrets.get(secret_arn)
    if secret is None:
        return {}
    found: dict[str, Any] = {"ResourceTags": {tag["Key"]: tag["Value"] for tag in secret.tags or ()}}
    function_arn = getattr(secret, "rotation_lambda_arn", "")
    if function_arn and "RotationLambdaARN" not in given:
        found["RotationLambdaARN"] = function_arn
    return found


def _secret_arn(name: str, scope: Scope) -> str:
    secret = secretsmanager_backends[scope.account][scope.region].secrets.get(name)
    return str(secret.arn) if secret is not None else name
