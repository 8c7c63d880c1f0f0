"""Reads queries and conditions: takes what means the same in Redshift and PostgreSQL, refuses the rest by name.

It must not change what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.engine.redshift.reading import Token, UnknownStatement, quoted, written

# Functions of both databases that give the same for the same (Amazon Redshift Database Developer Guide, "SQL
# functions reference"; PostgreSQL documentation, "Functions and Operators").
_FUNCTIONS = frozenset(
    [
        "abs",
        "avg",
        "cast",
        "ceil",
        "ceiling",
        "coalesce",
        "concat",
        "count",
        "current_database",
        "dense_rank",
        "exists",
        "extract",
        "floor",
        "greatest",
        "has_database_privilege",
        "has_schema_privilege",
        "has_table_privilege",
        "left",
        "length",
        "lower",
        "max",
        "min",
        "mod",
        "nullif",
        "pg_get_userbyid",
        "position",
        "rank",
        "replace",
        "right",
        "round",
        "row_number",
        "split_part",
        "substring",
        "sum",
        "trim",
        "upper",
    ]
)
# Words before a parenthesis that are no functions.
_SYNTAX = frozenset(
    [
        "all",
        "and",
        "any",
        "as",
        "between",
        "by",
        "case",
        "cross",
        "distinct",
        "else",
        "end",
        "except",
        "from",
        "full",
        "group",
        "having",
        "ilike",
        "in",
        "inner",
        "intersect",
        "is",
        "join",
        "left",
        "like",
        "limit",
        "not",
        "null",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "over",
        "partition",
        "right",
        "select",
        "set",
        "some",
        "then",
        "union",
        "using",
        "values",
        "when",
        "where",
        "with",
    ]
)
_TYPES = frozenset(
    [
        "bigint",
        "boolean",
        "char",
        "character",
        "date",
        "decimal",
        "double",
        "float",
        "int",
        "integer",
        "name",
        "numeric",
        "oid",
        "precision",
        "real",
        "smallint",
        "text",
        "timestamp",
        "timestamptz",
        "varchar",
        "varying",
        "regclass",
    ]
)
# Redshift has none of these, or others by the same name.
_FORBIDDEN = frozenset(
    ["array", "filter", "into", "lateral", "recursive", "returning", "tablesample", "window", "for", "lock", "within"]
)
_REDSHIFT_ONLY = frozenset(
    [
        "approximate",
        "dateadd",
        "datediff",
        "decode",
        "getdate",
        "ignore",
        "listagg",
        "median",
        "minus",
        "nvl",
        "nvl2",
        "pivot",
        "qualify",
        "super",
        "top",
        "unpivot",
        "sysdate",
        "convert_timezone",
        "json_parse",
    ]
)


def check_expression(tokens: Sequence[Token]) -> None:
    """Refuse a query or condition that may mean something else in PostgreSQL than in Redshift.

    Raises:
        UnknownStatement: naming the word.
    """
    for index, token in enumerate(tokens):
        word = token.text.lower()
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.kind != "word":
            continue
        if word in _REDSHIFT_ONLY and (following == "(" or word in ("qualify", "minus", "top", "sysdate")):
            raise UnknownStatement(f"{token.text} is Redshift's alone, and the rehearsal does not play it")
        if word in _FORBIDDEN:
            raise UnknownStatement(f"{token.text} is not among what Redshift and PostgreSQL have in common")
        if following == "(" and word not in _FUNCTIONS | _SYNTAX | _TYPES and not _names_columns(tokens, index):
            raise UnknownStatement(
                f"the function {token.text} is not among those that the rehearsal knows to be the same in Redshift; "
                "add it in rehearsal/engine/redshift/expressions.py if it is"
            )
        if word == "distinct" and following.lower() == "on":
            raise UnknownStatement("DISTINCT ON is PostgreSQL's alone")


def postgres_text(tokens: Sequence[Token]) -> str:
    """The tokens for PostgreSQL: names are folded to lower case, as Redshift does with quoted ones too."""

    def one(token: Token) -> str:
        if token.kind == "name":
            return quoted(token.text[1:-1].replace('""', '"').lower())
        return token.text

    return written(tokens, one)


def _names_columns(tokens: Sequence[Token], index: int) -> bool:
    """Whether the word is the name of a relation or alias before a list of columns."""
    before = [token.text.lower() for token in tokens[max(0, index - 3) : index]]
    return bool(before) and (before[-1] in ("into", "with", "as") or (before[-1] == "." and "into" in before))
