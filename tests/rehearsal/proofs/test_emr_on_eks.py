"""The lake's jobs run by EMR on EKS as they do on Glue: by their own templates, under their own roles."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from botocore.exceptions import ClientError

from contracts.jobs import JOBS
from rehearsal.scenario.batch import Window
from tests.rehearsal.proofs.played import NOW, Played, like

ORCHESTRATION = "rehearsal-orchestration"


class OnEmr:
    """A platform with its cluster, and whoever may submit its jobs and do nothing else."""

    def __init__(self, played: Played) -> None:
        self.played = played
        self.outputs = played.deployed.outputs["Amp-dev-EmrOnEks"]
        role = played.engine.principal(ORCHESTRATION, [self.outputs["SubmitterPolicyArn"]])
        self.emr: Any = played.engine.client("emr-containers", role)
        self.templates = dict(pair.split("=") for pair in self.outputs["JobTemplateIds"].split(","))

    def request(self, job: str, **given: Any) -> dict[str, Any]:
        """A StartJobRun of a job over the hours of the rehearsal so far."""
        window = Window.around(NOW, self.played.engine.clock.now())
        parameters = {
            "WindowStart": f"{window.start:%Y-%m-%dT%H}",
            "WindowEnd": f"{window.end:%Y-%m-%dT%H}",
            "RunId": f"{job}-1",
            "Zone": self.outputs["Zones"].split(",")[0],
        }
        return {
            "virtualClusterId": self.outputs["VirtualClusterId"],
            "name": job,
            "jobTemplateId": self.templates[job],
            "jobTemplateParameters": parameters,
            **given,
        }

    def shown(self, run_id: str) -> Mapping[str, Any]:
        """The run as it is now."""
        answer = self.emr.describe_job_run(virtualClusterId=self.outputs["VirtualClusterId"], id=run_id)
        shown: Mapping[str, Any] = answer["jobRun"]
        return shown


@pytest.fixture(scope="module")
def on_emr(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnEmr]:
    with Played(assembly, workspace=tmp_path_factory.mktemp("emr"), emr=True) as played:
        yield OnEmr(played)


def test_a_submitter_may_start_and_cancel_every_job(on_emr: OnEmr) -> None:
    assert {*on_emr.templates} == {job.name for job in JOBS}
    before = len(on_emr.played.engine.refusals)
    for job in on_emr.templates:
        run_id = on_emr.emr.start_job_run(**on_emr.request(job))["id"]
        on_emr.emr.cancel_job_run(virtualClusterId=on_emr.outputs["VirtualClusterId"], id=run_id)
        on_emr.played.settle()
        assert on_emr.shown(run_id)["state"] == "CANCELLED"
    assert on_emr.played.engine.refusals[before:] == ()


def test_a_submitter_may_start_nothing_under_another_role(on_emr: OnEmr) -> None:
    template = on_emr.emr.describe_job_template(id=on_emr.templates["events"])["jobTemplate"]["jobTemplateData"]
    del template["parameterConfiguration"]
    request = {
        **{key: value for key, value in on_emr.request("events").items() if not key.startswith("jobTemplate")},
        **template,
    }

    run_id = on_emr.emr.start_job_run(**request)["id"]
    on_emr.emr.cancel_job_run(virtualClusterId=request["virtualClusterId"], id=run_id)
    with pytest.raises(ClientError, match="not authorized to perform: emr-containers:StartJobRun"):
        on_emr.emr.start_job_run(**{**request, "executionRoleArn": on_emr.played.deployed.reader_role})


def test_a_run_that_fails_is_told_on_the_alarm_topic(on_emr: OnEmr) -> None:
    played, request = on_emr.played, on_emr.request("events")
    refused, seen = len(played.engine.refusals), len(played.engine.timeline)
    request["jobTemplateParameters"]["WindowStart"] = "yesterday"

    run_id = on_emr.emr.start_job_run(**request)["id"]
    played.settle()

    shown = on_emr.shown(run_id)
    assert (shown["state"], shown["failureReason"]) == ("FAILED", "USER_ERROR")
    told = [event for event in played.engine.timeline[seen:] if event.kind == "event-delivered"]
    assert [event.detail.rsplit(":", 1)[-1].startswith("Amp-dev-DataLake-Alarms") for event in told] == [True]
    assert played.engine.refusals[refused:] == ()


@pytest.mark.xdist_group("spark")
@pytest.mark.campaign
def test_a_job_is_run_by_its_template_with_real_spark(on_emr: OnEmr) -> None:
    pytest.importorskip("duckdb_extension_iceberg", reason="DuckDB's extensions are in requirements-dev.txt alone")
    from rehearsal.scenario import tables_findings

    played = on_emr.played
    refused = len(played.engine.refusals)
    played.put(*(like(f"emr-{number}") for number in range(5)))
    played.settle()

    run_id = on_emr.emr.start_job_run(**on_emr.request("events"))["id"]
    played.engine.settle(timeout_s=600)

    shown = on_emr.shown(run_id)
    assert shown["state"] == "COMPLETED", (shown, [run.error for run in played.engine.job_runs])
    with closing(tables_findings.read_tables(played.deployed)) as tables:
        rows = tables.connection.execute("SELECT event_id FROM transformed.like ORDER BY event_id").fetchall()
        ran = tables.connection.execute("SELECT run_id, status FROM transformed.job_runs").fetchall()
    assert rows == [(f"emr-{number}",) for number in range(5)]
    assert ran == [("events-1", "succeeded")]
    assert played.engine.refusals[refused:] == ()
    assert played.engine.problems == ()
    application = f"spark-{run_id}"
    place = f"jobs/events/{shown['virtualClusterId']}/jobs/{run_id}/containers/{application}/{application}-driver"
    s3 = played.engine.client("s3")
    for kind in ("stdout", "stderr"):
        body = s3.get_object(Bucket=on_emr.outputs["LogBucketName"], Key=f"{place}/{kind}.gz")["Body"].read()
        assert gzip.decompress(body) or kind == "stderr"
    logs = played.engine.client("logs")
    streams = logs.describe_log_streams(logGroupName="/amp/dev/EmrOnEks/jobs/events")["logStreams"]
    assert f"events/{place.removeprefix('jobs/events/')}/stdout" in [one["logStreamName"] for one in streams]
