"""Runs one job's script in a process of its own, as a worker of Glue or a driver's pod would; started by `process`.

It must not import anything of this repository: the script sees its extra Python files, the standard library and
what Glue provides; EMR's image is taken to provide the same.
"""

from __future__ import annotations

import json
import runpy
import site
import socket
import sys
import traceback
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

# AWS Glue Developer Guide, "Python modules already provided in AWS Glue": those that a job may well use.
PROVIDED = frozenset(
    {
        *("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3"),
        *("pyspark", "py4j", "numpy", "pandas", "pyarrow"),
        *("requests", "certifi", "charset_normalizer", "idna", "packaging", "pytz", "tzdata", "yaml"),
    }
)
_OWN = frozenset({"time_machine", "_time_machine"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ERROR_LIMIT = 2000


class ProvidedPackages(MetaPathFinder):
    """Finds what Glue provides in ``folders``, and nothing else there."""

    def __init__(self, folders: list[str], no_spark: str) -> None:
        self._folders, self._no_spark = folders, no_spark

    def find_spec(self, fullname: str, _path: Any = None, target: Any = None) -> ModuleSpec | None:
        if "." in fullname or fullname not in PROVIDED | _OWN:
            return None
        if fullname == "pyspark" and self._no_spark:
            raise ModuleNotFoundError(self._no_spark, name="pyspark")
        return PathFinder.find_spec(fullname, self._folders, target)


def guard(reachable: set[str]) -> Any:
    """An audit hook that keeps the script's Python to this machine; Java has a hosts file to the same end."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][0] not in reachable:
            raise ConnectionRefusedError(
                111, f"Connection refused: the rehearsal lets jobs reach this machine alone, not {arguments[1][0]}"
            )
        if event == "socket.getaddrinfo" and arguments[0] not in {None, *reachable}:
            raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {arguments[0]}")

    return hook


def message(error: BaseException) -> str:
    """The end of the traceback in few words; of an error in Java, the innermost cause as well."""
    lines = [line.strip() for line in "".join(traceback.format_exception_only(error)).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("at ", "... "))]
    head = said[:2] if len(said) > 1 and said[1].startswith(":") else said[:1]
    causes = [line for line in said if line.startswith("Caused by:")]
    return " ".join([*head, *causes[-1:]])[:ERROR_LIMIT]


def exit_status(error: SystemExit) -> int:
    """What the interpreter would make of ``sys.exit(…)``."""
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def main() -> int:
    """Set the process up and run the script; what failed is told in the file ``failure`` beside the configuration."""
    folder = Path(sys.argv[1])
    config = json.loads((folder / "run.json").read_text("utf-8"))
    sys.dont_write_bytecode = True
    sys.meta_path.append(ProvidedPackages(config["packages"], config["no_spark"]))
    import time_machine

    site.setquit()
    sys.path[:0] = config["libraries"]
    sys.argv = config["argv"]
    time_machine.travel(config["now"], tick=True).start()
    sys.addaudithook(guard({*_LOOPBACK, socket.gethostname(), *config["reachable"]}))
    try:
        runpy.run_path(config["script"], run_name="__main__")
    except SystemExit as left:
        status = exit_status(left)
        if status:
            said = left.code if isinstance(left.code, str) else f"SystemExit: {left.code}"
            (folder / "failure").write_text(said[:ERROR_LIMIT], "utf-8")
        return status
    except BaseException as error:
        traceback.print_exc()
        (folder / "failure").write_text(message(error), "utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
