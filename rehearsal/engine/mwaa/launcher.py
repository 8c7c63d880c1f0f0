"""Runs Airflow's components in one group of processes, as MWAA's containers would; started by `environment`.

It runs in Airflow's own virtual environment and must not import anything of this repository. Importing Airflow once
and forking saves most of what four commands cost at their start.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def guard(reachable: frozenset[str]) -> Any:
    """An audit hook that keeps Airflow and its tasks to this machine."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in reachable:
            raise ConnectionRefusedError(
                111, f"Connection refused: the rehearsal lets Airflow reach this machine alone, not {arguments[1][0]}"
            )
        if event == "socket.getaddrinfo" and arguments[0] not in {None, *reachable}:
            raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {arguments[0]}")

    return hook


def run(name: str, arguments: Any, log: Path) -> None:
    """Run one component to its end in this process; never returns."""
    status = 1
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, 1)
        os.dup2(file, 2)
        arguments.func(arguments)
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        print(f"{name} ended by an error", file=sys.stderr)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def airflow_modules(dags: Path) -> list[str]:
    """What DAG files import of Airflow: imported once here, it costs neither the DAG processor nor each task."""
    found: set[str] = set()
    for file in dags.rglob("*.py"):
        with contextlib.suppress(SyntaxError, UnicodeDecodeError):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    found.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.add(node.module)
    return sorted(name for name in found if name.startswith("airflow."))


def end_with_parent() -> None:
    """End the whole group when the parent's end of standard input closes, which its death does as well."""
    while os.read(0, 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def end(children: Iterable[int]) -> None:
    """Ask every component to end; each lets its tasks finish."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)


def main() -> None:
    """Fork the components, and wait; the first that ends, ends all, and is named in the file ``ended``."""
    folder = Path(sys.argv[1])
    config = json.loads((folder / "launch.json").read_text("utf-8"))
    sys.addaudithook(guard(frozenset({*_LOOPBACK, socket.gethostname(), *config["reachable"]})))
    from airflow.cli import cli_parser

    for module in [*config["imported_first"], *airflow_modules(folder / "dags")]:
        # What cannot be imported is told when its DAG is read.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    parser = cli_parser.get_parser()
    components: dict[int, str] = {}
    for name, command in config["components"].items():
        arguments = parser.parse_args(command)
        child = os.fork()
        if child == 0:
            run(name, arguments, folder / f"{name}.log")
        components[child] = name
    threading.Thread(target=end_with_parent, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: end(components))
    ended, status = os.wait()
    (folder / "ended").write_text(json.dumps({"component": components.get(ended, "?"), "status": status}), "utf-8")
    end(components)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    # The thread that watches standard input would hold up an ordinary exit.
    os._exit(0)


if __name__ == "__main__":
    main()
