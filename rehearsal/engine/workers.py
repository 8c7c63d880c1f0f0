"""Starts, feeds and ends the process that runs a function's files; knows nothing of templates or AWS APIs."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.engine.packages import asset_packages

WORKER_SCRIPT = Path(__file__).with_name("worker.py")
# AWS Lambda Developer Guide, "Lambda execution environment lifecycle": the init phase is limited to 10 seconds.
# A shared machine is slower than Lambda, so the limit is kept loosely.
INIT_TIMEOUT_S = 30.0

Log = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class WorkerResult:
    """How one invocation ended in the process: ``outcome`` ok, error, timeout, crash or init-error."""

    outcome: str
    payload: bytes
    duration_ms: float
    init_ms: float = 0.0


class Worker:
    """One process for one function. It serves one invocation at a time; after a time-out or crash it is dead."""

    def __init__(
        self,
        *,
        asset: Path,
        handler: str,
        environment: Mapping[str, str],
        log_format: str,
        log_level: str,
        now: float,
        reachable: Iterable[tuple[str, int]],
        log: Log,
    ) -> None:
        packages = asset_packages(asset)
        self._folder = tempfile.mkdtemp(prefix="lambda-")
        to_worker_read, to_worker_write = os.pipe()
        from_worker_read, from_worker_write = os.pipe()
        self._output = open(Path(self._folder, "output"), "w+b")  # noqa: SIM115 — lives as long as the process
        temporary = Path(self._folder, "tmp")
        temporary.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(WORKER_SCRIPT), str(to_worker_read), str(from_worker_write)],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            env={**environment, "TMPDIR": str(temporary)},
            cwd=asset,
            pass_fds=(to_worker_read, from_worker_write),
        )
        os.close(to_worker_read)
        os.close(from_worker_write)
        self._write_fd, self._read_fd = to_worker_write, from_worker_read
        self.alive = True
        self.init_error: bytes | None = None
        self._send(
            {
                "asset": str(asset),
                "handler": handler,
                "local_packages": packages.local,
                "runtime_packages": packages.runtime,
                "folders": packages.folders,
                "now": now,
                "log_format": log_format,
                "log_level": log_level,
                "reachable": sorted(reachable),
            }
        )
        started = time.monotonic()
        header, payload = self._answer(INIT_TIMEOUT_S, log)
        self.init_ms = (time.monotonic() - started) * 1000
        if header["kind"] != "ready":
            self.init_error = payload or f"no answer within {INIT_TIMEOUT_S:g} s".encode()
            self.close()

    def invoke(self, header: Mapping[str, Any], body: bytes, *, timeout_s: float, log: Log) -> WorkerResult:
        """Run the handler once; kill the process when it takes longer than ``timeout_s`` (real seconds)."""
        started = time.monotonic()
        self._send(header, body)
        answer, payload = self._answer(timeout_s, log)
        if answer["kind"] == "result":
            return WorkerResult(outcome=answer["outcome"], payload=payload, duration_ms=answer["duration_ms"])
        self.close()
        return WorkerResult(outcome=answer["kind"], payload=payload, duration_ms=(time.monotonic() - started) * 1000)

    def close(self) -> None:
        """End the process and remove its temporary folder."""
        if not self.alive:
            return
        self.alive = False
        with contextlib.suppress(OSError):
            os.close(self._write_fd)
        self._process.kill()
        self._process.wait()
        os.close(self._read_fd)
        self._output.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _send(self, header: Mapping[str, Any], body: bytes = b"") -> None:
        encoded = json.dumps(header).encode()
        frame = memoryview(struct.pack(">II", len(encoded), len(body)) + encoded + body)
        with contextlib.suppress(BrokenPipeError):
            while frame:
                frame = frame[os.write(self._write_fd, frame) :]

    def _answer(self, timeout_s: float, log: Log) -> tuple[dict[str, Any], bytes]:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                lengths = self._read(8, deadline)
                header_length, body_length = struct.unpack(">II", lengths)
                header: dict[str, Any] = json.loads(self._read(header_length, deadline))
                body = self._read(body_length, deadline)
            except TimeoutError:
                return {"kind": "timeout"}, b""
            except EOFError:
                self._process.wait()
                self._output.seek(0)
                said = self._output.read().decode("utf-8", "replace").strip()
                if said:
                    log(time.time(), said)
                return {"kind": "crash"}, f"exit status {self._process.returncode}: {said[-2000:]}".encode()
            if header["kind"] != "log":
                return header, body
            log(header["time"], body.decode("utf-8", "replace"))

    def _read(self, length: int, deadline: float) -> bytes:
        chunks = bytearray()
        while len(chunks) < length:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._read_fd], [], [], remaining)[0]:
                raise TimeoutError
            chunk = os.read(self._read_fd, min(length - len(chunks), 1 << 20))
            if not chunk:
                raise EOFError
            chunks += chunk
        return bytes(chunks)
