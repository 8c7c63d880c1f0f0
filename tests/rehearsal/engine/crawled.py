"""A lake for the tests of crawlers: bucket → topic → queue, a database and a crawler on one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.rehearsal.engine.assemblies import LOGS, Json, allow, att, one_stack, role

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

DATABASE = "lake_raw"
CRAWLER = "shows"
CONFIGURATION: Json = {
    "Version": 1.0,
    "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3},
}
QUEUE_ACTIONS = [
    f"sqs:{name}"
    for name in (
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "ListQueueTags",
        "PurgeQueue",
        "ReceiveMessage",
        "SetQueueAttributes",
    )
]
GLUE_ACTIONS = [
    f"glue:{name}"
    for name in (
        "BatchCreatePartition",
        "BatchDeletePartition",
        "BatchGetPartition",
        "BatchUpdatePartition",
        "CreateTable",
        "DeleteTable",
        "GetDatabase",
        "GetTable",
        "UpdateTable",
    )
]


def policy(service: str, action: str, resource: Any) -> Json:
    """A resource policy with one statement for a service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def queue(name: str, *, folder: str, raw: bool = False) -> Json:
    """A queue that hears of a folder of the bucket through the topic."""
    keys = {"Records": {"s3": {"object": {"key": [{"prefix": folder}]}}}}
    return {
        name: {"Type": "AWS::SQS::Queue"},
        f"{name}Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": name}],
                "PolicyDocument": policy("sns.amazonaws.com", "sqs:SendMessage", att(name)),
            },
        },
        f"{name}Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "Endpoint": att(name),
                "FilterPolicyScope": "MessageBody",
                "FilterPolicy": keys,
                **({"RawMessageDelivery": True} if raw else {}),
            },
        },
    }


def bucket(**properties: Any) -> Json:
    """A bucket that tells the topic of what is created and removed under ``batch/``."""
    told = [
        {
            "Event": event,
            "Topic": {"Ref": "Topic"},
            "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "batch/"}]}},
        }
        for event in ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    ]
    return {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "TopicPolicy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [{"Ref": "Topic"}],
                "PolicyDocument": policy("s3.amazonaws.com", "sns:Publish", {"Ref": "Topic"}),
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": ["TopicPolicy"],
            "Properties": {"NotificationConfiguration": {"TopicConfigurations": told}, **properties},
        },
    }


def lake(
    folder: Path,
    *,
    crawler: Json | None = None,
    configuration: Json | None = None,
    more: Json | None = None,
    raw: bool = False,
) -> Path:
    """Write the application; ``crawler`` are properties that replace those of the crawler."""
    catalog = {"Fn::Sub": "arn:aws:glue:${AWS::Region}:${AWS::AccountId}:catalog"}
    database = {"Fn::Sub": f"arn:aws:glue:${{AWS::Region}}:${{AWS::AccountId}}:database/{DATABASE}"}
    every_table = {"Fn::Sub": f"arn:aws:glue:${{AWS::Region}}:${{AWS::AccountId}}:table/{DATABASE}/*"}
    path = {"Fn::Join": ["", ["s3://", {"Ref": "Bucket"}, "/batch/shows/"]]}
    resources: Json = {
        **bucket(),
        **queue("Events", folder="batch/shows/", raw=raw),
        "Database": {"Type": "AWS::Glue::Database", "Properties": {"DatabaseInput": {"Name": DATABASE}}},
        "CrawlerRole": role(
            "glue.amazonaws.com",
            LOGS,
            allow(QUEUE_ACTIONS, att("Events")),
            allow(GLUE_ACTIONS, catalog, database, every_table),
            allow(["s3:ListBucket"], att("Bucket")),
            allow(["s3:GetObject"], {"Fn::Join": ["", [att("Bucket"), "/batch/*"]]}),
        ),
        "Crawler": {
            "Type": "AWS::Glue::Crawler",
            "DependsOn": ["CrawlerRole"],
            "Properties": {
                "Name": CRAWLER,
                "Role": att("CrawlerRole"),
                "DatabaseName": {"Ref": "Database"},
                "Targets": {"S3Targets": [{"Path": path, "EventQueueArn": att("Events")}]},
                "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVENT_MODE"},
                "SchemaChangePolicy": {
                    "UpdateBehavior": "UPDATE_IN_DATABASE",
                    "DeleteBehavior": "DEPRECATE_IN_DATABASE",
                },
                "Configuration": json.dumps(configuration or CONFIGURATION),
                **(crawler or {}),
            },
        },
        **(more or {}),
    }
    return one_stack(folder, resources)


def drop(engine: Engine, key: str, content: bytes | str) -> None:
    """Put a file below the crawled folder (or anywhere, with a leading slash)."""
    name = key[1:] if key.startswith("/") else f"batch/shows/{key}"
    body = content.encode() if isinstance(content, str) else content
    engine.client("s3").put_object(Bucket=engine.resource("App", "Bucket").physical_id, Key=name, Body=body)


def withdraw(engine: Engine, key: str) -> None:
    """Delete a file of the crawled folder."""
    name = engine.resource("App", "Bucket").physical_id
    engine.client("s3").delete_object(Bucket=name, Key=f"batch/shows/{key}")


def crawl(engine: Engine) -> Json:
    """Let events arrive, run the crawler to its end; gives its last crawl."""
    engine.settle()
    engine.client("glue").start_crawler(Name=CRAWLER)
    engine.settle()
    last: Json = engine.client("glue").get_crawler(Name=CRAWLER)["Crawler"]["LastCrawl"]
    return last


def table(engine: Engine, name: str = "shows") -> Json:
    """A table of the database."""
    found: Json = engine.client("glue").get_table(DatabaseName=DATABASE, Name=name)["Table"]
    return found


def tables(engine: Engine) -> list[str]:
    """The names of all tables."""
    return sorted(one["Name"] for one in engine.client("glue").get_tables(DatabaseName=DATABASE)["TableList"])


def columns(engine: Engine, name: str = "shows") -> dict[str, str]:
    """Column → type."""
    return {one["Name"]: one["Type"] for one in table(engine, name)["StorageDescriptor"]["Columns"]}


def log(engine: Engine, group: str = "/aws-glue/crawlers") -> list[str]:
    """The lines that the crawler logged."""
    events = engine.client("logs").get_log_events(logGroupName=group, logStreamName=CRAWLER, startFromHead=True)
    return [event["message"].split("] ", 1)[1] for event in events["events"]]


def depth(engine: Engine, name: str = "Events") -> int:
    """How many messages a queue holds, those in flight included."""
    url = engine.resource("App", name).physical_id
    wanted = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = engine.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
    return sum(int(value) for value in found.values())
