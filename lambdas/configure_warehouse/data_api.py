"""Runs SQL through Redshift's Data API with temporary credentials: in transactions, waited for, with clear errors.

It must not make SQL. Limits and statuses: "Using the Amazon Redshift Data API" page of the Management Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_redshift_data import RedshiftDataAPIServiceClient
    from mypy_boto3_redshift_data.type_defs import DescribeStatementResponseTypeDef

_DONE = frozenset({"FINISHED", "FAILED", "ABORTED"})
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

Row = tuple[Any, ...]


class StatementError(Exception):
    """A statement failed; its transaction changed nothing. The text is the database's, which holds names only."""

    def __init__(self, sql: str, said: str) -> None:
        super().__init__(f"{said.strip() or 'it was aborted'}; the statement: {sql}")
        self.sql, self.said = sql, said


class StillRunningError(Exception):
    """The time is up and the statement goes on in the cluster; its id finds it again."""

    def __init__(self, statement_id: str) -> None:
        super().__init__(f"statement {statement_id} is still running")
        self.statement_id = statement_id


class Ran(NamedTuple):
    """A transaction that ended well."""

    statement_id: str
    seconds: float


class DataApi:
    """One database of one cluster, as one database user."""

    def __init__(
        self,
        *,
        client: RedshiftDataAPIServiceClient,
        cluster_identifier: str,
        database: str,
        user: str,
        sleep: Callable[[float], None],
    ) -> None:
        """Remember where; nothing is called."""
        self._client, self._sleep = client, sleep
        self._where: dict[str, Any] = {"ClusterIdentifier": cluster_identifier, "Database": database, "DbUser": user}

    def select(self, queries: Sequence[str], *, until: Callable[[], bool]) -> list[list[Row]]:
        """The rows of each query, all of one moment.

        Args:
            queries: SELECT statements, at most 40.
            until: says whether there is time to wait on.

        Raises:
            StatementError: one failed.
            StillRunningError: the time is up.
        """
        described = self._run(queries, until=until)
        parts = described.get("SubStatements") or [{"Id": described["Id"], "HasResultSet": True}]
        return [self._rows(part["Id"]) if part.get("HasResultSet") else [] for part in parts]

    def submit(self, sqls: Sequence[str], *, token: str) -> str:
        """Begin one transaction of at most 40 statements and give its id; the same token never begins it twice."""
        if len(sqls) == 1:
            return self._client.execute_statement(Sql=sqls[0], ClientToken=token, **self._where)["Id"]
        return self._client.batch_execute_statement(Sqls=list(sqls), ClientToken=token, **self._where)["Id"]

    def wait(self, statement_id: str, *, until: Callable[[], bool]) -> Ran:
        """Wait for a transaction.

        Raises:
            StatementError: it failed, and changed nothing.
            StillRunningError: the time is up.
        """
        described = self._wait(statement_id, until=until)
        return Ran(statement_id=statement_id, seconds=described.get("Duration", 0) / 1e9)

    def _run(self, sqls: Sequence[str], *, until: Callable[[], bool]) -> DescribeStatementResponseTypeDef:
        if len(sqls) == 1:
            begun = self._client.execute_statement(Sql=sqls[0], **self._where)["Id"]
        else:
            begun = self._client.batch_execute_statement(Sqls=list(sqls), **self._where)["Id"]
        return self._wait(begun, until=until)

    def _wait(self, statement_id: str, *, until: Callable[[], bool]) -> DescribeStatementResponseTypeDef:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            described = self._client.describe_statement(Id=statement_id)
            if described["Status"] in _DONE:
                break
            if not until():
                raise StillRunningError(statement_id)
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        if described["Status"] != "FINISHED":
            raise StatementError(*_failure(described))
        return described

    def _rows(self, statement_id: str) -> list[Row]:
        rows: list[Row] = []
        token = ""
        while True:
            more: dict[str, Any] = {"NextToken": token} if token else {}
            page = self._client.get_statement_result(Id=statement_id, **more)
            rows += [tuple(_value(field) for field in record) for record in page["Records"]]
            token = page.get("NextToken", "")
            if not token:
                return rows


def _value(field: Mapping[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))


def _failure(described: Mapping[str, Any]) -> tuple[str, str]:
    for part in described.get("SubStatements") or []:
        if part["Status"] == "FAILED":
            return part.get("QueryString", ""), part.get("Error", "")
    return described.get("QueryString", ""), described.get("Error", "")
