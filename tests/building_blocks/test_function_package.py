"""A function's files are its sources at their repository paths and its pinned wheels, the same bytes each time."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from building_blocks import function_package
from building_blocks.function_package import PackagingError, lay_out
from building_blocks.python_function import ARCHITECTURE, PYTHON_VERSION

PINS = "example==1.0.0 --hash=sha256:" + 64 * "0"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository with one function that needs a package."""
    root = tmp_path / "repository"
    for file, text in {
        "contracts/__init__.py": "",
        "contracts/events/shows.py": "SHOWS = 1\n",
        "contracts/published/shows-1.json": "{}",
        "lambdas/__init__.py": "",
        "lambdas/shared/__init__.py": "",
        "lambdas/other/handler.py": "",
        "lambdas/greet/__init__.py": "",
        "lambdas/greet/handler.py": "def handler(event, context): ...\n",
        "lambdas/greet/requirements.txt": PINS,
        "lambdas/greet/__pycache__/handler.cpython-313.pyc": "stale",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    monkeypatch.setattr(function_package, "REPOSITORY", root)
    monkeypatch.setattr(function_package, "WHEEL_CACHE", root / ".cache" / "lambda-packages")
    return root


class FakePip:
    """Unpacks one wheel as pip would, with what differs from machine to machine."""

    def __init__(self, *, fails: bool = False) -> None:
        self.commands: list[list[str]] = []
        self._fails = fails

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        if self._fails:
            return subprocess.CompletedProcess(command, 1, "", "ERROR: no network")
        target = Path(command[command.index("--target") + 1])
        installation = len(self.commands)
        for file, text in {
            "example/__init__.py": "",
            "example-1.0.0.dist-info/METADATA": "Name: example",
            "example-1.0.0.dist-info/RECORD": f"bin/example,{installation}",
            "example-1.0.0.dist-info/INSTALLER": "pip",
            "bin/example": f"#!/home/{installation}/python",
        }.items():
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            (target / file).write_text(text)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> FakePip:
    fake = FakePip()
    monkeypatch.setattr(subprocess, "run", fake)
    return fake


def _lay_out(target: Path, *, name: str = "greet") -> dict[str, str]:
    lay_out(name=name, target=target, python_version=PYTHON_VERSION, architecture=ARCHITECTURE)
    return {
        str(file.relative_to(target)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(target.rglob("*"))
        if file.is_file()
    }


def test_a_function_s_files_lie_at_their_repository_paths_and_packages_beside(
    repository: Path, pip: FakePip, tmp_path: Path
) -> None:
    assert set(_lay_out(tmp_path / "out")) == {
        "contracts/__init__.py",
        "contracts/events/shows.py",
        "example-1.0.0.dist-info/METADATA",
        "example/__init__.py",
        "lambdas/__init__.py",
        "lambdas/greet/__init__.py",
        "lambdas/greet/handler.py",
        "lambdas/shared/__init__.py",
    }


def test_the_same_sources_give_the_same_bytes_whoever_installed_the_packages(
    repository: Path, pip: FakePip, tmp_path: Path
) -> None:
    first = _lay_out(tmp_path / "first")
    for file in repository.rglob("*.py"):
        os.utime(file, (0, 0))
    (repository / "lambdas/greet/__pycache__/logic.cpython-313.pyc").write_text("newer")
    for folder in (repository / ".cache" / "lambda-packages").iterdir():
        folder.rename(tmp_path / "forgotten")
    assert _lay_out(tmp_path / "second") == first
    assert len(pip.commands) == 2


def test_packages_are_fetched_once_and_said_so(
    repository: Path, pip: FakePip, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _lay_out(tmp_path / "first")
    assert "Fetching the packages of function greet" in capsys.readouterr().err
    _lay_out(tmp_path / "second")
    assert capsys.readouterr().err == ""
    assert len(pip.commands) == 1


def test_other_pins_are_fetched_anew(repository: Path, pip: FakePip, tmp_path: Path) -> None:
    _lay_out(tmp_path / "first")
    (repository / "lambdas/greet/requirements.txt").write_text(PINS.replace("1.0.0", "1.0.1"))
    _lay_out(tmp_path / "second")
    assert len(pip.commands) == 2


def test_packages_are_those_of_lambda_s_platform_and_checked_by_hash(
    repository: Path, pip: FakePip, tmp_path: Path
) -> None:
    _lay_out(tmp_path / "out")
    (command,) = pip.commands
    assert "--require-hashes" in command
    assert "--only-binary=:all:" in command
    assert command[command.index("--python-version") + 1] == "3.13"
    assert "manylinux2014_aarch64" in command


def test_a_fetch_that_fails_says_what_to_do_and_leaves_nothing_half_done(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", FakePip(fails=True))
    with pytest.raises(PackagingError, match=r"greet are not in .*fix: run once with network"):
        _lay_out(tmp_path / "out")
    assert list((repository / ".cache" / "lambda-packages").iterdir()) == []


def test_a_function_without_a_handler_is_refused_by_name(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="Function greeet has no handler"):
        _lay_out(tmp_path / "out", name="greeet")


def test_further_files_lie_where_they_are_told(repository: Path, pip: FakePip, tmp_path: Path) -> None:
    lay_out(
        name="greet",
        target=tmp_path,
        python_version=PYTHON_VERSION,
        architecture=ARCHITECTURE,
        files={"greetings/morning.json": "{}"},
    )
    assert (tmp_path / "greetings" / "morning.json").read_text() == "{}"


@pytest.mark.parametrize(
    "name", ["configure_warehouse", "flatten_events", "ingest_show_catalog", "rotate_password", "start_crawlers"]
)
def test_a_function_of_ours_is_laid_out_from_the_cache_without_a_network(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lay_out(tmp_path / "first", name=name)  # fills the cache if set-up has not
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(subprocess, "run", FakePip(fails=True))
    files = _lay_out(tmp_path / "second", name=name)
    assert f"lambdas/{name}/handler.py" in files
    assert not [
        file for file in files if file.endswith((".pyc", "RECORD", "requirements.txt")) or file.startswith("bin/")
    ]
