"""Calls a handler through AWS's own runtime client and measures start, calls and memory; knows no contender.

The runtime client (`awslambdaric`) runs in a process of its own and talks to a Runtime API that this module serves
("Using the Lambda runtime API" page), as it would to Lambda's.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any


class RuntimeFailed(RuntimeError):
    """The runtime client or the function ended with an error; the text is what it said."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process: CPU seconds from its start to its first answer and of each call, its most bytes of memory.

    A call is all that the process does from getting the request's bytes to having sent the response's. `import_s` is
    the part of `cold_s` before the first request: the interpreter, the runtime client and what the handler imports.
    """

    import_s: float
    cold_s: float
    call_s: list[float]
    peak_bytes: int
    response_bytes: int


def quietly() -> contextlib.AbstractContextManager[object]:
    """Keeps off the screen what a function writes to its log."""
    return contextlib.redirect_stdout(io.StringIO())


def run(handler: str, payloads: Sequence[bytes], *, core: int, environment: Mapping[str, str] | None = None) -> Run:
    """Start a process for `handler` (`package.module.name`) on one core and call it with each payload.

    `environment` is added to this process's, and to what the flattening function reads.

    Raises:
        RuntimeFailed: the function raised, or its process ended.
    """
    server = _Api(payloads)
    variables = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "METRICS_NAMESPACE": "Amp/bench",
        "SERVICE": "flatten-events",
        **(environment or {}),
    }
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "awslambdaric", handler],
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    server.pid = process.pid
    try:
        server.timeout = 60
        while not server.is_done:
            before = server.handled
            server.handle_request()
            if server.handled == before or server.error:
                process.kill()
                said = process.stderr.read().decode(errors="replace")[-2_000:] if process.stderr else ""
                raise RuntimeFailed(f"{handler}: {server.error or said or 'it asked for nothing within a minute'}")
        status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    finally:
        process.kill()
        process.wait()
        server.server_close()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return Run(
        import_s=server.asked[0],
        cold_s=server.answered[0],
        call_s=[end - start for start, end in zip(server.asked, server.answered, strict=False)],
        peak_bytes=int(peak[1]) * 1024 if peak else 0,
        response_bytes=server.response_bytes,
    )


class _Api(HTTPServer):
    """The Runtime API for one function: gives each payload once, then says no more."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.payloads = list(payloads)
        self.pid = 0
        self.asked: list[float] = []
        self.answered: list[float] = []
        self.response_bytes = 0
        self.handled = 0
        self.error = ""

    def cpu_s(self) -> float:
        """What the function's process has computed so far (proc(5), schedstat), which waits while this is asked."""
        return int(Path(f"/proc/{self.pid}/schedstat").read_text("utf-8").split()[0]) / 1e9

    @property
    def is_done(self) -> bool:
        """Whether the last payload's answer is here."""
        return len(self.answered) == len(self.payloads)


class _Handler(BaseHTTPRequestHandler):
    server: _Api

    def do_GET(self) -> None:
        self.server.handled += 1
        payload = self.server.payloads[len(self.server.asked)]
        self.server.asked.append(self.server.cpu_s())
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", str(len(self.server.asked)))
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 300_000))
        self.send_header("Content-Type", "application/json")  # without it the runtime client ends
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def do_POST(self) -> None:
        self.server.handled += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/error"):
            self.server.error = body.decode(errors="replace")[:2_000]
        self.server.answered.append(self.server.cpu_s())
        self.server.response_bytes = max(self.server.response_bytes, len(body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
