"""A redrive takes dead letters back to their queue, all or those of one reason, and loses none."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from operations import dead_letters
from operations.platform import QueuePair
from rehearsal.scenario.accounting import TOPIC
from tests.rehearsal.proofs.played import line_of

if TYPE_CHECKING:
    from tests.operations.desk import Desk


MAX_RECEIVES = 120
"""Receipts of the queue of all notices (stacks/catalog.py), after which SQS gives a message up."""


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
    desk.played.catalog.down = True
    for minute in range(0, 60, 5):
        desk.played.announce(f"s{minute}")
        desk.engine.advance(300)
    desk.played.catalog.down = False
    desk.played.settle()
    early = desk.depth()
    assert 0 < early < 12, "the earliest have used their receipts up, the latest came back by themselves"
    (group,) = desk.run("explain").result["groups"]
    assert (group["reason"], group["count"]) == (dead_letters.RECEIPTS_USED_UP, early)
    with desk.serving():
        done = desk.run("redrive", "--all", "--queue", "show-changes")
    assert (done.code, done.result["show-changes"]["moved"]) == (0, early)
    desk.played.settle()
    book = desk.played.account()
    line = line_of(book, TOPIC)
    assert book.closes, book
    assert (line.sent, line.landed, line.arrived_again, desk.depth()) == (12, 12, 0, 0)
    assert set(desk.landed("show_catalog_entry").values()) == {1}


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

    with monkeypatch.context() as patch:
        patch.delattr(SQSResponse, "list_message_move_tasks")
        refused = desk.run("redrive", "--all")
    assert refused.code == 2
    assert "--reason" in refused.err


def test_a_rate_is_handed_to_sqs_its_progress_is_told_and_a_move_that_runs_already_is_followed(desk: Desk) -> None:
    shows = ("s1", "s2", "s3", "s4")
    desk.played.announce(*shows, serve=False)
    desk.played.settle()
    serve(desk, *shows)
    sqs = desk.engine.client("sqs")
    pair = QueuePair(
        name="show-changes",
        url=desk.engine.outputs("Amp-dev-ShowCatalog")["ShowChangesQueueUrl"],
        dead_letter_url=desk.played.deployed.dead_letter_queue_url,
    )
    told: list[str] = []

    def followed(_seconds: float) -> None:
        desk.engine.advance(1)
        if len(told) == 1:
            other = dead_letters.DeadLetters(sqs, pair).move_all(
                per_second=4, progress=told.append, sleep=desk.engine.advance
            )
            assert other.moved == 4

    moved = dead_letters.DeadLetters(sqs, pair).move_all(per_second=1, progress=told.append, sleep=followed)
    assert moved.moved == 4
    assert told[0] == "0 of 4 messages moved"
    source = sqs.get_queue_attributes(QueueUrl=pair.dead_letter_url, AttributeNames=["QueueArn"])["Attributes"]
    (task,) = sqs.list_message_move_tasks(SourceArn=source["QueueArn"], MaxResults=10)["Results"]
    assert task["MaxNumberOfMessagesPerSecond"] == 1, "the one that ran, and no other"
    desk.played.settle()
    assert set(desk.landed("show_catalog_entry").values()) == {1}


def test_a_redrive_in_a_process_of_its_own_waits_for_the_rehearsal_to_move_everything(desk: Desk) -> None:
    desk.played.announce("s1", "s2", serve=False)
    desk.played.settle()
    serve(desk, "s1", "s2")
    with desk.serving():
        out, err = desk.start("redrive", "--all", "--queue", "show-changes").communicate(timeout=60)
    assert json.loads(out)["show-changes"]["moved"] == 2, err
    desk.played.settle()
    assert set(desk.landed("show_catalog_entry").values()) == {1}


def test_files_of_no_dataset_are_explained_and_redriven_like_show_changes(desk: Desk) -> None:
    desk.played.announce("s1", serve=False)
    desk.drop("anna.secret@example.org/file.csv", "payments/file.csv")
    desk.played.settle()
    said = desk.run("explain", "--type", "batch-files")
    (group,) = said.result["groups"]
    assert (group["reason"], group["count"], group["type"]) == ("unknown_prefix", 2, "batch-files")
    assert "anna" not in said.out
    url = desk.played.deployed.crawl_dead_letter_queue_url
    done = desk.run("redrive", "--queue", "batch-files", "--reason", "unknown_prefix")
    assert (done.code, done.result["batch-files"]["moved"], list(done.result)) == (0, 2, ["batch-files"])
    assert (desk.depth(url), desk.depth()) == (0, 1)
    desk.played.settle()
    assert desk.depth(url) == 2, "their cause is still there"


def test_notices_of_the_time_when_no_crawler_could_be_started_are_redriven_and_their_files_crawled(desk: Desk) -> None:
    desk.engine.faults.fail_function(desk.played.function("StartCrawlers"), MAX_RECEIVES)
    desk.drop("uploads/day/a.json")
    desk.played.settle()
    url = desk.played.deployed.crawl_dead_letter_queue_url
    assert desk.depth(url) == 1
    (group,) = desk.run("explain").result["groups"]
    assert (group["reason"], group["sample"]) == (dead_letters.RECEIPTS_USED_UP, {"dataset": "uploads"})
    with desk.serving():
        assert desk.run("redrive", "--all").result["batch-files"]["moved"] == 1
    desk.played.settle()
    assert desk.depth(url) == 0
    crawled = desk.engine.client("glue").get_table(DatabaseName="amp_dev_raw", Name="batch_uploads_day")["Table"]
    assert crawled["Parameters"]["objectCount"] == "1"
