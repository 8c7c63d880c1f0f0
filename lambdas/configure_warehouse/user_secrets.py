"""Each user's secret in Secrets Manager: made without a password, which the rotation alone ever knows."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TYPE_CHECKING

from contracts.warehouse.secrets import TAG_CLUSTER, TAG_ROTATION, TAG_USER
from lambdas.configure_warehouse.clusters import Cluster
from lambdas.configure_warehouse.facts import Fact, Kind

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import (
        DescribeSecretResponseTypeDef,
        SecretListEntryTypeDef,
        TagTypeDef,
    )

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
    ) -> None:
        """Remember where and how; nothing is called."""
        self._client, self._cluster, self._key = client, cluster, key_arn
        self._function = rotation_function_arn

    def facts(self, expected: Collection[Fact]) -> frozenset[Fact]:
        """Whose secrets there are and rotate; one that does not rotate counts as missing.

        A list may be five minutes old ("ListSecrets" API page): what is in it and not expected, or the other way
        round, is asked for by name.
        """
        pages = self._client.get_paginator("list_secrets").paginate(
            Filters=[{"Key": "name", "Values": [self._cluster.secret_prefix]}]
        )
        listed = {secret["Name"]: secret for page in pages for secret in page["SecretList"]}
        found = {fact for name, secret in listed.items() if (fact := self._fact(name, secret)) is not None}
        secrets = {fact for fact in expected if fact.kind is Kind.SECRET}
        doubtful = {fact.parts[0] for fact in found ^ secrets}
        asked = {(self._cluster.secret_prefix + user): self._described(user) for user in sorted(doubtful)}
        return frozenset(
            {fact for fact in found if fact.parts[0] not in doubtful}
            | {fact for name, secret in asked.items() if secret and (fact := self._fact(name, secret)) is not None}
        )

    def make(self, facts: Collection[Fact]) -> None:
        """Make secrets rotate as the facts say, and have each that did not rotate so rotated at once."""
        for fact in facts:
            user, rotation, days = fact.parts
            name = self._cluster.secret_prefix + user
            there = self._described(user)
            if there is None:
                self._create(name, user, rotation)
            else:
                if "DeletedDate" in there:
                    self._client.restore_secret(SecretId=name)
                self._client.tag_resource(SecretId=name, Tags=self._tags(user, rotation))
            before = there and self._fact(name, there)
            self._rotate(name, int(days), at_once=not before or before.parts[1] != rotation)

    def _rotate(self, name: str, days: int, *, at_once: bool) -> None:
        try:
            self._client.rotate_secret(
                SecretId=name,
                RotationLambdaARN=self._function,
                RotationRules={"AutomaticallyAfterDays": days},
                RotateImmediately=at_once,
            )
        except self._client.exceptions.InvalidRequestException as error:
            # An earlier rotation is not complete, and is taken up again by this call ("RotateSecret" API page).
            if "previous rotation" not in str(error):
                raise

    def remove(self, facts: Collection[Fact]) -> None:
        """Delete secrets, recoverably; those that are gone already stay so."""
        for fact in facts:
            there = self._described(fact.parts[0])
            if there is not None and "DeletedDate" not in there:
                name = self._cluster.secret_prefix + fact.parts[0]
                self._client.delete_secret(SecretId=name, RecoveryWindowInDays=RECOVERY_DAYS)

    def _described(self, user: str) -> DescribeSecretResponseTypeDef | None:
        try:
            return self._client.describe_secret(SecretId=self._cluster.secret_prefix + user)
        except self._client.exceptions.ResourceNotFoundException:
            return None

    def _fact(self, name: str, secret: SecretListEntryTypeDef | DescribeSecretResponseTypeDef) -> Fact | None:
        """Whose secret it is and how it rotates; None for one that does not, or of another cluster."""
        if not name.startswith(self._cluster.secret_prefix) or not secret.get("RotationEnabled"):
            return None
        if "DeletedDate" in secret:
            return None
        rotation = next((tag["Value"] for tag in secret.get("Tags", []) if tag["Key"] == TAG_ROTATION), "")
        days = secret.get("RotationRules", {}).get("AutomaticallyAfterDays", 0)
        return Fact(Kind.SECRET, (name.removeprefix(self._cluster.secret_prefix), rotation, str(days)))

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
