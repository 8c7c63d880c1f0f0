"""Secrets Manager secrets: generated or given values, encrypted with the key that the template names."""

from __future__ import annotations

import json
from typing import Any

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType
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


def _secret(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("secretsmanager")
    name = declaration.name(properties.get("Name"), longest=512)
    arguments: dict[str, Any] = {}
    if "GenerateSecretString" in properties:
        arguments["SecretString"] = _generated(client, properties["GenerateSecretString"])
    elif "SecretString" in properties:
        arguments["SecretString"] = properties["SecretString"]
    for key in ("Description", "KmsKeyId"):
        if key in properties:
            arguments[key] = properties[key]
    arn = client.create_secret(Name=name, **arguments)["ARN"]
    encryption_key = customer_key(account, properties.get("KmsKeyId"))
    if encryption_key is not None:
        account.encryption_keys[arn] = encryption_key
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


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::SecretsManager::Secret",
        create=_secret,
        honoured=("Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString"),
        ignored={"Tags": "no rule of the rehearsal reads a secret's tags"},
    ),
    ResourceType(
        name="AWS::SecretsManager::ResourcePolicy",
        create=_resource_policy,
        honoured=("ResourcePolicy", "SecretId"),
        ignored={"BlockPublicPolicy": "every caller of a rehearsal is a principal of the account"},
    ),
)
