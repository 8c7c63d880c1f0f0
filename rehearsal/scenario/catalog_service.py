"""A catalog service on loopback that serves shows and fails by script; it knows nothing of who asks it, or why."""

from __future__ import annotations

import hmac
import json
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from rehearsal.scenario.inputs import json_bytes, show_id_of

GARBAGE = b"<html>all is well"
"""What a garbage answer holds: no JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One answer other than the show.

    `status` and `body` replace the answer's; without a body, the show is sent for 200 and a short JSON object for
    any other status. `delay_seconds` (of machine time) pass before the first byte. With `close`, the connection is
    closed without an answer.
    """

    status: int = 200
    body: bytes | None = None
    retry_after: str | None = None
    """Value of the `Retry-After` header: seconds, or an HTTP date."""
    delay_seconds: float = 0.0
    close: bool = False


SERVER_ERROR = Fault(status=500)
NOT_FOUND = Fault(status=404)
ANSWER_GARBAGE = Fault(body=GARBAGE)
WRONG_SHOW = Fault(body=b'{"id": "another-show"}')
NO_ANSWER = Fault(close=True)


def too_many_requests(*, retry_after: str) -> Fault:
    """A 429 that asks to wait: `retry_after` is seconds or an HTTP date."""
    return Fault(status=429, retry_after=retry_after)


def slow(seconds: float) -> Fault:
    """The show, after `seconds` of machine time."""
    return Fault(delay_seconds=seconds)


class CatalogService:
    """Serves `GET /shows/<id>` to whoever brings the bearer token, over connections that stay open.

    Every method may be called while it serves, from any thread.

    Example:
        >>> with CatalogService(token="secret") as service:
        ...     show_id = service.put({"id": "show-1", "title": "Late calls"})
        ...     service.script(show_id, SERVER_ERROR, too_many_requests(retry_after="1"))
        ...     service.base_url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(self, *, token: str, shows: Iterable[Mapping[str, Any]] = ()) -> None:
        """Take a free port of the loopback interface; serve from `start` on.

        Args:
            token: what `Authorization: Bearer` must bring; anything else is answered 401. It may be changed later.
            shows: shows to begin with.

        While `down` is set, every connection is closed without an answer.
        """
        self.token = token
        self.down = False
        self._lock = threading.Lock()
        self._shows: dict[str, bytes] = {}
        self._script: dict[str, deque[Fault]] = {}
        self._calls: Counter[str] = Counter()
        self._connections = 0
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        for show in shows:
            self.put(show)

    def start(self) -> None:
        """Serve, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port; answers that are being delayed are given up."""
        self._stopped.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> CatalogService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Where it is: `http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def calls(self) -> dict[str, int]:
        """Requests so far by show id, refused and faulty ones included."""
        with self._lock:
            return dict(self._calls)

    @property
    def connections(self) -> int:
        """Connections that clients have opened so far."""
        with self._lock:
            return self._connections

    def put(self, show: Mapping[str, Any]) -> str:
        """Add a show, or replace the one with its id (`id`, else `show_id`); gives the id.

        Raises:
            ValueError: the object has neither.
        """
        return self._store(dict(show), json_bytes(show))

    def put_text(self, text: str) -> str:
        """As `put`, for the JSON text of a show, which is served as it is, each digit of it."""
        show = json.loads(text)
        if not isinstance(show, dict):
            raise ValueError(f"a show that is no JSON object: given {type(show).__name__}, allowed is an object")
        return self._store(show, text.encode())

    def remove(self, show_id: str) -> None:
        """Forget a show: it is answered 404 from now on."""
        with self._lock:
            self._shows.pop(show_id, None)

    def script(self, show_id: str, *faults: Fault) -> None:
        """Give the next answers for a show these faults, one each, after those that are scripted already."""
        with self._lock:
            self._script.setdefault(show_id, deque()).extend(faults)

    def _store(self, show: dict[str, Any], body: bytes) -> str:
        show_id = show_id_of(show)
        if show_id is None:
            raise ValueError(
                f"a show without an id: given the fields {sorted(show)}, allowed is any JSON object with 'id' or "
                "'show_id' (text or a number); add one of them"
            )
        with self._lock:
            self._shows[show_id] = body
        return show_id

    def _count_connection(self) -> None:
        with self._lock:
            self._connections += 1

    def _answer(self, path: str, authorization: str) -> Fault:
        """What to answer; a show is a `Fault` without a fault."""
        root, _, show_id = urlsplit(path).path.removeprefix("/").partition("/")
        if root != "shows" or not show_id:
            return NOT_FOUND
        show_id = unquote(show_id)
        with self._lock:
            self._calls[show_id] += 1
            # Bytes, because compare_digest takes no other text than ASCII, and a header may hold any.
            if not hmac.compare_digest(authorization.encode(), f"Bearer {self.token}".encode()):
                return Fault(status=401)
            if self.down:
                return NO_ANSWER
            script = self._script.get(show_id)
            fault = script.popleft() if script else Fault()
            body = self._shows.get(show_id)
        if fault.status != 200 or fault.body is not None or fault.close:
            return fault
        if body is None:
            return NOT_FOUND
        return Fault(body=body, delay_seconds=fault.delay_seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Kept connections of a client that is still there would hold server_close up.
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle of an answer is no news."""


def _handler_of(service: CatalogService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in one packet: two would wait for the client's delayed acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            service._count_connection()

        def do_GET(self) -> None:
            answer = service._answer(self.path, self.headers.get("Authorization", ""))
            if answer.delay_seconds:
                service._stopped.wait(answer.delay_seconds)
            if answer.close or service._stopped.is_set():
                self.close_connection = True
                return
            body = json.dumps({"status": answer.status}).encode() if answer.body is None else answer.body
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if answer.retry_after is not None:
                self.send_header("Retry-After", answer.retry_after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The scenario's report counts calls; a line for each would bury it."""

    return Handler
