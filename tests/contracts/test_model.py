"""What a contract may not say."""

from __future__ import annotations

import pytest

from contracts import hive_types
from contracts.event import Event
from contracts.model import Column, Table
from contracts.views import rows


def _table(*columns: Column) -> Table:
    return Table(name="t", version=1, owner="o", description="d", grain="g", columns=columns)


def _column(path: str, kind: str = "string") -> Column:
    return Column(path=path, type=kind, description="A column.")


def test_paths_that_give_one_column_name_are_refused_by_both_names() -> None:
    with pytest.raises(ValueError, match=r"'a_b' gives the column 'a_b'.*taken by the path 'a\.b'"):
        _table(_column("a.b"), _column("a_b"))


@pytest.mark.parametrize("name", ["type", "arrival"])
def test_a_column_cannot_take_a_partitions_name(name: str) -> None:
    with pytest.raises(ValueError, match="partition column"):
        _table(_column(name))


def test_a_column_below_a_column_is_refused() -> None:
    event = Event(type="t", version=1, owner="o", description="d", columns=(_column("a"), _column("a.b")))
    with pytest.raises(ValueError, match="lies below a column"):
        rows.RowReader(event)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text",
        "array<string",
        "array<>",
        "map<int,string>",
        "decimal(40,2)",
        "decimal(2,3)",
        "struct<a:int,a:int>",
        "int int",
    ],
)
def test_a_type_that_no_reader_takes_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="allowed: string"):
        hive_types.parse(text)


def test_nested_types_are_read_as_they_are_written() -> None:
    parsed = hive_types.parse("array<struct<id:string,more:map<string,decimal(9,2)>>>")
    assert parsed == hive_types.Array(
        element=hive_types.Struct(
            fields=(
                ("id", hive_types.Primitive(name="string")),
                ("more", hive_types.Map(value=hive_types.Decimal(precision=9, scale=2))),
            )
        )
    )
