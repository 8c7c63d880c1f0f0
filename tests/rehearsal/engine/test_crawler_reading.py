"""What a crawler takes a file for: its format by its content, columns, types and rows."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.rehearsal.engine.assemblies import NEEDS

pytest.importorskip("duckdb", reason=NEEDS)

import duckdb

from rehearsal.engine.crawlers.hive import Array, HiveType, Struct, merged, spelled
from rehearsal.engine.crawlers.reading import CsvRules, FileFacts, read


def facts(content: bytes | str, *, key: str = "file", rules: CsvRules | None = None) -> FileFacts:
    body = content.encode() if isinstance(content, str) else content
    return read(key, "tag", body, csv_rules=[rules] if rules else [])


def types(found: FileFacts) -> dict[str, str]:
    return {name: spelled(kind) for name, kind in found.columns.items()}


def test_json_has_nested_types_the_shorter_of_two_integers_and_no_moments() -> None:
    found = facts(
        '{"Id": 1, "big": 1, "at": "2030-01-01T00:00:00Z", "nobody": null, "host": {"Name": "x", "ages": [1, 2]}}\n'
        '{"Id": 2, "big": 5000000000, "at": "later", "host": {"ages": [], "live": true}, "mixed": [1, "a"]}\n'
    )
    assert (found.classification, found.rows, found.problem) == ("json", 2, "")
    assert types(found) == {
        "id": "int",
        "big": "bigint",
        "at": "string",
        "nobody": "string",
        "host": "struct<Name:string,ages:array<int>,live:boolean>",
        "mixed": "array<string>",
    }


def test_the_length_of_integers_is_measured_inside_structs_and_arrays() -> None:
    found = facts('{"a": [{"b": 1, "c": [[3000000000]]}]}\n')
    assert types(found) == {"a": "array<struct<b:int,c:array<array<bigint>>>>"}


def test_a_top_level_array_is_one_value_for_the_built_in_classifier() -> None:
    assert types(facts('[{"id": 1}, {"id": 2}]')) == {"array": "array<struct<id:int>>"}


def test_json_lines_that_are_cut_off_are_counted_and_the_others_read() -> None:
    found = facts('{"id": 1}\n{"id": \n{"id": 3}\n')
    assert (types(found), found.rows, found.note) == ({"id": "int"}, 2, "1 lines are not JSON objects")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_with_newlines_in_quotes_and_a_byte_order_mark(mark: bytes) -> None:
    found = facts(mark + b'Id;Note;Price;Live\n1;"two\nlines";1.5;true\n2;plain;2;FALSE\n')
    assert (found.classification, found.rows) == ("csv", 2)
    assert types(found) == {"id": "bigint", "note": "string", "price": "double", "live": "boolean"}
    assert found.csv is not None
    assert (found.csv.delimiter, found.csv.has_header, found.csv.serde) == (";", True, "LazySimpleSerDe")


def test_csv_of_text_alone_has_no_header_unless_a_classifier_says_so() -> None:
    content = "name,city\nann,oslo\nbob,rome\n"
    assert list(facts(content).columns) == ["col0", "col1"]
    present = facts(content, rules=CsvRules(delimiter=",", contains_header="PRESENT"))
    assert (list(present.columns), present.rows) == (["name", "city"], 2)
    named = facts(content, rules=CsvRules(delimiter=",", contains_header="ABSENT", header=("a", "b")))
    assert (list(named.columns), named.rows) == (["a", "b"], 3)


def test_one_column_is_csv_for_a_classifier_that_allows_it_alone() -> None:
    assert facts("name\nann\nbob\n").problem == "classification UNKNOWN: no classifier is certain of it"
    allowed = CsvRules(delimiter=",", contains_header="PRESENT", single_column=True)
    assert list(facts("name\nann\n", rules=allowed).columns) == ["name"]


def test_a_line_of_csv_with_too_many_values_is_left_out_and_noted() -> None:
    found = facts("id,n\n1,2\n3,4,5\n5,6\n", rules=CsvRules(delimiter=",", contains_header="PRESENT"))
    assert (types(found), found.rows) == ({"id": "bigint", "n": "bigint"}, 2)
    assert found.note.startswith("some lines are left out")


def test_parquet_says_its_own_types(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    duckdb.sql(
        "SELECT 1::INTEGER AS Id, 1.5::DECIMAL(10,2) AS price, TIMESTAMP '2030-01-01' AS at, "
        "MAP {'k': 1::BIGINT} AS counts, DATE '2030-01-01' AS day FROM range(3)"
    ).write_parquet(str(path))
    found = facts(path.read_bytes(), key="anything.csv")
    assert (found.classification, found.rows) == ("parquet", 3)
    assert types(found) == {
        "id": "int",
        "price": "decimal(10,2)",
        "at": "timestamp",
        "counts": "map<string,bigint>",
        "day": "date",
    }
    assert facts(path.read_bytes()[:-20]).problem.startswith("corrupt Parquet")


def test_gzip_is_known_by_its_content_and_must_be_it_when_the_name_says_so() -> None:
    packed = gzip.compress(b'{"id": 1}\n')
    assert (facts(packed, key="a.json").compression, facts(packed, key="a.json.gz").rows) == ("gzip", 1)
    assert facts('{"id": 1}\n', key="a.json.gz").problem == "its name ends in .gz, and it is not gzip"
    assert facts(packed[:-6], key="a.json.gz").problem.startswith("corrupt gzip")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("int", "bigint", "bigint"),
        ("int", "double", "double"),
        ("null", "int", "int"),
        ("int", "string", "string"),
        ("boolean", "int", "string"),
        ("date", "timestamp", "timestamp"),
        ("decimal(10,2)", "int", "decimal(12,2)"),
        ("decimal(38,0)", "decimal(38,10)", "double"),
        ("decimal(10,2)", "double", "double"),
        (Struct(fields={"a": "int"}), Struct(fields={"a": "bigint", "b": "string"}), "struct<a:bigint,b:string>"),
        (Array(item="int"), Array(item="double"), "array<double>"),
        (Struct(fields={"a": "int"}), "int", "string"),
    ],
)
def test_two_types_merge_to_one_that_holds_both(one: HiveType, other: HiveType, both: str) -> None:
    assert spelled(merged(one, other)) == spelled(merged(other, one)) == both
