"""What becomes of each message about batch files, and how often a crawler is started for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lambdas.shared.dead_letters import DeadLetter
from lambdas.start_crawlers.crawlers import Crawl
from lambdas.start_crawlers.logic import RESERVED_SECONDS, Outcome, Postponement, start_crawlers

NOW = 1_795_000_000.0
SETTLING, HELD = 10.0, 900.0


class Refused(Exception):
    """A client's error, as botocore raises it."""

    def __init__(self, code: str) -> None:
        super().__init__("it quotes anna@example.org")
        self.response = {"Error": {"Code": code}}


class FakeCrawlers:
    """Crawlers that begin at the present, run until they are told to end, and refuse as they are told."""

    def __init__(self, **crawls: Crawl) -> None:
        self.known: dict[str, list[Crawl]] = {dataset: [crawl] for dataset, crawl in crawls.items()}
        self.refusals: dict[str, Exception] = {}
        self.started: list[str] = []
        self.now = NOW
        self.die_after_start = False
        self.hides_what_runs = False

    def crawls(self, dataset: str) -> list[Crawl]:
        if dataset in self.refusals:
            raise self.refusals[dataset]
        return [crawl for crawl in self.known.get(dataset, []) if crawl.ended_s or not self.hides_what_runs]

    def start(self, dataset: str) -> bool:
        if any(crawl.ended_s is None for crawl in self.known.get(dataset, [])):
            return False
        self.known.setdefault(dataset, []).append(Crawl(began_s=self.now))
        self.started.append(dataset)
        if self.die_after_start:
            raise KeyboardInterrupt
        return True

    def end(self, *, failed: bool = False) -> None:
        """Let all that run end at the present."""
        for crawls in self.known.values():
            crawls[:] = [one if one.ended_s else replace(one, ended_s=self.now, failed=failed) for one in crawls]


def running(*, began: float) -> Crawl:
    """A crawl that began so many seconds ago."""
    return Crawl(began_s=NOW - began)


def ended(*, began: float, ago: float = 1.0, failed: bool = False) -> Crawl:
    """A crawl that began and ended so many seconds ago."""
    return Crawl(began_s=NOW - began, ended_s=NOW - ago, failed=failed)


class FakeSource:
    def __init__(self) -> None:
        self.seconds: dict[str, int] = {}

    def postpone(self, postponements: Sequence[Postponement]) -> list[str]:
        assert [one.receipt_handle for one in postponements] == [f"r-{one.message_id}" for one in postponements]
        self.seconds |= {one.message_id: one.seconds for one in postponements}
        return []


class FakeDeadLetters:
    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.letters: list[DeadLetter] = []

    def send(self, letters: Sequence[DeadLetter]) -> dict[str, str]:
        self.letters += [letter for letter in letters if letter.message_id not in self.refused]
        return {letter.message_id: "The queue is gone." for letter in letters if letter.message_id in self.refused}


def message(
    message_id: str, *keys: str, age: float = 70.0, receives: int = 1, event: str = "ObjectCreated:Put"
) -> dict[str, Any]:
    """A record of an SQS event: S3's notice of the keys, wrapped by SNS, that came ``age`` seconds ago."""
    notice = {"Records": [{"eventName": event, "s3": {"object": {"key": key}}} for key in keys]}
    return wrapped(message_id, notice, age=age, receives=receives)


def wrapped(message_id: str, notice: object, *, age: float = 70.0, receives: int = 1) -> dict[str, Any]:
    envelope = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(notice)}
    return {
        "messageId": message_id,
        "receiptHandle": f"r-{message_id}",
        "body": json.dumps(envelope),
        "attributes": {"SentTimestamp": str(int((NOW - age) * 1000)), "ApproximateReceiveCount": str(receives)},
    }


def run(*records: dict[str, Any], remaining: float = 60.0, jitter: float = 0.0, **parts: Any) -> Outcome:
    defaults: dict[str, Any] = {
        "crawlers": FakeCrawlers(),
        "source": FakeSource(),
        "dead_letters": FakeDeadLetters(),
    }
    given = {**defaults, **parts}
    return start_crawlers(
        records,
        **given,
        clock=lambda: given["crawlers"].now,
        remaining_seconds=lambda: remaining,
        settling_seconds=SETTLING,
        held_seconds=HELD,
        jitter=lambda: jitter,
    )


