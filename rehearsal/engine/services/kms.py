"""KMS keys and aliases; which resource a key encrypts is noted by the service file of that resource."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

from moto.kms import models

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType


def customer_key(account: Account, reference: str | None) -> str | None:
    """The ARN of the customer managed key that a key id, ARN or alias stands for; None for keys of AWS.

    Keys of AWS (``alias/aws/…``) need no permission of the caller on a key policy that a template could hold.
    """
    if reference is None or "alias/aws/" in reference:
        return None
    arn: str = account.client("kms").describe_key(KeyId=reference)["KeyMetadata"]["Arn"]
    return arn


def _key(account: Account, declaration: Declaration) -> Created:
    properties, client = declaration.properties, account.client("kms")
    metadata = client.create_key(
        Policy=json.dumps(properties["KeyPolicy"]),
        Description=properties.get("Description", ""),
        KeyUsage=properties.get("KeyUsage", "ENCRYPT_DECRYPT"),
        KeySpec=properties.get("KeySpec", "SYMMETRIC_DEFAULT"),
        MultiRegion=properties.get("MultiRegion", False),
    )["KeyMetadata"]
    if properties.get("EnableKeyRotation"):
        client.enable_key_rotation(KeyId=metadata["KeyId"])
    if not properties.get("Enabled", True):
        client.disable_key(KeyId=metadata["KeyId"])
    account.authorizer.put_resource_policy(metadata["Arn"], properties["KeyPolicy"])
    return Created(
        ref=metadata["KeyId"],
        arn=metadata["Arn"],
        attributes={"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]},
    )


def _alias(account: Account, declaration: Declaration) -> Created:
    name = declaration.properties["AliasName"]
    account.client("kms").create_alias(AliasName=name, TargetKeyId=declaration.properties["TargetKeyId"])
    return Created(ref=name, arn=account.arn("kms", name))


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::KMS::Key",
        create=_key,
        honoured=(
            "Description",
            "Enabled",
            "EnableKeyRotation",
            "KeyPolicy",
            "KeySpec",
            "KeyUsage",
            "MultiRegion",
        ),
        ignored={
            "PendingWindowInDays": "no key is deleted in a rehearsal",
            "RotationPeriodInDays": "no rehearsal lasts until a rotation",
            "Tags": "no rule of the rehearsal reads a key's tags",
        },
    ),
    ResourceType(name="AWS::KMS::Alias", create=_alias, honoured=("AliasName", "TargetKeyId")),
)


def attach(_account: Account) -> Callable[[], None]:
    """Make no key pair for symmetric keys: moto never uses it, and it is a quarter of what deploying a stack costs."""
    make = models.generate_private_key
    unused = functools.cache(make)
    models.generate_private_key = lambda spec: (unused if spec == "SYMMETRIC_DEFAULT" else make)(spec)

    def undo() -> None:
        models.generate_private_key = make

    return undo
