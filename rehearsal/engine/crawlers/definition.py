"""What a crawler is told to do: its targets, policies and configuration, read from the form that the Glue API keeps.

It must not run anything; what AWS allows and is not played is refused here, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENT_MODE, EVERYTHING = "CRAWL_EVENT_MODE", "CRAWL_EVERYTHING"
UPDATE, LOG = "UPDATE_IN_DATABASE", "LOG"
DEPRECATE, DELETE = "DEPRECATE_IN_DATABASE", "DELETE_FROM_DATABASE"
MERGE_NEW_COLUMNS, INHERIT, COMBINE = "MergeNewColumns", "InheritFromTable", "CombineCompatibleSchemas"

# Paths of the configuration's JSON that are played → the values they may have (None: any).
_KNOWN: Mapping[str, tuple[Any, ...] | None] = {
    "Version": (1, 1.0),
    "Grouping.TableGroupingPolicy": (COMBINE,),
    "Grouping.TableLevelConfiguration": None,
    "CrawlerOutput.Tables.AddOrUpdateBehavior": (MERGE_NEW_COLUMNS,),
    "CrawlerOutput.Tables.TableThreshold": None,
    "CrawlerOutput.Partitions.AddOrUpdateBehavior": (INHERIT,),
    # An index makes looking partitions up faster and changes no answer.
    "CreatePartitionIndex": (True, False),
}


class CrawlerNotPlayed(ValueError):
    """A crawler that uses what AWS allows and the rehearsal does not play."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One folder of a bucket. ``prefix`` is empty or ends in a slash; ``queue_arn`` is empty without event mode."""

    bucket: str
    prefix: str
    queue_arn: str = ""
    dead_letters_arn: str = ""

    def holds(self, bucket: str, key: str) -> bool:
        """Whether an object lies in the target."""
        return bucket == self.bucket and key.startswith(self.prefix)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A crawler as it stands now; ``version`` grows with every edit.

    ``table_level`` counts folders from the bucket, which is level 1 (Glue guide, "Specifying the table location and
    partitioning level"); 0: one table for each target.
    """

    name: str
    arn: str
    role_arn: str
    database: str
    targets: tuple[Target, ...]
    version: int
    event_mode: bool
    table_prefix: str
    table_level: int
    table_threshold: int
    merge_new_columns: bool
    inherit_partitions: bool
    update_behavior: str
    delete_behavior: str
    classifiers: tuple[str, ...]
    security_configuration: str

    @property
    def log_group(self) -> str:
        """Where its crawls log (Glue guide, "Monitoring with Amazon CloudWatch"): with a security configuration in
        a group named after the role and the configuration."""
        if not self.security_configuration:
            return "/aws-glue/crawlers"
        role = self.role_arn.split(":role/", 1)[1]
        return f"/aws-glue/crawlers-role/{role}-{self.security_configuration}"


def definition_of(given: Mapping[str, Any], *, arn: str, account: str, partition: str = "aws") -> Definition:
    """The definition behind the parameters of ``CreateCrawler``, with AWS's defaults.

    Raises:
        CrawlerNotPlayed: naming the property and what is played instead.
        ValueError: the Glue API would refuse it.
    """
    configuration = _configuration(given.get("Configuration"))
    behavior = (given.get("RecrawlPolicy") or {}).get("RecrawlBehavior") or EVERYTHING
    if behavior not in (EVENT_MODE, EVERYTHING):
        raise CrawlerNotPlayed(f"RecrawlBehavior {behavior} is not played; {EVENT_MODE} and {EVERYTHING} are")
    targets = tuple(_target(one) for one in (given.get("Targets") or {}).get("S3Targets") or ())
    if not targets:
        raise ValueError("Targets given without an S3Target; give S3Targets: [{Path: s3://bucket/folder/}]")
    if behavior == EVENT_MODE and (len(targets) != 1 or not targets[0].queue_arn):
        # Glue guide, "Accelerating crawls using Amazon S3 event notifications", considerations.
        raise ValueError(f"{EVENT_MODE} takes a single target with an EventQueueArn; given {len(targets)} targets")
    role = str(given["Role"])
    changes = given.get("SchemaChangePolicy") or {}
    return Definition(
        name=given["Name"],
        arn=arn,
        role_arn=role if role.startswith("arn:") else f"arn:{partition}:iam::{account}:role/{role.lstrip('/')}",
        database=given["DatabaseName"],
        targets=targets,
        version=int(given.get("Version") or 1),
        event_mode=behavior == EVENT_MODE,
        table_prefix=given.get("TablePrefix") or "",
        table_level=int(configuration.get("Grouping.TableLevelConfiguration", 0)),
        table_threshold=int(configuration.get("CrawlerOutput.Tables.TableThreshold", 0)),
        merge_new_columns="CrawlerOutput.Tables.AddOrUpdateBehavior" in configuration,
        inherit_partitions="CrawlerOutput.Partitions.AddOrUpdateBehavior" in configuration,
        update_behavior=changes.get("UpdateBehavior") or UPDATE,
        delete_behavior=changes.get("DeleteBehavior") or DEPRECATE,
        classifiers=tuple(given.get("Classifiers") or ()),
        security_configuration=given.get("CrawlerSecurityConfiguration") or "",
    )


def _configuration(text: str | None) -> dict[str, Any]:
    found = dict(_flat(json.loads(text) if text else {}))
    for path, value in found.items():
        if path not in _KNOWN:
            raise CrawlerNotPlayed(f"Configuration {path} is not played; {', '.join(sorted(_KNOWN))} are")
        allowed = _KNOWN[path]
        if allowed is not None and value not in allowed:
            raise CrawlerNotPlayed(
                f"Configuration {path} is given {value!r}; played is {' or '.join(map(str, allowed))}"
            )
    if "Grouping.TableGroupingPolicy" not in found:
        raise CrawlerNotPlayed(
            f"Configuration without Grouping.TableGroupingPolicy {COMBINE} is not played: which files Glue's default "
            "takes for similar is not documented. Set it, so that one folder is one table"
        )
    return found


def _flat(value: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, inner in value.items():
        here = f"{path}.{key}" if path else key
        found += _flat(inner, here) if isinstance(inner, Mapping) else [(here, inner)]
    return found


def _target(given: Mapping[str, Any]) -> Target:
    path = str(given["Path"])
    if not path.startswith("s3://"):
        raise ValueError(f"S3Target.Path is given {path!r}; allowed is s3://bucket/folder/")
    bucket, _, prefix = path.removeprefix("s3://").partition("/")
    return Target(
        bucket=bucket,
        prefix=f"{prefix.rstrip('/')}/" if prefix.strip("/") else "",
        queue_arn=given.get("EventQueueArn") or "",
        dead_letters_arn=given.get("DlqEventQueueArn") or "",
    )
