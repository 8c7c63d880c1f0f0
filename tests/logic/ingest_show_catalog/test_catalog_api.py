"""How the catalog service is asked, over real connections to one that fails by script."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from lambdas.ingest_show_catalog.catalog_api import MAX_ANSWER_BYTES, CatalogApi, SecretToken
from lambdas.shared.failures import CanNeverSucceedError, MayYetSucceedError
from rehearsal.scenario.catalog_service import (
    ANSWER_GARBAGE,
    GARBAGE,
    NO_ANSWER,
    SERVER_ERROR,
    CatalogService,
    Fault,
    slow,
    too_many_requests,
)


class FakeSecrets:
    """Gives the secret's values one after the other, the last one for ever."""

    def __init__(self, *values: str) -> None:
        self.values = list(values)
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - boto3 names it
        assert SecretId == "arn:secret"
        self.reads += 1
        return {"SecretString": self.values.pop(0) if len(self.values) > 1 else self.values[0]}


class RefusingSecrets:
    def get_secret_value(self, **_: object) -> dict[str, str]:
        raise PermissionError("arn:secret is not for you")


def _token(*values: str) -> SecretToken:
    return SecretToken(secrets=FakeSecrets(*values), secret_arn="arn:secret")  # type: ignore[arg-type]


def _api(base_url: str, *, token: SecretToken | None = None, **options: Any) -> CatalogApi:
    defaults: dict[str, Any] = {"timeout_seconds": 2.0, "max_attempts": 3, "backoff_seconds": 0.001}
    return CatalogApi(base_url=base_url, token=token or _token("t"), **{**defaults, **options})


def _show(api: CatalogApi, show_id: str = "show-1", *, within_seconds: float = 10.0) -> tuple[bytes, Counter[str]]:
    counts: Counter[str] = Counter()
    return api.show(show_id, within_seconds=within_seconds, counts=counts), counts


def _failure(api: CatalogApi, show_id: str = "show-1", *, within_seconds: float = 10.0) -> tuple[str, Counter[str]]:
    counts: Counter[str] = Counter()
    with pytest.raises(MayYetSucceedError) as failed:
        api.show(show_id, within_seconds=within_seconds, counts=counts)
    return str(failed.value), counts


