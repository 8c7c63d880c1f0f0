"""The forms of tables, views, rows and queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rehearsal.engine.redshift.expressions import check_expression, postgres_text
from rehearsal.engine.redshift.form import (
    Form,
    Statement,
    comma_separated,
    read_name,
    read_names,
    read_qualified,
    relation,
)
from rehearsal.engine.redshift.reading import Reader, Token, UnknownStatement, quoted

_TYPES = {
    "SMALLINT": "smallint", "INT2": "smallint", "INTEGER": "integer", "INT": "integer", "INT4": "integer",
    "BIGINT": "bigint", "INT8": "bigint", "REAL": "real", "FLOAT4": "real", "FLOAT8": "double precision",
    "FLOAT": "double precision", "BOOLEAN": "boolean", "BOOL": "boolean", "DATE": "date", "TEXT": "varchar(256)",
    "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamptz", "SUPER": "jsonb", "VARBYTE": "bytea",
}  # fmt: skip
_SIZED_TYPES = {"VARCHAR": "varchar", "CHAR": "char", "DECIMAL": "decimal", "NUMERIC": "decimal"}


def read_type(reader: Reader) -> str:
    word = reader.take().text.upper()
    if word == "DOUBLE":
        reader.expect("PRECISION")
        return "double precision"
    if word == "CHARACTER":
        word = "VARCHAR" if reader.accept("VARYING") else "CHAR"
    if word in _SIZED_TYPES:
        if not reader.accept("("):
            return {"varchar": "varchar(256)", "char": "char(1)", "decimal": "decimal(18, 0)"}[_SIZED_TYPES[word]]
        # 65,535 is what MAX stands for.
        sizes = reader.listed(lambda: 65_535 if reader.accept("MAX") else reader.number())
        reader.expect(")")
        return f"{_SIZED_TYPES[word]}({', '.join(str(size) for size in sizes)})"
    if word not in _TYPES:
        raise UnknownStatement(f"the type {word} is not played; {', '.join((*_TYPES, *_SIZED_TYPES))} are")
    return _TYPES[word]


def _create_table(reader: Reader) -> Statement:
    absent = "IF NOT EXISTS " if reader.accept("IF", "NOT", "EXISTS") else ""
    table = read_qualified(reader)
    dropped: list[str] = []

    def column() -> str:
        text = f"{quoted(read_name(reader))} {read_type(reader)}"
        while True:
            if reader.accept("NOT", "NULL"):
                text += " NOT NULL"
            elif reader.accept("NULL"):
                continue
            elif reader.accept("ENCODE"):
                reader.take()
                dropped.append("ENCODE")
            elif reader.accept("DISTKEY"):
                dropped.append("DISTKEY")
            elif reader.accept("SORTKEY"):
                dropped.append("SORTKEY")
            else:
                return text

    reader.expect("(")
    columns = reader.listed(column)
    reader.expect(")")
    while not reader.done:
        if reader.accept("DISTSTYLE"):
            reader.take()
            dropped.append("DISTSTYLE")
        elif reader.accept("DISTKEY"):
            reader.parenthesised()
            dropped.append("DISTKEY")
        else:
            reader.accept("COMPOUND")
            reader.expect("SORTKEY")
            if not reader.accept("AUTO"):
                reader.parenthesised()
            dropped.append("SORTKEY")
    return Statement(
        kind="CREATE TABLE",
        postgres=(f"CREATE TABLE {absent}{relation(table)} ({', '.join(columns)})",),
        modelled=f"{', '.join(sorted(set(dropped)))} left out" if dropped else "",
    )


def _drop_table(reader: Reader) -> Statement:
    present = "IF EXISTS " if reader.accept("IF", "EXISTS") else ""
    tables = reader.listed(lambda: read_qualified(reader))
    return Statement(
        kind="DROP TABLE", postgres=(f"DROP TABLE {present}{', '.join(relation(table) for table in tables)}",)
    )


def _create_view(reader: Reader) -> Statement:
    view = read_qualified(reader)
    reader.expect("AS")
    query = reader.rest()
    _check_query(query)
    return Statement(kind="CREATE VIEW", postgres=(f"CREATE VIEW {relation(view)} AS {postgres_text(query)}",))


def _insert(reader: Reader) -> Statement:
    table = read_qualified(reader)
    columns = ""
    if reader.accept("("):
        columns = f" ({comma_separated(read_names(reader))})"
        reader.expect(")")
    return _dml("INSERT", f"INSERT INTO {relation(table)}{columns}", reader)


def _update(reader: Reader) -> Statement:
    table = read_qualified(reader)
    return _dml("UPDATE", f"UPDATE {relation(table)}", reader)


def _delete(reader: Reader) -> Statement:
    table = read_qualified(reader)
    return _dml("DELETE", f"DELETE FROM {relation(table)}", reader)  # noqa: S608 — the name is quoted


def _dml(kind: str, start: str, reader: Reader) -> Statement:
    rest = reader.rest()
    check_expression(rest)
    return Statement(kind=kind, postgres=(f"{start} {postgres_text(rest)}".strip(),))


def _check_query(tokens: Sequence[Token]) -> None:
    if not tokens or tokens[0].text.upper() not in ("SELECT", "WITH"):
        raise UnknownStatement("a query begins with SELECT or WITH")
    check_expression(tokens)


def _query(first: str) -> Callable[[Reader], Statement]:
    def read(reader: Reader) -> Statement:
        rest = reader.rest()
        check_expression(rest)
        return Statement(kind="SELECT", postgres=(f"{first} {postgres_text(rest)}",), answers=True)

    return read


FORMS: tuple[Form, ...] = (
    (("CREATE", "TABLE"), _create_table),
    (("CREATE", "VIEW"), _create_view),
    (("DROP", "TABLE"), _drop_table),
    (("INSERT", "INTO"), _insert),
    (("UPDATE",), _update),
    (("DELETE", "FROM"), _delete),
    (("SELECT",), _query("SELECT")),
    (("WITH",), _query("WITH")),
)
