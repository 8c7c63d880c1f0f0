"""Ten thousand events go through the producer client and the platform and land once each, whatever is in the way.

What a killed process had taken and not sent is lost, and no more than its own count said.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

import clients.amp_events
from rehearsal.engine.engine import OUTSIDE_SERVICE
from rehearsal.engine.services.kinesis import Streams
from tests.rehearsal.proofs.played import Played

pytestmark = pytest.mark.campaign

PACKAGE = Path(clients.amp_events.__file__).parent
EVENTS = 10_000
OF_THE_KILLED = 2_500
REFUSED = 12
PATIENCE_S = 120.0
OTHERS = 3
"""Threads beside the one that spoke last: each may have put one more between its count and its words."""

SENDER = """
import os, sys, threading, time
from amp_events import *
stream, first, last, pause_s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
producer = EventProducer(stream, limits=Limits(linger_ms=300, buffer_events=20_000), on_failure=print)

def send(numbers):
    for number in numbers:
        producer.put({
            "event_type": "like",
            "event_id": f"e-{number}",
            "occurred_at": 1794998400123,
            "user": {"id": f"u-{number % 97}"},
            "show": {"id": "show-1"},
            "like": {"count": 1},
            "note": "x" * 250,
        })
        os.write(1, f"{number} {producer.stats().waiting}\\n".encode())
        time.sleep(pause_s)

threads = [threading.Thread(target=send, args=(range(first + part, last, 4),)) for part in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
producer.close()
stats = producer.stats()
print("closed", stats.accepted, stats.sent, stats.records, stats.retried, flush=True)
"""
"""Four threads put the events of a range; after each it says how many the client holds that are not settled."""


def environment(played: Played, folder: Path) -> dict[str, str]:
    """Of an application that has the client, and nothing of the platform, with the role of a producer."""
    shutil.copytree(PACKAGE, folder / "site" / "amp_events", ignore=shutil.ignore_patterns("__pycache__"))
    role = played.deployed.producer_role
    given = played.engine.authorizer.credentials(role, service=OUTSIDE_SERVICE, session="app")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(folder / "site"),
        "AWS_ENDPOINT_URL": played.engine.endpoint_url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": given.access_key_id,
        "AWS_SECRET_ACCESS_KEY": given.secret_access_key,
        "AWS_SESSION_TOKEN": given.session_token,
    }


def start(
    played: Played, variables: Mapping[str, str], first: int, last: int, *, pause_s: float = 0.0
) -> subprocess.Popen[bytes]:
    stream = played.deployed.stream_arn
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", textwrap.dedent(SENDER), stream, str(first), str(last), str(pause_s)],
        env=dict(variables),
        stdout=subprocess.PIPE,
    )


def read(said: IO[bytes], count: int) -> dict[int, int]:
    """The next so many events that a sender says it put, each with how many waited then."""
    found: dict[int, int] = {}
    while len(found) < count:
        number, waiting = said.readline().split()
        found[int(number)] = int(waiting)
    return found


def test_ten_thousand_events_land_once_each_through_refusals_a_throttled_stream_and_a_killed_process(
    played: Played, tmp_path: Path
) -> None:
    variables, stream = environment(played, tmp_path), played.deployed.stream_arn
    faults, streams = played.engine.faults, played.engine.account.service(Streams)

    # The killed one: it puts without end, a little slower than the client sends.
    killed = start(played, variables, EVENTS, 10 * EVENTS, pause_s=0.002)
    assert killed.stdout is not None
    accepted = read(killed.stdout, OF_THE_KILLED)
    killed.send_signal(signal.SIGKILL)
    rest = killed.stdout.read().splitlines()
    accepted |= {int(number): int(waiting) for number, waiting in (line.split() for line in rest if b" " in line)}
    killed.wait(PATIENCE_S)
    stated = list(accepted.values())[-1]

    # The other one meets refused entries, then a stream that takes nothing for a second.
    faults.refuse_stream_entries(stream, REFUSED)
    steady = start(played, variables, 0, EVENTS, pause_s=0.001)
    assert steady.stdout is not None
    read(steady.stdout, EVENTS // 2)
    assert not streams.refuse(stream), "the refusals were met"
    faults.throttle_stream(stream)
    time.sleep(1.0)
    faults.relieve_stream(stream)
    *_, last = steady.stdout.read().splitlines()
    assert steady.wait(PATIENCE_S) == 0
    word, taken, sent, records, retried = last.split()
    assert (word, int(taken), int(sent)) == (b"closed", EVENTS, EVENTS)
    assert int(records) < EVENTS / 20
    assert int(retried) > REFUSED

    played.engine.settle(timeout_s=PATIENCE_S)
    played.read()
    rows = dict(played.query('SELECT event_id, count(*) FROM "like" GROUP BY 1'))
    assert set(rows.values()) == {1}
    arrived = {int(name.removeprefix("e-")) for name in rows}
    assert set(range(EVENTS)) <= arrived
    lost = set(accepted) - arrived
    assert len(lost) <= stated + OTHERS, "no more than the client said that it held"
    assert len(accepted) - len(lost) > OF_THE_KILLED / 2
    unknown = arrived - set(range(EVENTS)) - set(accepted)
    assert len(unknown) <= OTHERS + 1, "each thread may have put one that it did not come to tell"
    assert played.read().tables == ["like"], "nothing is quarantined"
