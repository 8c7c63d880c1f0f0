"""Reports: compile their SQL models, write the dbt project for other uses of dbt, render results as pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reports import lineage
from reports.compiling import ROOT, NotCompiled, compile_models
from reports.pages import command
from reports.pages.rows import RowsError
from reports.project import write_project
from reports.running import COMPILED, order

LINEAGE = ROOT / "docs" / "reports" / "lineage.md"


def main() -> int:
    """Do what the command line asks; 1 when the models do not compile, 2 when rows cannot be rendered."""
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    text = "compile all models for DuckDB, Athena and Redshift"
    commands.add_parser("compile", help=text, description=text)
    text = "write the dbt project, with sources and schemas from the contracts, to a new folder"
    project = commands.add_parser("project", help=text, description=text)
    project.add_argument("folder", type=Path)
    command.add_command(commands)
    arguments = parser.parse_args()
    if arguments.command == "render":
        try:
            print("\n".join(command.run(arguments)))  # noqa: T201 - the command's output
        except (command.RenderError, RowsError) as refused:
            print(f"render: {refused}", file=sys.stderr)  # noqa: T201 - the command's output
            return 2
        return 0
    if arguments.command == "project":
        write_project(arguments.folder)
        return 0
    try:
        compile_models(COMPILED)
    except NotCompiled as refused:
        print(refused, file=sys.stderr)  # noqa: T201 - the command's output
        return 1
    LINEAGE.write_text(lineage.page(order()))
    print(f"{COMPILED.relative_to(ROOT)} and {LINEAGE.relative_to(ROOT)} are what the models say")  # noqa: T201 - the command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
