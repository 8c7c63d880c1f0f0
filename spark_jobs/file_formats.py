"""Whether a batch file is what its name and its dataset say it is, by its first bytes; judges no row."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from typing import IO

from contracts.datasets import Format

HEAD_BYTES = 1 << 20
"""How much of a file is looked at; a CSV header is not longer."""
_ENDINGS = {
    "json": Format.JSON,
    "jsonl": Format.JSON,
    "ndjson": Format.JSON,
    "csv": Format.CSV,
    "parquet": Format.PARQUET,
}
_KNOWN = (
    (b"\x1f\x8b", "gzip, which its name does not say (.gz)"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"PAR1", "Parquet"),
    (b"%PDF", "PDF"),
    (b"Obj\x01", "Avro"),
    (b"ORC", "ORC"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
)


def named_format(key: str) -> Format | None:
    """The format that a file's name tells (`.csv.gz` is CSV); None where it tells none."""
    parts = key.rpartition("/")[2].lower().removesuffix(".gz").split(".")
    return _ENDINGS.get(parts[-1]) if len(parts) > 1 else None


def head(stored: IO[bytes], *, gzipped: bool) -> bytes:
    """The first bytes of a file's content; of a damaged gzip file what can be read of them."""
    if not gzipped:
        return stored.read(HEAD_BYTES)
    content = bytearray()
    try:
        with gzip.open(stored) as file:
            while len(content) < HEAD_BYTES and (chunk := file.read1(HEAD_BYTES - len(content))):
                content += chunk
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return bytes(content)
    return bytes(content)


def wrong_format(content: bytes, format_: Format) -> str | None:
    """Why the content is not of the format, or None; an empty text file is one without rows."""
    if format_ is Format.PARQUET:
        return None if content.startswith(b"PAR1") else f"it is {_looks_like(content)}, not Parquet"
    if any(content.startswith(magic) for magic, _ in _KNOWN) or b"\0" in content:
        return f"it is {_looks_like(content)}, not {format_.upper()}"
    text = _text(content)
    if text is None:
        return f"it is not text in UTF-8, as {format_.upper()} files are"
    start = text.lstrip()[:200]
    if not start:
        return None
    if start.startswith("<"):
        return f"it is a page of markup (HTML or XML), not {format_.upper()}"
    if format_ is Format.JSON and not start.startswith("{"):
        return "it is not one JSON object a line; an array of objects has to be written as lines"
    if format_ is Format.CSV and start.startswith(("{", "[")):
        return "it is JSON, not CSV"
    return None


def too_little(content: bytes, format_: Format) -> str | None:
    """Why nobody could tell the columns of a table from the content, text of the format; None if they could."""
    text = (_text(content) or "").strip()
    if not text:
        return "it is empty, so that no table can be made of it"
    if format_ is not Format.CSV:
        return None
    records = csv.reader(io.StringIO(text), delimiter=_delimiter(text))
    if len(next(records, ())) < 2:
        return "it has one column, as which CSV is not recognized; write another column, or JSON lines"
    return None if next(records, None) else "it has a header and no row, so that no table can be made of it"


def _delimiter(text: str) -> str:
    """What divides the first line, of the delimiters that Glue recognizes."""
    line = text.partition("\n")[0]
    return max(",|\t;\x01", key=line.count)


def csv_header(content: bytes, *, delimiter: str) -> tuple[str, ...]:
    """The names in the first record of a CSV file; none when the file is empty."""
    text = _text(content) or ""
    return tuple(next(iter(csv.reader(io.StringIO(text.lstrip("\r\n")), delimiter=delimiter)), ()))


def _looks_like(content: bytes) -> str:
    for magic, name in _KNOWN:
        if content.startswith(magic):
            return name
    return "binary" if _text(content) is None or b"\0" in content else "text"


def _text(content: bytes) -> str | None:
    """The content as text without byte-order mark; a character that the end of the head cuts is left out."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        cut = len(content) == HEAD_BYTES and error.start >= len(content) - 3
        return content[: error.start].decode("utf-8-sig") if cut else None
