"""A replay puts each failed record back once, whatever happens to it on the way."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("time_machine", reason="a rehearsal needs the packages of requirements-dev.txt")

from tests.operations.operator_role import become_operator
from tests.rehearsal.proofs.played import like, line_of

if TYPE_CHECKING:
    from tests.operations.desk import Desk

CONTRACT = "contracts/events/live_show.py"
RANGE = ("--since", "2026-11-18T20", "--until", "2026-11-18T21")


def without_id(number: int) -> bytes:
    body = json.loads(like("x", like={"count": number}))
    del body["event_id"]
    return json.dumps(body).encode()


def break_contract(desk: Desk) -> None:
    """Deploy a contract that asks for something which no producer sends."""
    desk.deploy_changed("Flatten", CONTRACT, 'path="like.count",', 'path="like.weight", required=True,')


def test_a_contract_that_was_wrong_for_a_while_is_mended_and_every_event_lands_once(desk: Desk) -> None:
    break_contract(desk)
    desk.played.put(*(like(f"e-{number}") for number in range(30)), *(without_id(number) for number in range(5)))
    desk.played.put(b"{not json", like("sound", event_type="nobody-knows"))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    ids = {row[0] for row in desk.played.read().connection.execute("SELECT event_id FROM quarantine").fetchall()}
    dry = desk.run("replay", *RANGE, "--dry-run")
    assert (dry.code, dry.result["records"], dry.result["left"]) == (0, 35, {"not_json": 1})
    assert desk.objects("operations/") == {}, "a dry run leaves nothing behind"
    done = desk.run("replay", *RANGE)
    assert (done.code, done.result["records"], done.result["types"]) == (0, 35, {"like": 35})
    desk.played.settle()
    landed = desk.landed("like")
    assert len(landed) == 35
    assert set(landed.values()) == {1}
    assert set(landed) < ids, "derived ids are those that the quarantine rows hold"


def test_a_replay_that_is_run_again_puts_nothing_twice(desk: Desk) -> None:
    break_contract(desk)
    desk.played.put(*(like(f"e-{number}") for number in range(10)))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    assert desk.run("replay", *RANGE).result["records"] == 10
    again = desk.run("replay", "--all")
    assert (again.code, again.result["records"], again.result["done_before"]) == (0, 0, 10)
    desk.played.settle()
    assert set(desk.landed("like").values()) == {1}


def test_a_replay_of_one_reason_leaves_the_others_for_the_next(desk: Desk) -> None:
    break_contract(desk)
    desk.played.put(like("a"), like("b", like={"weight": "heavy"}), like("c", like={"count": "many"}))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    reasons = {row[0] for row in desk.played.read().connection.execute("SELECT reason_code FROM quarantine").fetchall()}
    assert reasons == {"missing_column", "wrong_type"}
    assert desk.run("replay", *RANGE, "--reason", "wrong_type").result["records"] == 1
    second = desk.run("replay", *RANGE)
    # Today's contract refuses the third as well: it would only be quarantined again.
    assert (second.result["records"], second.result["left"]) == (1, {"wrong_type": 1})
    assert desk.run("replay", *RANGE, "--force").result["records"] == 1
    desk.played.settle()
    assert desk.landed("like") == {"a": 1, "b": 1}
    assert desk.landed("quarantine") == {"a": 1, "b": 1, "c": 2}


def test_what_firehose_gave_up_lands_once_after_the_function_works_again(desk: Desk) -> None:
    desk.engine.faults.fail_function(desk.played.function("Flatten"), 4)
    desk.played.put(*(like(f"e-{number}") for number in range(20)), *(without_id(number) for number in range(5)))
    desk.next_hour()
    assert desk.played.read().tables == []
    done = desk.run("replay", "--since", "2026-11-18", "--type", "like")
    assert done.result["records"] == 25
    assert desk.run("replay", "--since", "2026-11-18").result["records"] == 0
    desk.played.settle()
    landed = desk.landed("like")
    assert (len(landed), set(landed.values())) == (25, {1})
    (arrived,) = desk.played.query("SELECT DISTINCT strftime(arrived_at, '%H') FROM \"like\"")
    assert arrived == ("20",), "the first arrival stays"


def test_a_replay_that_is_killed_and_resumed_loses_nothing_and_tells_the_one_batch_it_may_have_doubled(
    desk: Desk,
) -> None:
    break_contract(desk)
    desk.played.put(*(like(f"e-{number}") for number in range(60)))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    running = desk.start("replay", *RANGE, "--rate", "4")
    assert running.stderr is not None
    replay_id = next(line for line in running.stderr if line.startswith("replay ")).split()[1].rstrip(";")
    while not any(entry["done"] for entry in desk.objects("operations/replayed/").values()):
        time.sleep(0.05)
    running.kill()
    running.communicate()
    (entry,) = desk.objects("operations/replayed/").values()
    assert entry["claim"]["replay"] == replay_id
    held = desk.run("replay", *RANGE)
    assert (held.code, held.result["records"]) == (1, 0)
    assert replay_id in held.result["held"][0]
    resumed = desk.run("replay", "--resume", replay_id)
    assert (resumed.code, resumed.result["records"]) == (0, 60)
    desk.played.settle()
    landed = desk.landed("like")
    assert len(landed) == 60
    assert sum(landed.values()) <= 64, "at most the batch that was in the air is there twice, under the same ids"
    book = desk.account()
    assert (book.closes, line_of(book, "like").landed) == (True, 60)
    record = desk.objects("operations/replays/")[f"operations/replays/{replay_id}.json"]
    assert (record["records"], record["by"], bool(record["ended_at"])) == (
        60,
        "arn:aws:sts::123456789012:user/moto",
        True,
    )


def test_two_replays_at_once_share_the_work_and_double_nothing(desk: Desk) -> None:
    break_contract(desk)
    for batch in range(3):
        desk.played.put(*(like(f"e-{batch}-{number}") for number in range(12)))
        desk.played.settle()
        desk.engine.advance(120)
    desk.next_hour()
    desk.deploy_sound("Flatten")
    running = [desk.start("replay", *RANGE, "--rate", "12") for _ in range(2)]
    results = [json.loads(process.communicate(timeout=60)[0]) for process in running]
    assert sum(result["records"] for result in results) == 36
    desk.played.settle()
    landed = desk.landed("like")
    assert (len(landed), set(landed.values())) == (36, {1})
    book = desk.account()
    assert (book.closes, line_of(book, "like").landed, line_of(book, "like").arrived_again) == (True, 36, 0)


def test_entries_that_the_stream_refuses_are_put_again_alone(desk: Desk) -> None:
    break_contract(desk)
    desk.played.put(*(like(f"e-{number}") for number in range(20)))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    desk.engine.faults.refuse_stream_entries(desk.played.deployed.stream_arn, 7)
    assert desk.run("replay", *RANGE).result["records"] == 20
    desk.played.settle()
    assert set(desk.landed("like").values()) == {1}


def test_a_replay_without_an_end_says_what_of_the_present_hour_it_leaves_out(desk: Desk) -> None:
    desk.played.put(b"no json")
    desk.next_hour()
    desk.played.put(b"no json either", b"nor this")
    desk.played.settle()
    for more in (("--dry-run",), ()):
        done = desk.run("replay", "--since", "2026-11-18", "--force", *more)
        assert (done.result["records"], done.result["present_hour"]) == (1, 2)
        assert done.result["next_hour"] == "22:00 UTC"
    assert desk.run("replay", *RANGE, "--force").result["present_hour"] == 0


REFUSED: list[tuple[tuple[str, ...], str]] = [
    ((), "--all"),
    (("--all", "--type", "lik"), "like"),
    (("--all", "--reason", "nonsense"), "wrong_type"),
    (("--since", "2026-11-18T20", "--until", "2026-11-18T20"), "after --since"),
    (("--since", "2026-11-18T20", "--until", "2026-11-18T23"), "present hour"),
    (("--since", "yesterday"), "2026-11-18T20"),
    (("--resume", "nobody"), "There is no replay"),
]


def test_a_replay_refuses_what_would_do_harm_and_says_what_is_allowed(desk: Desk) -> None:
    for arguments, said in REFUSED:
        refused = desk.run("replay", *arguments)
        assert refused.code == 2, arguments
        assert said in refused.err
        assert "allowed:" in refused.err
        assert "fix:" in refused.err


def test_a_replay_waits_for_the_deployment_of_the_contract_that_it_relies_on(desk: Desk) -> None:
    desk.engine.advance(3600)
    glue = desk.engine.client("glue")
    table = glue.get_table(DatabaseName="amp_dev_raw", Name="like")["Table"]
    storage = {**table["StorageDescriptor"], "Columns": table["StorageDescriptor"]["Columns"][1:]}
    given = {"Name": "like", "StorageDescriptor": storage, "Parameters": table["Parameters"]}
    glue.update_table(DatabaseName="amp_dev_raw", TableInput={**given, "PartitionKeys": table["PartitionKeys"]})
    refused = desk.run("replay", *RANGE)
    assert (refused.code, "like" in refused.err) == (2, True)
    assert desk.run("replay", *RANGE, "--type", "follow").code == 0


def test_a_replay_that_dies_between_putting_and_marking_doubles_one_batch_under_the_same_ids(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from operations.replay_ledger import Claim

    break_contract(desk)
    desk.played.put(*(without_id(number) for number in range(20)))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    advance, calls = Claim.advance, list[int]()

    def dies(self: Claim, lines: tuple[int, ...]) -> None:
        calls.append(len(lines))
        if len(calls) == 3:
            raise KeyboardInterrupt
        advance(self, lines)

    with monkeypatch.context() as patch:
        patch.setattr(Claim, "advance", dies)
        died = desk.run("replay", *RANGE, "--rate", "8")
    assert (died.code, calls) == (2, [0, 8, 8])
    replay_id = died.err.split("--resume ")[1].split()[0]
    assert desk.run("replay", "--resume", replay_id).result["records"] == 20
    desk.played.settle()
    landed = desk.landed("like")
    assert (len(landed), sorted(landed.values())) == (20, [1] * 12 + [2] * 8)


def test_a_disabled_key_stops_a_replay_before_anything_is_put_and_enabling_it_heals_all(desk: Desk) -> None:
    break_contract(desk)
    desk.played.put(*(like(f"e-{number}") for number in range(5)))
    desk.next_hour()
    desk.deploy_sound("Flatten")
    key = desk.key("Amp-dev-EventStream", "StreamKey")
    desk.engine.faults.disable_key(key)
    become_operator(desk)
    refused = desk.run("replay", *RANGE)
    assert refused.code == 2
    assert "KMS" in refused.err
    desk.engine.faults.enable_key(key)
    assert desk.run("replay", "--resume", refused.err.split("--resume ")[1].split()[0]).result["records"] == 5
    desk.played.settle()
    assert set(desk.landed("like").values()) == {1}
