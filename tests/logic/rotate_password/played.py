"""A warehouse of one cluster whose passwords are rotated: a real PostgreSQL, and secrets that moto keeps."""

from __future__ import annotations

import contextlib
import json
import secrets
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, LiteralString, cast

import boto3
import psycopg
from botocore.exceptions import ClientError
from moto.secretsmanager.models import secretsmanager_backends
from psycopg import sql

from contracts.warehouse.secrets import ALTERNATING_USERS, SINGLE_USER
from lambdas.rotate_password.accounts import Cluster
from lambdas.rotate_password.database import Database
from lambdas.rotate_password.logic import Outcome, take_step
from lambdas.rotate_password.versions import SecretVersions
from rehearsal.engine.postgres import PostgresServer

if TYPE_CHECKING:
    from mypy_boto3_redshift import RedshiftClient

REGION = "eu-west-1"
DATABASE = "amp"
PREFIX = "amp/test/warehouse/analytics/"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
READING = {"describe", "value", "new_password", "log_in"}
"""Calls without an effect."""


class Redshift:
    """`GetClusterCredentials`: each answer is a fresh superuser of the PostgreSQL."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.given: list[str] = []
        """Passwords that were given out."""
        self.error: str | None = None
        """Code of the error that is answered instead."""
        self.rights: LiteralString = "SUPERUSER"

    def get_cluster_credentials(self, **request: Any) -> dict[str, str]:
        assert request == {
            "DbUser": "amp_admin", "DbName": DATABASE, "ClusterIdentifier": "amp-test-analytics",
            "DurationSeconds": 900, "AutoCreate": False,
        }  # fmt: skip
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "quotes things"}}, "GetClusterCredentials")
        user, password = f"IAM:amp_admin {uuid.uuid4()}", secrets.token_urlsafe(24)
        with self._server.connect_as_superuser() as connection:
            connection.execute(
                sql.SQL("CREATE USER {} {} PASSWORD {}").format(
                    sql.Identifier(user), sql.SQL(self.rights), sql.Literal(password)
                )
            )
        self.given.append(password)
        return {"DbUser": user, "DbPassword": password}


class Warehouse:
    """The cluster, its users and their secrets, and Secrets Manager's part of a rotation."""

    def __init__(self, server: PostgresServer) -> None:
        self.server = server
        self.secrets = boto3.client("secretsmanager", region_name=REGION)
        self.redshift = Redshift(server)
        self.clusters = {"analytics": self.cluster(port=server.port)}
        self.versions = SecretVersions(secrets=self.secrets)
        self.database = Database(redshift=cast("RedshiftClient", self.redshift), ca_file=str(server.ca_file))
        self.now = 1_795_000_000.0
        with server.connect_as_superuser() as connection:
            for (user,) in connection.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384").fetchall():
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(user)))

    @staticmethod
    def cluster(*, port: int) -> Cluster:
        return Cluster(
            identifier="amp-test-analytics", database=DATABASE, admin_user="amp_admin", host="localhost", port=port,
            secret_prefix=PREFIX,
        )  # fmt: skip

    def person(self, user: str = "ana") -> str:
        """Declare a person, as configuring the cluster would; gives the secret's name."""
        return self._declare(user, SINGLE_USER, (user,))

    def service(self, user: str = "etl") -> str:
        """Declare a service with its two users; gives the secret's name."""
        return self._declare(user, ALTERNATING_USERS, (user, f"{user}_clone"))

    def _declare(self, user: str, rotation: str, users: tuple[str, ...]) -> str:
        for one in users:
            self.create_user(one)
        return self.secret(user=user, rotation=rotation)

    def create_user(self, user: str) -> None:
        with self.server.connect_as_superuser() as connection:
            connection.execute(sql.SQL("CREATE USER {}").format(sql.Identifier(user)))

    def drop_user(self, user: str) -> None:
        with self.server.connect_as_superuser() as connection:
            connection.execute(sql.SQL("DROP USER {}").format(sql.Identifier(user)))

    def secret(
        self, *, user: str, rotation: str, name: str | None = None, cluster: str = "analytics", value: str | None = None
    ) -> str:
        name = name or PREFIX + user
        place = {"host": "localhost", "port": self.server.port, "dbname": DATABASE}
        self.secrets.create_secret(
            Name=name,
            SecretString=value or json.dumps({"engine": "redshift", **place, "username": user}),
            Tags=[
                {"Key": "amp:warehouse-cluster", "Value": cluster},
                {"Key": "amp:warehouse-user", "Value": user},
                {"Key": "amp:rotation", "Value": rotation},
            ],
        )
        return name

    def passwords(self, name: str) -> set[str]:
        """Every password that any version of a secret has or had."""
        versions = secretsmanager_backends["123456789012"][REGION].secrets[name].versions.values()
        texts = [version["secret_string"] for version in versions if "secret_string" in version]
        return {value["password"] for value in map(json.loads, texts) if "password" in value}

    def begin(self, name: str) -> str:
        """What `RotateSecret` does before it calls the function: a pending version without a value; gives its id."""
        token = str(uuid.uuid4())
        secret = secretsmanager_backends["123456789012"][REGION].secrets[name]
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {"createdate": int(self.now), "version_id": token, "version_stages": ["AWSPENDING"]}
        return token

    def step(self, step: str, name: str, token: str, calls: Calls | None = None) -> Outcome:
        """One step, as Secrets Manager asks for it."""
        return take_step(
            {"Step": step, "SecretId": name, "ClientRequestToken": token},
            clusters=self.clusters,
            versions=calls or self.versions,
            database=calls or self.database,
            clock=lambda: self.now,
        )

    def take(self, name: str, token: str) -> Outcome:
        """All steps of a rotation, as Secrets Manager takes them, again too; gives what the last one did."""
        return [self.step(step, name, token) for step in STEPS][-1]

    def rotate(self, name: str) -> Outcome:
        return self.take(name, self.begin(name))

    def stages(self, name: str) -> dict[str, list[str]]:
        """Version id to labels, of versions that have any."""
        stages = self.secrets.describe_secret(SecretId=name)["VersionIdsToStages"]
        return {version: sorted(labels) for version, labels in stages.items() if labels}

    def value(self, name: str, **which: str) -> dict[str, Any]:
        """What a version holds, the current one unless told otherwise."""
        # Without a stage, moto gives the version that was put last.
        which = which or {"VersionStage": "AWSCURRENT"}
        value: dict[str, Any] = json.loads(self.secrets.get_secret_value(SecretId=name, **which)["SecretString"])
        return value

    def logs_in(self, value: dict[str, Any]) -> bool:
        """Whether a client of the secret gets in."""
        try:
            with self.server.connect(
                dbname=value["dbname"], user=value["username"], password=value.get("password", "")
            ) as connection:
                return connection.execute("SELECT current_user").fetchone() == (value["username"],)
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error) or "no password supplied" in str(error):
                return False
            raise

    def current_logs_in(self, name: str) -> bool:
        return self.logs_in(self.value(name))


class Calls:
    """Stands before the secrets and the database; tells of each call before it is made, and of its effect after it.

    The block of `setting_password` is two calls: its beginning, and its end, which commits.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        before: Callable[[str], None] = lambda _: None,
        after: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._versions, self._database = warehouse.versions, warehouse.database
        self._before, self._after = before, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._versions, name, None) or getattr(self._database, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._before(name)
            answer = real(*arguments, **named)
            if name not in READING:
                self._after(name)
            return answer

        return call

    @contextlib.contextmanager
    def setting_password(self, *arguments: Any) -> Iterator[None]:
        self._before("ALTER USER")
        with self._database.setting_password(*arguments):
            self._after("ALTER USER")
            yield
            self._before("COMMIT")
        self._after("COMMIT")
