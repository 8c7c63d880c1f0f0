"""Runs a job by name: arguments, session, run record, exit; holds no job's logic."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import boto3
from pyspark.sql import DataFrame, SparkSession

from contracts.jobs import Job, by_name
from spark_jobs import arguments, sizing
from spark_jobs.arguments import Arguments, WrongArguments
from spark_jobs.expectations import Refused, expect_fresh
from spark_jobs.job import Run
from spark_jobs.lake import Lake
from spark_jobs.problems import first_line
from spark_jobs.raw_zone import RawZone
from spark_jobs.run_record import RunRecord
from transforms.people import key_frame

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # A value that does not fit becomes null and is refused by the job with its reason, where ANSI would end the run.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    # Raw files are named one by one; more than 32 are looked up by a Spark job, which else has a task for each of them.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "32",
    # Rows that are kept between two looks at them are looked at once or twice: packing them costs more than it saves.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
    # Dates before 1582 are what they say, in Parquet too.
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
"""What every job needs of SQL; catalogs, endpoints and credentials are its deployment's."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What a job asks of AWS beside Spark."""

    secret: Callable[[str], str]
    """Text of the secret with this ARN (Secrets Manager, GetSecretValue)."""
    notify: Callable[[str, str, str], None]
    """Publishes to a topic: ARN, subject, text (SNS, Publish)."""


def aws() -> Services:
    """The services of the account, by the job's own credentials."""
    return Services(secret=_secret, notify=_notify)


def run_job(
    given: Arguments, *, spark: SparkSession, services: Services, body: Callable[[Run], None] | None = None
) -> RunRecord:
    """Run a job and leave its run record, whichever way it ends.

    `body` is `spark_jobs.jobs.<name>.run` unless another is given.

    Raises:
        Refused: an expectation did not hold.
        Exception: whatever ended the job; the run record tells it too.
    """
    job = cast(Job, by_name(given.job))
    run = prepare(given, job, spark, services)
    status, error = "succeeded", None
    try:
        run.fit(sum(run.lake.bytes(table) for table in job.reads))
        if not given.accept_stale:
            expect_fresh(run)
        (body or importlib.import_module(f"spark_jobs.jobs.{job.name}").run)(run)
    except BaseException as problem:
        status = "refused" if isinstance(problem, Refused) else "failed"
        error = f"{type(problem).__name__}: {first_line(problem)}"
        raise
    finally:
        try:
            run.record.keep(run, status=status, error=error)
        except Exception:
            # The job's own failure says more than that it could not be recorded.
            if status == "succeeded":
                raise
            traceback.print_exc()
    return run.record


def main(argv: Sequence[str]) -> int:
    """Follow a command line. Exit status: 0 done, 1 failed or refused, 2 wrong arguments."""
    try:
        if argv[:1] == ["size"]:
            print(sizing.explained(sizing.read(argv[1:])))  # noqa: T201 - that is what it was asked for
            return 0
        given = arguments.read(argv, now=datetime.now(UTC))
    except WrongArguments as error:
        print(f"spark_jobs: {error}", file=sys.stderr)  # noqa: T201
        return 2
    record = run_job(given, spark=session(), services=aws())
    print(record.summary(given.job))  # noqa: T201 - the driver's log
    return 0


def session() -> SparkSession:
    """The session of this process, as its deployment configured it."""
    return SparkSession.builder.appName("amp").getOrCreate()


def prepare(given: Arguments, job: Job, spark: SparkSession, services: Services) -> Run:
    """A run that has not begun: the session set to what jobs expect, everything within reach."""
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    if given.shuffle_partitions:
        spark.conf.set("spark.sql.shuffle.partitions", str(given.shuffle_partitions))
    spark.sparkContext.setJobDescription(f"{job.name} {given.run_id}")

    def person_keys() -> DataFrame:
        if not given.person_key_secret:
            raise WrongArguments(f"--person-key-secret is missing; the job {job.name} makes persons' keys with it")
        return key_frame(spark, services.secret(given.person_key_secret))

    def tell_readers(subject: str, text: str) -> None:
        if not given.readers_topic:
            raise WrongArguments(f"--readers-topic is missing; the job {job.name} has something to tell readers")
        services.notify(given.readers_topic, subject, text)

    return Run(
        spark=spark,
        job=job,
        window=given.window,
        arguments=given,
        lake=Lake(spark=spark, catalog=given.catalog, database_prefix=given.database_prefix),
        raw=RawZone(root=given.raw_root),
        record=RunRecord(),
        person_keys=person_keys,
        tell_readers=tell_readers,
    )


def _secret(arn: str) -> str:
    client: Any = boto3.client("secretsmanager")
    return cast(str, client.get_secret_value(SecretId=arn)["SecretString"])


def _notify(topic: str, subject: str, text: str) -> None:
    client: Any = boto3.client("sns")
    client.publish(TopicArn=topic, Subject=subject[:100], Message=text)
