"""An operator's desk over a rehearsal: runs the command line as a person would and reads what it said.

It must not judge: tests do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from contracts.datasets import BATCH_PREFIX
from operations import dead_letters
from operations.command_line import main
from operations.job_code import PACKAGES, POINTER
from rehearsal.engine.function_model import FunctionDefinition
from rehearsal.engine.functions import Functions
from rehearsal.scenario import investigation
from rehearsal.scenario.accounting import Account, account, digest
from tests.rehearsal.proofs.played import Played

ROOT = Path(__file__).resolve().parents[2]
HOUR_S = 3600


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command said: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> Any:
        """The JSON document."""
        assert self.out, self.err
        return json.loads(self.out)


class Desk:
    """One platform and its operator."""

    def __init__(self, played: Played, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.played, self.engine = played, played.engine
        self._folder = folder
        self.outputs = folder / "outputs.json"
        self.outputs.write_text(json.dumps(played.deployed.outputs))
        self.reach = ["--endpoint-url", self.engine.endpoint_url, "--outputs", str(self.outputs)]
        self._monkeypatch = monkeypatch
        self._sound: dict[str, FunctionDefinition] = {}
        # A rehearsal's queue is on one server: there are no others to wait for.
        monkeypatch.setattr(dead_letters, "_WAIT_S", 0)
        monkeypatch.setattr(dead_letters, "_MOVE_POLL_S", 0.1)
        self.become(self.engine.administrator_environment())

    def become(self, environment: dict[str, str]) -> None:
        """Act with other credentials from now on."""
        self.environment = {name: value for name, value in environment.items() if name != "AWS_ENDPOINT_URL"}
        for name, value in self.environment.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *arguments: str) -> Said:
        """Run a command in this process, with its JSON."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main([*arguments, *self.reach, "--json"])
        return Said(code=code, out=out.getvalue(), err=err.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own, as it can be killed there."""
        return subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "operations", *arguments, *self.reach, "--json"],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Keep the platform running meanwhile, as it does where a command waits for it to move something."""
        stop = threading.Event()
        worker = threading.Thread(target=self.engine.serve, args=(stop,))
        worker.start()
        try:
            yield
        finally:
            stop.set()
            worker.join()

    # --- time and faults ------------------------------------------------------------------------------

    def next_hour(self) -> None:
        """Let the present hour of arrival end."""
        self.played.settle()
        self.engine.advance(HOUR_S)
        self.played.settle()

    def run_on_emr(self, script: str, arguments: Sequence[str]) -> None:
        """Have EMR run ``script`` in the place of the job of events, with its own arguments, and wait for its end."""
        outputs, emr = self.engine.outputs("Amp-dev-EmrOnEks"), self.engine.client("emr-containers")
        key = "jobs/ffffffffffffffff/run_emr_job.py"
        bucket = self.engine.outputs("Amp-dev-Code")["BucketName"]
        self.engine.client("s3").put_object(Bucket=bucket, Key=key, Body=script.encode())
        templates = dict(pair.split("=") for pair in outputs["JobTemplateIds"].split(","))
        data = emr.describe_job_template(id=templates["events"])["jobTemplate"]["jobTemplateData"]
        driver = {"entryPoint": f"s3://{bucket}/{key}", "entryPointArguments": list(arguments)}
        emr.start_job_run(
            virtualClusterId=outputs["VirtualClusterId"],
            executionRoleArn=data["executionRoleArn"],
            releaseLabel=data["releaseLabel"],
            jobDriver={"sparkSubmitJobDriver": driver},
        )
        self.played.settle()

    def drop(self, *keys: str) -> None:
        """Drop batch files of JSON lines, by their keys below `batch/`."""
        for key in keys:
            s3, bucket = self.engine.client("s3"), self.played.deployed.raw_bucket
            s3.put_object(Bucket=bucket, Key=f"{BATCH_PREFIX}{key}", Body=b'{"n": 1}\n')

    def deploy_changed(self, function: str, file: str, old: str, new: str) -> None:
        """Deploy a function with one of its own files changed."""
        functions = self.engine.account.service(Functions)
        definition = functions.find(self.played.function(function))
        assert definition.asset is not None
        changed = self._folder / f"changed-{function}"
        shutil.copytree(definition.asset, changed)
        text = (changed / file).read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        (changed / file).write_text(text.replace(old, new))
        functions.put(replace(definition, asset=changed))
        self._sound[function] = definition

    def deploy_sound(self, function: str) -> None:
        """Deploy a function of this checkout again."""
        self.engine.account.service(Functions).put(self._sound.pop(function))

    def key(self, stack: str, name: str) -> str:
        """The ARN of a stack's key, by the start of its logical id."""
        (arn,) = (
            str(one.arn)
            for one in self.engine.resources()
            if one.stack == stack and one.type == "AWS::KMS::Key" and one.logical_id.startswith(name)
        )
        return arn

    # --- looking --------------------------------------------------------------------------------------

    def account(self) -> Account:
        """What became of all that was sent, after what failed was healed.

        A replay leaves quarantine rows and Firehose's records where they were, so that an event counts as failed only
        as long as it has not landed; a row of its table beyond the first is a delivery too many.
        """
        lake, ledger = self.played.read(), self.played.traffic.ledger
        found = list(lake.found())
        landed = {row.event_id for row in found if row.reason is None}
        shows = {row.show_id for row in found if row.show_id is not None}
        back = {event.digest for event in ledger.events if event.event_id in landed}
        return account(
            ledger.events,
            ledger.messages,
            [row for row in found if row.reason is None or row.event_id not in landed],
            investigation.dead_letters(self.played.deployed),
            [one for one in lake.given_up() if digest(one.line) not in back and _show_of(one.line) not in shows],
        )

    def landed(self, table: str) -> Counter[str]:
        """How often each event id stands in a table."""
        self.played.read()
        return Counter(dict(self.played.query(f'SELECT event_id, count(*) FROM "{table}" GROUP BY 1')))  # noqa: S608

    def objects(self, prefix: str) -> dict[str, Any]:
        """The JSON objects below a prefix of the raw bucket."""
        s3, bucket = self.engine.client("s3"), self.played.deployed.raw_bucket
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {one["Key"]: json.loads(s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()) for one in listed}

    def publish_code(self, code: str) -> None:
        """Have another version of the jobs' code be current, as a deployment of other code does."""
        s3 = self.engine.client("s3")
        (bucket,) = (one["BucketName"] for name, one in self.played.deployed.outputs.items() if name.endswith("-Code"))
        s3.put_object(Bucket=bucket, Key=f"jobs/{code}/{PACKAGES}", Body=b"")
        s3.put_object(Bucket=bucket, Key=POINTER, Body=json.dumps({"hash": code}).encode())

    def depth(self, url: str = "") -> int:
        """Messages in a dead-letter queue, hidden ones included; that of show changes where none is named."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        url = url or self.played.deployed.dead_letter_queue_url
        found = self.engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
        return sum(int(found[name]) for name in names)


def _show_of(line: bytes) -> str:
    """The show whose catalog entry a record is; nothing for any other."""
    try:
        body = json.loads(line)
        return str(body["show"]["id"]) if body["event_type"] == "show_catalog_entry" else ""
    except (ValueError, LookupError, TypeError):
        return ""


def groups(said: Said, source: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The groups of an explanation that come from one source, by reason and type."""
    return {(one["reason"], one["type"]): one for one in said.result["groups"] if one["source"].startswith(source)}
