"""The catalog service of the rehearsal serves shows and fails as its script says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
import urllib3

from rehearsal.scenario.catalog_service import (
    ANSWER_GARBAGE,
    NO_ANSWER,
    NOT_FOUND,
    SERVER_ERROR,
    WRONG_SHOW,
    CatalogService,
    slow,
    too_many_requests,
)


@pytest.fixture
def service() -> Iterator[CatalogService]:
    with CatalogService(token="t", shows=[{"id": "show-1", "title": "夜話"}]) as running:
        yield running


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        yield pool


def _get(pool: urllib3.PoolManager, service: CatalogService, path: str, bearer: str = "t") -> urllib3.BaseHTTPResponse:
    return pool.request("GET", service.base_url + path, headers={"Authorization": f"Bearer {bearer}"})


def test_a_show_is_served_to_whoever_brings_the_token(service: CatalogService, pool: urllib3.PoolManager) -> None:
    assert _get(pool, service, "/shows/show-1").json() == {"id": "show-1", "title": "夜話"}
    assert _get(pool, service, "/shows/show-1", bearer="other").status == 401
    assert pool.request("GET", f"{service.base_url}/shows/show-1").status == 401
    assert service.calls == {"show-1": 3}


def test_a_changed_token_takes_the_place_of_the_old(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.token = "ü"
    assert _get(pool, service, "/shows/show-1").status == 401


def test_unknown_shows_and_paths_are_not_found(service: CatalogService, pool: urllib3.PoolManager) -> None:
    assert [_get(pool, service, path).status for path in ("/shows/show-2", "/shows/", "/", "/other/show-1")] == [
        404
    ] * 4


def test_a_removed_show_is_not_found(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.remove("show-1")
    assert _get(pool, service, "/shows/show-1").status == 404


def test_an_id_of_any_characters_is_found_by_its_quoted_path(
    service: CatalogService, pool: urllib3.PoolManager
) -> None:
    assert service.put({"show_id": "夜/話 ?"}) == "夜/話 ?"
    assert _get(pool, service, "/shows/%E5%A4%9C%2F%E8%A9%B1%20%3F").json() == {"show_id": "夜/話 ?"}


def test_a_text_is_served_as_it_is(service: CatalogService, pool: urllib3.PoolManager) -> None:
    text = '{"show_id": 7, "price": 1.10, "big": 123456789012345678901234567890}'
    assert service.put_text(text) == "7"
    assert _get(pool, service, "/shows/7").data == text.encode()


def test_a_show_without_an_id_is_refused_with_what_would_do(service: CatalogService) -> None:
    with pytest.raises(ValueError, match="'id' or 'show_id'"):
        service.put({"title": "none"})
    with pytest.raises(ValueError, match="JSON object"):
        service.put_text("[]")


def test_each_scripted_fault_is_answered_once_in_order(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.script("show-1", SERVER_ERROR, too_many_requests(retry_after="3"), NOT_FOUND, ANSWER_GARBAGE, WRONG_SHOW)
    answers = [_get(pool, service, "/shows/show-1") for _ in range(6)]
    assert [answer.status for answer in answers] == [500, 429, 404, 200, 200, 200]
    assert answers[1].headers["Retry-After"] == "3"
    with pytest.raises(json.JSONDecodeError):
        answers[3].json()
    assert answers[4].json()["id"] != "show-1"
    assert answers[5].json()["id"] == "show-1"
    assert service.calls == {"show-1": 6}


def test_a_fault_is_for_its_show_alone(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.put({"id": "show-2"})
    service.script("show-1", SERVER_ERROR)
    assert _get(pool, service, "/shows/show-2").status == 200


def test_no_answer_closes_the_connection(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.script("show-1", NO_ANSWER)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        _get(pool, service, "/shows/show-1")
    assert _get(pool, service, "/shows/show-1").status == 200


def test_a_slow_answer_is_late_but_right(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.script("show-1", slow(0.15))
    began = time.perf_counter()
    assert _get(pool, service, "/shows/show-1").status == 200
    assert time.perf_counter() - began >= 0.15


def test_connections_stay_open_between_answers(service: CatalogService, pool: urllib3.PoolManager) -> None:
    service.script("show-1", SERVER_ERROR)
    for _ in range(5):
        _get(pool, service, "/shows/show-1")
    assert service.connections == 1


def test_stopping_does_not_wait_for_a_slow_answer_or_an_open_connection(pool: urllib3.PoolManager) -> None:
    began = time.perf_counter()
    with CatalogService(token="t", shows=[{"id": "a"}]) as service:
        _get(pool, service, "/shows/a")
        service.script("a", slow(30))
        with pytest.raises(urllib3.exceptions.TimeoutError):
            pool.request("GET", f"{service.base_url}/shows/a", headers={"Authorization": "Bearer t"}, timeout=0.05)
    assert time.perf_counter() - began < 5
