"""How hopeless messages get into the dead-letter queue, and what they carry."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from lambdas.shared.dead_letters import MAX_BYTES_PER_CALL, DeadLetter, DeadLetterQueue


class FakeSqs:
    """Takes messages except those whose body is `refused`."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "https://queue"
        self.calls.append(Entries)
        refused = [entry["Id"] for entry in Entries if entry["MessageBody"] == "refused"]
        return {"Failed": [{"Id": one, "Code": "InternalError", "SenderFault": False} for one in refused]}


class BrokenSqs:
    def send_message_batch(self, **_: object) -> dict[str, Any]:
        raise TimeoutError


def _letter(message_id: str, body: str = "body") -> DeadLetter:
    return DeadLetter(message_id=message_id, body=body, reason_code="not_json", reason="It is no JSON.")


def _send(sqs: object, *letters: DeadLetter) -> dict[str, str]:
    return DeadLetterQueue(sqs=sqs, queue_url="https://queue").send(letters)  # type: ignore[arg-type]


def test_a_letter_is_the_message_as_it_came_with_its_reason_as_attributes() -> None:
    sqs = FakeSqs()
    assert _send(sqs, _letter("m-1", body="ä {")) == {}
    ((entry,),) = sqs.calls
    assert entry["MessageBody"] == "ä {"
    attributes = {name: value["StringValue"] for name, value in entry["MessageAttributes"].items()}
    failed_at = datetime.fromisoformat(attributes.pop("failed_at"))
    assert failed_at.utcoffset() == timedelta(0)
    assert attributes == {"reason_code": "not_json", "reason": "It is no JSON.", "message_id": "m-1"}


def test_a_call_takes_at_most_ten_letters() -> None:
    sqs = FakeSqs()
    _send(sqs, *[_letter(f"m-{number}") for number in range(21)])
    assert [len(call) for call in sqs.calls] == [10, 10, 1]


def test_a_call_takes_at_most_its_bytes_and_a_longer_letter_goes_alone() -> None:
    sqs = FakeSqs()
    _send(sqs, _letter("m-1"), _letter("m-2", body="x" * MAX_BYTES_PER_CALL), _letter("m-3"))
    assert [len(call) for call in sqs.calls] == [1, 1, 1]


def test_a_letter_that_is_not_taken_is_told_by_its_message() -> None:
    unsent = _send(FakeSqs(), _letter("m-1"), _letter("m-2", body="refused"), _letter("m-3"))
    assert list(unsent) == ["m-2"]
    assert "InternalError" in unsent["m-2"]


def test_a_call_that_fails_leaves_its_letters_unsent_and_raises_nothing() -> None:
    unsent = _send(BrokenSqs(), _letter("m-1"), _letter("m-2"))
    assert set(unsent) == {"m-1", "m-2"}
    assert "TimeoutError" in unsent["m-1"]
