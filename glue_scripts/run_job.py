"""What AWS Glue starts for each job: its arguments become those of spark_jobs; holds no job's logic."""

from __future__ import annotations

import sys
from collections.abc import Sequence

GLUES_OWN = frozenset(
    {
        "additional-python-modules",
        "class",
        "conf",
        "continuous-log-conversionPattern",
        "continuous-log-logGroup",
        "continuous-log-logStreamPrefix",
        "custom-logGroup-prefix",
        "custom-logStream-prefix",
        "customer-driver-env-vars",
        "customer-executor-env-vars",
        "datalake-formats",
        "enable-auto-scaling",
        "enable-continuous-cloudwatch-log",
        "enable-continuous-log-filter",
        "enable-glue-datacatalog",
        "enable-job-insights",
        "enable-metrics",
        "enable-observability-metrics",
        "enable-rename-algorithm-v2",
        "enable-s3-parquet-optimized-committer",
        "enable-spark-ui",
        "execution-class",
        "extra-files",
        "extra-jars",
        "extra-py-files",
        "job-bookmark-from",
        "job-bookmark-option",
        "job-bookmark-to",
        "job-language",
        "python-modules-installer-option",
        "scriptLocation",
        "spark-event-logs-path",
        "TempDir",
    }
)
"""Arguments that are Glue's (AWS Glue Developer Guide, Using job parameters in AWS Glue jobs)."""


def job_arguments(argv: Sequence[str]) -> list[str]:
    """The arguments of spark_jobs in those with which Glue starts a script (without the script's own name).

    Glue's own are left out; its JOB_RUN_ID is the run's id unless one is given. Names may be written with
    underscores, as Glue's console suggests. Anything else is passed on, so that a wrong name is refused there.
    """
    passed: list[str] = []
    run_id = ""
    rest = list(argv)
    while rest:
        name = rest.pop(0)
        bare, equals, value = name.removeprefix("--").partition("=")
        if name.startswith("--") and not equals and rest and not rest[0].startswith("--"):
            value, equals = rest.pop(0), " "
        if bare == "JOB_RUN_ID":
            run_id = value
        if bare.isupper() or bare in GLUES_OWN:
            continue
        passed.append(f"--{bare.replace('_', '-')}" if name.startswith("--") else name)
        if equals:
            passed.append(value)
    if run_id and "--run-id" not in passed:
        passed += ["--run-id", run_id]
    return passed


if __name__ == "__main__":
    from spark_jobs.run import main

    status = main(job_arguments(sys.argv[1:]))
    if status:
        # Glue takes any end of the script without an exception for a success.
        raise SystemExit(f"the job ended with status {status}; its log says why")
