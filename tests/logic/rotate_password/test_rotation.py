"""Rotations from beginning to end, interrupted and resumed, with real logins at every point."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import time
from typing import Any, cast

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.httpsession import where

from lambdas.rotate_password import database as database_module
from lambdas.rotate_password.database import Database
from lambdas.rotate_password.errors import LoginError, RotationError
from lambdas.rotate_password.logic import SET_AT
from lambdas.rotate_password.settings import METRIC_ROTATIONS_FINISHED
from tests.logic.rotate_password.played import DATABASE, PREFIX, STEPS, Calls, Warehouse


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("step", STEPS)
def test_a_services_current_secret_logs_in_after_every_step(warehouse: Warehouse, step: str) -> None:
    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    for one in STEPS[: STEPS.index(step) + 1]:
        warehouse.step(one, name, token)
        assert warehouse.current_logs_in(name)


def test_a_service_alternates_and_the_secret_before_still_logs_in(warehouse: Warehouse) -> None:
    name = warehouse.service()
    users = []
    for _ in range(4):
        before = warehouse.value(name)
        warehouse.rotate(name)
        users.append(warehouse.value(name)["username"])
        assert warehouse.current_logs_in(name)
        assert warehouse.logs_in(before) == (len(users) > 1)
    assert users == ["etl_clone", "etl", "etl_clone", "etl"]


def test_a_person_keeps_the_user_and_gets_another_password(warehouse: Warehouse) -> None:
    name = warehouse.person()
    warehouse.rotate(name)
    first = warehouse.value(name)
    warehouse.rotate(name)
    assert warehouse.value(name)["username"] == "ana"
    assert warehouse.current_logs_in(name)
    assert not warehouse.logs_in(first)


def test_a_secret_has_what_clients_expect_and_follows_the_cluster_when_it_moves(warehouse: Warehouse) -> None:
    name = warehouse.person()
    warehouse.rotate(name)
    warehouse.clusters["analytics"] = dataclasses.replace(warehouse.clusters["analytics"], host="127.0.0.1")
    warehouse.rotate(name)
    value = warehouse.value(name)
    password = value.pop("password")
    assert value == {
        "engine": "redshift", "host": "127.0.0.1", "port": warehouse.server.port, "dbname": DATABASE,
        "username": "ana", "dbClusterIdentifier": "amp-test-analytics",
    }  # fmt: skip
    assert re.fullmatch(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9]{40}", password)


def test_a_pending_version_that_was_made_before_the_cluster_moved_is_given_up(warehouse: Warehouse) -> None:
    name = warehouse.service()
    token = warehouse.begin(name)
    warehouse.step("createSecret", name, token)
    warehouse.clusters["analytics"] = dataclasses.replace(warehouse.clusters["analytics"], host="127.0.0.1")
    with pytest.raises(RotationError, match="was given up: it does not describe the cluster as it is now"):
        warehouse.take(name, token)
    warehouse.rotate(name)
    assert warehouse.value(name)["host"] == "127.0.0.1"


@pytest.mark.parametrize("kind", ["person", "service"])
def test_a_finished_rotation_leaves_no_label_but_current_and_previous(warehouse: Warehouse, kind: str) -> None:
    name = getattr(warehouse, kind)()
    for _ in range(2):
        assert warehouse.rotate(name).counts[METRIC_ROTATIONS_FINISHED] == 1
        assert sorted(warehouse.stages(name).values()) == [["AWSCURRENT"], ["AWSPREVIOUS"]]


@pytest.mark.parametrize("kind", ["person", "service"])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_may_be_repeated(warehouse: Warehouse, kind: str, step: str) -> None:
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    for one in STEPS:
        warehouse.step(one, name, token)
        if one == step:
            warehouse.step(one, name, token)
    assert warehouse.current_logs_in(name)
    assert warehouse.stages(name)[token] == ["AWSCURRENT"]


@pytest.mark.parametrize("kind", ["person", "service"])
def test_a_rotation_that_is_killed_after_any_effect_is_resumed(warehouse: Warehouse, kind: str) -> None:
    """A service's current secret logs in meanwhile, a person's when the rotation was resumed."""
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    killed_after: list[str] = []
    effects: list[str] = []

    def count(effect: str) -> None:
        effects.append(effect)
        if len(effects) > len(killed_after):
            raise Killed

    while True:
        token = warehouse.begin(name)
        effects.clear()
        try:
            for step in STEPS:
                warehouse.step(step, name, token, Calls(warehouse, after=count))
        except Killed:
            killed_after.append(effects[-1])
            assert kind == "person" or warehouse.current_logs_in(name), killed_after
            warehouse.take(name, token)
            assert warehouse.current_logs_in(name), killed_after
            assert warehouse.stages(name)[token] == ["AWSCURRENT"], killed_after
        else:
            break
    of_a_service = "put_pending", "ALTER USER", "COMMIT", "ALTER USER", "move_current", "COMMIT", "remove_label"
    of_a_person = *of_a_service[:2], "add_label", *of_a_service[2:], "remove_label"
    assert tuple(killed_after) == (of_a_person if kind == "person" else of_a_service)


def test_a_leftover_pending_version_does_not_stand_in_the_way(warehouse: Warehouse) -> None:
    for name in (warehouse.service(), warehouse.person()):
        warehouse.rotate(name)
        for steps in range(1, len(STEPS)):
            dead = warehouse.begin(name)
            for step in STEPS[:steps]:
                warehouse.step(step, name, dead)
            warehouse.rotate(name)
            assert warehouse.current_logs_in(name)
            for step in STEPS:
                with pytest.raises(RotationError, match="is not the pending one"):
                    warehouse.step(step, name, dead)
            assert warehouse.current_logs_in(name)


def test_a_late_step_of_a_rotation_that_finished_long_ago_changes_nothing(warehouse: Warehouse) -> None:
    name = warehouse.service()
    late = warehouse.begin(name)
    warehouse.take(name, late)
    for _ in range(2):
        warehouse.rotate(name)
    before = warehouse.stages(name)
    for step in STEPS:
        with pytest.raises(RotationError, match="is not the pending one"):
            warehouse.step(step, name, late)
    assert warehouse.stages(name) == before
    assert warehouse.current_logs_in(name)


def test_a_pending_version_for_the_user_that_became_current_is_given_up(warehouse: Warehouse) -> None:
    """Two rotations that began at once made passwords for the same user; the first has finished."""
    name = warehouse.service()
    warehouse.rotate(name)
    first = warehouse.begin(name)
    for step in STEPS[:3]:
        warehouse.step(step, name, first)
    second = warehouse.begin(name)
    warehouse.step("createSecret", name, second)
    # What the last call of the first one does, which it had decided on before the second began.
    old = next(version for version, labels in warehouse.stages(name).items() if "AWSCURRENT" in labels)
    warehouse.versions.move_current(name, old=old, new=first)
    with pytest.raises(RotationError, match="was given up: it is for etl, and so is the current version"):
        warehouse.step("setSecret", name, second)
    assert warehouse.current_logs_in(name)
    warehouse.rotate(name)
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize("kind", ["person", "service"])
def test_a_user_that_was_dropped_is_named_and_the_next_attempt_heals(warehouse: Warehouse, kind: str) -> None:
    name = getattr(warehouse, kind)()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    user = "ana" if kind == "person" else "etl"
    warehouse.drop_user(user)
    with pytest.raises(RotationError, match=f"has no user {user} .*have the cluster configured again"):
        warehouse.take(name, token)
    assert kind == "person" or warehouse.current_logs_in(name)
    warehouse.create_user(user)
    warehouse.take(name, token)
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_cluster_that_drops_connections_is_an_error_that_the_next_attempt_heals(
    warehouse: Warehouse, step: str
) -> None:
    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    for one in STEPS[: STEPS.index(step)]:
        warehouse.step(one, name, token)
    before = warehouse.stages(name)
    warehouse.server.shut()
    try:
        with pytest.raises(LoginError, match="amp-test-analytics could not be reached over TLS at localhost"):
            warehouse.step(step, name, token)
    finally:
        warehouse.server.reopen()
    assert warehouse.stages(name) == before
    assert warehouse.current_logs_in(name)
    warehouse.take(name, token)
    assert warehouse.current_logs_in(name)


def test_a_port_that_does_not_answer_is_given_up_in_time(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "CONNECT_SECONDS", 2)
    name = warehouse.service()
    token = warehouse.begin(name)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cluster = dataclasses.replace(warehouse.clusters["analytics"], host="127.0.0.1", port=silent.getsockname()[1])
        warehouse.clusters["analytics"] = cluster
        warehouse.step("createSecret", name, token)
        began = time.monotonic()
        with pytest.raises(LoginError, match=r"could not be reached over TLS .*ConnectionTimeout"):
            warehouse.step("setSecret", name, token)
        assert time.monotonic() - began < 3 * 2


def test_a_server_with_a_certificate_of_another_authority_gets_no_password(warehouse: Warehouse, tmp_path: Any) -> None:
    stranger = Database(redshift=cast("Any", warehouse.redshift), ca_file=where())
    with pytest.raises(LoginError, match="could not be reached over TLS"):
        stranger.log_in(warehouse.clusters["analytics"], "ana", "Passw0rd")


@pytest.mark.parametrize("code", ["ClusterNotFound", "ThrottlingException", "AccessDenied"])
def test_no_credentials_of_the_administrator_are_an_error_that_heals(warehouse: Warehouse, code: str) -> None:
    name = warehouse.person()
    token = warehouse.begin(name)
    warehouse.redshift.error = code
    with pytest.raises(RotationError, match=f"gave no credentials of the administrator .*: {code}"):
        warehouse.take(name, token)
    warehouse.redshift.error = None
    warehouse.take(name, token)
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize(
    "operation",
    ["DescribeSecret", "GetSecretValue", "GetRandomPassword", "PutSecretValue", "UpdateSecretVersionStage"],
)
def test_a_throttled_call_of_secrets_manager_is_named_and_changes_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    def throttled(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "quotes things"}}, operation)

    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    with monkeypatch.context() as patch:
        patch.setattr(warehouse.secrets, xform_name(operation), throttled)
        with pytest.raises(RotationError, match=f"did not carry out {operation}.*: ThrottlingException"):
            warehouse.take(name, token)
    assert warehouse.current_logs_in(name)
    warehouse.take(name, token)
    assert warehouse.current_logs_in(name)


def test_a_persons_time_without_login_is_measured_over_attempts(warehouse: Warehouse) -> None:
    name = warehouse.person()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    warehouse.step("createSecret", name, token)
    warehouse.now += 1000
    warehouse.step("setSecret", name, token)
    assert not warehouse.current_logs_in(name)
    assert warehouse.stages(name)[token] == ["AWSPENDING", f"{SET_AT}{warehouse.now:.3f}"]
    warehouse.now += 60
    outcome = warehouse.take(name, token)
    assert outcome.seconds_without_login == 60
    assert warehouse.current_logs_in(name)


def test_a_persons_time_without_login_counts_from_a_rotation_that_was_given_up(warehouse: Warehouse) -> None:
    name = warehouse.person()
    warehouse.rotate(name)
    dead = warehouse.begin(name)
    for step in STEPS[:2]:
        warehouse.step(step, name, dead)
    warehouse.now += 300
    assert warehouse.rotate(name).seconds_without_login == 300
    assert sorted(warehouse.stages(name).values()) == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_a_service_is_never_without_login_and_no_time_is_told(warehouse: Warehouse) -> None:
    assert warehouse.rotate(warehouse.service()).seconds_without_login is None


def test_a_password_that_was_set_by_hand_is_healed_by_the_next_rotation(warehouse: Warehouse) -> None:
    for name, user in ((warehouse.person(), "ana"), (warehouse.service(), "etl_clone")):
        warehouse.rotate(name)
        with warehouse.database.setting_password(warehouse.clusters["analytics"], user, "ByHand123"):
            pass
        assert not warehouse.current_logs_in(name)
        warehouse.rotate(name)
        assert warehouse.current_logs_in(name)


def test_a_service_that_becomes_a_person_and_back_keeps_its_secret(warehouse: Warehouse) -> None:
    """The tag changes and the value stays, which may name the service's second user."""
    name = warehouse.service()
    for rotation, user in (
        ("alternating-users", "etl_clone"),
        ("single-user", "etl"),
        ("alternating-users", "etl_clone"),
        ("alternating-users", "etl"),
        ("single-user", "etl"),
    ):
        warehouse.secrets.tag_resource(SecretId=name, Tags=[{"Key": "amp:rotation", "Value": rotation}])
        warehouse.rotate(name)
        assert warehouse.value(name)["username"] == user
        assert warehouse.current_logs_in(name)


