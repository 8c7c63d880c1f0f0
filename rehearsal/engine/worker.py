"""Runs one Lambda function in a process of its own, as Lambda's Python runtime would; started by `functions`.

It must not import anything of this repository: it sees the asset, the standard library and the packages that
the asset pins or Lambda provides.

Two pipes carry frames: header length and body length (big endian, 4 bytes each), a JSON header, a raw body.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import struct
import sys
import threading
import time
import traceback
from decimal import Decimal
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, BinaryIO


class Channel:
    """Frames in and out."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader, self._writer = reader, writer

    def receive(self) -> tuple[dict[str, Any], bytes] | None:
        lengths = self._reader.read(8)
        if len(lengths) < 8:
            return None
        header, body = struct.unpack(">II", lengths)
        return json.loads(self._reader.read(header)), self._reader.read(body)

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        encoded = json.dumps(header).encode()
        self._writer.write(struct.pack(">II", len(encoded), len(body)) + encoded + body)
        self._writer.flush()


class Output:
    """Takes the place of stdout and stderr: whole lines go to the engine as log events, in order."""

    encoding, errors = "utf-8", "replace"

    def __init__(self, channel: Channel) -> None:
        self._channel, self._rest, self._lock = channel, "", threading.RLock()

    def write(self, text: str) -> int:
        with self._lock:
            self._rest += text
            if "\n" in self._rest:
                lines, _, self._rest = self._rest.rpartition("\n")
                self._send(lines)
        return len(text)

    def flush(self) -> None:
        # Half a line is kept: `print` flushes nothing, and loggers flush after whole lines.
        return None

    def close_line(self) -> None:
        with self._lock:
            if self._rest:
                self._send(self._rest)
                self._rest = ""

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return 1

    def writable(self) -> bool:
        return True

    def _send(self, text: str) -> None:
        self._channel.send({"kind": "log", "time": time.time()}, text.encode("utf-8", "replace"))


class LocalPackages(MetaPathFinder):
    """Finds ``names`` (top-level import names) in ``folders`` and nothing else there."""

    def __init__(self, names: list[str], folders: list[str]) -> None:
        self._names, self._folders = set(names), folders

    def find_spec(self, fullname: str, _path: Any = None, target: Any = None) -> ModuleSpec | None:
        if "." in fullname or fullname not in self._names:
            return None
        return PathFinder.find_spec(fullname, self._folders, target)


class Guard:
    """Keeps the process to what Lambda's sandbox would allow: writes under /tmp, connections that are reachable."""

    def __init__(self, temporary: str) -> None:
        self.reachable: set[tuple[str, int]] = set()
        self._writable = (temporary, "/tmp", "/dev/")  # noqa: S108 — Lambda's own writable folder

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes:
                self._check(path)
        elif event in ("os.mkdir", "os.remove", "os.rename", "os.rmdir"):
            self._check(arguments[0])
        elif event == "socket.connect":
            address = arguments[1]
            if isinstance(address, tuple) and (address[0], address[1]) not in self.reachable:
                raise ConnectionRefusedError(
                    111,
                    f"Connection refused: the rehearsal lets functions reach {sorted(self.reachable)}, "
                    f"not {address[0]}:{address[1]}",
                )
        elif event == "socket.getaddrinfo":
            host = arguments[0]
            if host not in {"localhost", None, *(host for host, _ in self.reachable)}:
                raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {host}")

    def _check(self, path: Any) -> None:
        if isinstance(path, str) and not os.path.abspath(path).startswith(self._writable):
            raise OSError(30, "Read-only file system (Lambda allows writes under /tmp alone)", path)


