"""Reads the arguments that Glue itself takes from a job's; must not interpret those of the script.

AWS Glue Developer Guide, "Using job parameters in AWS Glue jobs".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rehearsal.engine.jobs.glue.model import JobRun

# What Glue's launcher takes for itself; all others reach the script, those of Glue's features among them.
_LAUNCHER = frozenset(
    {
        "--additional-python-modules",
        "--class",
        "--conf",
        "--extra-files",
        "--extra-jars",
        "--extra-py-files",
        "--job-language",
        "--scriptLocation",
    }
)
# Arguments whose effect is not played; a job that has one would run otherwise here than in Glue.
NOT_PLAYED = frozenset({"--additional-python-modules", "--class", "--extra-files", "--extra-jars", "--user-jars-first"})


def script_arguments(run: JobRun) -> list[str]:
    """``sys.argv`` of the script, after itself: unordered pairs, more of them than the job declares."""
    given = [part for name, value in run.arguments.items() if name not in _LAUNCHER for part in (name, value)]
    return [*given, "--JOB_ID", f"j_{run.id[3:19]}", "--JOB_RUN_ID", run.id, "--JOB_NAME", run.job.name]


def spark_settings(arguments: Mapping[str, str]) -> dict[str, str]:
    """The settings of ``--conf``: one, or several as ``a=1 --conf b=2``, because an argument has one value."""
    given = arguments.get("--conf", "").strip()
    pairs = re.split(r"\s+--conf\s+", given.removeprefix("--conf ")) if given else []
    return {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)}


def python_files(arguments: Mapping[str, str]) -> list[str]:
    """The ``s3://`` addresses of ``--extra-py-files``, in their order."""
    return [address.strip() for address in arguments.get("--extra-py-files", "").split(",") if address.strip()]


def has_iceberg(arguments: Mapping[str, str]) -> bool:
    """Whether Glue puts its Iceberg libraries on the class path."""
    return "iceberg" in [name.strip() for name in arguments.get("--datalake-formats", "").split(",")]
