"""Secrets Manager secrets: generated or given values, encrypted with the key that is named, rotated by a function."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from moto.secretsmanager.exceptions import (
    InvalidRequestException,
    ResourceExistsException,
    SecretNotFoundException,
)
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.secret_rotation import Rotations, RotationSchedule
from rehearsal.engine.services.kms import customer_key

_GENERATE = (
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "PasswordLength",
    "RequireEachIncludedType",
)


def attach(account: Account) -> Callable[[], None]:
    """Rotate in the place of moto, and let versions behave as Secrets Manager's."""
    rotations = Rotations(account)
    account.register(rotations)
    account.scheduler.add(rotations)
    account.scheduler.add_periodic(RotationSchedule(rotations))
    kept = {
        (owner, name): getattr(owner, name)
        for owner, names in (
            (SecretsManagerBackend, ("rotate_secret", "cancel_rotate_secret", "create_secret", "update_secret")),
            (SecretsManagerBackend, ("put_secret_value", "update_secret_version_stage")),
            (FakeSecret, ("to_dict",)),
        )
        for name in names
    }

    def rotate_secret(
        backend: Any,
        secret_id: str,
        client_request_token: str | None = None,
        rotation_lambda_arn: str | None = None,
        rotation_rules: dict[str, Any] | None = None,
        rotate_immediately: bool = True,
    ) -> str:
        secret = _existing(backend, secret_id)
        token = rotations.rotate(
            secret,
            function_arn=rotation_lambda_arn or "",
            rules=rotation_rules or {},
            token=client_request_token or str(uuid.uuid4()),
            immediately=rotate_immediately,
        )
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": token})

    def cancel_rotate_secret(backend: Any, secret_id: str) -> str:
        secret = _existing(backend, secret_id)
        rotations.cancel(secret)
        return str(secret.to_short_dict())

    def put_secret_value(backend: Any, secret_id: str, *given: Any, **named: Any) -> str:
        token, value = named.get("client_request_token"), named.get("secret_string")
        secret = backend.secrets.get(secret_id)
        version = secret.versions.get(token) if secret is not None and token else None
        # API reference, "PutSecretValue": a version's value is set once; the same again changes nothing.
        if version is not None and version.get("secret_string", value) != value:
            raise ResourceExistsException(
                f"You can't use ClientRequestToken {token} because that value is already in use for a version of "
                f"secret {secret.arn}."
            )
        return str(kept[SecretsManagerBackend, "put_secret_value"](backend, secret_id, *given, **named))

    def update_secret_version_stage(backend: Any, secret_id: str, **named: Any) -> Any:
        answer = kept[SecretsManagerBackend, "update_secret_version_stage"](backend, secret_id, **named)
        if named["version_stage"] == "AWSCURRENT" and named["move_to_version_id"]:
            backend.secrets[secret_id].set_default_version_id(named["move_to_version_id"])
        return answer

    def with_key(name: str) -> Callable[..., str]:
        def changed(backend: Any, *given: Any, **named: Any) -> str:
            answer = str(kept[SecretsManagerBackend, name](backend, *given, **named))
            key = customer_key(account, named.get("kms_key_id"))
            if key is not None:
                account.encryption_keys[json.loads(answer)["ARN"]] = key
            return answer

        return changed

    def to_dict(secret: Any) -> dict[str, Any]:
        shown: dict[str, Any] = kept[FakeSecret, "to_dict"](secret)
        if "RotationRules" in shown:
            shown["RotationRules"] |= getattr(secret, "rotation_rules", {})
        return shown

    replaced = {
        (SecretsManagerBackend, "rotate_secret"): rotate_secret,
        (SecretsManagerBackend, "cancel_rotate_secret"): cancel_rotate_secret,
        (SecretsManagerBackend, "create_secret"): with_key("create_secret"),
        (SecretsManagerBackend, "update_secret"): with_key("update_secret"),
        (SecretsManagerBackend, "put_secret_value"): put_secret_value,
        (SecretsManagerBackend, "update_secret_version_stage"): update_secret_version_stage,
        (FakeSecret, "to_dict"): to_dict,
    }
    for (owner, name), operation in replaced.items():
        setattr(owner, name, operation)

    def undo() -> None:
        for (owner, name), operation in kept.items():
            setattr(owner, name, operation)

    return undo


def _existing(backend: Any, secret_id: str) -> FakeSecret:
    secret = backend.secrets.get(secret_id)
    if not isinstance(secret, FakeSecret):
        raise SecretNotFoundException
    if secret.is_deleted():
        raise InvalidRequestException(
            "You can't perform this operation on the secret because it was marked for deletion."
        )
    return secret


def _secret(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("secretsmanager")
    name = declaration.name(properties.get("Name"), longest=512)
    arguments: dict[str, Any] = {}
    if "GenerateSecretString" in properties:
        arguments["SecretString"] = _generated(client, properties["GenerateSecretString"])
    elif "SecretString" in properties:
        arguments["SecretString"] = properties["SecretString"]
    for key in ("Description", "KmsKeyId", "Tags"):
        if key in properties:
            arguments[key] = properties[key]
    arn = client.create_secret(Name=name, **arguments)["ARN"]
    return Created(ref=arn, arn=arn, attributes={"Id": arn})


def _generated(client: Any, wanted: dict[str, Any]) -> str:
    options = {key: wanted[key] for key in _GENERATE if key in wanted}
    if "PasswordLength" in options:
        options["PasswordLength"] = int(options["PasswordLength"])
    password: str = client.get_random_password(**options)["RandomPassword"]
    if "SecretStringTemplate" not in wanted:
        return password
    return json.dumps({**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: password})


def _resource_policy(account: Account, declaration: Declaration) -> Created:
    arn = declaration.properties["SecretId"]
    account.authorizer.put_resource_policy(arn, declaration.properties["ResourcePolicy"])
    return Created(ref=arn)


def _rotation_schedule(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    rules = dict(properties.get("RotationRules", {}))
    if "AutomaticallyAfterDays" in rules:
        rules["AutomaticallyAfterDays"] = int(rules["AutomaticallyAfterDays"])
    account.client("secretsmanager").rotate_secret(
        SecretId=properties["SecretId"],
        RotationLambdaARN=properties["RotationLambdaARN"],
        RotationRules=rules,
        RotateImmediately=properties.get("RotateImmediatelyOnUpdate", True),
    )
    return Created(ref=properties["SecretId"])


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::SecretsManager::Secret",
        create=_secret,
        honoured=("Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"),
    ),
    ResourceType(
        name="AWS::SecretsManager::ResourcePolicy",
        create=_resource_policy,
        honoured=("ResourcePolicy", "SecretId"),
        ignored={"BlockPublicPolicy": "every caller of a rehearsal is a principal of the account"},
    ),
    ResourceType(
        name="AWS::SecretsManager::RotationSchedule",
        create=_rotation_schedule,
        honoured=(
            "RotateImmediatelyOnUpdate",
            "RotationLambdaARN",
            "RotationRules.AutomaticallyAfterDays",
            "RotationRules.Duration",
            "RotationRules.ScheduleExpression",
            "SecretId",
        ),
    ),
)
