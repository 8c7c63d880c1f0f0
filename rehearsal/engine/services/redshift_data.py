"""The Redshift Data API, in the place of moto's, which answers the same to everything.

Rules: Amazon Redshift Data API reference; a statement runs for real on the cluster's PostgreSQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.redshiftdata.responses import RedshiftDataAPIServiceResponse

from rehearsal.engine.account import Account
from rehearsal.engine.redshift.cluster import Cluster, Query, Result
from rehearsal.engine.redshift.data_api import (
    ENDED,
    PAGE_ROWS,
    WAIT_LIMIT_S,
    NoSuchStatement,
    Part,
    Statements,
    Submission,
    shown_value,
)
from rehearsal.engine.services.redshift import Clusters

BATCH_LIMIT = 40
# Amazon Redshift Management Guide, "Considerations when calling the Amazon Redshift Data API".
STATEMENT_LIMIT_BYTES = 100_000
_NOT_PLAYED = ("SecretArn", "WorkgroupName", "SessionId", "SessionKeepAliveSeconds", "WithEvent")
_TYPE_NAMES = {
    "integer": "int4",
    "bigint": "int8",
    "smallint": "int2",
    "boolean": "bool",
    "character varying": "varchar",
}


def attach(account: Account) -> Callable[[], None]:
    """Answer the API."""
    statements = Statements(account.clock)
    account.register(statements)
    account.scheduler.add(statements)
    operations: dict[str, Callable[[Account, Mapping[str, Any]], Mapping[str, Any]]] = {
        "execute_statement": _execute,
        "batch_execute_statement": _batch_execute,
        "describe_statement": _describe,
        "get_statement_result": _result,
        "cancel_statement": _cancel,
        "list_statements": _list,
    }
    kept = {name: getattr(RedshiftDataAPIServiceResponse, name, None) for name in operations}

    def answering(operation: Callable[[Account, Mapping[str, Any]], Mapping[str, Any]]) -> Callable[[Any], Any]:
        return lambda response: (200, {}, json.dumps(operation(account, json.loads(response.body or "{}"))))

    for name, operation in operations.items():
        setattr(RedshiftDataAPIServiceResponse, name, answering(operation))

    def undo() -> None:
        for name, method in kept.items():
            if method is None:
                delattr(RedshiftDataAPIServiceResponse, name)
            else:
                setattr(RedshiftDataAPIServiceResponse, name, method)

    return undo


def _invalid(message: str) -> JsonRESTError:
    return JsonRESTError("ValidationException", message)


def _execute(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    return _submit(account, given, [given["Sql"]], batch=False)


def _batch_execute(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if not 1 <= len(given["Sqls"]) <= BATCH_LIMIT:
        raise _invalid(f"Sqls has {len(given['Sqls'])} members, allowed is 1 to {BATCH_LIMIT}")
    if given.get("ExecutionMode", "TRANSACTION") != "TRANSACTION":
        raise _invalid("The rehearsal does not play ExecutionMode AUTO_COMMIT")
    return _submit(account, given, given["Sqls"], batch=True)


def _submit(account: Account, given: Mapping[str, Any], texts: list[str], *, batch: bool) -> Mapping[str, Any]:
    for name in _NOT_PLAYED:
        if given.get(name):
            raise _invalid(f"The rehearsal does not play {name} of the Data API")
    for name in ("ClusterIdentifier", "Database", "DbUser"):
        if not given.get(name):
            raise _invalid(f"{name} is missing; the rehearsal plays temporary credentials of a database user alone")
    size = sum(len(text.encode()) for text in texts)
    if size > STATEMENT_LIMIT_BYTES:
        raise _invalid(f"The statements have {size} bytes, allowed are {STATEMENT_LIMIT_BYTES}")
    cluster = _cluster(account, given["ClusterIdentifier"])
    parameters = {each["name"]: each["value"] for each in given.get("Parameters") or ()}
    if batch and parameters:
        raise _invalid("The rehearsal does not play Parameters of BatchExecuteStatement")
    cluster.refresh_external_schemas(cluster.database)
    try:
        submission = account.service(Statements).submit(
            cluster,
            database=given["Database"],
            user=given["DbUser"],
            queries=[Query(sql=text, parameters=parameters) for text in texts],
            name=given.get("StatementName", ""),
            batch=batch,
            token=given.get("ClientToken", ""),
        )
    except ValueError as error:
        raise _invalid(str(error)) from error
    account.authorizer.statement_owners.setdefault(submission.id, account.authorizer.asking.user_id)
    wait_s = int(given.get("WaitTimeSeconds") or 0)
    _wait(submission, wait_s)
    answer = {
        "Id": submission.id,
        "ClusterIdentifier": cluster.identifier,
        "Database": submission.database,
        "DbUser": submission.user,
        "CreatedAt": submission.created,
    }
    if wait_s:
        answer |= {"Status": submission.status, "HasResultSet": _has_result(submission.parts)}
    return answer


def _cluster(account: Account, identifier: str) -> Cluster:
    cluster = account.service(Clusters).by_identifier.get(identifier)
    if cluster is None:
        raise _invalid("Redshift endpoint doesn't exist in this region.")
    if cluster.paused:
        raise _invalid(f"The cluster {identifier} is paused; resume it to run statements.")
    return cluster


def _wait(submission: Submission, seconds: int) -> None:
    if not 0 <= seconds <= WAIT_LIMIT_S:
        raise _invalid(f"WaitTimeSeconds is {seconds}, allowed is 0 to {WAIT_LIMIT_S}")
    if seconds:
        submission.done.wait(seconds)


def _find(account: Account, given: Mapping[str, Any]) -> tuple[Submission, Part | None]:
    identifier = str(given["Id"])
    try:
        submission = account.service(Statements).find(identifier)
        part = next((part for part in submission.parts if part.id == identifier), None)
        if ":" in identifier and part is None:
            raise NoSuchStatement(identifier)
    except NoSuchStatement:
        raise JsonRESTError("ResourceNotFoundException", "Query does not exist.") from None
    return submission, part


def _has_result(parts: list[Part]) -> bool:
    return any(part.result is not None and bool(part.result.columns) for part in parts)


def _counts(result: Result | None) -> dict[str, Any]:
    if result is None:
        return {"ResultRows": -1, "ResultSize": -1, "HasResultSet": False}
    size = sum(len(str(value)) for row in result.rows for value in row)
    return {"ResultRows": result.count, "ResultSize": size, "HasResultSet": bool(result.columns)}


def _describe(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    submission, _ = _find(account, given)
    _wait(submission, int(given.get("WaitTimeSeconds") or 0))
    answer: dict[str, Any] = {
        "Id": submission.id,
        "ClusterIdentifier": submission.cluster.identifier,
        "Database": submission.database,
        "DbUser": submission.user,
        "Status": submission.status,
        "CreatedAt": submission.created,
        "UpdatedAt": submission.updated,
        "Duration": submission.nanoseconds if submission.done.is_set() else -1,
        "RedshiftPid": submission.pid,
        "RedshiftQueryId": 0,
    }
    if submission.error:
        answer["Error"] = submission.error
    if not submission.batch:
        only = submission.parts[0]
        answer |= {"QueryString": only.query.sql, **_counts(only.result)}
        if only.query.parameters:
            parameters = [{"name": name, "value": value} for name, value in only.query.parameters.items()]
            answer["QueryParameters"] = parameters
        return answer
    answer |= {"HasResultSet": _has_result(submission.parts)}
    answer["SubStatements"] = [
        {
            "Id": part.id,
            "Status": part.status,
            "QueryString": part.query.sql,
            "CreatedAt": part.created,
            "UpdatedAt": part.updated,
            "Duration": part.nanoseconds,
            "RedshiftQueryId": 0,
            **({"Error": part.error} if part.error else {}),
            **_counts(part.result),
        }
        for part in submission.parts
    ]
    return answer


def _result(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    submission, part = _find(account, given)
    _wait(submission, int(given.get("WaitTimeSeconds") or 0))
    if part is None:
        # The id of a whole batch stands for its last statement.
        part = submission.parts[-1]
    if submission.status not in ENDED or part.result is None or not part.result.columns:
        raise JsonRESTError("ResourceNotFoundException", "Query does not have result. Please check query status.")
    start = int(given.get("NextToken") or 0)
    rows = part.result.rows[start : start + PAGE_ROWS]
    answer: dict[str, Any] = {
        "ColumnMetadata": [
            {"name": name, "label": name, "typeName": _type_name(kind), "nullable": 1}
            for name, kind in part.result.columns
        ],
        "Records": [[shown_value(value) for value in row] for row in rows],
        "TotalNumRows": len(part.result.rows),
    }
    if start + PAGE_ROWS < len(part.result.rows):
        answer["NextToken"] = str(start + PAGE_ROWS)
    return answer


def _type_name(kind: str) -> str:
    plain = kind.split("(")[0]
    return _TYPE_NAMES.get(plain, plain)


def _cancel(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    submission, _ = _find(account, given)
    statements = account.service(Statements)
    if submission.done.is_set():
        raise _invalid(
            f"Could not cancel a query that is already in {submission.status} state with ID: {submission.id}"
        )
    return {"Status": statements.cancel(submission)}


def _list(account: Account, given: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted, name = given.get("Status", "ALL"), given.get("StatementName", "")
    found = [
        submission
        for submission in account.service(Statements).listed()
        if wanted in ("ALL", submission.status)
        and submission.name.startswith(name)
        and given.get("ClusterIdentifier", submission.cluster.identifier) == submission.cluster.identifier
        and given.get("Database", submission.database) == submission.database
    ]
    start, size = int(given.get("NextToken") or 0), int(given.get("MaxResults") or 100)
    answer: dict[str, Any] = {
        "Statements": [
            {
                "Id": submission.id,
                "Status": submission.status,
                "StatementName": submission.name,
                "CreatedAt": submission.created,
                "UpdatedAt": submission.updated,
                "IsBatchStatement": submission.batch,
                **(
                    {"QueryStrings": [part.query.sql for part in submission.parts]}
                    if submission.batch
                    else {"QueryString": submission.parts[0].query.sql}
                ),
            }
            for submission in found[start : start + size]
        ]
    }
    if start + size < len(found):
        answer["NextToken"] = str(start + size)
    return answer
