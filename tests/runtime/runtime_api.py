"""The Lambda Runtime API on loopback, with a function in the real runtime client behind it.

It keeps the API's rules for sizes and time ("AWS Lambda runtime API" and "Lambda quotas" pages) and judges nothing.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAYLOAD_BYTES = 6_291_556
"""Largest request and response of a synchronous invocation."""

_PREFIX = "/2018-06-01/runtime/"
_PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an invocation ended: `response`, `error`, `too-large`, `timeout` or `exit`, with what was sent."""

    kind: str
    payload: bytes = b""


@dataclass(frozen=True, kw_only=True)
class _Invocation:
    id: str
    payload: bytes
    deadline_ms: int


class Runtime:
    """One execution environment: started by the first invocation, killed by a time-out, started anew by the next."""

    def __init__(self, handler: str, environment: Mapping[str, str]) -> None:
        self._handler, self._environment = handler, environment
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.log = b""
        """What processes that have ended wrote to both outputs."""

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def invoke(self, payload: bytes, *, timeout_s: float = 30.0) -> Outcome:
        """Run the function once, as a synchronous invocation does."""
        assert len(payload) <= PAYLOAD_BYTES, "Lambda would refuse the request"
        process = self._process or self._start()
        given = _Invocation(id=str(uuid.uuid4()), payload=payload, deadline_ms=int((time.time() + timeout_s) * 1000))
        self._todo.put(given)
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                return self._done.get(timeout=min(left, 0.1))
            except queue.Empty:
                if process.poll() is not None:
                    self.end()
                    return Outcome(kind="exit")
        self.end()
        return Outcome(kind="timeout")

    def end(self) -> None:
        """Kill the process, as Lambda does with one that ran out of time."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(_PATIENCE_S)
        self._process = None
        self._server.shutdown()
        self._server.server_close()
        self._output.seek(0)
        self.log += self._output.read()
        self._output.close()

    def _start(self) -> subprocess.Popen[bytes]:
        # A process that was killed may have left a request for the next invocation behind: each has an API of its own.
        self._todo: queue.Queue[_Invocation] = queue.Queue()
        self._done: queue.Queue[Outcome] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _requests_of(self._todo, self._done))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.starts += 1
        self._process = subprocess.Popen(  # noqa: S603 - the runtime client and our own function
            [sys.executable, "-m", "awslambdaric", self._handler],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_address[1]}",
                "AWS_LAMBDA_FUNCTION_NAME": "tested",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
                **self._environment,
            },
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        return self._process


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The thread of a killed process's last request waits for ever.
    block_on_close = False


def _requests_of(todo: queue.Queue[_Invocation], done: queue.Queue[Outcome]) -> type[BaseHTTPRequestHandler]:
    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            invocation = todo.get()
            headers = {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:tested",
                "Content-Type": "application/json",
            }
            self._answer(200, invocation.payload, headers)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            what = self.path.removeprefix(_PREFIX).split("/")
            if what != ["init", "error"] and len(body) > PAYLOAD_BYTES:
                self._answer(413, b'{"errorType": "RequestEntityTooLarge"}')
                done.put(Outcome(kind="too-large", payload=body))
            else:
                self._answer(202, b"{}")
                done.put(Outcome(kind=what[-1], payload=body))

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The function's log is read, not the server's."""

    return Requests