def failed(outcome: Outcome, *records: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in outcome.answer(records)["batchItemFailures"]]


def test_a_file_has_its_dataset_crawled_and_is_done_when_the_crawl_has_ended() -> None:
    crawlers, source, record = FakeCrawlers(), FakeSource(), message("m", "batch/shows/2026/shows.json.gz")
    outcome = run(record, crawlers=crawlers, source=source)
    assert crawlers.started == ["shows"]
    assert failed(outcome, record) == ["m"]
    assert source.seconds == {"m": 30}

    crawlers.now += 30
    assert failed(run(record, crawlers=crawlers), record) == ["m"]
    crawlers.now += 60
    crawlers.end()
    assert failed(run(record, crawlers=crawlers), record) == []
    assert crawlers.started == ["shows"]


def test_a_hundred_files_in_a_second_cost_one_start() -> None:
    crawlers = FakeCrawlers()
    records = [message(f"m-{n}", f"batch/shows/{n}.json", age=61 - n / 100) for n in range(100)]
    outcome = run(*records, crawlers=crawlers)
    assert crawlers.started == ["shows"]
    assert outcome.counts == {
        "CrawlersStarted": 1, "FilesCovered": 0, "MessagesPostponed": 100, "UnknownPrefix": 0, "StartsFailed": 0,
    }  # fmt: skip
    crawlers.end()
    outcome = run(*records, crawlers=crawlers)
    assert failed(outcome, *records) == []
    assert outcome.counts == {
        "CrawlersStarted": 0, "FilesCovered": 100, "MessagesPostponed": 0, "UnknownPrefix": 0, "StartsFailed": 0,
    }  # fmt: skip


def test_a_removed_file_has_its_dataset_crawled_too() -> None:
    crawlers = FakeCrawlers()
    run(message("m", "batch/creators/a.parquet", event="ObjectRemoved:DeleteMarkerCreated"), crawlers=crawlers)
    assert crawlers.started == ["creators"]


def test_a_file_that_a_crawl_began_after_needs_no_further_start() -> None:
    crawlers, record = FakeCrawlers(shows=ended(began=30)), message("m", "batch/shows/a.json", age=40)
    assert failed(run(record, crawlers=crawlers), record) == []
    assert crawlers.started == []


def test_a_file_that_a_crawl_may_just_have_missed_gets_another_start() -> None:
    crawlers = FakeCrawlers(shows=ended(began=30))
    run(message("m", "batch/shows/a.json", age=39), crawlers=crawlers)
    assert crawlers.started == ["shows"]


@pytest.mark.parametrize("hidden", [False, True])
def test_a_running_crawler_that_began_too_early_is_asked_again_later(hidden: bool) -> None:
    crawlers, source = FakeCrawlers(shows=running(began=300)), FakeSource()
    crawlers.hides_what_runs = hidden  # Glue's list may be behind
    record = message("m", "batch/shows/a.json", age=70)
    outcome = run(record, crawlers=crawlers, source=source)
    assert failed(outcome, record) == ["m"]
    assert source.seconds == {"m": 30}
    assert "running" in outcome.postponed["m"]
    assert outcome.counts["StartsFailed"] == 0

    crawlers.end()
    run(record, crawlers=crawlers, source=source)
    assert crawlers.started == ["shows"]


def test_a_running_crawler_that_began_late_enough_is_waited_for() -> None:
    crawlers, record = FakeCrawlers(shows=running(began=20)), message("m", "batch/shows/a.json", age=70)
    assert failed(run(record, crawlers=crawlers), record) == ["m"]
    crawlers.end()
    assert failed(run(record, crawlers=crawlers), record) == []
    assert crawlers.started == []


