"""Each way in which the path breaks, told to its end: broken, explained, mended, healed by the commands, accounted for.

The operator acts under the operator's policy; what mends a cause (a deployment, a key) is not the commands'.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from rehearsal.scenario.accounting import TOPIC, Account
from rehearsal.scenario.catalog_service import ANSWER_GARBAGE
from tests.operations.desk import groups
from tests.operations.operator_role import become_operator
from tests.rehearsal.proofs.played import like, line_of

if TYPE_CHECKING:
    from tests.operations.desk import Desk

FIRST_DAY = ("--since", "2026-11-18T20", "--until", "2026-11-19T20")
FIRST_HOURS = ("--since", "2026-11-18T20", "--until", "2026-11-18T22")
HOUR_S = 3600
OVERSIZE = [like(f"oversize-{number}", filler="\\" * 450_000) for number in range(5)]
"""A batch whose answer has more than 6 MB, so that the flattening function puts some of it back on the stream."""


def without_id(hour: int) -> bytes:
    body = json.loads(like("x", like={"count": hour + 1}))
    del body["event_id"]
    return json.dumps(body).encode()


def everything_landed_once(book: Account, **landed: int) -> None:
    """Nothing is missing, doubled, quarantined, given up or dead."""
    assert book.closes, (book.missing, book.unexpected)
    for line in book.lines:
        assert (line.landed, line.arrived_again, line.reasons) == (line.sent, 0, {}), line
    assert {line.type: line.landed for line in book.lines} == landed


def test_a_contract_that_was_wrong_for_a_day(desk: Desk) -> None:
    desk.deploy_changed(
        "Flatten", "contracts/events/live_show.py", 'path="like.count",', 'path="like.weight", required=True,'
    )
    for hour in range(0, 24, 2):
        desk.played.put(*(like(f"e-{hour}-{number}") for number in range(3)), without_id(hour))
        desk.played.settle()
        desk.engine.advance(2 * HOUR_S)
    become_operator(desk)
    explained = groups(desk.run("explain", *FIRST_DAY), "quarantine")
    assert {key: one["count"] for key, one in explained.items()} == {("missing_column", "like"): 48}
    assert desk.run("check").code == 1
    desk.deploy_sound("Flatten")
    assert desk.run("replay", *FIRST_DAY).result["records"] == 48
    desk.played.settle()
    everything_landed_once(desk.account(), like=48)
    hours = desk.played.query("SELECT count(DISTINCT date_trunc('hour', arrived_at)) FROM \"like\"")
    assert hours == [(12,)], "each is where it first arrived"
    desk.next_hour()
    again = desk.run("replay", *FIRST_DAY)
    assert (again.result["records"], again.result["done_before"]) == (0, 48)
    assert not [one for one in desk.run("check").result if one["subject"] == "quarantine" and one["level"] == "problem"]


def test_a_flattening_function_that_fails_until_firehose_gives_up(desk: Desk) -> None:
    for batch in range(3):
        desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
        desk.played.put(*(like(f"e-{batch}-{number}") for number in range(11)))
        if batch == 0:
            desk.played.announce("s1", "s2")
        desk.played.settle()
    desk.next_hour()
    assert desk.played.read().tables == []
    become_operator(desk)
    explained = groups(desk.run("explain"), "firehose-errors/processing-failed")
    assert {key: one["count"] for key, one in explained.items()} == {
        ("Lambda.FunctionError", "like"): 33,
        ("Lambda.FunctionError", "show_catalog_entry"): 2,
    }
    assert next(one for one in desk.run("check").result if one["subject"] == "deliveries")["level"] == "problem"
    assert desk.run("replay", *FIRST_HOURS[:3], "2026-11-18T21").result["records"] == 35
    desk.played.settle()
    everything_landed_once(desk.account(), **{"like": 33, TOPIC: 2})


def test_messages_that_poison_the_ingest_function(desk: Desk) -> None:
    desk.deploy_changed(
        "Ingest",
        "lambdas/ingest_show_catalog/messages.py",
        '    given = message.get("show_id")\n',
        '    given = message.get("show_id")\n    if given == "poison":\n        import os; os._exit(1)\n',
    )
    desk.played.catalog.script("garbled", ANSWER_GARBAGE)
    desk.played.announce("poison", "neighbour", "another")
    desk.played.settle()
    desk.played.announce("garbled")
    desk.played.announce_text("no JSON")
    desk.played.settle()
    become_operator(desk)
    explained = groups(desk.run("explain"), "dead letters")
    assert {key[0]: one["count"] for key, one in explained.items()} == {
        "receipts_used_up": 3,  # it took its neighbours with it
        "answer_not_json": 1,
        "not_json": 1,
    }
    desk.deploy_sound("Ingest")
    for reason, count in (("receipts_used_up", 3), ("answer_not_json", 1)):
        done = desk.run("redrive", "--queue", "show-changes", "--reason", reason)
        assert (done.code, done.result["show-changes"]["moved"]) == (0, count)
    desk.played.settle()
    book = desk.account()
    line = line_of(book, TOPIC)
    assert book.closes
    assert (line.sent, line.landed, line.arrived_again) == (5, 4, 0)
    assert line.reasons == {"dead letter, not_json": 1}, "what nobody can mend stays, and is told"


@pytest.mark.parametrize(
    ("stack", "name"),
    [
        pytest.param("Amp-dev-DataLake", "LakeKey", marks=pytest.mark.campaign),
        ("Amp-dev-EventStream", "StreamKey"),
        ("Amp-dev-ShowCatalog", "CatalogKey"),
    ],
)
def test_a_key_that_is_disabled_for_two_hours_and_enabled_again(desk: Desk, stack: str, name: str) -> None:
    desk.played.put(*OVERSIZE, *(like(f"e-{number}") for number in range(20)), without_id(0))
    desk.played.announce("s1", "s2", "s3")
    desk.engine.advance(2)
    desk.engine.faults.disable_key(desk.key(stack, name))
    desk.engine.advance(2 * HOUR_S)
    desk.engine.faults.enable_key(desk.key(stack, name))
    desk.played.settle()
    become_operator(desk)
    with desk.serving():
        assert desk.run("redrive", "--all").code == 0
    assert desk.run("replay", *FIRST_HOURS).code == 0
    desk.played.settle()
    everything_landed_once(desk.account(), **{"like": 26, TOPIC: 3})
    (replayed,) = desk.objects("operations/replays/").values()
    assert bool(replayed["records"]) is (name == "StreamKey"), "what the function could not put back on the stream"