@pytest.fixture
def service() -> Iterator[CatalogService]:
    with CatalogService(token="t", shows=[{"id": "show-1"}]) as running:
        yield running


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits that were asked for, none of which is waited."""
    asked: list[float] = []
    own, sleep = threading.get_ident(), time.sleep
    # Threads that other tests of this process left running sleep as they do.
    monkeypatch.setattr(time, "sleep", lambda s: asked.append(s) if threading.get_ident() == own else sleep(s))
    return asked


def test_a_show_is_asked_for_once_with_the_token(service: CatalogService) -> None:
    body, counts = _show(_api(service.base_url + "/"))
    assert body == b'{"id":"show-1"}'
    assert counts == {"ApiCalls": 1}
    assert service.calls == {"show-1": 1}


@pytest.mark.parametrize("show_id", ["a/b", "a?b#c", "a b%2F", "夜話", "...", "/", "a/../b"])
def test_an_id_of_any_characters_is_asked_for_as_it_is(service: CatalogService, show_id: str) -> None:
    service.put({"id": show_id})
    _show(_api(service.base_url), show_id)
    assert service.calls == {show_id: 1}


def test_one_connection_serves_many_shows_and_repeats(service: CatalogService) -> None:
    api = _api(service.base_url)
    service.script("show-1", SERVER_ERROR, SERVER_ERROR)
    for _ in range(4):
        _show(api)
    assert service.connections == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(service: CatalogService, status: int) -> None:
    service.script("show-1", Fault(status=status), Fault(status=status))
    body, counts = _show(_api(service.base_url))
    assert body == b'{"id":"show-1"}'
    assert counts["ApiCalls"] == 3


def test_a_closed_connection_and_a_slow_answer_are_asked_again(service: CatalogService) -> None:
    service.script("show-1", NO_ANSWER, slow(5))
    body, counts = _show(_api(service.base_url, timeout_seconds=0.2))
    assert body == b'{"id":"show-1"}'
    assert counts["ApiCalls"] == 3


def test_after_the_last_attempt_the_message_may_yet_succeed(service: CatalogService) -> None:
    service.script("show-1", *[SERVER_ERROR] * 3)
    why, counts = _failure(_api(service.base_url))
    assert "500" in why
    assert counts["ApiCalls"] == 3


def test_a_refused_connection_may_yet_succeed(naps: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    why, counts = _failure(_api(f"http://127.0.0.1:{port}"))
    assert "NewConnectionError" in why
    assert counts["ApiCalls"] == 3


def test_waits_grow_and_are_drawn_from_their_whole_range(service: CatalogService, naps: list[float]) -> None:
    for number in range(60):
        service.script(f"show-{number}", *[SERVER_ERROR] * 3)
        _failure(_api(service.base_url, backoff_seconds=0.4), f"show-{number}")
    first, second = naps[0::2], naps[1::2]
    assert max(first) <= 0.4 < max(second) <= 0.8
    assert min(first) < 0.1
    assert len(set(naps)) > 100


def test_retry_after_in_seconds_is_waited_instead_of_the_backoff(service: CatalogService, naps: list[float]) -> None:
    service.script("show-1", too_many_requests(retry_after="7"))
    _show(_api(service.base_url))
    assert naps == [7.0]


def test_retry_after_as_a_date_is_waited_for(service: CatalogService, naps: list[float]) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)
    service.script("show-1", too_many_requests(retry_after=moment))
    _show(_api(service.base_url))
    assert 4 < naps[0] <= 6


@pytest.mark.parametrize("header", ["Wed, 01 Jan 2020 00:00:00 GMT", "0"])
def test_a_retry_after_that_has_passed_is_no_wait(service: CatalogService, naps: list[float], header: str) -> None:
    service.script("show-1", too_many_requests(retry_after=header))
    _show(_api(service.base_url))
    assert naps == [0.0]


def test_a_retry_after_that_says_nothing_leaves_the_backoff(service: CatalogService, naps: list[float]) -> None:
    service.script("show-1", too_many_requests(retry_after="soon"))
    _show(_api(service.base_url))
    assert 0 <= naps[0] <= 0.001


def test_a_retry_after_beyond_the_time_is_not_waited(service: CatalogService, naps: list[float]) -> None:
    service.script("show-1", too_many_requests(retry_after="11"))
    why, counts = _failure(_api(service.base_url), within_seconds=10)
    assert "429" in why
    assert naps == []
    assert counts["ApiCalls"] == 1


def test_without_time_nobody_is_asked(service: CatalogService) -> None:
    why, counts = _failure(_api(service.base_url), within_seconds=0)
    assert "no time" in why
    assert service.calls == {}
    assert counts["ApiCalls"] == 0


def test_an_attempt_takes_no_longer_than_the_time_left(service: CatalogService) -> None:
    service.script("show-1", slow(5), slow(5))
    began = time.perf_counter()
    _failure(_api(service.base_url, timeout_seconds=4.0), within_seconds=0.2)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "show_not_found"),
        (410, "show_not_found"),
        (400, "show_refused"),
        (422, "show_refused"),
        (451, "show_refused"),
    ],
)
def test_what_the_service_denies_for_good_can_never_succeed(service: CatalogService, status: int, code: str) -> None:
    service.script("show-1", Fault(status=status))
    with pytest.raises(CanNeverSucceedError) as refused:
        _show(_api(service.base_url))
    assert refused.value.code == code
    assert service.calls == {"show-1": 1}


@pytest.mark.parametrize("status", [201, 204, 301, 307, 405, 418, 501])
def test_an_answer_that_no_catalog_should_give_fails_at_once(service: CatalogService, status: int) -> None:
    service.script("show-1", Fault(status=status, body=b""))
    why, _ = _failure(_api(service.base_url))
    assert str(status) in why
    assert service.calls == {"show-1": 1}


def test_a_garbage_answer_is_handed_on_to_whoever_reads_it(service: CatalogService) -> None:
    service.script("show-1", ANSWER_GARBAGE)
    assert _show(_api(service.base_url))[0] == GARBAGE


def test_a_long_answer_is_read_whole_and_one_over_the_limit_can_never_succeed(service: CatalogService) -> None:
    service.script("show-1", Fault(body=b"x" * MAX_ANSWER_BYTES), Fault(body=b"x" * (MAX_ANSWER_BYTES + 1)))
    api = _api(service.base_url)
    assert len(_show(api)[0]) == MAX_ANSWER_BYTES
    with pytest.raises(CanNeverSucceedError) as refused:
        _show(api)
    assert refused.value.code == "too_large"
    assert _show(api) == (b'{"id":"show-1"}', {"ApiCalls": 1})


def test_a_long_error_page_is_an_error_like_a_short_one(service: CatalogService) -> None:
    service.script("show-1", Fault(status=500, body=b"x" * (MAX_ANSWER_BYTES + 1)))
    assert _show(_api(service.base_url))[0] == b'{"id":"show-1"}'


@pytest.mark.parametrize("status", [401, 403])
def test_a_new_token_is_read_once_the_old_is_refused(service: CatalogService, status: int) -> None:
    secrets = FakeSecrets("old", "new")
    token = SecretToken(secrets=secrets, secret_arn="arn:secret")  # type: ignore[arg-type]
    api = _api(service.base_url, token=token)
    service.token = "old"
    _show(api)
    service.token = "new"
    _, counts = _show(api)
    assert counts == {"ApiCalls": 2}
    assert secrets.reads == 2
    _show(api)
    assert secrets.reads == 2


def test_a_token_that_stays_refused_fails_loudly_and_is_not_read_again_and_again(service: CatalogService) -> None:
    secrets = FakeSecrets("wrong-secret-value")
    api = _api(
        service.base_url,
        token=SecretToken(secrets=secrets, secret_arn="arn:secret"),  # type: ignore[arg-type]
    )
    for _ in range(5):
        why, counts = _failure(api)
        assert counts == {"ApiCalls": 1, "ApiUnauthorized": 1}
        assert "token" in why
        assert "wrong-secret-value" not in why
    assert secrets.reads == 2


@pytest.mark.parametrize("secret", ["t", " t\n", '{"token": "t"}', ' {"token": "t\\n", "other": 1}'])
def test_the_secret_is_the_token_or_a_json_object_with_it(service: CatalogService, secret: str) -> None:
    assert _show(_api(service.base_url, token=_token(secret)))[1] == {"ApiCalls": 1}


@pytest.mark.parametrize("secret", ["", "two words", "line\nbreak-hidden", "{", "{}", '{"token": 7}', "tökén"])
def test_a_secret_without_a_token_fails_loudly_and_is_not_quoted(service: CatalogService, secret: str) -> None:
    why, counts = _failure(_api(service.base_url, token=_token(secret)))
    assert counts == {"ApiUnauthorized": 1}
    assert "'token'" in why
    assert "hidden" not in why
    assert service.calls == {}


def test_a_secret_that_may_not_be_read_fails_loudly(service: CatalogService) -> None:
    token = SecretToken(secrets=RefusingSecrets(), secret_arn="arn:secret")  # type: ignore[arg-type]
    why, counts = _failure(_api(service.base_url, token=token))
    assert counts == {"ApiUnauthorized": 1}
    assert "PermissionError" in why


class RawServer:
    """Answers each connection with given bytes, then a pause before each next piece, then closes."""

    def __init__(self, *pieces: bytes, pause_seconds: float = 0.0) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._pieces, self._pause = pieces, pause_seconds
        self._done = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                for piece in self._pieces:
                    try:
                        connection.sendall(piece)
                    except OSError:
                        break
                    self._done.wait(self._pause)

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._listener.close()


def test_an_answer_that_ends_too_early_is_asked_again() -> None:
    with RawServer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") as server:
        why, counts = _failure(_api(server.base_url))
    assert counts["ApiCalls"] == 3
    assert "no answer" in why


def test_an_answer_that_is_no_http_is_asked_again() -> None:
    with RawServer(b"SSH-2.0-OpenSSH_9.6\r\n") as server:
        assert _failure(_api(server.base_url))[1]["ApiCalls"] == 3


def test_an_answer_that_drips_meets_the_deadline() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    with RawServer(head, *[b" "] * 200, pause_seconds=0.05) as server:
        began = time.perf_counter()
        _failure(_api(server.base_url, timeout_seconds=1.0), within_seconds=0.4)
        assert time.perf_counter() - began < 3


def test_the_token_does_not_follow_a_redirect_to_another_host(service: CatalogService) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {service.base_url}/shows/show-1\r\nContent-Length: 0\r\n\r\n"
    with RawServer(head.encode()) as server:
        assert "302" in _failure(_api(server.base_url))[0]
    assert service.calls == {}
