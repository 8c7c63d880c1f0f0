"""What runs in .venv-dbt: one dbt that compiles a project for each target, since to start it takes longest.

Usage: python dbt_process.py FOLDER TARGET… — FOLDER holds the project; what is compiled lies in FOLDER/target/TARGET.
"""

from __future__ import annotations

import os
import sys

from dbt.cli.main import dbtRunner


def main(folder: str, *targets: str) -> int:
    """Compile for each target; 1 when one fails, which dbt tells on standard output."""
    os.chdir(folder)
    for target in targets:
        done = dbtRunner().invoke(
            [
                "--quiet", "--log-level-file", "none", "--single-threaded", "--warn-error",
                "compile", "--no-introspect", "--no-populate-cache", "--no-partial-parse",
                "--project-dir", ".", "--profiles-dir", ".", "--target", target, "--target-path", f"target/{target}",
            ]
        )  # fmt: skip
        if not done.success:
            print(f"dbt did not compile for {target}: {done.exception or 'see above'}")  # noqa: T201 - its output
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