def test_a_crawl_that_fails_is_made_again_when_its_messages_are_back_in_the_crawler_s_queue() -> None:
    crawlers, record = FakeCrawlers(), message("m", "batch/shows/a.json")
    run(record, crawlers=crawlers)
    crawlers.now += 60
    crawlers.end(failed=True)
    assert failed(run(record, crawlers=crawlers), record) == ["m"]
    crawlers.now += HELD - 1
    assert failed(run(record, crawlers=crawlers), record) == ["m"]
    assert crawlers.started == ["shows"]
    crawlers.now += 1
    assert failed(run(record, crawlers=crawlers), record) == ["m"]
    assert crawlers.started == ["shows", "shows"]
    crawlers.end()
    assert failed(run(record, crawlers=crawlers), record) == []


def test_a_good_crawl_covers_nothing_that_a_failed_one_before_it_may_have_kept() -> None:
    record = message("m", "batch/shows/a.json", age=2_000)
    too_soon = FakeCrawlers(shows=ended(began=1_900, ago=1_800, failed=True))
    too_soon.known["shows"].append(ended(began=1_700, ago=1_600))
    assert failed(run(record, crawlers=too_soon), record) == ["m"]
    assert too_soon.started == ["shows"]

    later = FakeCrawlers(shows=ended(began=1_900, ago=1_800, failed=True))
    later.known["shows"].append(ended(began=900, ago=800))
    assert failed(run(record, crawlers=later), record) == []
    newer = message("m", "batch/shows/a.json", age=1_750)
    assert failed(run(newer, crawlers=too_soon), newer) == []


def test_a_function_that_dies_after_the_start_finds_it_when_the_messages_come_back() -> None:
    crawlers = FakeCrawlers()
    crawlers.die_after_start = True
    records = [message(f"m-{n}", f"batch/shows/{n}.json") for n in range(3)]
    with pytest.raises(KeyboardInterrupt):
        run(*records, crawlers=crawlers)
    crawlers.now += 420
    crawlers.end()
    again = run(*records, crawlers=crawlers)
    assert crawlers.started == ["shows"]
    assert failed(again, *records) == []


def test_files_that_are_too_new_come_again_while_the_others_are_crawled() -> None:
    crawlers = FakeCrawlers()
    records = [message("old", "batch/shows/a.json"), message("new", "batch/shows/b.json", age=3)]
    outcome = run(*records, crawlers=crawlers)
    assert crawlers.started == ["shows"]
    assert "too new" in outcome.postponed["new"]
    assert "started" in outcome.postponed["old"]
    crawlers.end()
    assert failed(run(*records, crawlers=crawlers), *records) == ["new"]


def test_no_crawler_is_started_for_files_that_it_might_not_hear_of() -> None:
    crawlers, record = FakeCrawlers(), message("new", "batch/shows/b.json", age=3)
    assert failed(run(record, crawlers=crawlers), record) == ["new"]
    assert crawlers.started == []


