"""Recognises Redshift's statements form by form and says what PostgreSQL runs in the place of each.

It must not run anything, and must not let a statement through that it has not read to its end.

Syntax: Amazon Redshift Database Developer Guide, "SQL commands", and the page of each command.
"""

from __future__ import annotations

from rehearsal.engine.redshift import grants, principals, row_security, tables
from rehearsal.engine.redshift.form import Statement
from rehearsal.engine.redshift.reading import Reader

_FORMS = (*principals.FORMS, *grants.FORMS, *row_security.FORMS, *tables.FORMS)


def read_statement(sql: str) -> Statement:
    """Read one statement.

    Raises:
        UnknownStatement: it is none of the forms that the rehearsal plays, or Redshift would refuse it.
    """
    reader = Reader(sql)
    for words, read in _FORMS:
        if reader.accept(*words):
            statement = read(reader)
            reader.end()
            return statement
    raise reader.fails("a statement")
