"""One Redshift cluster on a PostgreSQL server of its own: its users, its temporary passwords, what runs on it.

It must not know AWS's APIs: who asks for what is decided before.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from rehearsal.engine.clock import Clock
from rehearsal.engine.postgres import ConnectSuperuser, PostgresServer
from rehearsal.engine.redshift.external import ExternalTable, external_schema_sql
from rehearsal.engine.redshift.form import ExternalSchema, Statement
from rehearsal.engine.redshift.reading import UnknownStatement, literal, tokens_of
from rehearsal.engine.redshift.statements import read_statement

TEMPORARY_PREFIX = "IAM:"
_CATALOG = Path(__file__).with_name("catalog.sql")
_PARAMETER = "parameter"


class StatementFailed(Exception):
    """What the database says of a statement that it did not run, as the Data API reports it."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One statement with the values of its ``:names``."""

    sql: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a statement: columns as name and PostgreSQL type name, rows, how many; no columns: no result."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    count: int


@dataclass(frozen=True, kw_only=True)
class TemporaryPassword:
    """As ``GetClusterCredentials`` hands one out: ``user`` begins with ``IAM:``."""

    user: str
    password: str
    expires: datetime


class TemporaryPasswords:
    """The valid temporary passwords of a cluster; expired by the account's clock, not the machine's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: list[TemporaryPassword] = []
        self._own: dict[str, str] = {}
        self._lock = threading.Lock()
        self.connect: ConnectSuperuser | None = None

    def issue(self, user: str, seconds: int) -> TemporaryPassword:
        """Hand out a password for a user, who need not exist."""
        issued = TemporaryPassword(
            user=f"{TEMPORARY_PREFIX}{user}",
            password=secrets.token_urlsafe(48),
            expires=self._clock.now() + timedelta(seconds=seconds),
        )
        with self._lock:
            self._issued.append(issued)
        return issued

    def covers(self, user: str) -> bool:
        """Whether logins by this name are decided here."""
        return user.startswith(TEMPORARY_PREFIX)

    def exchange(self, user: str, password: str) -> str | None:
        """PostgreSQL's own password for a valid temporary one of a user that exists.

        The login is a role of its own that becomes the user as it logs in, so that it acts with the user's rights.
        """
        now = self._clock.now()
        with self._lock:
            self._issued = [issued for issued in self._issued if issued.expires > now]
            valid = any(
                issued.user == user and secrets.compare_digest(issued.password, password) for issued in self._issued
            )
            if not valid or self.connect is None:
                return None
            return self._prepared(user)

    def _prepared(self, login: str) -> str | None:
        assert self.connect is not None  # noqa: S101 — for the type checker
        name = login.removeprefix(TEMPORARY_PREFIX)
        with self.connect("postgres") as connection:
            query = "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) AND rolcanlogin"
            there = {row[0] for row in connection.execute(query, ([name, login],))}
            if name not in there:
                return None
            if login not in there:
                self._own[login] = secrets.token_urlsafe(32)
                role, user = sql.Identifier(login), sql.Identifier(name)
                made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
                connection.execute(made.format(role, sql.Literal(self._own[login]), user))
                connection.execute(sql.SQL("ALTER ROLE {} SET role TO {}").format(role, user))
        return self._own[login]


class Cluster:
    """A cluster, its database and its administrator.

    Args:
        identifier: its name in AWS.
        database: the first database.
        admin_user: the superuser that AWS makes with the cluster.
        admin_password: the superuser's password.
        host: the loopback address of its endpoint.
        port: of its endpoint.
        folder: of the certificate authority that all clusters of the account share.
        clock: what passwords expire by.
        tables_of: what the Glue Data Catalog has in an external schema's database, asked for with its role; it
            raises StatementFailed when the role may not or there is none.

    Attributes:
        server: where clients log in.
        modelled: how often a form ran that PostgreSQL has not, by form and what stood for it.
    """

    def __init__(
        self,
        *,
        identifier: str,
        database: str,
        admin_user: str,
        admin_password: str,
        folder: Path,
        host: str,
        port: int,
        clock: Clock,
        tables_of: Callable[[ExternalSchema], Sequence[ExternalTable]],
    ) -> None:
        self.identifier, self.database, self.admin_user = identifier, database, admin_user
        self._admin_password, self._tables_of = admin_password, tables_of
        self.passwords = TemporaryPasswords(clock)
        self.server = PostgresServer(
            folder, host=host, port=port, temporary_logins=self.passwords, prepare=self._prepare
        )
        self.modelled: Counter[tuple[str, str]] = Counter()
        self.paused = False

    def start(self) -> None:
        """Listen for clients."""
        self.server.start()
        self.passwords.connect = self.server.connect_as_superuser

    def close(self) -> None:
        """End the server and forget the data."""
        self.server.stop()

    def pause(self) -> None:
        """Drop the clients and take none."""
        self.paused = True
        self.server.shut()

    def resume(self) -> None:
        """Take clients again."""
        self.paused = False
        self.server.reopen()

    def run(
        self,
        user: str,
        database: str,
        queries: Sequence[Query],
        *,
        on_start: Callable[[psycopg.Connection[Any]], None] = lambda _: None,
        on_result: Callable[[int, Result], None],
    ) -> None:
        """Run statements as a user, all in one transaction.

        Args:
            user: an existing database user.
            database: an existing database.
            queries: what to run.
            on_start: given the connection before the first statement, for whoever wants to cancel.
            on_result: given the number of the statement, from 0, and what came of it.

        Raises:
            StatementFailed: the first failure; nothing of the others stays either.
        """
        try:
            connection = self.server.connect_as_superuser(database)
        except psycopg.OperationalError as error:
            raise StatementFailed(f"FATAL: {str(error).strip().rpartition('FATAL:  ')[2]}") from None
        with connection:
            found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s AND rolcanlogin", (user,)).fetchone()
            if found is None or user.startswith(TEMPORARY_PREFIX):
                raise StatementFailed(f'FATAL: password authentication failed for user "{user}"')
            connection.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(user)))
            on_start(connection)
            try:
                with connection.transaction():
                    for number, query in enumerate(queries):
                        on_result(number, self._one(connection, query))
            except UnknownStatement as error:
                raise StatementFailed(f"ERROR: {error}") from error
            except psycopg.Error as error:
                raise StatementFailed(f"ERROR: {error.diag.message_primary or error}") from error

    def _one(self, connection: psycopg.Connection[Any], query: Query) -> Result:
        statement = read_statement(query.sql)
        steps = list(statement.postgres)
        if statement.external_schema is not None:
            tables = self._tables_of(statement.external_schema)
            steps += external_schema_sql(statement.external_schema, tables)
        for step in steps:
            cursor = connection.execute(*_with_parameters(step, query, statement))
        self.modelled[statement.kind, statement.modelled] += 1
        if not statement.answers or cursor.description is None:
            return Result(columns=(), rows=(), count=cursor.rowcount if cursor.description is None else 0)
        rows = cursor.fetchall()
        columns = [(column.name, column.type_display) for column in cursor.description]
        return Result(columns=columns, rows=rows, count=len(rows))

    def refresh_external_schemas(self, database: str) -> None:
        """Let external schemas show what the Glue Data Catalog has now, as Redshift's always do.

        One whose role may no longer read the catalog shows no table.
        """
        with self.server.connect_as_superuser(database) as connection, connection.transaction():
            found = connection.execute(
                "SELECT n.nspname, e.databasename, e.role_arn, e.tables FROM pg_catalog.redshift_external_schema e "
                "JOIN pg_namespace n USING (oid)"
            ).fetchall()
            for name, glue_database, role_arn, present in found:
                schema = ExternalSchema(name=name, database=glue_database, role_arn=role_arn, or_nothing=False)
                try:
                    tables = self._tables_of(schema)
                except StatementFailed:
                    tables = ()
                if present != str(tables):
                    connection.execute(f"SELECT pg_catalog.redshift_forget_external(ARRAY[{literal(name)}])".encode())
                    for step in external_schema_sql(schema, tables):
                        connection.execute(step.encode())

    def _prepare(self, connect: ConnectSuperuser) -> None:
        # What stands in template1 is in every database that is made after.
        with connect("template1") as connection:
            connection.execute(_CATALOG.read_bytes())
        with connect("postgres") as connection:
            admin = sql.Identifier(self.admin_user)
            made = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER CREATEDB PASSWORD {}")
            connection.execute(made.format(admin, sql.Literal(self._admin_password)))
            # Amazon Redshift Management Guide: every cluster has the database dev too.
            for database in dict.fromkeys((self.database, "dev")):
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(database), admin))


def _with_parameters(step: str, query: Query, statement: Statement) -> tuple[bytes, Mapping[str, str] | None]:
    named = {token.text[1:] for token in tokens_of(query.sql) if token.kind == _PARAMETER}
    unknown = sorted(named ^ set(query.parameters))
    if unknown:
        raise UnknownStatement(f"the parameters {', '.join(unknown)} are named in the text or given, but not both")
    if not named:
        return step.encode(), None
    if statement.kind not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
        raise UnknownStatement(f"{statement.kind} takes no parameters")
    placed = "".join(
        f"%({token.text[1:]})s " if token.kind == _PARAMETER else token.text.replace("%", "%%") + " "
        for token in tokens_of(step)
    )
    return placed.encode(), query.parameters
