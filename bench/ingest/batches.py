"""Shows, and SQS batches that announce changes of them, the same every time; measures nothing."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from typing import Any

from bench.flatten.families import KNOWN, lines

_SEED = 20_261_118
_SENT_MS = 1_794_988_800_200


def shows(count: int) -> list[dict[str, Any]]:
    """Shows as the catalog service answers them, those of the family `catalog`, with ids of their own."""
    bodies = (json.loads(line)["show"] for line in lines("catalog", KNOWN, count))
    return [{**show, "id": f"show-{number}"} for number, show in enumerate(bodies)]


def batch(show_ids: Sequence[str]) -> dict[str, Any]:
    """An SQS event with one message for each id, a change wrapped by SNS ("Using Lambda with Amazon SQS" page)."""
    return {"Records": [_record(number, show_id) for number, show_id in enumerate(show_ids)]}


def repeated(show_ids: Sequence[str], *, times: int, messages: int, in_bursts: bool) -> list[list[str]]:
    """Batches of up to `messages` ids in which each show is announced `times` times.

    In bursts, the announcements of a show follow each other; otherwise they stand in any order.
    """
    announced = [show_id for show_id in show_ids for _ in range(times)]
    if not in_bursts:
        random.Random(_SEED).shuffle(announced)
    return [announced[start : start + messages] for start in range(0, len(announced), messages)]


def _record(number: int, show_id: str) -> dict[str, Any]:
    change = {"show_id": show_id, "version": 7, "change": "updated", "changed_at": "2026-11-18T07:59:58.500Z"}
    notification = {
        "Type": "Notification",
        "MessageId": str(uuid.UUID(int=number)),
        "TopicArn": "arn:aws:sns:eu-west-1:111111111111:show-changes",
        "Message": json.dumps(change),
        "Timestamp": "2026-11-18T08:00:00.123Z",
    }
    return {
        "messageId": str(uuid.UUID(int=number)),
        "receiptHandle": "AQEB",
        "body": json.dumps(notification),
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(_SENT_MS + number)},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:111111111111:show-changes",
        "awsRegion": "eu-west-1",
    }
