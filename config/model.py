"""What can be configured, as frozen dataclasses that refuse nonsense when they are built.

It must not hold any stage's values (those are in dev.py, stage.py, prod.py) nor read files or the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from config.catalog import Catalog
from config.checks import ConfigurationError as ConfigurationError
from config.checks import check_between
from config.emr_on_eks import EmrOnEks
from config.lake_jobs import LakeJobs
from config.network import Network
from config.orchestration import Orchestration
from config.warehouse import Warehouse


class Part(Enum):
    """A part of the platform that a stage has or has not; each is one stack."""

    DATA_LAKE = "DataLake"
    EVENT_STREAM = "EventStream"
    SHOW_CATALOG = "ShowCatalog"
    CATALOG = "Catalog"
    CODE = "Code"
    LAKE_JOBS = "LakeJobs"
    NETWORK = "Network"
    WAREHOUSE = "Warehouse"
    EMR_ON_EKS = "EmrOnEks"
    ORCHESTRATION = "Orchestration"


NEEDS: Mapping[Part, frozenset[Part]] = {
    Part.DATA_LAKE: frozenset(),
    Part.EVENT_STREAM: frozenset({Part.DATA_LAKE}),
    Part.SHOW_CATALOG: frozenset({Part.DATA_LAKE, Part.EVENT_STREAM}),
    Part.CATALOG: frozenset({Part.DATA_LAKE}),
    Part.CODE: frozenset({Part.DATA_LAKE}),
    Part.LAKE_JOBS: frozenset({Part.DATA_LAKE, Part.CODE}),
    Part.NETWORK: frozenset({Part.DATA_LAKE}),
    Part.WAREHOUSE: frozenset({Part.DATA_LAKE, Part.NETWORK}),
    Part.EMR_ON_EKS: frozenset({Part.DATA_LAKE, Part.CODE}),
    Part.ORCHESTRATION: frozenset({Part.DATA_LAKE, Part.CODE, Part.LAKE_JOBS}),
}
"""What each part cannot stand without; the lake is in every stage."""

LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 3653)
"""Retentions that CloudWatch Logs takes ("PutRetentionPolicy" page), up to ten years."""

_STAGE_NAME = re.compile(r"[a-z][a-z0-9]{1,9}")
_ARRIVAL_HOUR = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])-([01]\d|2[0-3])")
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
API_BASE_URL_PATTERN = r"https://[^\s/?#]+(/[^\s?#]*[^\s/?#])?|http://127\.0\.0\.1(:\d{1,5})?(/[^\s?#]*[^\s/?#])?"
"""HTTPS anywhere, or plain HTTP on this machine (a rehearsal); no query, no trailing slash."""


@dataclass(frozen=True, kw_only=True)
class DataLake:
    """Buckets, catalog and keys of the lake."""

    keep_data: bool = True
    """Data outlives the stack. Only when this is False *and* the context flag ``destroy_data`` is set does
    deleting the stack delete buckets, keys, stream and queues."""

    raw_retention_days: int = 400
    """Days after which events in the raw zone expire. Batch files stay until their owners remove them."""

    raw_infrequent_access_after_days: int | None = 60
    """Days after which a raw object moves to Standard-IA (at least 30: "Lifecycle transitions" page)."""

    noncurrent_retention_days: int = 30
    """Days for which an overwritten or deleted object can be brought back."""

    access_log_retention_days: int = 90
    """Days for which S3 server access logs are kept."""

    first_arrival_hour: str = "2026-01-01-00"
    """First UTC hour (yyyy-MM-dd-HH) that partition projection offers; no data is older than the platform."""

    def __post_init__(self) -> None:
        retention = self.raw_retention_days
        check_between(what="raw_retention_days", value=retention, low=1, high=36_500, source="lake policy: a century")
        check_between(
            what="raw_infrequent_access_after_days",
            value=self.raw_infrequent_access_after_days,
            low=30,
            high=max(30, retention - 30),
            source="S3: 30 days before a move, and billed for 30 more before raw_retention_days",
        )
        for name in ("noncurrent_retention_days", "access_log_retention_days"):
            check_between(what=name, value=getattr(self, name), low=1, high=3_650, source="lake policy: ten years")
        if not _ARRIVAL_HOUR.fullmatch(self.first_arrival_hour):
            raise ConfigurationError(
                what="first_arrival_hour is no hour",
                given=self.first_arrival_hour,
                allowed="yyyy-MM-dd-HH in UTC",
                fix="write it as 2026-01-01-00",
            )


@dataclass(frozen=True, kw_only=True)
class EventStream:
    """Kinesis data stream, Firehose and the flattening function."""

    provisioned_shards: int | None = None
    """Shards (1 MB/s or 1,000 records/s in, 2 MB/s out, each); None is on-demand, which sizes itself."""

    retention_hours: int = 24
    """Hours for which a record can be read again (24 to 8760: "Change the data retention period" page)."""

    delivery_buffer_seconds: int = 60
    """Seconds that Firehose gathers before it writes (60 to 900 with dynamic partitioning)."""

    delivery_buffer_mebibytes: int = 64
    """MiB per partition after which Firehose writes earlier (64 to 128 with dynamic partitioning)."""

    transform_buffer_seconds: int = 10
    """Seconds that Firehose gathers before it calls the flattening function (0 to 900)."""

    transform_buffer_megabytes: float = 3.0
    """MB that Firehose hands to one call (0.2 to 3: "Data transformation" page; CDK does not check it)."""

    flatten_memory_mebibytes: int = 512
    """Memory of the flattening function; its share of a core grows with it."""

    flatten_timeout_seconds: int = 300
    """Time-out of the flattening function (Firehose waits five minutes at most)."""

    flatten_reserved_concurrency: int | None = None
    """Concurrent calls kept for the flattening function; None leaves it in the account's pool."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("provisioned_shards", 1, 10_000, "a larger stream needs on-demand"),
            ("retention_hours", 24, 8_760, "Kinesis: a day to a year"),
            ("delivery_buffer_seconds", 60, 900, "Firehose with dynamic partitioning"),
            ("delivery_buffer_mebibytes", 64, 128, "Firehose with dynamic partitioning"),
            ("transform_buffer_seconds", 0, 900, "Firehose"),
            ("transform_buffer_megabytes", 0.2, 3, "Firehose: request and response stay under 6 MB"),
            ("flatten_memory_mebibytes", 128, 10_240, "Lambda"),
            ("flatten_timeout_seconds", 1, 300, "Firehose gives up after five minutes"),
            ("flatten_reserved_concurrency", 1, 1_000, "Lambda"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)


