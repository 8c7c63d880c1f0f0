"""Declarations, plans and statements for the tests of the configuration function."""

from __future__ import annotations

import tomllib
from collections.abc import Collection

from contracts.warehouse.declaration import declaration_of, items_of
from contracts.warehouse.model import Declaration
from contracts.warehouse.secrets import ALTERNATING_USERS, SINGLE_USER
from lambdas.configure_warehouse.facts import Fact, Table, Wanted, wanted
from lambdas.configure_warehouse.planning import Plan, plan
from lambdas.configure_warehouse.statements import batches

DATABASES = {"raw": "amp_dev_raw", "transformed": "amp_dev_transformed", "personal": "amp_dev_personal"}
ROLE_ARN = "arn:aws:iam::123456789012:role/spectrum"


def declaration(text: str) -> Declaration:
    """What a document without its format says."""
    return declaration_of(items_of(tomllib.loads("format = 1\n" + text)))


def want(text: str, tables: Collection[Table] = ()) -> Wanted:
    """The facts that it asks for."""
    return wanted(
        declaration(text),
        databases=DATABASES,
        spectrum_role_arn=ROLE_ARN,
        rotation_days={SINGLE_USER: 30, ALTERNATING_USERS: 7},
        tables=tables,
    )


def planned(
    text: str,
    *,
    actual: Collection[Fact] = (),
    applied: Collection[Fact] = (),
    tables: Collection[Table] = (),
    repair: bool = False,
    drop: bool = False,
) -> Plan:
    """The plan for it."""
    return plan(want(text, tables), applied=applied, actual=actual, repair=repair, drop=drop)


def sqls(made: Plan) -> list[str]:
    """The statements of a plan in their order."""
    return [one.sql for batch in batches(made) for one in batch]