class Context:
    """The context object of Lambda's Python runtime."""

    def __init__(self, header: dict[str, Any]) -> None:
        self.aws_request_id = header["request_id"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = header["function_arn"]
        self.tenant_id = None
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + header["timeout_s"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class RuntimeLogHandler(logging.Handler):
    """The root handler that Lambda's runtime installs, in its text or JSON format."""

    def __init__(self, log_format: str) -> None:
        super().__init__()
        self._json = log_format == "JSON"
        self.request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        if self._json:
            line = {"timestamp": stamp + "Z", "level": record.levelname, "message": record.getMessage()}
            line |= {"logger": record.name, "requestId": self.request_id}
            if record.exc_info and record.exc_info[0] is not None:
                line["errorType"] = record.exc_info[0].__name__
                line["errorMessage"] = str(record.exc_info[1])
            text = json.dumps(line)
        else:
            text = f"[{record.levelname}]\t{stamp}.{int(record.msecs):03d}Z\t{self.request_id}\t{self.format(record)}"
        sys.stdout.write(text + "\n")


def failure(error: BaseException, kind: str | None = None) -> bytes:
    """The payload with which Lambda reports ``error``."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]
    return json.dumps(
        {
            "errorMessage": str(error),
            "errorType": kind or type(error).__name__,
            "requestId": "",
            "stackTrace": traceback.format_list(own),
        }
    ).encode()


def plain(value: Any) -> float:
    """What the runtime's encoder makes of a value that JSON has no form for: of a Decimal, a float."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def load_handler(handler: str) -> Any:
    """The function that ``handler`` (``package.module.function``) names."""
    module_name, _, function_name = handler.replace("/", ".").rpartition(".")
    module: ModuleType = __import__(module_name, fromlist=[function_name])
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        raise AttributeError(f"Handler '{function_name}' missing on module '{module_name}'") from error


def _load_error_kind(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return "Runtime.UserCodeSyntaxError"
    if isinstance(error, ImportError):
        return "Runtime.ImportModuleError"
    if isinstance(error, AttributeError) and str(error).startswith("Handler '"):
        return "Runtime.HandlerNotFound"
    return type(error).__name__


class Death:
    """Ends the process after a given number of calls of one API operation have returned, as a kill would."""

    def __init__(self, service: str, operation: str, call: int) -> None:
        from botocore.client import BaseClient

        client_class: Any = BaseClient
        self._owner, self._kept, left = client_class, client_class._make_api_call, call

        def counted(client: Any, name: str, arguments: dict[str, Any]) -> Any:
            nonlocal left
            answer = self._kept(client, name, arguments)
            left -= (client.meta.service_model.service_name, name) == (service, operation)
            if left <= 0:
                os._exit(137)
            return answer

        client_class._make_api_call = counted

    def called_off(self) -> None:
        """Let the process live on."""
        self._owner._make_api_call = self._kept


def serve(channel: Channel, handler: Any, guard: Guard, clock: Any, output: Output, log: RuntimeLogHandler) -> None:
    """Answer invocations until the engine closes the pipe."""
    while (frame := channel.receive()) is not None:
        header, body = frame
        clock.move_to(header["now"])
        guard.reachable = {(host, port) for host, port in header["reachable"]}
        os.environ["_X_AMZN_TRACE_ID"] = header["trace_id"]
        log.request_id = header["request_id"]
        started = time.perf_counter()
        outcome = "ok"
        death = Death(*header["dies_after"]) if header["dies_after"] else None
        try:
            result = handler(json.loads(body), Context(header))
        except BaseException as error:
            outcome, payload = "error", failure(error)
        else:
            try:
                payload = json.dumps(result, ensure_ascii=False, default=plain).encode()
            except Exception as error:
                marshal = TypeError(f"Unable to marshal response: {error}")
                outcome, payload = "error", failure(marshal, "Runtime.MarshalError")
        if death is not None:
            death.called_off()
        output.close_line()
        duration_ms = (time.perf_counter() - started) * 1000
        channel.send({"kind": "result", "outcome": outcome, "duration_ms": duration_ms}, payload)


def main() -> None:
    """Set the sandbox up, load the handler, answer invocations."""
    channel = Channel(os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb"))
    frame = channel.receive()
    if frame is None:
        return
    config = frame[0]
    sys.dont_write_bytecode = True
    sys.meta_path.append(
        LocalPackages(["time_machine", "_time_machine", *config["runtime_packages"]], config["folders"])
    )
    import time_machine

    sys.meta_path.insert(0, LocalPackages(config["local_packages"], config["folders"]))
    sys.path[:] = [config["asset"], *(entry for entry in sys.path if entry != os.path.dirname(__file__))]
    clock = time_machine.travel(config["now"], tick=True).start()
    output = Output(channel)
    sys.stdout = sys.stderr = output
    log = RuntimeLogHandler(config["log_format"])
    logging.getLogger().addHandler(log)
    if config["log_level"]:
        logging.getLogger().setLevel(config["log_level"])
    guard = Guard(os.environ["TMPDIR"])
    guard.reachable = {(host, port) for host, port in config["reachable"]}
    sys.addaudithook(guard)
    started = time.perf_counter()
    try:
        handler = load_handler(config["handler"])
    except BaseException as error:
        output.close_line()
        channel.send({"kind": "init-error"}, failure(error, _load_error_kind(error)))
        return
    output.close_line()
    channel.send({"kind": "ready", "duration_ms": (time.perf_counter() - started) * 1000})
    serve(channel, handler, guard, clock, output, log)


if __name__ == "__main__":
    main()
