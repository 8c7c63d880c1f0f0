"""Takes apart records in the Kinesis Producer Library's aggregated format, which Firehose does by itself.

Format: "KPL Aggregated Record Format" of the amazon-kinesis-producer project: four magic bytes, a protocol buffer
with a table of partition keys and the records, and the MD5 digest of that buffer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_BYTES = 16
_PARTITION_KEYS, _RECORDS = 1, 3
_KEY_INDEX, _DATA = 1, 3


def disaggregate(data: bytes, partition_key: str) -> list[tuple[bytes, str]]:
    """Data and partition key of each user record in ``data``; ``data`` itself when it is not aggregated.

    Consumers treat a record whose digest does not match as one plain record, so this does too.
    """
    body = data[len(MAGIC) : -_DIGEST_BYTES]
    if not data.startswith(MAGIC) or hashlib.md5(body, usedforsecurity=False).digest() != data[-_DIGEST_BYTES:]:
        return [(data, partition_key)]
    keys: list[str] = []
    records: list[tuple[bytes, int]] = []
    for field, value in _fields(body):
        if field == _PARTITION_KEYS and isinstance(value, bytes):
            keys.append(value.decode())
        elif field == _RECORDS and isinstance(value, bytes):
            record = dict(_fields(value))
            content, index = record.get(_DATA, b""), record.get(_KEY_INDEX, 0)
            if isinstance(content, bytes) and isinstance(index, int):
                records.append((content, index))
    return [(content, keys[index] if index < len(keys) else partition_key) for content, index in records]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        if tag & 7 == 2:
            length, position = _varint(message, position)
            yield tag >> 3, message[position : position + length]
            position += length
        else:
            value, position = _varint(message, position)
            yield tag >> 3, value


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