HOSTILE_VALUES = {
    "another user's name": json.dumps({"username": "bo", "password": "Abcdefg1"}),
    "the administrator's name": json.dumps({"username": "amp_admin"}),
    "a statement": json.dumps({"username": 'etl" CREATEUSER; --'}),
    "no text for a name": json.dumps({"username": ["etl"]}),
    "no name": json.dumps({"password": "Abcdefg1"}),
    "no object": json.dumps(["etl"]),
    "no JSON": "etl:Abcdefg1",
}


@pytest.mark.parametrize("value", HOSTILE_VALUES.values(), ids=HOSTILE_VALUES)
@pytest.mark.parametrize("kind", ["person", "service"])
def test_a_current_value_for_somebody_else_is_refused_and_not_quoted(
    warehouse: Warehouse, kind: str, value: str
) -> None:
    name = getattr(warehouse, kind)()
    warehouse.secrets.put_secret_value(SecretId=name, SecretString=value)
    with pytest.raises(RotationError, match=f"The value of secret {name} is refused") as refused:
        warehouse.rotate(name)
    assert "bo" not in str(refused.value).split()
    assert "Abcdefg1" not in str(refused.value)
    assert "CREATEUSER" not in str(refused.value)


HOSTILE_STEPS = [
    *(("setSecret", value) for value in HOSTILE_VALUES.values()),
    *((step, json.dumps({"username": "etl_clone", "password": "x' ;"})) for step in STEPS),
]


