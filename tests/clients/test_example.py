"""The example service answers its callers, whatever becomes of the event."""

from __future__ import annotations

import json
from typing import Any
from wsgiref.util import setup_testing_defaults

from clients.amp_events import EventProducer, Limits
from clients.amp_events.examples.web_service import application
from tests.clients.fakes import FakeKinesis, Gate


def _ask(producer: EventProducer, method: str, path: str, **headers: str) -> tuple[str, Any]:
    environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, **headers}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    service = application(producer, now_ms=lambda: 1_794_998_400_123)
    body = b"".join(service(environ, lambda status, *_: statuses.append(status)))  # type: ignore[arg-type]
    return statuses[0], json.loads(body)


def test_a_like_is_published_for_its_listener() -> None:
    kinesis = FakeKinesis()
    with EventProducer("events", kinesis=kinesis) as producer:
        assert _ask(producer, "POST", "/shows/s-1/likes", HTTP_X_LISTENER="u-1") == (
            "202 Accepted", {"published": True},
        )  # fmt: skip
    (event,) = kinesis.events
    assert (event["show"], event["user"], event["occurred_at"]) == ({"id": "s-1"}, {"id": "u-1"}, 1_794_998_400_123)


def test_the_service_goes_on_when_the_buffer_is_full_or_the_producer_closed() -> None:
    gate = Gate()
    producer = EventProducer("events", kinesis=FakeKinesis(fail=gate), limits=Limits(buffer_events=1))
    assert _ask(producer, "POST", "/shows/s-1/likes")[1] == {"published": True}
    assert _ask(producer, "POST", "/shows/s-1/likes") == ("202 Accepted", {"published": False})
    assert _ask(producer, "GET", "/health") == ("200 OK", {"waiting": 1, "given_up": 0, "dropped": 1})
    gate.open()
    producer.close()
    assert _ask(producer, "POST", "/shows/s-1/likes") == ("202 Accepted", {"published": False})


def test_other_addresses_are_not_found() -> None:
    with EventProducer("events", kinesis=FakeKinesis()) as producer:
        assert _ask(producer, "GET", "/shows/s-1/likes")[0] == "404 Not Found"
        assert _ask(producer, "POST", "/")[0] == "404 Not Found"
