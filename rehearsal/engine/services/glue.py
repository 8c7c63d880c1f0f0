"""The Glue Data Catalog as its templates declare it, crawlers and their classifiers.

How a crawl works is `rehearsal.engine.crawlers`'; jobs have a file of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rehearsal.engine.account import Account
from rehearsal.engine.crawlers import activity
from rehearsal.engine.crawlers.activity import Crawls
from rehearsal.engine.crawlers.crawl import Classifiers, Crawl
from rehearsal.engine.crawlers.definition import CrawlerNotPlayed, definition_of
from rehearsal.engine.crawlers.reading import CsvRules
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.events import put_event
from rehearsal.engine.services.glue_jobs import SecurityConfigurations
from rehearsal.engine.services.sqs import Queues

_MESSAGES = {"Started": "Crawler Started", "Succeeded": "Crawler Succeeded", "Failed": "Crawler Failed"}
_CSV_SERDES = ("OpenCSVSerDe", "LazySimpleSerDe", "None")


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


def _crawler(account: Account, declaration: Declaration) -> Created:
    given: dict[str, Any] = {**declaration.properties}
    given.pop("Tags", None)
    given["Name"] = declaration.name(given.get("Name"), longest=255)
    arn = account.arn("glue", f"crawler/{given['Name']}")
    try:
        definition = definition_of(
            {**given, "DatabaseName": declaration.properties["DatabaseName"]}, arn=arn, account=account.id
        )
    except CrawlerNotPlayed as error:
        raise declaration.unsupported(str(error), "Play it in rehearsal/engine/crawlers") from error
    except ValueError as error:
        raise declaration.fail(str(error)) from error
    queues, crawls = account.service(Queues), account.service(Crawls)
    for target in definition.targets:
        for queue in (target.queue_arn, target.dead_letters_arn):
            if queue and not queues.exists(queue):
                raise declaration.fail(f"the queue {queue} does not exist")
    if definition.role_arn not in account.authorizer.roles():
        raise declaration.fail(f"the role {definition.role_arn} does not exist")
    for name in definition.classifiers:
        if name not in crawls.classifiers:
            raise declaration.fail(f"the classifier {name} does not exist")
    if definition.security_configuration:
        known = account.service(SecurityConfigurations).by_name
        if definition.security_configuration not in known:
            raise declaration.fail(
                f"CrawlerSecurityConfiguration {definition.security_configuration!r} does not exist; "
                f"there are {sorted(known)}"
            )
        crawls.log_keys[definition.security_configuration] = known[definition.security_configuration].log_key_arn
    account.client("glue").create_crawler(**given)
    return Created(ref=definition.name, arn=arn)


def _classifier(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    if "CsvClassifier" in properties:
        given = properties["CsvClassifier"]
        serde = given.get("Serde", "None")
        if serde not in _CSV_SERDES:
            raise declaration.fail(f"Serde given {serde!r}, allowed is {', '.join(_CSV_SERDES)}")
        rules = CsvRules(
            delimiter=given.get("Delimiter", ""),
            quote=given.get("QuoteSymbol", '"'),
            contains_header=given.get("ContainsHeader", "UNKNOWN"),
            header=tuple(given.get("Header", ())),
            single_column=bool(given.get("AllowSingleColumn", False)),
            serde=serde,
        )
        classifiers = Classifiers(csv=(rules,))
    else:
        given = properties["JsonClassifier"]
        if given.get("JsonPath") != "$[*]":
            raise declaration.unsupported(
                f"JsonPath {given.get('JsonPath')!r} is not played", "Use $[*], or play it in rehearsal/engine/crawlers"
            )
        classifiers = Classifiers(json_rows=True)
    name = declaration.name(given.get("Name"), longest=255)
    account.service(Crawls).classifiers[name] = classifiers
    return Created(ref=name)


def attach(account: Account) -> Callable[[], None]:
    """Take the crawlers over from moto, which runs none."""

    def told(crawl: Crawl, state: str) -> None:
        # AWS Glue Developer Guide, "Automating AWS Glue with EventBridge": a crawl that is stopped is not told of.
        if state in _MESSAGES:
            put_event(account, source="aws.glue", detail_type="Glue Crawler State Change", detail=_detail(crawl, state))

    return activity.install(account, told)


def _detail(crawl: Crawl, state: str) -> dict[str, str]:
    detail = {
        "accountId": crawl.definition.arn.split(":")[4],
        "crawlerName": crawl.definition.name,
        "state": state,
        "message": _MESSAGES[state],
    }
    if crawl.end_time is None:
        return {**detail, "startTime": _moment(crawl.start_time)}
    detail |= {
        "completionDate": _moment(crawl.end_time),
        "runningTime (sec)": str(int((crawl.end_time - crawl.start_time).total_seconds())),
        "warningMessage": "N/A",
        "cloudWatchLogLink": f"{crawl.log_group}/{crawl.log_stream}",
    }
    if state == "Failed":
        return {**detail, "errorMessage": crawl.error}
    changes = crawl.changes
    words = {"ADD": "Created", "UPDATE": "Updated", "DELETE": "Deleted"}
    counts = {f"tables{word}": str(len(changes.tables[kind])) for kind, word in words.items()}
    return {**detail, **counts, **{f"partitions{word}": str(changes.partitions[kind]) for kind, word in words.items()}}


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


_ONE_CATALOG = "the rehearsal has the account's own catalog alone"
_NO_TAGS = "no rule of the rehearsal reads a crawler's tags"

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
    ResourceType(
        name="AWS::Glue::Crawler",
        create=_crawler,
        honoured=(
            "Classifiers",
            "Configuration",
            "CrawlerSecurityConfiguration",
            "DatabaseName",
            "Description",
            "Name",
            "RecrawlPolicy",
            "Role",
            "SchemaChangePolicy",
            "TablePrefix",
            "Targets.S3Targets.DlqEventQueueArn",
            "Targets.S3Targets.EventQueueArn",
            "Targets.S3Targets.Path",
        ),
        ignored={"Tags": _NO_TAGS},
    ),
    ResourceType(
        name="AWS::Glue::Classifier",
        create=_classifier,
        honoured=(
            "CsvClassifier.AllowSingleColumn",
            "CsvClassifier.ContainsHeader",
            "CsvClassifier.Delimiter",
            "CsvClassifier.Header",
            "CsvClassifier.Name",
            "CsvClassifier.QuoteSymbol",
            "CsvClassifier.Serde",
            "JsonClassifier",
        ),
        ignored={"CsvClassifier.DisableValueTrimming": "blanks around a value never change the type inferred here"},
    ),
)