@pytest.mark.parametrize(("step", "value"), HOSTILE_STEPS)
def test_a_pending_value_for_somebody_else_is_given_up_and_the_next_rotation_heals(
    warehouse: Warehouse, step: str, value: str
) -> None:
    name = warehouse.service()
    warehouse.create_user("bo")
    warehouse.rotate(name)
    token = warehouse.begin(name)
    warehouse.versions.put_pending(name, token, value)
    with pytest.raises(RotationError, match=f"The value of secret {name} is refused"):
        warehouse.step(step, name, token)
    assert ("AWSPENDING" in str(warehouse.stages(name))) == (step == "testSecret")
    assert warehouse.current_logs_in(name)
    warehouse.rotate(name)
    assert warehouse.current_logs_in(name)


def test_a_value_that_points_at_another_host_is_not_followed(warehouse: Warehouse) -> None:
    name = warehouse.service()
    value = {"username": "etl", "password": "Abcdefg1", "host": "attacker.example", "port": 1, "dbname": "other"}
    warehouse.secrets.put_secret_value(SecretId=name, SecretString=json.dumps(value))
    warehouse.rotate(name)
    assert warehouse.value(name)["host"] == "localhost"
    assert warehouse.current_logs_in(name)


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        ({"user": "ana", "rotation": "single-user", "cluster": "other"}, "tag amp:warehouse-cluster is 'other'"),
        ({"user": "ana", "rotation": "none"}, "tag amp:rotation is 'none'"),
        ({"user": "bo", "rotation": "single-user", "name": f"{PREFIX}ana"}, "tag amp:warehouse-user is 'bo'"),
        ({"user": "ana", "rotation": "single-user", "name": "elsewhere/ana"}, "allowed: what its name ends with"),
        ({"user": "amp_admin", "rotation": "single-user"}, "'amp_admin', the administrator"),
        ({"user": "etl_clone", "rotation": "single-user"}, "does not end in _clone"),
        ({"user": "Ana", "rotation": "single-user"}, "allowed: a name by"),
        ({"user": "a" * 60, "rotation": "alternating-users"}, "allowed: a name by"),
        ({"user": "rdsdb/../ana", "rotation": "single-user"}, "allowed: a name by"),
    ],
)
def test_a_secret_whose_tags_and_name_do_not_agree_is_refused(
    warehouse: Warehouse, secret: dict[str, str], message: str
) -> None:
    name = warehouse.secret(**secret)
    with pytest.raises(RotationError, match=message):
        warehouse.rotate(name)


def test_an_unknown_step_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(RotationError, match="given: 'dropSecret'; allowed: createSecret, setSecret"):
        warehouse.step("dropSecret", warehouse.person(), "token")


def test_steps_out_of_order_make_no_unproven_password_current(warehouse: Warehouse) -> None:
    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    for step in STEPS[1:]:
        with pytest.raises(RotationError, match="lacks what the step needs"):
            warehouse.step(step, name, token)
    warehouse.step("createSecret", name, token)
    for step in STEPS[2:]:
        with pytest.raises(LoginError, match="refused the login of etl"):
            warehouse.step(step, name, token)
    assert warehouse.current_logs_in(name)
    warehouse.take(name, token)


def test_the_test_of_a_configuration_takes_its_one_step_on_a_copy_of_the_current_version(warehouse: Warehouse) -> None:
    """`RotateImmediately` false: Secrets Manager makes a pending version, has it tested and removes it."""
    name = warehouse.service()
    warehouse.rotate(name)
    token = warehouse.begin(name)
    warehouse.versions.put_pending(name, token, json.dumps(warehouse.value(name)))
    assert "logs in" in warehouse.step("testSecret", name, token).did
