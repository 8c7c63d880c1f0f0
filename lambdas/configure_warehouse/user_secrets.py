"""Each user's secret in Secrets Manager: made without a password, which the rotation alone ever knows."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from contracts.warehouse.secrets import SINGLE_USER, TAG_CLUSTER, TAG_ROTATION, TAG_USER
from lambdas.configure_warehouse.clusters import Cluster
from lambdas.configure_warehouse.facts import Fact, Kind

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import SecretListEntryTypeDef, TagTypeDef

RECOVERY_DAYS = 30
"""Days in which the secret of a user who is not declared any more can be brought back."""


class UserSecrets:
    """The secrets of one cluster's users."""

    def __init__(
        self,
        *,
        client: SecretsManagerClient,
        cluster: Cluster,
        key_arn: str,
        rotation_function_arn: str,
        rotation_days: Mapping[str, int],
    ) -> None:
        """Remember where and how; nothing is called. ``rotation_days`` are by the way of rotation."""
        self._client, self._cluster, self._key = client, cluster, key_arn
        self._function, self._days = rotation_function_arn, rotation_days

    def facts(self) -> frozenset[Fact]:
        """Whose secrets there are and rotate; one that does not rotate counts as missing."""
        return frozenset(
            Fact(Kind.SECRET, (secret["Name"].removeprefix(self._cluster.secret_prefix), _tag(secret, TAG_ROTATION)))
            for secret in self._listed()
            if secret.get("RotationEnabled") and "DeletedDate" not in secret
        )

    def make(self, facts: Collection[Fact]) -> None:
        """Make the secrets of users who have none that rotates, and have each rotated at once: its first password."""
        if not facts:
            return
        there = {secret["Name"]: secret for secret in self._listed()}
        for fact in facts:
            user, rotation = fact.parts
            name = self._cluster.secret_prefix + user
            if name not in there:
                self._create(name, user, rotation)
            else:
                if "DeletedDate" in there[name]:
                    self._client.restore_secret(SecretId=name)
                self._client.tag_resource(SecretId=name, Tags=self._tags(user, rotation))
            self._rotate(name, self._days[rotation])

    def _rotate(self, name: str, days: int) -> None:
        try:
            self._client.rotate_secret(
                SecretId=name,
                RotationLambdaARN=self._function,
                RotationRules={"AutomaticallyAfterDays": days},
                RotateImmediately=True,
            )
        except self._client.exceptions.InvalidRequestException as error:
            # An earlier rotation is not complete, and is taken up again by this call ("RotateSecret" API page).
            if "previous rotation" not in str(error):
                raise

    def remove(self, facts: Collection[Fact]) -> None:
        """Delete secrets, recoverably; those that are gone already stay so."""
        if not facts:
            return
        there = {secret["Name"] for secret in self._listed() if "DeletedDate" not in secret}
        for name in (self._cluster.secret_prefix + fact.parts[0] for fact in facts):
            if name in there:
                self._client.delete_secret(SecretId=name, RecoveryWindowInDays=RECOVERY_DAYS)

    def _create(self, name: str, user: str, rotation: str) -> None:
        cluster = self._cluster
        value = {
            "engine": "redshift",
            "host": cluster.host,
            "port": cluster.port,
            "dbname": cluster.database,
            "username": user,
            "dbClusterIdentifier": cluster.cluster_identifier,
        }
        self._client.create_secret(
            Name=name,
            Description=f"Password of {user} in the warehouse {cluster.name}, rotated by the platform",
            KmsKeyId=self._key,
            SecretString=json.dumps(value),
            Tags=self._tags(user, rotation),
        )

    def _tags(self, user: str, rotation: str) -> list[TagTypeDef]:
        tags = {TAG_CLUSTER: self._cluster.name, TAG_USER: user, TAG_ROTATION: rotation}
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def _listed(self) -> list[SecretListEntryTypeDef]:
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [self._cluster.secret_prefix]}], IncludePlannedDeletion=True
        )
        return [
            secret
            for page in pages
            for secret in page["SecretList"]
            if secret["Name"].startswith(self._cluster.secret_prefix)
        ]


def _tag(secret: SecretListEntryTypeDef, key: str) -> str:
    return next((tag["Value"] for tag in secret.get("Tags", []) if tag["Key"] == key), SINGLE_USER)