@pytest.mark.parametrize(("receives", "seconds"), [(1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (100, 900)])
def test_a_message_waits_longer_each_time_up_to_a_quarter_of_an_hour(receives: int, seconds: int) -> None:
    source = FakeSource()
    run(message("m", "batch/shows/a.json", age=1, receives=receives), source=source)
    assert source.seconds == {"m": seconds}


def test_waits_are_spread_and_stay_below_the_longest() -> None:
    source = FakeSource()
    run(
        message("first", "batch/shows/a.json", age=1),
        message("tired", "batch/shows/b.json", age=1, receives=9),
        source=source,
        jitter=1.0,
    )
    assert source.seconds == {"first": 36, "tired": 900}


def test_two_datasets_do_not_wait_for_each_other() -> None:
    crawlers = FakeCrawlers(shows=running(began=300))
    records = [message("s", "batch/shows/a.json"), message("c", "batch/catalog/a.csv")]
    run(*records, crawlers=crawlers)
    assert crawlers.started == ["catalog"]


@pytest.mark.parametrize("code", ["ThrottlingException", "EntityNotFoundException"])
def test_a_dataset_that_glue_refuses_fails_its_own_messages_only(code: str) -> None:
    crawlers, source = FakeCrawlers(), FakeSource()
    crawlers.refusals["catalog"] = Refused(code)
    records = [message("c", "batch/catalog/a.csv"), message("s", "batch/shows/a.json")]
    outcome = run(*records, crawlers=crawlers, source=source)
    assert crawlers.started == ["shows"]
    assert source.seconds == {"c": 30, "s": 30}
    assert outcome.counts["StartsFailed"] == 1
    assert code in outcome.postponed["c"]


def test_an_unforeseen_error_says_where_it_was_and_quotes_nothing() -> None:
    crawlers = FakeCrawlers()
    crawlers.refusals["shows"] = ZeroDivisionError("anna@example.org")
    outcome = run(message("m", "batch/shows/a.json"), crawlers=crawlers)
    assert "ZeroDivisionError at " in outcome.postponed["m"]
    assert "anna" not in outcome.postponed["m"]


def test_a_file_of_no_dataset_is_a_dead_letter_and_the_rest_goes_on() -> None:
    crawlers, letters = FakeCrawlers(), FakeDeadLetters()
    records = [message("odd", "batch/payments/a.csv"), message("s", "batch/shows/a.json")]
    outcome = run(*records, crawlers=crawlers, dead_letters=letters)
    assert failed(outcome, *records) == ["s"]
    assert crawlers.started == ["shows"]
    (letter,) = letters.letters
    assert (letter.message_id, letter.reason_code, letter.body) == ("odd", "unknown_prefix", records[0]["body"])
    assert outcome.counts["UnknownPrefix"] == 1


def test_a_message_is_a_dead_letter_only_once_its_known_files_are_crawled() -> None:
    crawlers, letters = FakeCrawlers(shows=running(began=20)), FakeDeadLetters()
    record = message("both", "batch/shows/a.json", "batch/payments/a.csv")
    assert failed(run(record, crawlers=crawlers, dead_letters=letters), record) == ["both"]
    assert letters.letters == []
    crawlers.end()
    assert failed(run(record, crawlers=crawlers, dead_letters=letters), record) == []
    assert [letter.reason_code for letter in letters.letters] == ["unknown_prefix"]


def test_a_dead_letter_that_is_not_taken_goes_back_to_the_queue() -> None:
    record = message("odd", "batch/payments/a.csv")
    outcome = run(record, dead_letters=FakeDeadLetters("odd"))
    assert failed(outcome, record) == ["odd"]
    assert outcome.dead_lettered == {}


def test_files_of_two_datasets_in_one_message_are_both_crawled_before_it_is_done() -> None:
    crawlers = FakeCrawlers(shows=running(began=300))
    record = message("two", "batch/shows/a.json", "batch/catalog/a.csv")
    assert failed(run(record, crawlers=crawlers), record) == ["two"]
    assert crawlers.started == ["catalog"]


def test_s3_s_test_event_starts_nothing() -> None:
    crawlers, record = FakeCrawlers(), wrapped("t", {"Service": "Amazon S3", "Event": "s3:TestEvent"})
    assert failed(run(record, crawlers=crawlers), record) == []
    assert crawlers.started == []


def test_when_time_is_short_messages_come_again_and_no_crawler_is_asked() -> None:
    crawlers, record = FakeCrawlers(), message("m", "batch/shows/a.json")
    assert failed(run(record, crawlers=crawlers, remaining=RESERVED_SECONDS - 1), record) == ["m"]
    assert crawlers.started == []


def test_a_record_that_nobody_foresaw_fails_alone() -> None:
    crawlers, odd, record = FakeCrawlers(), message("odd", "batch/shows/a.json"), message("m", "batch/shows/b.json")
    del odd["attributes"]
    run(odd, record, crawlers=crawlers)
    assert crawlers.started == ["shows"]
    crawlers.end()
    assert failed(run(odd, record, crawlers=crawlers), odd, record) == ["odd"]


def test_what_nothing_is_known_of_has_failed() -> None:
    assert failed(Outcome(), message("m", "batch/shows/a.json")) == ["m"]
