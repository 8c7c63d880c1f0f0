"""An explanation groups what failed, shows a sample of each group and nothing personal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from tests.operations.desk import groups
from tests.rehearsal.proofs.played import like

if TYPE_CHECKING:
    from tests.operations.desk import Desk

SECRET = "anna.secret@example.org"


def test_everything_that_failed_is_explained_by_reason_type_and_version(desk: Desk) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(like("given-up", schema_version=3), b"no json, given up")
    desk.played.settle()
    desk.played.put(
        *(like(f"bad-{number}", schema_version=1, like={"count": "many"}) for number in range(3)),
        like("bad-2", schema_version=2, like={"count": "many"}),
        b"\xff\xfenot text",
        b'{"event_type": "like"',
    )
    desk.played.announce("gone", serve=False)
    desk.played.announce_text("garbage")
    desk.played.settle()
    said = desk.run("explain")
    assert said.code == 0
    quarantined = groups(said, "quarantine")
    assert {key: one["count"] for key, one in quarantined.items()} == {
        ("wrong_type", "like"): 1,  # the last of two versions
        ("not_json", "unknown"): 2,
    }
    versions = {one["schema_version"]: one["count"] for one in said.result["groups"] if one["reason"] == "wrong_type"}
    assert versions == {"1": 3, "2": 1}
    given_up = groups(said, "firehose-errors/processing-failed")
    assert {key: one["count"] for key, one in given_up.items()} == {
        ("Lambda.FunctionError", "like"): 1,
        ("Lambda.FunctionError", "unknown"): 1,
    }
    letters = groups(said, "dead letters")
    assert {key[0]: one["count"] for key, one in letters.items()} == {"show_not_found": 1, "not_json": 1}
    assert letters["show_not_found", "show-changes"]["sample"] == {"show_id": "gone", "version": 1}
    assert letters["not_json", "show-changes"]["sample"] == {
        "length": 7,
        "kind": "text that does not begin like JSON",
    }
    for one in said.result["groups"]:
        assert one["first"].startswith("2026-11-18T20:")
        assert one["first"] <= one["last"]


def test_looking_at_dead_letters_leaves_them_to_be_received(desk: Desk) -> None:
    desk.played.announce_text("garbage", "more garbage")
    desk.played.settle()
    desk.run("explain")
    url = desk.played.deployed.dead_letter_queue_url
    attributes = desk.engine.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert attributes["Attributes"]["ApproximateNumberOfMessages"] == "2"


def test_nothing_personal_is_shown(desk: Desk) -> None:
    personal = {
        "user": {"id": SECRET},
        "device": {"id": SECRET, "os": "ios"},
        "note": SECRET,
        "session": {"id": {"hidden": SECRET}},
    }
    desk.played.put(
        like("bad", **personal, like={"count": SECRET}),
        like("worse", **personal, like=SECRET),
        like("both", **personal).replace(b'"occurred_at"', b'"app": {"version": ["%s"]}, "occurred"' % SECRET.encode()),
        json.dumps({"event_type": SECRET, "event_id": 4, "a": "\ud800"}).encode(),
        f'{{"event_type": "like", "user": {{"id": "{SECRET}"'.encode(),
        SECRET.encode(),
        SECRET.encode("utf-16"),
        json.dumps([SECRET]).encode(),
    )
    desk.played.announce_text(SECRET, json.dumps({"show_id": SECRET, "by": SECRET}), json.dumps({"by": SECRET}))
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.settle()
    desk.played.put(like("bad", **personal, like={"count": SECRET}), SECRET.encode())
    desk.played.settle()
    said = desk.run("explain")
    assert len(said.result["groups"]) > 5
    assert SECRET not in said.out + said.err
    assert "anna" not in said.out
    samples = json.dumps([one["sample"] for one in said.result["groups"]], ensure_ascii=False)
    assert '"device.os": "ios"' in samples
    assert '"user.id": "‹personal›"' in samples


def test_a_range_a_type_and_a_reason_narrow_what_is_explained(desk: Desk) -> None:
    desk.played.put(like("a", like={"count": "many"}), b"{")
    desk.next_hour()
    desk.played.put(like("b", like={"count": "many"}))
    desk.played.settle()

    def counted(*arguments: str) -> int:
        return sum(one["count"] for one in desk.run("explain", *arguments).result["groups"])

    assert counted() == 3
    assert counted("--since", "2026-11-18T21") == 1
    assert counted("--until", "2026-11-18T21") == 2
    assert counted("--since", "2026-11-18T20", "--until", "2026-11-18T21", "--type", "like") == 1
    assert counted("--reason", "not_json") == 1
    assert counted("--since", "2026-11-19") == 0


def test_what_was_replayed_is_told_apart(desk: Desk) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(like("a"), like("b"))
    desk.next_hour()
    desk.run("replay", "--since", "2026-11-18")
    (group,) = desk.run("explain").result["groups"]
    assert (group["count"], group["replayed"]) == (2, 2)
