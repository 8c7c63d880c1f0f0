"""What the jobs are made of, laid out as it will lie in the zip."""

from pathlib import Path

import pytest

from building_blocks import job_package
from building_blocks.job_package import EMR_SCRIPT, GLUE_SCRIPT, PACKAGES, code_hash, lay_out


def _layout(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_two_layouts_have_the_same_bytes(tmp_path: Path) -> None:
    lay_out(target=tmp_path / "one")
    lay_out(target=tmp_path / "two")
    assert _layout(tmp_path / "one") == _layout(tmp_path / "two")


def test_only_sources_of_the_packages_are_laid_out(tmp_path: Path) -> None:
    lay_out(target=tmp_path)
    files = _layout(tmp_path)
    assert {name.partition("/")[0] for name in files} == set(PACKAGES)
    assert {f"{name}/__init__.py" for name in PACKAGES} <= set(files)
    assert all(name.endswith(".py") for name in files)


def test_caches_beside_the_sources_stay_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = tmp_path / "repository"
    for name in PACKAGES:
        (repository / name / "__pycache__").mkdir(parents=True)
        (repository / name / "__init__.py").write_text("")
        (repository / name / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"\0")
    monkeypatch.setattr(job_package, "REPOSITORY", repository)
    lay_out(target=tmp_path / "zip")
    assert set(_layout(tmp_path / "zip")) == {f"{name}/__init__.py" for name in PACKAGES}


def test_each_way_to_run_a_job_has_its_entry() -> None:
    assert GLUE_SCRIPT.is_file()
    assert EMR_SCRIPT.is_file()


def _repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("")
    for name in ("GLUE_SCRIPT", "EMR_SCRIPT"):
        (folder / name).write_text(name)
        monkeypatch.setattr(job_package, name, folder / name)
    monkeypatch.setattr(job_package, "REPOSITORY", folder)
    return folder


def test_the_hash_is_of_the_sources_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = _repository(tmp_path, monkeypatch)
    before = code_hash()
    assert len(before) == 16
    (repository / PACKAGES[0] / "README.md").write_text("no source")
    (repository / "contracts" / "__init__.py").touch()
    assert code_hash() == before


@pytest.mark.parametrize("change", ["content", "name", "script"])
def test_whatever_changes_in_the_sources_changes_the_hash(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = _repository(tmp_path, monkeypatch)
    (repository / "transforms" / "one.py").write_text("ONE = 1")
    before = code_hash()
    if change == "content":
        (repository / "transforms" / "one.py").write_text("ONE = 2")
    elif change == "name":
        (repository / "transforms" / "one.py").rename(repository / "transforms" / "two.py")
    else:
        (repository / "GLUE_SCRIPT").write_text("other")
    assert code_hash() != before
