"""A platform with its Airflow up, in a test's hands; must not judge: tests do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rehearsal.engine.mwaa.model import DagRun, TaskTry
from rehearsal.engine.mwaa.rest import AirflowApi
from rehearsal.engine.records import FinishedJobRun
from rehearsal.scenario.orchestration import Orchestration
from tests.rehearsal.proofs.played import NOW, Played

END = NOW + timedelta(hours=1)
AS_OF = f"{END:%Y-%m-%dT%H}"
TIMEOUT_S = 300.0
A_WHILE = "import time; time.sleep(10)"
"""A job that is over before Airflow's scheduler has heard that its task waits costs an attempt, and on a busy machine
it hears seconds late (github.com/apache/airflow/issues/66374)."""


class Orchestrated:
    """The platform with its Airflow up."""

    def __init__(self, played: Played) -> None:
        self.played, self.engine = played, played.engine
        self.airflow = Orchestration(played.deployed, stage="dev").airflow
        self.airflow.wait_ready(["hourly", "daily", "backfill"])
        self.code_bucket = played.deployed.outputs["Amp-dev-Code"]["BucketName"]

    @property
    def api(self) -> AirflowApi:
        """Airflow's, which answers elsewhere after another start."""
        return self.airflow.api

    def publish(self, code: str, script: str) -> None:
        """Make a script the current code of all jobs, under the hash ``code``."""
        s3 = self.engine.client("s3")
        current = self.current()
        packages = s3.get_object(Bucket=self.code_bucket, Key=f"jobs/{current}/packages.zip")["Body"].read()
        s3.put_object(Bucket=self.code_bucket, Key=f"jobs/{code}/packages.zip", Body=packages)
        s3.put_object(Bucket=self.code_bucket, Key=f"jobs/{code}/__main__.py", Body=script.encode())
        self.point_to(code)

    def current(self) -> str:
        """The hash that the pointer names."""
        body = self.engine.client("s3").get_object(Bucket=self.code_bucket, Key="jobs/current.json")["Body"].read()
        return str(json.loads(body)["hash"])

    def point_to(self, code: str) -> None:
        """Move the pointer."""
        body = json.dumps({"hash": code}).encode()
        self.engine.client("s3").put_object(Bucket=self.code_bucket, Key="jobs/current.json", Body=body)

    def code_of(self, run: FinishedJobRun) -> str:
        """The hash below which a job run's entry point lies."""
        cluster = self.played.deployed.outputs["Amp-dev-EmrOnEks"]["VirtualClusterId"]
        shown = self.engine.client("emr-containers").describe_job_run(virtualClusterId=cluster, id=run.run_id)
        return str(shown["jobRun"]["jobDriver"]["sparkSubmitJobDriver"]["entryPoint"]).split("/")[-2]

    def until(self, done: Callable[[], bool]) -> None:
        """Let everything go on until ``done``."""
        self.airflow.wait_until(done, timeout_s=TIMEOUT_S)

    def ended(self, *runs: tuple[str, str]) -> list[DagRun]:
        """The runs, once all have ended."""
        self.until(lambda: all(self.api.run(*run).finished for run in runs))
        return [self.airflow.told(*run) for run in runs]

    def jobs(self, name: str) -> list[FinishedJobRun]:
        """Job runs of a job that have ended, by when they were asked for."""
        found = [run for run in self.engine.job_runs if run.arguments.get("--job") == name]
        return sorted(found, key=lambda run: run.asked or datetime.max.replace(tzinfo=UTC))


def tries(orchestrated: Orchestrated, run_id: str) -> list[TaskTry]:
    return list(orchestrated.api.told(orchestrated.api.run("hourly", run_id)).tries)


def deferred(one: TaskTry) -> bool:
    return one.task == "events" and one.state == "deferred"


def wait(done: Callable[[], bool]) -> None:
    """Until ``done``, while nothing of the account moves: a job run stays where it is."""
    until = time.monotonic() + TIMEOUT_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.2)
