"""The client as applications have it: installed under its own name, in a process that ends in every way."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import clients.amp_events

moto_server = pytest.importorskip("moto.server", reason="needs requirements-dev.txt (moto[server])")

PACKAGE = Path(clients.amp_events.__file__).parent
STREAM = "amp-events"
REGION = "eu-west-1"


class Stream:
    """A Kinesis stream of four shards in a server of its own."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client = boto3.client(
            "kinesis", endpoint_url=endpoint, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.client.create_stream(StreamName=STREAM, ShardCount=4)

    def records(self) -> list[bytes]:
        found = []
        for shard in self.client.list_shards(StreamName=STREAM)["Shards"]:
            place = self.client.get_shard_iterator(
                StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            iterator = place["ShardIterator"]
            while True:
                answer = self.client.get_records(ShardIterator=iterator, Limit=10_000)
                found += [record["Data"] for record in answer["Records"]]
                iterator = answer["NextShardIterator"]
                if not answer["Records"]:
                    break
        return found

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for record in self.records() for line in record.split(b"\n")]


@pytest.fixture
def stream() -> Iterator[Stream]:
    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"))  # noqa: S310
        yield Stream(endpoint)
    finally:
        server.stop()


@pytest.fixture
def environment(tmp_path: Path, stream: Stream) -> dict[str, str]:
    """Of a process that has the client, and nothing of the platform, installed."""
    shutil.copytree(PACKAGE, tmp_path / "site" / "amp_events", ignore=shutil.ignore_patterns("__pycache__"))
    return {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path / "site"),
        "AWS_ENDPOINT_URL": stream.endpoint, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip


PRELUDE = """
import os, sys, time
from amp_events import *
def like(name):
    return {"event_type": "like", "event_id": str(name), "occurred_at": 1794998400123, "show": {"id": "show-1"}}
"""


def _run(script: str, environment: dict[str, str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_round_trip_brings_every_event_once_in_few_records(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    done = _run(
        """
        with EventProducer("amp-events") as producer:
            for number in range(2_000):
                producer.put(like(number))
        print(producer.stats().sent)
        """,
        environment,
        tmp_path,
    )
    assert (done.stdout, done.stderr) == ("2000\n", "")
    assert sorted(int(event["event_id"]) for event in stream.events()) == list(range(2_000))
    assert len(stream.records()) < 25


@pytest.mark.parametrize(
    ("ending", "code"), [("", 0), ("sys.exit(3)", 3), ("raise KeyError('x')", 1)], ids=["end", "exit", "exception"]
)
def test_events_are_sent_when_the_program_ends_without_closing(
    stream: Stream, environment: dict[str, str], tmp_path: Path, ending: str, code: int
) -> None:
    script = f"""
        producer = EventProducer("amp-events", limits=Limits(linger_ms=60_000))
        for number in range(3):
            producer.put(like(number))
        {ending}
        """
    assert _run(script, environment, tmp_path).returncode == code
    assert sorted(event["event_id"] for event in stream.events()) == ["0", "1", "2"]


def test_the_end_of_the_program_is_not_held_up_by_a_stream_out_of_reach(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and never answers
        script = """
            say = lambda unsent: print(unsent.reason)
            producer = EventProducer("amp-events", limits=Limits(close_s=0.5), on_failure=say)
            producer.put(like("a"))
            """
        began = time.monotonic()
        done = _run(script, environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{deaf.getsockname()[1]}"}, tmp_path)
    assert (done.returncode, done.stdout) == (0, "closed\n")
    assert time.monotonic() - began < 8


def test_a_killed_process_loses_the_last_moments_and_nothing_else(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    linger_s, slack_s = 0.3, 2.0  # slack: the call under way and this machine's pauses
    script = """
        producer = EventProducer("amp-events", limits=Limits(linger_ms=300))
        number = 0
        while True:
            producer.put(like(number))
            os.write(1, f"{number} {time.monotonic()}\\n".encode())
            number += 1
            time.sleep(0.002)
        """
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", PRELUDE + textwrap.dedent(script)],
        env=environment, cwd=tmp_path, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    accepted = {}
    for line in process.stdout:
        number, at = line.split()
        accepted[int(number)] = float(at)
        if len(accepted) == 1_500:
            break
    process.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    for line in process.stdout.read().splitlines():
        if line.count(b" ") == 1:
            number, at = line.split()
            accepted[int(number)] = float(at)
    process.wait(10)
    process.stdout.close()
    arrived = sorted(int(event["event_id"]) for event in stream.events())  # every record is whole lines of JSON
    assert arrived == list(range(len(arrived)))
    assert len(arrived) > 100
    lost = set(accepted) - set(arrived)
    oldest_lost_s = max((killed_at - accepted[number] for number in lost), default=0.0)
    assert oldest_lost_s < linger_s + slack_s


def test_parent_and_child_of_a_fork_send_their_own_events_once(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    script = """
        producer = EventProducer("amp-events", limits=Limits(linger_ms=60_000))
        producer.put(like("before"))
        child = os.fork()
        producer.put(like("parent" if child else "child"))
        if child:
            os.waitpid(child, 0)
        print(producer.close(), producer.stats().sent, flush=True)
        """
    done = _run(script, environment, tmp_path)
    assert sorted(done.stdout.split("\n")) == ["", "0 1", "0 2"]
    assert sorted(event["event_id"] for event in stream.events()) == ["before", "child", "parent"]


def test_the_examples_of_the_readme_run(stream: Stream, environment: dict[str, str], tmp_path: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
    assert snippets
    done = _run("\n" + "\n".join(snippets), environment, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [event["show"]["id"] for event in stream.events()] == ["show-1041"]


def test_the_web_service_publishes_and_sends_the_rest_when_it_is_told_to_stop(
    stream: Stream, environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "amp_events.examples.web_service"],
        env=environment | {"AMP_STREAM": STREAM, "PORT": str(port)}, cwd=tmp_path, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until_healthy(port)
        for show in ("show-1", "show-2"):
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/shows/{show}/likes", method="POST", headers={"X-Listener": "u-1"}
            )
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own service
                assert json.load(answer) == {"published": True}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert [(event["show"]["id"], event["user"]["id"]) for event in stream.events()] == [
        ("show-1", "u-1"), ("show-2", "u-1"),
    ]  # fmt: skip


def _until_healthy(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except urllib.error.URLError:
            assert time.monotonic() < until, "the service did not come up"
            time.sleep(0.05)
