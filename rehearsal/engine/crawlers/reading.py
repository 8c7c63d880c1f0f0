"""What one file is: its format by its content, its columns and types as DuckDB infers them, its rows.

It must not reach S3 or the Data Catalog; bytes come in, facts go out, and a file that cannot be read is a fact too.
"""

from __future__ import annotations

import functools
import gzip
import json
import re
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from rehearsal.engine.crawlers.hive import (
    NOTHING,
    Array,
    HiveType,
    Struct,
    from_duckdb,
    lower_case,
    merged_columns,
)

_GZIP, _PARQUET, _BYTE_ORDER_MARK = b"\x1f\x8b", b"PAR1", b"\xef\xbb\xbf"
_LARGEST_INT = 2**31 - 1
_LARGEST_JSON_OBJECT_BYTES = 256 * 1024 * 1024
_WHOLE, _NUMBER, _TRUTH = r"[+-]?\d{1,18}", r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", r"true|false"
# Glue guide, "Defining and managing classifiers", built-in CSV classifier: what a header's names may be.
_LONGEST_HEADER = 150
_HEADER_NAME = re.compile(r"[\w][\w .:/+\-=@#$%()\[\]*]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class CsvRules:
    """What a custom CSV classifier says; the built-in one says nothing.

    ``contains_header`` is PRESENT, ABSENT or UNKNOWN; ``serde`` is OpenCSVSerDe, LazySimpleSerDe or None.
    """

    delimiter: str = ""
    quote: str = '"'
    contains_header: str = "UNKNOWN"
    header: tuple[str, ...] = ()
    single_column: bool = False
    serde: str = "None"


@dataclass(frozen=True, kw_only=True)
class Csv:
    """How a CSV file is written."""

    delimiter: str
    quote: str
    has_header: bool
    quoted: bool
    serde: str


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """One file as a crawl found it. ``problem`` is empty, or says why the file belongs to no table."""

    key: str
    etag: str
    bytes: int
    classification: str = ""
    compression: str = "none"
    columns: Mapping[str, HiveType] = field(default_factory=dict)
    rows: int = 0
    csv: Csv | None = None
    problem: str = ""
    note: str = ""


class _Unreadable(Exception):
    """A file of which no classifier is certain; the text says why."""


def read(
    key: str, etag: str, content: bytes, *, csv_rules: Sequence[CsvRules] = (), json_rows: bool = False
) -> FileFacts:
    """Classify a file and infer its columns.

    The order is that of the Glue guide ("Defining and managing classifiers"): custom classifiers first, then Parquet,
    JSON and CSV, each by the content and not by the name.

    Args:
        key: the object's key; only ``.gz`` at its end counts.
        etag: the object's, to know the file again.
        content: all of its bytes.
        csv_rules: custom CSV classifiers, in order.
        json_rows: a custom JSON classifier takes the elements of a top-level array for the rows.
    """
    facts = FileFacts(key=key, etag=etag, bytes=len(content))
    try:
        plain, compression = _decompressed(key, content)
        facts = replace(facts, compression=compression)
        with tempfile.NamedTemporaryFile(prefix="crawl-") as file, _database().cursor() as connection:
            file.write(plain.removeprefix(_BYTE_ORDER_MARK))
            file.flush()
            return _classified(facts, Path(file.name), plain, connection, csv_rules, json_rows)
    except _Unreadable as error:
        return replace(facts, problem=str(error))


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for the process: making one costs more than reading a small file."""
    return duckdb.connect()


def _decompressed(key: str, content: bytes) -> tuple[bytes, str]:
    named = key.endswith(".gz")
    if not content:
        raise _Unreadable("the file is empty")
    if not content.startswith(_GZIP):
        if named:
            raise _Unreadable("its name ends in .gz, and it is not gzip")
        return content, "none"
    try:
        plain = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _Unreadable(f"corrupt gzip: {error}") from error
    if not plain:
        raise _Unreadable("the file is empty")
    return plain, "gzip"


def _classified(
    facts: FileFacts,
    path: Path,
    plain: bytes,
    connection: duckdb.DuckDBPyConnection,
    csv_rules: Sequence[CsvRules],
    json_rows: bool,
) -> FileFacts:
    if plain.startswith(_PARQUET):
        return _parquet(facts, path, connection)
    try:
        text = plain.removeprefix(_BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Unreadable(f"classification UNKNOWN: neither Parquet nor text in UTF-8 ({error.reason})") from error
    starts_as_json = text.lstrip()[:1] in ("{", "[")
    for rules in () if starts_as_json else csv_rules:
        found = _csv(facts, path, connection, rules)
        if found is not None:
            return found
    if starts_as_json:
        return _json(facts, path, text, connection, rows=json_rows)
    found = _csv(facts, path, connection, None)
    if found is None:
        raise _Unreadable("classification UNKNOWN: no classifier is certain of it")
    return found


def _parquet(facts: FileFacts, path: Path, connection: duckdb.DuckDBPyConnection) -> FileFacts:
    try:
        relation = connection.read_parquet(str(path), hive_partitioning=False)
        columns = lower_case(relation.columns, [from_duckdb(kind) for kind in relation.types])
        rows = _measured(relation, ["count(*)"])[0]
    except duckdb.Error as error:
        raise _Unreadable(f"corrupt Parquet: {_first_line(error)}") from error
    return replace(facts, classification="parquet", columns=columns, rows=rows)


# --- JSON -------------------------------------------------------------------------------------------------


def _json(facts: FileFacts, path: Path, text: str, connection: duckdb.DuckDBPyConnection, *, rows: bool) -> FileFacts:
    note = ""
    try:
        names, kinds, count = _json_columns(path, connection)
    except duckdb.Error as error:
        good = [line for line in text.splitlines() if _is_object(line)]
        if not good or not _is_object(text.lstrip().partition("\n")[0]):
            raise _Unreadable(f"not readable as JSON: {_first_line(error)}") from error
        # Glue reads the beginning of a JSON file to determine its format, so later lines cannot change that.
        note = f"{sum(1 for line in text.splitlines() if line.strip()) - len(good)} lines are not JSON objects"
        path.write_text("\n".join(good), "utf-8")
        names, kinds, count = _json_columns(path, connection)
    columns = lower_case(names, kinds)
    if text.lstrip().startswith("[") and not rows:
        # The built-in classifier takes a top-level array for the one value of one row (Glue guide, "Writing JSON
        # custom classifiers"): its elements are rows for a classifier with the path $[*] alone.
        fields = merged_columns(*({name: kind} for name, kind in zip(names, kinds, strict=True)))
        columns, count = {"array": Array(item=Struct(fields=fields))}, 1
    return replace(facts, classification="json", columns=columns, rows=count, note=note)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _json_columns(path: Path, connection: duckdb.DuckDBPyConnection) -> tuple[list[str], list[HiveType], int]:
    relation = connection.read_json(
        str(path),
        sample_size=-1,
        map_inference_threshold=-1,
        maximum_depth=-1,
        maximum_object_size=_LARGEST_JSON_OBJECT_BYTES,
    )
    names = list(relation.columns)
    kinds = [from_duckdb(kind, text=True) for kind in relation.types]
    measures = ["count(*)", *(f"count({_quoted(name)})" for name in names)]
    leaves = [leaf for name, kind in zip(names, kinds, strict=True) for leaf in _whole_numbers(kind, _quoted(name))]
    count, *measured = _measured(relation, [*measures, *(f"max({leaf})" for leaf in leaves)])
    present, longest = measured[: len(names)], iter(measured[len(names) :])
    kinds = [_narrowed(kind, longest) if there else NOTHING for kind, there in zip(kinds, present, strict=True)]
    return names, kinds, count


def _whole_numbers(
    kind: HiveType, expression: str, wrap: Callable[[str], str] = lambda inner: inner, depth: int = 0
) -> Iterator[str]:
    """SQL for the largest magnitude in a row of each whole number in a type, in the order of `_narrowed`."""
    if kind == "bigint":
        yield wrap(f"abs({expression}::HUGEINT)")
    elif isinstance(kind, Struct):
        for name, inner in kind.fields.items():
            literal = name.replace("'", "''")
            yield from _whole_numbers(inner, f"struct_extract({expression}, '{literal}')", wrap, depth)
    elif isinstance(kind, Array):
        element = f"element_{depth}"

        def around(inner: str) -> str:
            return wrap(f"list_max(list_transform({expression}, lambda {element}: {inner}))")

        yield from _whole_numbers(kind.item, element, around, depth + 1)


def _narrowed(kind: HiveType, longest: Iterator[Any]) -> HiveType:
    """The type with ``int`` where every whole number fits, as Glue infers from JSON."""
    if kind == "bigint":
        return "int" if (next(longest) or 0) <= _LARGEST_INT else "bigint"
    if isinstance(kind, Struct):
        return Struct(fields={name: _narrowed(inner, longest) for name, inner in kind.fields.items()})
    return Array(item=_narrowed(kind.item, longest)) if isinstance(kind, Array) else kind


# --- CSV --------------------------------------------------------------------------------------------------


def _csv(
    facts: FileFacts, path: Path, connection: duckdb.DuckDBPyConnection, rules: CsvRules | None
) -> FileFacts | None:
    """The file as CSV; None when it has fewer than two columns or rows, or the rules do not fit."""
    wanted = rules or CsvRules()
    try:
        delimiter = wanted.delimiter or _sniffed(path, connection)
    except duckdb.Error:
        return None
    note = ""
    try:
        relation = _csv_rows(path, connection, delimiter, wanted.quote)
        rows = _measured(relation, ["count(*)"])[0]
    except duckdb.Error as error:
        note = f"some lines are left out: {_first_line(error)}"
        try:
            relation = _csv_rows(path, connection, delimiter, wanted.quote, ignore_errors=True)
            rows = _measured(relation, ["count(*)"])[0]
        except duckdb.Error:
            return None
    names = relation.columns
    first = ["" if value is None else str(value) for value in relation.limit(1).fetchone() or ()]
    if len(names) < (1 if wanted.single_column else 2) or (rows < 2 and rules is None):
        return None
    below = _csv_types(relation.limit(rows, offset=1))
    has_header = {"PRESENT": True, "ABSENT": False}.get(wanted.contains_header)
    if has_header is None:
        has_header = (bool(wanted.header) and tuple(first) == wanted.header) or _is_header(first, below)
    kinds = below if has_header else _csv_types(relation)
    if wanted.header and len(wanted.header) != len(names):
        return None
    titles = wanted.header or (tuple(first) if has_header else tuple(f"col{n}" for n in range(len(names))))
    quoted = wanted.quote.encode() in path.read_bytes()
    serde = wanted.serde
    if serde == "None":
        # Glue guide, same page: the built-in classifier's tables refer to LazySimpleSerDe.
        serde = "OpenCSVSerDe" if rules is not None and quoted else "LazySimpleSerDe"
    return replace(
        facts,
        classification="csv",
        columns=lower_case([title.strip() for title in titles], kinds),
        rows=rows - has_header,
        csv=Csv(delimiter=delimiter, quote=wanted.quote, has_header=has_header, quoted=quoted, serde=serde),
        note=note,
    )


def _sniffed(path: Path, connection: duckdb.DuckDBPyConnection) -> str:
    found = connection.table_function("sniff_csv", [str(path)]).select("Delimiter").fetchone()
    return str(found[0]) if found else ","


def _csv_rows(
    path: Path, connection: duckdb.DuckDBPyConnection, delimiter: str, quote: str, *, ignore_errors: bool = False
) -> duckdb.DuckDBPyRelation:
    """Every row as text, the first one too."""
    return connection.read_csv(
        str(path),
        header=False,
        all_varchar=True,
        sample_size=-1,
        delimiter=delimiter,
        quotechar=quote,
        escapechar=quote,
        ignore_errors=ignore_errors,
    )


def _csv_types(relation: duckdb.DuckDBPyRelation) -> list[HiveType]:
    """Glue infers ``bigint``, ``double``, ``boolean`` and ``string`` from CSV; moments stay ``string``."""
    measures = []
    for name in relation.columns:
        value = f"nullif(trim({name}), '')"
        measures += [
            f"count({value})",
            f"count(*) FILTER (regexp_full_match({value}, '{_WHOLE}'))",
            f"count(*) FILTER (regexp_full_match({value}, '{_NUMBER}'))",
            f"count(*) FILTER (regexp_full_match(lower({value}), '{_TRUTH}'))",
        ]
    counts = _measured(relation, measures)
    kinds: list[HiveType] = []
    for start in range(0, len(counts), 4):
        there, whole, numbers, truths = counts[start : start + 4]
        fitting = [
            kind for kind, fits in (("bigint", whole), ("double", numbers), ("boolean", truths)) if fits == there
        ]
        kinds.append(NOTHING if not there else (fitting or ["string"])[0])
    return kinds


def _is_header(first: Sequence[str], below: Sequence[HiveType]) -> bool:
    """Whether the built-in CSV classifier takes the first row for a header (same page of the Glue guide)."""
    names_all = all(
        _HEADER_NAME.fullmatch(name.strip())
        and not re.fullmatch(f"{_NUMBER}|{_TRUTH}", name.strip().lower())
        and len(name) < _LONGEST_HEADER
        for name in first
    )
    return names_all and any(kind not in ("string", NOTHING) for kind in below)


def _measured(relation: duckdb.DuckDBPyRelation, measures: Sequence[str]) -> Sequence[Any]:
    """Aggregates over all rows."""
    row: Sequence[Any] = relation.aggregate(", ".join(measures)).fetchone() or ()
    return row


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return re.sub(r"""[Ff]ile:? ["'][^"']*["']""", "the file", str(error).strip().splitlines()[0])[:200]
