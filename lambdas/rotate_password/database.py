"""The clusters' databases, over their own TLS connections: log a user in, and set a user's password.

It must not send a password in clear text in a statement, nor let an error of the driver out: its text may repeat the
statement or the connection string.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from lambdas.rotate_password.accounts import Cluster
from lambdas.rotate_password.errors import LoginError, RotationError
from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_redshift import RedshiftClient

CONNECT_SECONDS = 5
"""How long one attempt to connect may take."""

STATEMENT_SECONDS = 15
"""How long a statement may take, the wait for another rotation of the same user included."""

_UNDEFINED_OBJECT = "42704"
_CREDENTIALS_SECONDS = 900  # the shortest that Redshift gives


class Database:
    """Logins to the clusters, as the users whose passwords are rotated and as the administrator."""

    def __init__(self, *, redshift: RedshiftClient, ca_file: str) -> None:
        """Remember whom to ask for the administrator's temporary credentials, and which authorities to trust."""
        self._redshift = redshift
        self._ca_file = ca_file

    def log_in(self, cluster: Cluster, user: str, password: str) -> None:
        """Log in, and have the database say that it runs statements as this user.

        Raises:
            LoginError: the login was refused, the cluster could not be reached, or somebody else was logged in.
        """
        try:
            with self._connect(cluster, user, password) as connection:
                answer = connection.execute("SELECT 1, current_user").fetchone()
        except psycopg.Error as error:
            raise _login_failed(cluster, user, error) from None
        if answer != (1, user):
            raise LoginError(f"Cluster {cluster.identifier} took the login of {user} for another user's.")

    @contextmanager
    def setting_password(self, cluster: Cluster, user: str, password: str) -> Iterator[None]:
        """Set a user's password; it comes into force when the block ends, and not at all when the block raises.

        Inside the block nobody else can set the same user's password: the changed row is locked, and another
        `setting_password` of the user waits, and then fails or sees what this one did. The block has to be short.

        Raises:
            LoginError: the administrator could not log in, or the cluster could not be reached.
            RotationError: Redshift gave no credentials, there is no such user, or the database refused.
        """
        # The form that Redshift documents as md5hash ("ALTER USER" page). With a sha256 hash it asks clients for an
        # authentication that libpq does not know.
        digest = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
        statement = sql.SQL("ALTER USER {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(f"md5{digest}"))
        admin, admin_password = self._temporary_credentials(cluster)
        try:
            connection = self._connect(cluster, admin, admin_password)
        except psycopg.Error as error:
            raise _login_failed(cluster, cluster.admin_user, error) from None
        try:
            with connection:
                connection.execute(statement)
                yield
        except psycopg.errors.UndefinedObject as error:
            raise RotationError(
                f"Cluster {cluster.identifier} has no user {user} (SQLSTATE {error.sqlstate}); fix: have the cluster "
                "configured again, which makes the users that are declared; the next attempt then sets the password."
            ) from None
        except psycopg.Error as error:
            raise RotationError(
                f"Cluster {cluster.identifier} did not set the password of {user}: {_kind(error)}."
            ) from None

    def _temporary_credentials(self, cluster: Cluster) -> tuple[str, str]:
        try:
            answer = self._redshift.get_cluster_credentials(
                DbUser=cluster.admin_user,
                DbName=cluster.database,
                ClusterIdentifier=cluster.identifier,
                DurationSeconds=_CREDENTIALS_SECONDS,
                AutoCreate=False,
            )
        except Exception as error:
            raise RotationError(
                f"Redshift gave no credentials of the administrator of cluster {cluster.identifier}: "
                f"{error_name(error)}."
            ) from None
        return answer["DbUser"], answer["DbPassword"]

    def _connect(self, cluster: Cluster, user: str, password: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=cluster.host,
            port=cluster.port,
            dbname=cluster.database,
            user=user,
            password=password,
            sslmode="verify-full",
            sslrootcert=self._ca_file,
            connect_timeout=CONNECT_SECONDS,
            # A server that has gone silent is given up after as long.
            tcp_user_timeout=1000 * CONNECT_SECONDS,
            options=f"-c statement_timeout={1000 * STATEMENT_SECONDS}",
            # Nothing but a password is tried.
            gssencmode="disable",
            # Redshift names the encoding as only it does, and cannot drop prepared statements the way psycopg does.
            client_encoding="utf8",
            prepare_threshold=None,
        )


def _login_failed(cluster: Cluster, user: str, error: psycopg.Error) -> LoginError:
    # That the server asked for a password tells a refused login from a cluster that was never spoken to.
    if error.pgconn is not None and error.pgconn.used_password:
        return LoginError(f"Cluster {cluster.identifier} refused the login of {user}: {_kind(error)}.")
    return LoginError(
        f"Cluster {cluster.identifier} could not be reached over TLS at {cluster.host}:{cluster.port}: {_kind(error)}; "
        "it may be paused, gone, resized or out of reach of the function's subnets."
    )


def _kind(error: psycopg.Error) -> str:
    return f"{type(error).__name__}, SQLSTATE {error.sqlstate or 'unknown'}"
