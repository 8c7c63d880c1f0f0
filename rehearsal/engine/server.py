"""Answers AWS's APIs by moto: in this process, and on a loopback port; the gate in front decides what they may do.

It must not know what is called, nor by whom.
"""

from __future__ import annotations

import contextvars
import functools
import io
import logging
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse
from moto.moto_server.werkzeug_app import PRESERVED_HEADER_NAMES_ENVIRON_KEY as ORIGINAL_NAMES
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from botocore.client import BaseClient

_SHUTDOWN_POLL_S = 0.02


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """moto's, which looks through all its modules and patterns at each request, although a host's never changes."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = functools.cache(super().get_backend_for_host)


class MotoServer:
    """moto on a free port, a thread a connection; unlike moto's own class it ends at once when told to."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._application = _Dispatcher()
        self._server = make_server("127.0.0.1", 0, self._application, threaded=True, request_handler=MotoRequestHandler)
        self.address = ("127.0.0.1", int(self._server.server_port))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": _SHUTDOWN_POLL_S}, daemon=True
        )
        self._thread.start()

    def serve(self, client: BaseClient) -> None:
        """Answer what ``client`` asks without a socket: half of what a call costs. All else stays as it is."""
        client.meta.events.register("before-send", self._answer)  # type: ignore[arg-type]

    def stop(self) -> None:
        """Answer nothing any more."""
        self._server.shutdown()
        self._thread.join()

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """What the server would answer to a signed request ("Event system" page of botocore, before-send).

        It is served in a context of its own: a request that is being served may be what makes it.
        """
        return contextvars.copy_context().run(self._serve_one, request)

    def _serve_one(self, request: AWSPreparedRequest) -> AWSResponse:
        answered: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            answered.append((status, headers))

        chunks = self._application(_environment(request), start_response)
        try:
            body = b"".join(chunks)
        finally:
            chunks.close()
        ((status, headers),) = answered
        return AWSResponse(request.url, int(status.split()[0]), dict(headers), MockRawResponse(body))  # type: ignore[arg-type]


def _environment(request: AWSPreparedRequest) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    parts = urlsplit(request.url)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    content = body.encode() if isinstance(body, str) else bytes(body)
    headers = {
        name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path or "/").decode("latin-1"),
        "QUERY_STRING": parts.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": parts.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{_variable(name): value for name, value in headers.items()},
        "CONTENT_LENGTH": str(len(content)),
        # Names of metadata as they are, where WSGI would take an underscore for a dash.
        ORIGINAL_NAMES: {_variable(name): name for name in headers if name.lower().startswith("x-amz-meta-")},
    }


def _variable(header: str) -> str:
    name = header.upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"
