"""The Glue Data Catalog: databases and tables as their templates declare them."""

from __future__ import annotations

from rehearsal.engine.account import Account
from rehearsal.engine.resources import Created, Declaration, ResourceType


def _database(account: Account, declaration: Declaration) -> Created:
    given = dict(declaration.properties["DatabaseInput"])
    given["Name"] = declaration.name(given.get("Name"), longest=255, lower=True)
    account.client("glue").create_database(DatabaseInput=given)
    return Created(ref=given["Name"], arn=account.arn("glue", f"database/{given['Name']}"))


def _table(account: Account, declaration: Declaration) -> Created:
    database, given = declaration.properties["DatabaseName"], dict(declaration.properties["TableInput"])
    given["Name"] = declaration.name(given.get("Name"), longest=255, lower=True)
    given["Parameters"] = {key: str(value) for key, value in given.get("Parameters", {}).items()}
    account.client("glue").create_table(DatabaseName=database, TableInput=given)
    return Created(ref=given["Name"], arn=account.arn("glue", f"table/{database}/{given['Name']}"))


_ONE_CATALOG = "the rehearsal has the account's own catalog alone"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Glue::Database",
        create=_database,
        honoured=("DatabaseInput",),
        ignored={"CatalogId": _ONE_CATALOG},
    ),
    ResourceType(
        name="AWS::Glue::Table",
        create=_table,
        honoured=("DatabaseName", "TableInput"),
        ignored={"CatalogId": _ONE_CATALOG},
    ),
)
