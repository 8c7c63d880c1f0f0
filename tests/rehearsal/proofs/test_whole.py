"""The default rehearsal passes, says all that it must, and is the same again; one that is kept can be used."""

from __future__ import annotations

import os
import queue
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import boto3
import pytest
from botocore.exceptions import ClientError

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from contracts.events import EVENTS
from rehearsal.scenario.assembly import ROOT
from rehearsal.scenario.command import main
from tests.rehearsal.proofs.played import Rehearse, like, small

PATIENCE_S = 60.0
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def test_the_default_rehearsal_accounts_for_everything_and_reports_it(
    assembly: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report" / "index.html"
    code = main(
        [
            *("--fast", "--plain", "--now", "2026-11-18T20:00"),
            *("--assembly", str(assembly), "--workspace", str(tmp_path), "--report", str(report)),
        ]
    )
    told = capsys.readouterr()
    assert code == 0, told.out
    assert [line.split(":")[0] for line in told.err.splitlines()] == [
        "synth",
        "deploy",
        "send",
        "settle",
        "read",
        "warehouse",
    ]
    types = {event.type for event in EVENTS} - {"show_catalog_entry"} | {"show changes"}
    for part in (
        "Resources deployed:",
        "From arrival to queryable:",
        "platform's time",
        "Permissions by role",
        "Which shows were heard most:",
        f"Report: {report}",
        "(of them repeated: 1) is accounted for.",
        "  show changes: dead letter, answer_not_json × 1",
    ):
        assert part in told.out
    (modelled,) = (line.strip() for line in told.out.splitlines() if "only modelled" in line)
    assert [re.sub(r" \d+$", "", each) for each in modelled.removeprefix("only modelled: ").split(", ")] == [
        "Athena::WorkGroup",
        "CloudWatch::Alarm",
        "EC2::FlowLog",
        "Redshift::ScheduledAction",
    ]
    page = report.read_text()
    assert {name for name in types if name not in page.replace("<wbr>", "")} == set()
    assert {name for name in types if name[:23] not in told.out} == set()
    for part in (
        'class="bars"',
        'class="step',
        "Faults that were put in",
        "DeliveryRole",
        "AWS::KinesisFirehose::DeliveryStream",
        "SELECT",
    ):
        assert part in page
    assert "broken</td>" not in page
    assert "src=" not in page
    assert "<link" not in page


@pytest.mark.campaign
def test_equal_seeds_and_times_give_the_same_account_and_another_seed_another(
    run_rehearsal: Rehearse, assembly: Path, tmp_path: Path
) -> None:
    def account(seed: int) -> list[Any]:
        done = run_rehearsal(small(assembly, tmp_path, seed=seed))
        lines = done.findings.account.lines
        done.close()
        return lines

    first = account(7)
    assert account(7) == first
    assert account(8) != first


def test_a_rehearsal_that_is_kept_is_reached_as_it_says_and_works_on_what_is_sent(
    assembly: Path, tmp_path: Path
) -> None:
    events = tmp_path / "events.ndjson"
    events.write_bytes(like("first"))
    arguments = ["--keep", "--fast", "--plain", "--events", events, "--assembly", assembly, "--workspace", tmp_path]
    with _started([*arguments, "--report", tmp_path / "report.html"]) as (process, lines):
        said = _until(lines, "Press Ctrl-C")
        printed = dict(shlex.split(line)[1].split("=", 1) for line in said if line.strip().startswith("export "))
        session = boto3.Session(
            aws_access_key_id=printed["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=printed["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=printed["AWS_SESSION_TOKEN"],
            region_name=printed["AWS_DEFAULT_REGION"],
        )

        def client(service: str) -> Any:
            return session.client(service, endpoint_url=printed["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]

        words = [word for line in said for word in line.split()]
        bucket = next(word for word in words if word.startswith("s3://")).split("/")[2]
        stream = words[words.index("--stream-arn") + 1]
        topic = words[words.index("--topic-arn") + 1]
        dead_letters = words[words.index("--queue-url") + 1]
        before = _keys(client("s3"), bucket)
        client("kinesis").put_record(StreamARN=stream, PartitionKey="1", Data=like("sent while it runs") + b"\n")
        client("sns").publish(TopicArn=topic, Message="no JSON")
        new = _wait_for(lambda: _keys(client("s3"), bucket) - before)
        assert [key.split("/")[1] for key in new] == ["type=like"]
        letters = _wait_for(
            lambda: client("sqs").receive_message(QueueUrl=dead_letters, MessageAttributeNames=["All"]).get("Messages")
        )
        assert letters[0]["MessageAttributes"]["reason_code"]["StringValue"] == "not_json"
        app = dict(
            word.split("=", 1) for word in words if word.startswith("AWS_") and word.split("=")[0] in CREDENTIALS
        )
        visitor = boto3.Session(
            aws_access_key_id=app["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=app["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=app["AWS_SESSION_TOKEN"],
            region_name=printed["AWS_DEFAULT_REGION"],
        )
        where = printed["AWS_ENDPOINT_URL"]
        by_app = like("by an app") + b"\n"
        visitor.client("kinesis", endpoint_url=where).put_record(StreamARN=stream, PartitionKey="1", Data=by_app)
        with pytest.raises(ClientError, match="AccessDenied"):
            _keys(visitor.client("s3", endpoint_url=where), bucket)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 0
        assert "ended" in "".join(_rest(lines))


def _keys(s3: Any, bucket: str) -> set[str]:
    return {item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def _wait_for(ask: Any) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (answer := ask()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.2)
    return answer


@contextmanager
def _started(arguments: list[Any]) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[str | None]]]:
    process = subprocess.Popen(  # noqa: S603 - our own command line
        [sys.executable, "-m", "rehearsal", *map(str, arguments)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_pass_on, args=(process.stdout, lines), daemon=True).start()
    try:
        yield process, lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _pass_on(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _until(lines: queue.Queue[str | None], last: str) -> list[str]:
    said: list[str] = []
    while not said or last not in said[-1]:
        line = lines.get(timeout=PATIENCE_S)
        assert line is not None, "it ended:\n" + "".join(said)
        said.append(line)
    return said


def _rest(lines: queue.Queue[str | None]) -> list[str]:
    said: list[str] = []
    while (line := lines.get(timeout=PATIENCE_S)) is not None:
        said.append(line)
    return said
