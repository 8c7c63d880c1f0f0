"""Read a person's own shows and events from files; sends nothing and judges no event."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any


class InputError(ValueError):
    """A file cannot be taken; the message names file, line, what was found and what would do."""


def read_shows(path: Path) -> list[dict[str, Any]]:
    """Shows as the catalog service will answer them: a JSON array, or JSON lines, of objects with `id` or `show_id`.


    Raises:
        InputError: no such file, not JSON, not an object, no id, or one id twice.
    """
    shows: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for number, value in _json_values(path):
        where = f"{path}, {number}"
        if not isinstance(value, dict):
            raise InputError(f"{where}: a show is a JSON object, this is {_kind(value)}")
        show_id = show_id_of(value)
        if show_id is None:
            keys = ", ".join(sorted(value)[:8]) or "none"
            raise InputError(f"{where}: a show needs an 'id' or a 'show_id' (text or a number); its keys: {keys}")
        if show_id in seen:
            raise InputError(f"{where}: the show {show_id!r} stands already at {seen[show_id]}; keep one of them")
        seen[show_id] = number
        shows.append(value)
    if not shows:
        raise InputError(f"{path} holds no show; give a JSON array or JSON lines of objects with an 'id' or 'show_id'")
    return shows


def show_id_of(show: dict[str, Any]) -> str | None:
    """The id by which the catalog service knows a show."""
    for key in ("id", "show_id"):
        value = show.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value):
            return str(value)
    return None


def read_events(path: Path) -> list[bytes]:
    """Events as a producer would send them: one a line (JSON lines), or the members of one JSON array.

    A line is taken as it is, be it JSON or not: what the platform makes of it is what a rehearsal shows.

    Raises:
        InputError: no such file, or nothing in it.
    """
    content = _read(path)
    if content.lstrip()[:1] == b"[":
        try:
            return [json_bytes(value) for value in json.loads(content)]
        except (ValueError, RecursionError):
            pass  # No array after all: lines, the first of which begins with a bracket.
    lines = [line.rstrip(b"\r") for line in content.split(b"\n") if line.strip()]
    if not lines:
        raise InputError(f"{path} holds no event; give one event a line, as JSON")
    return lines


def json_bytes(value: object) -> bytes:
    """A value as JSON in UTF-8; with half of a surrogate pair in it, which UTF-8 cannot hold, in ASCII."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _json_values(path: Path) -> list[tuple[int, Any]]:
    content = _read(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text (byte {error.start}); save it as UTF-8") from None
    if text.lstrip()[:1] == "[":
        try:
            return list(enumerate(json.loads(text), start=1))
        except ValueError as error:
            raise InputError(f"{path} begins as a JSON array and does not end as one: {error}") from None
        except RecursionError:
            raise InputError(f"{path} is nested too deep to be read; leave the deepest part out") from None
    values = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values.append((number, json.loads(line)))
        except ValueError as error:
            raise InputError(f"{path}, line {number}: no JSON: {error}; give one object a line, or an array") from None
        except RecursionError:
            raise InputError(f"{path}, line {number}: nested too deep to be read; leave the deepest part out") from None
    return values


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; give the path of a file") from None
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} begins as a gzip file and cannot be unpacked: {error}; pack it again") from None


def _kind(value: object) -> str:
    return {list: "an array", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
