"""The TLS front of a PostgreSQL server: refuses what comes in the clear, and hands the rest on byte by byte.

PostgreSQL itself decides every login but those with temporary passwords, which it does not have.
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

# PostgreSQL documentation, "Message Formats": the codes that stand where a start-up message has its version.
_CANCEL, _TLS, _GSS = 80877102, 80877103, 80877104
_ASK_PASSWORD = b"R" + struct.pack(">ii", 8, 3)
_MD5_PASSWORD = 5
_STARTUP_LIMIT_BYTES = 10_000
_PIECE_BYTES = 65_536
_REFUSED, _NOT_NOW = "28000", "57P03"
_WRONG_PASSWORD = "28P01"  # noqa: S105 — the SQLSTATE of a refused password
_LOGIN_TIMEOUT_S = 60.0


class TemporaryLogins(Protocol):
    """Whoever has handed out passwords that PostgreSQL does not know."""

    def covers(self, user: str) -> bool:
        """Whether logins by this name are decided here."""

    def exchange(self, user: str, password: str) -> str | None:
        """PostgreSQL's own password of ``user`` for a valid temporary one; None: it is wrong or has expired."""


class Gateway:
    """Listens on a loopback address and hands connections on to a server's Unix socket.

    Args:
        host: the loopback address.
        port: 0 takes a free one.
        tls: the certificate to show.
        upstream: gives the path of the server's Unix socket, when a client comes.
        forbidden_user: a name by which nobody may log in from here.
        temporary_logins: who decides logins with temporary passwords; nobody when absent.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        upstream: Callable[[], Path],
        forbidden_user: str,
        temporary_logins: TemporaryLogins | None = None,
    ) -> None:
        self._tls, self._upstream, self._forbidden_user = tls, upstream, forbidden_user
        self._temporary_logins = temporary_logins
        self._open = True
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, port))
        # Connections inherit it: a login's small messages would each wait 40 ms for an acknowledgement.
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def shut(self) -> None:
        """Drop every connection and take none until `reopen`: a client's connection ends before it is answered."""
        with self._lock:
            self._open = False
            connections = tuple(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def reopen(self) -> None:
        """Take connections again."""
        with self._lock:
            self._open = True

    def close(self) -> None:
        """Stop listening and drop every connection."""
        # A thread that waits in `accept` is woken by the end of the socket's reading side.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.shut()
        self._thread.join(timeout=5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._open:
                    self._connections.add(connection)
                    threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
                else:
                    connection.close()

    def _serve(self, connection: socket.socket) -> None:
        client: socket.socket = connection
        try:
            connection.settimeout(_LOGIN_TIMEOUT_S)
            code, message = _first_message(client)
            while code in (_TLS, _GSS):
                if code == _TLS and client is connection:
                    client.sendall(b"S")
                    client = self._encrypted(connection)
                else:
                    client.sendall(b"N")
                code, message = _first_message(client)
            if code == _CANCEL:
                self._hand_on(message)
                if isinstance(client, ssl.SSLSocket):
                    client.unwrap()  # a client takes an end without this for a failure
            else:
                self._log_in(client, message)
        except (OSError, EOFError):
            pass  # the client or the server is gone, and nobody is left to be told
        finally:
            with self._lock:
                self._connections -= {client, connection}
            client.close()
            connection.close()

    def _encrypted(self, connection: socket.socket) -> ssl.SSLSocket:
        encrypted = self._tls.wrap_socket(connection, server_side=True)
        with self._lock:
            self._connections.discard(connection)
            self._connections.add(encrypted)
            still_open = self._open
        if not still_open:
            raise EOFError
        return encrypted

    def _hand_on(self, message: bytes) -> None:
        with self._connect() as server:
            server.sendall(message)
            server.recv(1)  # the server ends the connection when it has cancelled

    def _connect(self) -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._upstream()))
        return server

    def _log_in(self, client: socket.socket, startup: bytes) -> None:
        user = _user_of(startup)
        if not isinstance(client, ssl.SSLSocket):
            client.sendall(_error(_REFUSED, f'no entry for user "{user}", no encryption'))
            return
        if user == self._forbidden_user:
            client.sendall(_error(_REFUSED, f'user "{user}" may not log in over the network'))
            return
        own_password = None
        temporary = self._temporary_logins
        if temporary is not None and temporary.covers(user):
            client.sendall(_ASK_PASSWORD)
            own_password = temporary.exchange(user, _password_of(client))
            if own_password is None:
                client.sendall(_error(_WRONG_PASSWORD, f'password authentication failed for user "{user}"'))
                return
        try:
            server = self._connect()
        except Exception as error:
            client.sendall(_error(_NOT_NOW, f"the database system does not start: {error}"))
            return
        with server:
            server.sendall(startup)
            if own_password is not None:
                _answer_md5(server, user, own_password)
            client.settimeout(None)
            _pump(client, server)


def _first_message(client: socket.socket) -> tuple[int, bytes]:
    length, code = struct.unpack(">ii", head := _exactly(client, 8))
    if not 8 <= length <= _STARTUP_LIMIT_BYTES:
        raise EOFError
    return code, head + _exactly(client, length - 8)


def _user_of(startup: bytes) -> str:
    words = startup[8:].split(b"\0")
    return dict(zip(words[::2], words[1::2], strict=False)).get(b"user", b"").decode("utf-8", "replace")


def _password_of(client: socket.socket) -> str:
    kind, length = struct.unpack(">ci", _exactly(client, 5))
    if kind != b"p" or not 4 < length <= _STARTUP_LIMIT_BYTES:
        raise EOFError
    return _exactly(client, length - 4).rstrip(b"\0").decode("utf-8", "replace")


def _answer_md5(server: socket.socket, user: str, password: str) -> None:
    # PostgreSQL documentation, "Message Flow", AuthenticationMD5Password.
    kind, length, method = struct.unpack(">cii", _exactly(server, 9))
    if kind != b"R" or method != _MD5_PASSWORD:
        raise EOFError
    salt = _exactly(server, length - 8)
    inner = hashlib.md5(f"{password}{user}".encode()).hexdigest()  # noqa: S324 — the protocol's hash
    outer = hashlib.md5(inner.encode() + salt).hexdigest()  # noqa: S324
    answer = f"md5{outer}\0".encode()
    server.sendall(b"p" + struct.pack(">i", len(answer) + 4) + answer)


def _exactly(source: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        piece = source.recv(length - len(received))
        if not piece:
            raise EOFError
        received += piece
    return bytes(received)


def _pump(client: ssl.SSLSocket, server: socket.socket) -> None:
    # One thread for both directions: an SSL socket must not be read and written by two at once.
    while True:
        readable = [client] if client.pending() else select.select([client, server], [], [])[0]
        for source in readable:
            piece = source.recv(_PIECE_BYTES)
            if not piece:
                return
            (server if source is client else client).sendall(piece)


def _error(state: str, message: str) -> bytes:
    fields = b"".join(
        letter + text.encode() + b"\0" for letter, text in ((b"S", "FATAL"), (b"C", state), (b"M", message))
    )
    return b"E" + struct.pack(">i", len(fields) + 5) + fields + b"\0"
