"""A redrive takes dead letters back to their queue, all or those of one reason, and loses none."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from operations import dead_letters
from rehearsal.scenario.catalog_service import NO_ANSWER

if TYPE_CHECKING:
    from tests.operations.desk import Desk

pytestmark = pytest.mark.xdist_group("rehearsal")


def serve(desk: Desk, *show_ids: str) -> None:
    for show_id in show_ids:
        desk.played.catalog.put({"id": show_id, "title": show_id, "version": 1})


def test_shows_that_the_catalog_did_not_know_are_redriven_by_reason_once_it_does(desk: Desk) -> None:
    desk.played.announce("s1", "s2", serve=False)
    desk.played.announce_text("poison")
    desk.played.settle()
    assert desk.depth() == 3
    serve(desk, "s1", "s2")
    dry = desk.run("redrive", "--reason", "show_not_found", "--dry-run")
    assert (dry.result["show-changes"]["moved"], desk.depth()) == (2, 3)
    done = desk.run("redrive", "--reason", "show_not_found")
    assert (done.code, done.result["show-changes"]["moved"], done.result["show-changes"]["other_reasons"]) == (0, 2, 1)
    desk.played.settle()
    assert desk.depth() == 1, "the poison message stays"
    assert set(desk.landed("show_catalog_entry").values()) == {1}
    assert desk.played.query("SELECT count(*) FROM show_catalog_entry") == [(2,)]


def test_a_message_goes_back_without_what_marked_its_failure(desk: Desk) -> None:
    desk.played.announce("s1", serve=False)
    desk.played.settle()
    sqs = desk.engine.client("sqs")
    desk.run("redrive", "--reason", "show_not_found")
    queue = desk.played.deployed.queue_arn.rsplit(":", 1)[-1]
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert "MessageAttributes" not in message


def test_the_catalog_service_down_for_an_hour_is_healed_by_redriving_all(desk: Desk) -> None:
    shows = ("s1", "s2", "s3")
    for show_id in shows:
        desk.played.catalog.script(show_id, *[NO_ANSWER] * 500)
    desk.played.announce(*shows)
    desk.played.settle()
    assert desk.depth() == 3
    (group,) = desk.run("explain").result["groups"]
    assert (group["reason"], group["count"]) == (dead_letters.RECEIPTS_USED_UP, 3)
    desk.played.catalog._script.clear()
    done = desk.run("redrive", "--all")
    assert (done.code, done.result["show-changes"]["moved"]) == (0, 3)
    desk.played.settle()
    assert desk.depth() == 0
    assert (len(desk.landed("show_catalog_entry")), set(desk.landed("show_catalog_entry").values())) == (3, {1})


def test_a_redrive_that_is_ended_between_send_and_delete_repeats_the_message_under_its_event_id(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.played.announce("s1", serve=False)
    desk.played.settle()
    serve(desk, "s1")
    looked = dead_letters.DeadLetters

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    original = looked._move

    def move_and_die(self: dead_letters.DeadLetters, letters: object, moved: object, *, dry_run: bool) -> None:
        monkeypatch.setattr(self._sqs, "delete_message_batch", killed)
        original(self, letters, moved, dry_run=dry_run)  # type: ignore[arg-type]

    monkeypatch.setattr(looked, "_move", move_and_die)
    assert desk.run("redrive", "--reason", "show_not_found").code == 2
    monkeypatch.undo()
    desk.become(desk.engine.administrator_environment())
    assert desk.depth() == 1
    assert desk.run("redrive", "--reason", "show_not_found").result["show-changes"]["moved"] == 1
    desk.played.settle()
    assert desk.depth() == 0
    assert len(desk.landed("show_catalog_entry")) == 1


def test_a_message_that_fails_again_at_once_does_not_keep_the_redrive_going(desk: Desk) -> None:
    desk.played.announce("s1", serve=False)
    desk.played.settle()
    stop = threading.Event()
    worker = threading.Thread(target=desk.engine.serve, args=(stop,))
    worker.start()
    try:
        done = desk.run("redrive", "--reason", "show_not_found")
    finally:
        stop.set()
        worker.join()
    assert done.result["show-changes"]["moved"] == 1
    desk.played.settle()
    assert desk.depth() == 1


def test_a_redrive_without_a_reason_asks_for_one_or_for_all(desk: Desk) -> None:
    refused = desk.run("redrive")
    assert refused.code == 2
    assert "--all" in refused.err


def test_where_no_message_moves_are_offered_the_way_by_reason_is_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.sqs.responses import SQSResponse

    monkeypatch.delattr(SQSResponse, "list_message_move_tasks")
    refused = desk.run("redrive", "--all")
    assert refused.code == 2
    assert "--reason" in refused.err
