"""Needs of requests to the Glue Data Catalog, Glue crawlers and jobs, DynamoDB and its streams, Redshift.

It must not know item contents beyond the table they go to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rehearsal.engine.iam.model import Need
from rehearsal.engine.iam.scope import Naming, Parameters, Rule, Scope, anywhere, rules


def _catalog(action: str, tables: Naming | None = None, database_key: str = "DatabaseName") -> Rule:
    # Glue guide, "Specifying AWS Glue resource ARNs": an operation on a table needs permission on the
    # table, its database and the catalog; one on a database, on it and the catalog.
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        database = parameters.get(database_key)
        if database is None:
            database = (parameters.get("DatabaseInput") or {}).get("Name", "*")
        resources = [scope.arn("glue", "catalog"), scope.arn("glue", f"database/{database}")]
        if tables is not None:
            resources.append(scope.arn("glue", f"table/{database}/{tables(parameters, scope)}"))
        return [Need(action=action, resource=resource) for resource in resources]

    return rule


def _table(parameters: Parameters, _scope: Scope) -> str:
    given = parameters.get("TableInput") or {}
    return str(parameters.get("TableName") or parameters.get("Name") or given.get("Name", "*"))


def _every_table(_parameters: Parameters, _scope: Scope) -> str:
    return "*"


def _named(kind: str, *names: str) -> Naming:
    def naming(parameters: Parameters, scope: Scope) -> str:
        value = next((parameters[name] for name in names[:-1] if name in parameters), None) or parameters[names[-1]]
        return scope.arn("glue", f"{kind}/{value}")

    return naming


def _crawlers(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    names = parameters.get("CrawlerNames") or ["*"]
    return [Need(action="glue:BatchGetCrawlers", resource=scope.arn("glue", f"crawler/{name}")) for name in names]


def _table_arn(name: object, scope: Scope) -> str:
    return scope.arn("dynamodb", str(name) if str(name).startswith("arn:") else f"table/{name}")


def _items(actions: Iterable[tuple[str, str]], scope: Scope) -> list[Need]:
    needs: list[Need] = []
    tables: dict[str, None] = {}
    for action, resource in dict.fromkeys(actions):
        needs.append(Need(action=f"dynamodb:{action}", resource=resource))
        tables["/".join(resource.split("/")[:2])] = None
    # DynamoDB guide, "Encryption at rest: how it works": for each caller DynamoDB has KMS decrypt the
    # table key, in the encryption context of the table and the account.
    for table in tables:
        needs += scope.key_needs(
            table,
            via="dynamodb",
            actions=["kms:Decrypt"],
            encryption_context={
                "aws:dynamodb:tableName": table.rsplit("/", 1)[-1],
                "aws:dynamodb:subscriberId": table.split(":")[4],
            },
        )
    return needs


def _item(action: str) -> Rule:
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        resource = _table_arn(parameters["TableName"], scope)
        if index := parameters.get("IndexName"):
            resource = f"{resource}/index/{index}"
        return _items([(action, resource)], scope)

    return rule


def _batch(action: str) -> Rule:
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        return _items([(action, _table_arn(name, scope)) for name in parameters["RequestItems"]], scope)

    return rule


_TRANSACTION_ACTIONS = {
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def _transaction(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    return _items(
        [
            (_TRANSACTION_ACTIONS[kind], _table_arn(request["TableName"], scope))
            for item in parameters["TransactItems"]
            for kind, request in item.items()
        ],
        scope,
    )


def _dynamodb_table(parameters: Parameters, scope: Scope) -> str:
    return _table_arn(parameters.get("TableName") or parameters["ResourceArn"], scope)


def _table_stream(parameters: Parameters, _scope: Scope) -> str:
    if "StreamArn" in parameters:
        return str(parameters["StreamArn"])
    return str(parameters["ShardIterator"]).split("|")[0]


def _cluster(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("redshift", f"cluster:{parameters.get('ClusterIdentifier') or '*'}")


def _login(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    # Redshift guide, "Create an IAM role or user with permissions to call GetClusterCredentials": the permission is
    # needed on the database user and, where a database is named, on the database.
    cluster, user = parameters["ClusterIdentifier"], parameters["DbUser"]
    context = {"redshift:DbUser": str(user)}
    resources = [scope.arn("redshift", f"dbuser:{cluster}/{user}")]
    if database := parameters.get("DbName"):
        context["redshift:DbName"] = str(database)
        resources.append(scope.arn("redshift", f"dbname:{cluster}/{database}"))
    if "DurationSeconds" in parameters:
        context["redshift:DurationSeconds"] = str(parameters["DurationSeconds"])
    return [Need(action="redshift:GetClusterCredentials", resource=resource, context=context) for resource in resources]


def _of_own_statements(action: str) -> Rule:
    # Service authorization reference: the condition key redshift-data:statement-owner-iam-userid holds who submitted.
    def rule(parameters: Parameters, _scope: Scope) -> Sequence[Need]:
        context = {"redshift-data:statement-owner-iam-userid": str(parameters.get("StatementOwner", ""))}
        return [Need(action=action, resource="*", context=context)]

    return rule


def _statements(action: str) -> Rule:
    # Data API reference, "ExecuteStatement": with a database user the caller needs the permission to log in as it.
    def rule(parameters: Parameters, scope: Scope) -> Sequence[Need]:
        needs = [Need(action=action, resource=_cluster(parameters, scope))]
        database = parameters.get("Database", "")
        if "DbUser" in parameters:
            needs += _login({**parameters, "DbName": database}, scope)
        elif "SecretArn" not in parameters:
            resource = scope.arn("redshift", f"dbname:{parameters['ClusterIdentifier']}/{database}")
            needs.append(Need(action="redshift:GetClusterCredentialsWithIAM", resource=resource))
        return needs

    return rule


def _stream_records(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    # DynamoDB guide, "Encryption at rest usage notes": a stream is encrypted with the key of its table.
    return _items([("GetRecords", _table_stream(parameters, scope))], scope)


_TABLE_OPERATIONS = (
    "CreateTable DeleteTable GetTable UpdateTable GetPartition GetPartitions CreatePartition DeletePartition "
    "UpdatePartition BatchCreatePartition BatchDeletePartition BatchGetPartition BatchUpdatePartition "
    "CreatePartitionIndex GetPartitionIndexes DeletePartitionIndex GetTableVersion GetTableVersions "
    "DeleteTableVersion GetColumnStatisticsForTable UpdateColumnStatisticsForTable "
)
_TABLE_LISTS = "BatchDeleteTable SearchTables"

TABLES: Mapping[str, Mapping[str, Rule]] = {
    "glue": {
        **{name: _catalog(f"glue:{name}", _table) for name in _TABLE_OPERATIONS.split()},
        **{name: _catalog(f"glue:{name}", _every_table) for name in _TABLE_LISTS.split()},
        # Glue guide, "Identity-based policy examples": tables that the caller may not see are left out of the answer.
        "GetTables": _catalog("glue:GetTables"),
        # Glue guide, "Specifying AWS Glue resource ARNs": a deletion of a database needs its tables too.
        "DeleteDatabase": _catalog("glue:DeleteDatabase", _every_table, database_key="Name"),
        **{
            name: _catalog(f"glue:{name}", database_key="Name")
            for name in ("CreateDatabase", "GetDatabase", "GetDatabases", "UpdateDatabase")
        },
        **rules(
            "glue",
            _named("crawler", "Name", "CrawlerName"),
            "DeleteCrawler GetCrawler ListCrawls StartCrawler StopCrawler UpdateCrawler",
        ),
        **rules(
            "glue",
            _named("job", "JobName", "Name"),
            "BatchStopJobRun CreateJob DeleteJob GetJob GetJobRun GetJobRuns StartJobRun UpdateJob",
        ),
        "BatchGetCrawlers": _crawlers,
        **{name: anywhere(f"glue:{name}") for name in ("GetCrawlers", "ListCrawlers", "GetJobs", "ListJobs")},
    },
    "dynamodb": {
        **{name: _item(name) for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")},
        **{name: _batch(name) for name in ("BatchGetItem", "BatchWriteItem")},
        "TransactGetItems": _transaction,
        "TransactWriteItems": _transaction,
        **rules(
            "dynamodb",
            _dynamodb_table,
            "CreateTable DeleteTable DescribeContinuousBackups DescribeTable DescribeTimeToLive "
            "ListTagsOfResource TagResource UntagResource UpdateContinuousBackups UpdateTable "
            "UpdateTimeToLive",
        ),
        **{name: anywhere(f"dynamodb:{name}") for name in ("ListTables", "DescribeLimits", "DescribeEndpoints")},
    },
    "redshift": {
        "GetClusterCredentials": _login,
        **rules("redshift", _cluster, "DescribeClusters PauseCluster ResumeCluster"),
    },
    "redshift-data": {
        **{name: _statements(f"redshift-data:{name}") for name in ("ExecuteStatement", "BatchExecuteStatement")},
        **{
            name: _of_own_statements(f"redshift-data:{name}")
            for name in ("CancelStatement", "DescribeStatement", "GetStatementResult", "ListStatements")
        },
    },
    "dynamodbstreams": {
        **rules("dynamodb", _table_stream, "DescribeStream GetShardIterator"),
        "GetRecords": _stream_records,
        "ListStreams": anywhere("dynamodb:ListStreams"),
    },
}
