"""Users' secrets: made once, told by what Secrets Manager says of each, rotated at once when they did not rotate so."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from lambdas.configure_warehouse.clusters import Cluster
from lambdas.configure_warehouse.facts import Fact, Kind
from lambdas.configure_warehouse.user_secrets import RECOVERY_DAYS, UserSecrets

PREFIX = "amp/dev/warehouse/analytics/"
ANA = Fact(Kind.SECRET, ("ana", "single-user", "30"))


class SecretsManager:
    """Secrets as the service keeps them, and a list of them that can be of an earlier moment."""

    class exceptions:  # noqa: N801 - as a client has it
        ResourceNotFoundException = type("ResourceNotFoundException", (Exception,), {})
        InvalidRequestException = type("InvalidRequestException", (Exception,), {})

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.listed: dict[str, dict[str, Any]] | None = None
        self.rotated: list[tuple[str, int, bool]] = []
        self.unfinished = False

    def get_paginator(self, _name: str) -> SecretsManager:
        return self

    def paginate(self, **_given: Any) -> list[dict[str, Any]]:
        listed = self.kept if self.listed is None else self.listed
        return [{"SecretList": [each]} for each in listed.values() if "DeletedDate" not in each]

    def remember_the_list(self) -> None:
        """Answer lists from now on with what there is at this moment."""
        self.listed = json.loads(json.dumps(self.kept))

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        if SecretId not in self.kept:
            raise self.exceptions.ResourceNotFoundException
        return dict(self.kept[SecretId])

    def create_secret(self, *, Name: str, SecretString: str, Tags: Any, **_given: Any) -> None:  # noqa: N803
        assert Name not in self.kept
        assert "password" not in json.loads(SecretString)
        self.kept[Name] = {"Name": Name, "Tags": Tags}

    def tag_resource(self, *, SecretId: str, Tags: Any) -> None:  # noqa: N803
        self.kept[SecretId]["Tags"] = Tags

    def restore_secret(self, *, SecretId: str) -> None:  # noqa: N803
        del self.kept[SecretId]["DeletedDate"]

    def delete_secret(self, *, SecretId: str, RecoveryWindowInDays: int) -> None:  # noqa: N803
        assert RecoveryWindowInDays == RECOVERY_DAYS
        self.kept[SecretId]["DeletedDate"] = "today"
        self.kept[SecretId]["RotationEnabled"] = False

    def rotate_secret(self, *, SecretId: str, RotationRules: Any, RotateImmediately: bool, **_given: Any) -> None:  # noqa: N803
        self.kept[SecretId].update(RotationEnabled=True, RotationRules=RotationRules)
        days = RotationRules["AutomaticallyAfterDays"]
        self.rotated.append((SecretId.removeprefix(PREFIX), days, RotateImmediately))
        if self.unfinished:
            raise self.exceptions.InvalidRequestException("A previous rotation isn't complete.")


@pytest.fixture
def service() -> SecretsManager:
    return SecretsManager()


@pytest.fixture
def secrets(service: SecretsManager) -> UserSecrets:
    cluster = Cluster(
        name="analytics",
        cluster_identifier="amp-dev-analytics",
        database="amp",
        admin_user="amp_admin",
        declaration="standard",
        host="host",
        port=5439,
        spectrum_role_arn="arn",
        secret_prefix=PREFIX,
        databases={},
    )
    return UserSecrets(client=cast("Any", service), cluster=cluster, key_arn="key", rotation_function_arn="function")


def test_a_secret_is_made_without_a_password_and_rotated_at_once(service: SecretsManager, secrets: UserSecrets) -> None:
    secrets.make([ANA])
    assert service.rotated == [("ana", 30, True)]
    assert secrets.facts(()) == {ANA}
    assert secrets.facts([ANA]) == {ANA}


def test_a_list_of_five_minutes_ago_makes_nobody_a_stranger(service: SecretsManager, secrets: UserSecrets) -> None:
    service.remember_the_list()
    secrets.make([ANA])
    assert secrets.facts([ANA]) == {ANA}
    service.remember_the_list()
    secrets.remove([ANA])
    assert secrets.facts(()) == frozenset()
    secrets.make([ANA])  # which the list has not, and Secrets Manager would not make twice
    assert secrets.facts([ANA]) == {ANA}


def test_other_days_are_taken_over_without_a_rotation(service: SecretsManager, secrets: UserSecrets) -> None:
    secrets.make([ANA])
    weekly = Fact(Kind.SECRET, ("ana", "single-user", "7"))
    secrets.make([weekly])
    assert service.rotated == [("ana", 30, True), ("ana", 7, False)]
    assert secrets.facts([weekly]) == {weekly}
    turning = Fact(Kind.SECRET, ("ana", "alternating-users", "7"))
    secrets.make([turning])
    assert service.rotated[-1] == ("ana", 7, True)


def test_a_user_who_comes_back_has_the_old_secret_with_a_new_password(
    service: SecretsManager, secrets: UserSecrets
) -> None:
    secrets.make([ANA])
    secrets.remove([ANA])
    secrets.remove([ANA])
    service.unfinished = True
    secrets.make([ANA])
    assert service.rotated == [("ana", 30, True), ("ana", 30, True)]
    assert secrets.facts(()) == {ANA}


def test_secrets_of_other_clusters_and_those_that_do_not_rotate_are_none(
    service: SecretsManager, secrets: UserSecrets
) -> None:
    secrets.make([ANA])
    service.kept["amp/dev/warehouse/analytics-2/bo"] = {**service.kept[PREFIX + "ana"], "Name": "amp/dev/other/bo"}
    service.kept[PREFIX + "ana"]["RotationEnabled"] = False
    assert secrets.facts([ANA]) == frozenset()
