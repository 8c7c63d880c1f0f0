"""Packs user records into one as the Kinesis Producer Library does, for applications that publish with it.

Format: "KPL Aggregated Record Format" of the amazon-kinesis-producer project. It must not take anything apart: the
platform under rehearsal does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

_MAGIC = b"\xf3\x89\x9a\xc2"
_PARTITION_KEY, _RECORD = 1, 3
_KEY_INDEX, _DATA = 1, 3


def aggregate(records: Sequence[tuple[str, bytes]]) -> bytes:
    """The stream record that holds these user records, each a partition key and its bytes."""
    keys = list(dict.fromkeys(key for key, _ in records))
    body = b"".join(
        [
            *(_bytes_field(_PARTITION_KEY, key.encode()) for key in keys),
            *(
                _bytes_field(_RECORD, _number_field(_KEY_INDEX, keys.index(key)) + _bytes_field(_DATA, data))
                for key, data in records
            ),
        ]
    )
    return _MAGIC + body + hashlib.md5(body, usedforsecurity=False).digest()


def _bytes_field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _number_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    return bytes(_septets(value))


def _septets(value: int) -> Iterator[int]:
    """Seven bits a byte, the lowest first; the eighth says that another follows."""
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