@dataclass(frozen=True, kw_only=True)
class ShowCatalog:
    """Topic, queue and ingest function of the show catalog."""

    api_base_url: str
    """Base URL of the catalog service's API; the default of the template's parameter ``CatalogApiBaseUrl``."""

    existing_topic_arn: str | None = None
    """SNS topic that announces changes, of this or another account; None creates one here."""

    filtered_fields: tuple[str, ...] = ()
    """Catalog fields that must not reach the stream."""

    batch_size: int = 25
    """Messages that one call of the function takes (1 to 10,000; over 10 needs a window)."""

    batch_window_seconds: int = 2
    """Seconds for which messages are gathered into one batch (0 to 300)."""

    max_concurrency: int = 5
    """Calls of the function at once (2 to 1,000); protects the catalog service."""

    max_receives: int = 5
    """Receipts after which a message moves to the dead-letter queue (1 to 1,000)."""

    timeout_seconds: int = 120
    """Time-out of the ingest function; the queue's visibility time-out is six times as long."""

    memory_mebibytes: int = 512
    """Memory of the ingest function."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("batch_size", 1, 10_000, "Lambda with a standard queue"),
            ("batch_window_seconds", 0, 300, "Lambda"),
            ("max_concurrency", 2, 1_000, "Lambda"),
            ("max_receives", 1, 1_000, "SQS"),
            ("timeout_seconds", 1, 900, "Lambda"),
            ("memory_mebibytes", 128, 10_240, "Lambda"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)
        if self.batch_size > 10 and self.batch_window_seconds < 1:
            raise ConfigurationError(
                what="a batch_size over 10 without a window",
                given=(self.batch_size, self.batch_window_seconds),
                allowed='batch_window_seconds of 1 or more (Lambda, "Using Lambda with SQS" page)',
                fix="set batch_window_seconds to 1 or more, or batch_size to 10 or less",
            )
        if not re.fullmatch(API_BASE_URL_PATTERN, self.api_base_url):
            raise ConfigurationError(
                what="api_base_url is no base URL that can be called safely",
                given=self.api_base_url,
                allowed="https://host[/path] without query or trailing slash (http only for 127.0.0.1)",
                fix="write the catalog service's HTTPS address",
            )
        if self.existing_topic_arn is not None and not _TOPIC_ARN.fullmatch(self.existing_topic_arn):
            raise ConfigurationError(
                what="existing_topic_arn is no ARN of a standard SNS topic",
                given=self.existing_topic_arn,
                allowed="arn:aws:sns:<region>:<12-digit account>:<name>, or None",
                fix="copy the topic's ARN, or leave it out to have a topic made",
            )
        bad = [name for name in self.filtered_fields if not name or "," in name or name != name.strip()]
        if bad:
            raise ConfigurationError(
                what="filtered_fields holds a name that a comma separated variable cannot carry",
                given=bad,
                allowed="field names without commas or outer blanks",
                fix="correct or remove it",
            )


@dataclass(frozen=True, kw_only=True)
class Operations:
    """What is watched, who is told, and what is written down."""

    alarm_emails: tuple[str, ...] = ()
    """Addresses subscribed to the alarm topic; each must confirm once."""

    log_retention_days: int = 90
    """Days for which log groups keep their events."""

    log_level: str = "INFO"
    """Lowest level that functions log. There is no DEBUG: it sets every logger, and botocore's would write the
    catalog service's token into the log."""

    oldest_message_seconds: int = 900
    """Age of a queue's oldest message above which an alarm is raised."""

    iterator_age_seconds: int = 300
    """How far a reader of the stream may fall behind before an alarm is raised."""

    freshness_seconds: int = 600
    """Age of the oldest record that Firehose has not delivered above which an alarm is raised."""

    quarantined_percent: float = 1.0
    """Share of events in quarantine over a quarter of an hour above which an alarm is raised."""

    dropped_records: int = 100
    """Records put back on the stream within five minutes above which an alarm is raised."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("oldest_message_seconds", 60, 1_209_600),
            ("iterator_age_seconds", 60, 31_536_000),
            ("freshness_seconds", 120, 86_400),
            ("quarantined_percent", 0, 100),
            ("dropped_records", 0, 1_000_000_000),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source="alarm threshold")
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            raise ConfigurationError(
                what="log_retention_days is no retention of CloudWatch Logs",
                given=self.log_retention_days,
                allowed=", ".join(map(str, LOG_RETENTION_DAYS)),
                fix="take the next larger one",
            )
        if self.log_level not in ("INFO", "WARNING", "ERROR", "CRITICAL"):
            raise ConfigurationError(
                what="log_level is unknown",
                given=self.log_level,
                allowed="INFO, WARNING, ERROR, CRITICAL",
                fix="take one of them (DEBUG would log the token of the catalog service)",
            )
        bad = [address for address in self.alarm_emails if not _EMAIL.fullmatch(address)]
        if bad:
            raise ConfigurationError(
                what="alarm_emails holds what is no address",
                given=bad,
                allowed="name@domain",
                fix="correct or remove it",
            )


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One environment: which parts it has and how each is set."""

    name: str
    """Part of every stack name (`Amp-<name>-…`): 2 to 10 lower-case letters and digits."""

    parts: frozenset[Part]
    show_catalog: ShowCatalog
    data_lake: DataLake = field(default_factory=DataLake)
    event_stream: EventStream = field(default_factory=EventStream)
    catalog: Catalog = field(default_factory=Catalog)
    lake_jobs: LakeJobs = field(default_factory=LakeJobs)
    network: Network = field(default_factory=Network)
    warehouse: Warehouse = field(default_factory=Warehouse)
    emr_on_eks: EmrOnEks = field(default_factory=EmrOnEks)
    orchestration: Orchestration = field(default_factory=Orchestration)
    operations: Operations = field(default_factory=Operations)
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _STAGE_NAME.fullmatch(self.name):
            raise ConfigurationError(
                what="stage name would not fit into resource names",
                given=self.name,
                allowed="2 to 10 lower-case letters and digits, a letter first",
                fix="choose a shorter name, such as dev",
            )
        if not self.parts:
            raise ConfigurationError(
                what=f"stage {self.name} has no parts",
                given=(),
                allowed=", ".join(part.name for part in Part),
                fix="name at least DATA_LAKE",
            )
        for part in sorted(self.parts, key=lambda part: part.name):
            missing = sorted(need.name for need in NEEDS[part] - self.parts)
            if missing:
                raise ConfigurationError(
                    what=f"stage {self.name} has {part.name} without {', '.join(missing)}, which it needs",
                    given=sorted(given.name for given in self.parts),
                    allowed=f"{part.name} together with {', '.join(sorted(n.name for n in NEEDS[part]))}",
                    fix=f"add {', '.join(missing)} to parts, or take {part.name} out",
                )
        if Part.WAREHOUSE in self.parts and not self.warehouse.clusters:
            raise ConfigurationError(
                what=f"stage {self.name} has WAREHOUSE and no cluster",
                given=(),
                allowed="one Cluster at least in warehouse.clusters",
                fix="name a cluster, or take WAREHOUSE out of parts",
            )
