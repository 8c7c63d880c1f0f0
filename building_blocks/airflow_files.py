"""What Airflow reads of this repository: DAGs, the contracts beside them, and the requirements with their constraints.

It must not import a DAG.
"""

import hashlib
import re
import shutil
from pathlib import Path

from building_blocks.function_package import REPOSITORY, PackagingError

DAGS_PREFIX = "airflow/dags/"
"""Where DAGs lie in the code bucket; MWAA copies it to `DAGS_FOLDER` about every half minute."""

DAGS_FOLDER = "/usr/local/airflow/dags/"
"""Where they lie in a container of MWAA ("Adding or updating DAGs" page)."""

CANARY_PREFIX = "canary/"
"""Where the canary writes each hour's proof in the code bucket."""

CONSTRAINTS = "constraints-airflow.txt"
"""What MWAA installs for its version of Airflow, by its bill of materials; DAGs are tested on it."""

REQUIRED = ("apache-airflow-providers-amazon",)
"""Packages that DAGs import beside Airflow itself, all of them among what MWAA brings."""

_FOLDERS = ("dags", "contracts")
_NOT_PYTHON = (".airflowignore",)


def lay_out(*, target: Path) -> None:
    """Fill ``target`` with what is to lie in Airflow's folder of DAGs; the same sources give the same bytes.

    Raises:
        PackagingError: the repository has no DAGs, or no constraints.
    """
    dags = REPOSITORY / "dags"
    if not dags.is_dir():
        raise PackagingError(f"There are no DAGs; given: {dags}; allowed: a folder of them; fix: check out the whole.")
    for folder in _FOLDERS:
        root = REPOSITORY / folder
        base = root if folder == "dags" else REPOSITORY  # DAGs at the root, packages below their names
        for file in sorted(each for each in root.rglob("*") if each.suffix == ".py" or each.name in _NOT_PYTHON):
            destination = target / file.relative_to(base)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, destination)
    (target / CONSTRAINTS).write_text(constraints())


def constraints() -> str:
    """The text of the constraints.

    Raises:
        PackagingError: the file is not there.
    """
    file = REPOSITORY / CONSTRAINTS
    if not file.is_file():
        raise PackagingError(
            f"There are no constraints; given: {file}; allowed: pins of MWAA; fix: check out the whole."
        )
    return file.read_text()


def pinned(package: str) -> str:
    """The version of ``package`` in the constraints.

    Raises:
        PackagingError: it is not there.
    """
    found = re.search(rf"^{re.escape(package)}==(\S+)$", constraints(), re.MULTILINE)
    if found is None:
        raise PackagingError(
            f"{CONSTRAINTS} has no pin of {package}; given: no line {package}==…; allowed: packages that MWAA brings; "
            "fix: correct REQUIRED in building_blocks/airflow_files.py."
        )
    return found[1]


def requirements() -> str:
    """The text of MWAA's requirements: what is there already, under the constraints, and nothing from elsewhere.

    Whatever is not in MWAA's own packages makes the installation fail at once, rather than reach for a registry: the
    environment would start with other packages than those that DAGs are tested on, or wait where there is no way out.
    """
    lines = (
        f'--constraint "{DAGS_FOLDER}{CONSTRAINTS}"',
        "--no-index",
        *(f"{each}=={pinned(each)}" for each in REQUIRED),
    )
    return "\n".join((*lines, ""))


def requirements_key() -> str:
    """Where the requirements lie in the code bucket: another key for each text, because an environment may be rolled
    back to what it had before."""
    return f"airflow/requirements/{hashlib.sha256(requirements().encode()).hexdigest()[:16]}/requirements.txt"
