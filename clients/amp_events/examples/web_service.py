"""A web service that publishes what its listeners do: `POST /shows/<show>/likes`; it keeps no state of its own.

An application that has installed the client writes `from amp_events import …`. Run it with
`AMP_STREAM=<stream name> python -m amp_events.examples.web_service`.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from wsgiref.simple_server import make_server

from .. import BufferFull, EventProducer, InvalidEvent, ProducerClosed

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def application(producer: EventProducer, *, now_ms: Callable[[], int]) -> WSGIApplication:
    """The service: answers a like at once, and never waits for the stream."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, body = _handle(environ, producer, now_ms)
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    return answer


def _handle(
    environ: WSGIEnvironment, producer: EventProducer, now_ms: Callable[[], int]
) -> tuple[str, dict[str, object]]:
    path = environ["PATH_INFO"].strip("/").split("/")
    if environ["REQUEST_METHOD"] == "GET" and path == ["health"]:
        counts = producer.stats()
        return "200 OK", {"waiting": counts.waiting, "given_up": counts.given_up, "dropped": counts.dropped}
    if environ["REQUEST_METHOD"] != "POST" or len(path) != 3 or (path[0], path[2]) != ("shows", "likes"):
        return "404 Not Found", {"error": "POST /shows/<show>/likes"}
    event = {"event_type": "like", "occurred_at": now_ms(), "show": {"id": path[1]}}
    if listener := environ.get("HTTP_X_LISTENER"):
        event["user"] = {"id": listener}
    try:
        producer.put(event)
    except InvalidEvent as error:
        return "400 Bad Request", {"error": f"{error.path} should be {error.allowed}"}
    except (BufferFull, ProducerClosed):
        # The like itself is not this service's to lose: the page goes on, the count of dropped events tells.
        return "202 Accepted", {"published": False}
    return "202 Accepted", {"published": True}


def main() -> None:
    """Serve until the process is told to stop; then send what is left."""
    with EventProducer(os.environ["AMP_STREAM"]) as producer:
        port = int(os.environ.get("PORT", "8000"))
        service = application(producer, now_ms=lambda: time.time_ns() // 1_000_000)
        with make_server("127.0.0.1", port, service) as server:
            # SIGTERM ends Python at once, without its exit handlers. An exception raised in its place would be lost
            # where it meets a request: wsgiref takes each one for the application's.
            signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
            server.serve_forever()


if __name__ == "__main__":
    main()
