"""Whose password a secret holds, as its tags and its name say, and what its value must look like; it calls nothing.

It must not believe a value: whoever may write a secret's value could otherwise have any user's password set.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.warehouse.secrets import (
    ALTERNATING_USERS,
    CLONE_SUFFIX,
    SINGLE_USER,
    TAG_CLUSTER,
    TAG_ROTATION,
    TAG_USER,
)
from lambdas.rotate_password.errors import RotationError

PASSWORD_LENGTH = 40
"""Characters of a new password. Of 62 letters and digits each: 238 bits."""

_USER = re.compile(r"[a-z_][a-z0-9_$]{0,62}")
# Printable ASCII but ' " \ / @ and the space ("CREATE USER" page of Amazon Redshift).
_PASSWORD = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[!#-&(-.0-?A-\[\]-~]{8,64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """What is needed of a cluster to log in to it and to describe it to clients."""

    identifier: str
    database: str
    admin_user: str
    host: str
    port: int
    secret_prefix: str
    """What the names of its users' secrets begin with; the user's name follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """What logs in, or would: a secret that was never rotated has no password."""

    user: str
    password: str | None = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Whom a secret is for: a person, or a service that alternates between two database users."""

    secret_name: str
    cluster_name: str
    cluster: Cluster
    users: tuple[str, ...]
    """The database users that the secret may name: one of a person, two of a service."""

    @property
    def alternating(self) -> bool:
        """Whether the next password is for another user than the current one."""
        return len(self.users) > 1

    def next_user(self, current: str) -> str:
        """The user of the next version, when ``current`` is the current one's."""
        return next((user for user in self.users if user != current), current)

    def value(self, credentials: Credentials) -> str:
        """The text of a secret, with the attributes that clients of Redshift expect ("JSON structure of AWS Secrets
        Manager secrets" page). Where the cluster is comes from the deployment, so that a rotation follows a move."""
        return json.dumps(
            {
                "engine": "redshift",
                "host": self.cluster.host,
                "port": self.cluster.port,
                "dbname": self.cluster.database,
                "username": credentials.user,
                "password": credentials.password,
                "dbClusterIdentifier": self.cluster.identifier,
            }
        )

    def current_user(self, text: str) -> str:
        """The database user that the current value names: a person's may be the second one of a service that the
        person was declared to be before.

        Raises:
            RotationError: it is no JSON object, or names a user that the secret is not for.
        """
        return self._user(text, (self.users[0], self.users[0] + CLONE_SUFFIX))

    def credentials(self, text: str) -> Credentials:
        """What the value of a pending version logs in with.

        Raises:
            RotationError: as `current_user`, or it has a password that Redshift does not take.
        """
        password = self._object(text).get("password")
        if password is not None and not (isinstance(password, str) and _PASSWORD.fullmatch(password)):
            raise self._refused("Redshift does not take its password", "a password that a rotation made, or none")
        return Credentials(user=self._user(text, self.users), password=password)

    def _user(self, text: str, allowed: tuple[str, ...]) -> str:
        user = self._object(text).get("username")
        if user not in allowed:
            raise self._refused("its username is another user's", f"{' or '.join(allowed)}, as tags and name say")
        return str(user)

    def _object(self, text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise self._refused("it is no JSON object", "a JSON object with username and password")
        return value

    def _refused(self, given: str, allowed: str) -> RotationError:
        return RotationError(
            f"The value of secret {self.secret_name} is refused: {given}; allowed: {allowed}; fix: move AWSCURRENT "
            "back to a version that a rotation made, or delete the secret without recovery and have the cluster "
            "configured again."
        )


def read_clusters(text: str) -> dict[str, Cluster]:
    """The clusters by name, from the JSON text that the configuration function gets too; what else it holds is
    ignored.

    Raises:
        RotationError: the text is no such JSON.
    """
    try:
        return {
            name: Cluster(
                identifier=one["cluster_identifier"],
                database=one["database"],
                admin_user=one["admin_user"],
                host=one["host"],
                port=int(one["port"]),
                secret_prefix=one["secret_prefix"],
            )
            for name, one in json.loads(text).items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RotationError(
            f"Environment variable CLUSTERS is not what the function reads: {type(error).__name__}: {error}; allowed: "
            "a JSON object of cluster names with cluster_identifier, database, admin_user, host, port and "
            "secret_prefix; correct it where the function is declared."
        ) from None


def account_of(*, name: str, tags: Mapping[str, str], clusters: Mapping[str, Cluster]) -> Account:
    """Whom the secret of this name with these tags is for.

    Raises:
        RotationError: tags and name do not agree on a user of a known cluster whose password may be rotated.
    """
    cluster_name, user, rotation = (tags.get(tag, "") for tag in (TAG_CLUSTER, TAG_USER, TAG_ROTATION))

    def refused(given: str, allowed: str) -> RotationError:
        return RotationError(
            f"Secret {name} is refused: {given}; allowed: {allowed}; fix: have the cluster configured again, which "
            "tags the secrets of its users, or take the rotation off a secret that is none of them."
        )

    cluster = clusters.get(cluster_name)
    if cluster is None:
        raise refused(f"its tag {TAG_CLUSTER} is {cluster_name!r}", " or ".join(clusters))
    if rotation not in (SINGLE_USER, ALTERNATING_USERS):
        raise refused(f"its tag {TAG_ROTATION} is {rotation!r}", f"{SINGLE_USER} or {ALTERNATING_USERS}")
    users = (user, user + CLONE_SUFFIX) if rotation == ALTERNATING_USERS else (user,)
    if name != cluster.secret_prefix + user:
        raise refused(f"its tag {TAG_USER} is {user!r}", "what its name ends with")
    if not all(_USER.fullmatch(one) for one in users) or user.endswith(CLONE_SUFFIX):
        raise refused(f"its user is {user!r}", f"a name by {_USER.pattern} that does not end in {CLONE_SUFFIX}")
    if cluster.admin_user in users:
        raise refused(f"its user is {user!r}, the administrator", "a user that is declared; administrators have none")
    return Account(secret_name=name, cluster_name=cluster_name, cluster=cluster, users=users)
