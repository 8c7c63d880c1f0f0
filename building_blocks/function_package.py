"""Lays a Lambda function's files out as they will lie in Lambda: sources at their repository paths, wheels beside.

It must not run anything of the function, nor reach the network when the wheels are in the cache.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
WHEEL_CACHE = REPOSITORY / ".cache" / "lambda-packages"

_SOURCE_FOLDERS = ("contracts", "lambdas/shared")
_INSTALLER_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_PIP_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}


class PackagingError(RuntimeError):
    """A function cannot be laid out; the message says what is missing and how to get it."""


def lay_out(
    *, name: str, target: Path, python_version: str, architecture: str, files: Mapping[str, str] | None = None
) -> None:
    """Fill ``target`` with the files of the function in ``lambdas/<name>``, and with ``files``, text by path.

    The same sources and pins always give the same bytes: only `.py` files are taken, and of wheels only what
    does not tell who installed them.

    Raises:
        PackagingError: the function has no handler, or its wheels are neither cached nor to be had.
    """
    folder = REPOSITORY / "lambdas" / name
    if not (folder / "handler.py").is_file():
        raise PackagingError(
            f"Function {name} has no handler; given: {folder}; allowed: a folder with handler.py; "
            "fix: write lambdas/<name>/handler.py or correct the name."
        )
    requirements = folder / "requirements.txt"
    if requirements.is_file():
        wheels = _wheels(name=name, requirements=requirements, python_version=python_version, architecture=architecture)
        shutil.copytree(wheels, target, dirs_exist_ok=True)
    _copy_source(REPOSITORY / "lambdas" / "__init__.py", target)
    for source in (*_SOURCE_FOLDERS, f"lambdas/{name}"):
        for file in sorted((REPOSITORY / source).rglob("*.py")):
            _copy_source(file, target)
    for path, text in (files or {}).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text)


def _copy_source(file: Path, target: Path) -> None:
    destination = target / file.relative_to(REPOSITORY)
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, destination)


def _wheels(*, name: str, requirements: Path, python_version: str, architecture: str) -> Path:
    """The cached folder of the unpacked wheels that ``requirements`` pins, filled first if it is missing."""
    pins = requirements.read_text()
    identity = "\n".join((pins, python_version, architecture)).encode()
    folder = WHEEL_CACHE / hashlib.sha256(identity).hexdigest()[:16]
    if folder.is_dir():
        return folder
    print(  # noqa: T201 - the first synth waits for this and must say so
        f"Fetching the packages of function {name} for Lambda's Python {python_version} on {architecture} "
        f"into {folder.relative_to(REPOSITORY)} (once; later runs need no network).",
        file=sys.stderr,
    )
    WHEEL_CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WHEEL_CACHE) as scratch:
        fresh = Path(scratch) / "packages"
        _install(
            name=name,
            requirements=requirements,
            target=fresh,
            python_version=python_version,
            architecture=architecture,
        )
        _forget_installation(fresh)
        try:
            fresh.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another synth was faster, with the same bytes
                raise
    return folder


def _install(*, name: str, requirements: Path, target: Path, python_version: str, architecture: str) -> None:
    machine = _PIP_PLATFORMS[architecture]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
        "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile",
        "--implementation", "cp", "--python-version", python_version,
        "--platform", f"manylinux2014_{machine}", "--platform", f"manylinux_2_28_{machine}",
        "--requirement", str(requirements), "--target", str(target),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments
    if done.returncode != 0:
        raise PackagingError(
            f"The packages of function {name} are not in {WHEEL_CACHE} and pip could not fetch them; "
            f"given: {requirements}; allowed: pins with hashes that have a wheel for Python {python_version} on "
            f"{machine} Linux; fix: run once with network, or correct the pins.\n{done.stderr.strip()}"
        )


def _forget_installation(packages: Path) -> None:
    """Remove what differs between two installations of the same wheels: scripts and installer's notes."""
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for info in packages.glob("*.dist-info"):
        for file in _INSTALLER_FILES:
            (info / file).unlink(missing_ok=True)
