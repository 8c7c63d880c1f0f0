"""How large the warehouse is, when it runs, and what one query may take: the settings of the Warehouse stack.

It must not hold any stage's values, nor what is in a cluster: declarations in config/warehouse/ say that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.checks import ConfigurationError, check_between
from config.network import network_of

NODES = {
    "ra3.large": (1, 16),
    "ra3.xlplus": (1, 32),
    "ra3.4xlarge": (2, 32),
    "ra3.16xlarge": (2, 128),
}
"""Node types, and how many of them a cluster can be made of ("Amazon Redshift provisioned clusters" page)."""

PRIORITIES = ("highest", "high", "normal", "low", "lowest")
"""Priorities of a queue under automatic workload management ("Query priority" page)."""

MAX_QUEUES = 8
"""Queues of a cluster, the default one among them ("Implementing automatic WLM" page)."""

DEFERRAL_DAYS = 45
"""Days for which maintenance can be put off ("Deferring maintenance" on the page of cluster operations)."""

_CLUSTER_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_QUEUE_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
_WEEKLY = r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d"
_WINDOW = re.compile(rf"{_WEEKLY}-{_WEEKLY}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")

_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
_MINUTE = r"[0-5]?\d"
_HOUR = r"[01]?\d|2[0-3]"
_DAY_OF_MONTH = r"0?[1-9]|[12]\d|3[01]|L"
_MONTH = rf"0?[1-9]|1[0-2]|{_MONTHS}"
_DAY_OF_WEEK = rf"[1-7]|{_DAYS}"
_YEAR = r"20\d\d"


def _field(value: str) -> str:
    return rf"(\*|({value})(-({value}))?(,({value})(-({value}))?)*)"


_CRON = re.compile(
    rf"cron\(({_MINUTE}) {_field(_HOUR)} (\?|{_field(_DAY_OF_MONTH)}) {_field(_MONTH)} "
    rf"(\?|{_field(_DAY_OF_WEEK)}) {_field(_YEAR)}\)"
)


def check_cron(*, what: str, given: str) -> None:
    """Refuse a schedule that Redshift would not take: six fields, one of the two days `?`, a single minute.

    Actions must lie an hour apart at least ("ScheduledAction" API page), which a single minute sees to.
    """
    fields = given.removeprefix("cron(").removesuffix(")").split(" ")
    if not _CRON.fullmatch(given) or [fields[2], fields[4]].count("?") != 1:
        raise ConfigurationError(
            what=f"{what} is no schedule of Redshift's",
            given=given,
            allowed="cron(minute hour day-of-month month day-of-week year) in UTC, one minute, one of the days as ?",
            fix="write it as cron(0 20 ? * MON-FRI *)",
        )


@dataclass(frozen=True, kw_only=True)
class QueryQueue:
    """A queue of workload management: who is in it, what comes first, and what ends a query.

    Rules end a query, not a person's work: whoever needs more gets a role of another queue.
    """

    name: str
    roles: tuple[str, ...] = ()
    """Database roles whose members' queries wait here, by the names of the cluster's declaration."""

    priority: str = "normal"
    """Who comes first when queues compete; a running query of a lower one gets less."""

    longest_minutes: int = 60
    """Minutes after which a query is ended (1 to 1,439: "WLM query monitoring rules" page)."""

    lake_gigabytes: int = 500
    """Gigabytes that one query may read from the lake through external schemas before it is ended; these are paid for
    by the terabyte."""

    busy_seconds: int = 600
    """Seconds of processor time after which a query goes on at the lowest priority."""

    def __post_init__(self) -> None:
        bad = [role for role in self.roles if not _IDENTIFIER.fullmatch(role)]
        if bad or not _QUEUE_NAME.fullmatch(self.name):
            raise ConfigurationError(
                what="a queue, or a role of it, has a name that no cluster takes",
                given=bad or self.name,
                allowed="lower-case letters, digits and underscores, a letter first; at most 16 characters for a queue",
                fix="write the role as the declaration does",
            )
        if self.priority not in PRIORITIES:
            raise ConfigurationError(
                what=f"queue {self.name} has an unknown priority",
                given=self.priority,
                allowed=", ".join(PRIORITIES),
                fix="take normal unless somebody waits for the answer",
            )
        for name, low, high, source in (
            ("longest_minutes", 1, 1_439, "Redshift: query_execution_time below a day"),
            ("lake_gigabytes", 1, 1_000_000, "a petabyte"),
            ("busy_seconds", 1, 999_999, "Redshift: query_cpu_time"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)


@dataclass(frozen=True, kw_only=True)
class Deferral:
    """Maintenance put off, for a release or a season."""

    start: str
    """UTC moment such as 2026-12-01T00:00:00Z."""

    days: int

    def __post_init__(self) -> None:
        check_between(what="days", value=self.days, low=1, high=DEFERRAL_DAYS, source="Redshift")
        if not _MOMENT.fullmatch(self.start):
            raise ConfigurationError(
                what="start is no moment", given=self.start, allowed="yyyy-MM-ddThh:mm:ssZ", fix="write it in UTC"
            )


STANDARD_QUEUES = (
    QueryQueue(name="analysts", roles=("analyst", "privacy_officer")),
    QueryQueue(name="reports", roles=("report_writer",), priority="high", longest_minutes=240, busy_seconds=14_400),
    QueryQueue(name="dashboards", roles=("report_reader",), priority="highest", longest_minutes=5, lake_gigabytes=50),
)
"""Queues for the roles of config/warehouse/standard.toml. Analysts come first: they read reports too."""

EVERYBODY = QueryQueue(name="everybody", priority="low", longest_minutes=30, lake_gigabytes=100)
"""The queue of whoever is in no other."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One Redshift cluster."""

    name: str
    """Part of the cluster's identifier, `amp-<stage>-<name>`, and of the names of its users' secrets."""

    node_type: str = "ra3.large"
    nodes: int = 1
    database: str = "amp"
    admin_user: str = "amp_admin"

    declaration: str = "standard"
    """The file of config/warehouse/ that says what is in it; several clusters may have the same."""

    queues: tuple[QueryQueue, ...] = STANDARD_QUEUES
    """Queues before that of everybody; the first that fits takes a query. Their roles are the declaration's."""

    everybody: QueryQueue = EVERYBODY
    """The queue of whoever is in no other."""

    pause_at: str | None = None
    """When it is paused, as `cron(0 20 ? * MON-FRI *)` in UTC; while paused only storage is paid for."""

    resume_at: str | None = None

    snapshot_retention_days: int = 7
    """Days for which automated snapshots are kept (1 to 35)."""

    maintenance_window: str = "sun:03:00-sun:04:00"
    """When Redshift may restart it, in UTC; half an hour at least."""

    deferral: Deferral | None = None

    def __post_init__(self) -> None:
        self._check_names()
        if self.node_type not in NODES:
            raise ConfigurationError(
                what="node_type is no RA3 node",
                given=self.node_type,
                allowed=", ".join(NODES),
                fix="start with ra3.large; a cluster is resized by changing this",
            )
        low, high = NODES[self.node_type]
        check_between(what="nodes", value=self.nodes, low=low, high=high, source=f"Redshift, for {self.node_type}")
        check_between(
            what="snapshot_retention_days", value=self.snapshot_retention_days, low=1, high=35, source="Redshift"
        )
        if not _WINDOW.fullmatch(self.maintenance_window):
            raise ConfigurationError(
                what="maintenance_window is none",
                given=self.maintenance_window,
                allowed="ddd:hh:mm-ddd:hh:mm in UTC",
                fix="write it as sun:03:00-sun:04:00",
            )
        if (self.pause_at is None) != (self.resume_at is None):
            raise ConfigurationError(
                what=f"cluster {self.name} would be paused and never resumed, or the other way round",
                given=(self.pause_at, self.resume_at),
                allowed="both or neither",
                fix="give both schedules",
            )
        for name in ("pause_at", "resume_at"):
            if (schedule := getattr(self, name)) is not None:
                check_cron(what=name, given=schedule)

    def _check_names(self) -> None:
        if not _CLUSTER_NAME.fullmatch(self.name) or len(self.name) > 30:
            raise ConfigurationError(
                what="a cluster's name would not fit into its identifier",
                given=self.name,
                allowed="lower-case letters and digits, single hyphens between, a letter first, at most 30 characters",
                fix="choose another name, such as analytics",
            )
        bad = [each for each in (self.database, self.admin_user) if not _IDENTIFIER.fullmatch(each)]
        if bad or self.admin_user in ("awsuser", "admin", "root", "rdsdb"):
            raise ConfigurationError(
                what="database or admin_user has a name that Redshift reserves or everybody guesses",
                given=bad or self.admin_user,
                allowed="lower-case letters, digits and underscores, not awsuser, admin, root or rdsdb",
                fix="leave them as they are by default",
            )
        names = [queue.name for queue in (*self.queues, self.everybody)]
        if len(set(names)) != len(names) or len(names) > MAX_QUEUES:
            raise ConfigurationError(
                what=f"the queues of cluster {self.name} are too many, or two have one name",
                given=names,
                allowed=f"{MAX_QUEUES} queues, everybody's among them, each with a name of its own",
                fix="rename or join them",
            )
        aimless = [queue.name for queue in self.queues if not queue.roles]
        if aimless or self.everybody.roles:
            raise ConfigurationError(
                what=f"a queue of cluster {self.name} is for nobody, or the default queue for somebody",
                given=aimless or self.everybody.roles,
                allowed="roles for each of `queues`, none for `everybody` (Redshift: the last queue is the default)",
                fix="name the roles, or take the queue out",
            )


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """Redshift over the lake, and Athena beside it."""

    clusters: tuple[Cluster, ...] = ()
    """The clusters; a stage with the part has one at least."""

    person_rotation_days: int = 30
    """Days between two passwords of a person, or of a service whose rotation is "single-user"."""

    service_rotation_days: int = 30
    """Days between two passwords of a service whose users alternate; the one before stays good until the next."""

    client_cidrs: tuple[str, ...] = ()
    """Private addresses, of a VPN or a peered network, from which clients may connect to clusters. Empty, people use
    the query editor, which needs no way through the network."""

    spectrum_terabytes_per_day: int | None = None
    """Terabytes that a cluster may read from the lake in a day before its external schemas stop answering until
    midnight. None makes no limit: CloudFormation knows the limit's type in part of the Regions only, and refuses a
    whole template in the others (docs/only-in-aws.md has the command for those)."""

    athena_scan_limit_gigabytes: int = 100
    """Gigabytes that one Athena query may scan before it is ended."""

    query_results_retention_days: int = 7
    """Days for which results of Athena queries are kept."""

    disk_percent: int = 80
    cpu_percent: int = 95
    connections: int = 400
    """Connections above which an alarm is raised; a cluster takes 500 ("Quotas and limits" page)."""

    queue_wait_seconds: int = 300
    """Average wait in a queue above which an alarm is raised."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("person_rotation_days", 1, 1_000, "Secrets Manager"),
            ("service_rotation_days", 1, 1_000, "Secrets Manager"),
            ("spectrum_terabytes_per_day", 1, 100_000, "Redshift counts whole terabytes"),
            ("athena_scan_limit_gigabytes", 1, 100_000, "Athena: 10 MB at least"),
            ("query_results_retention_days", 1, 365, "results may hold personal values"),
            ("disk_percent", 1, 100, "alarm threshold"),
            ("cpu_percent", 1, 100, "alarm threshold"),
            ("connections", 1, 500, "Redshift: 500 connections"),
            ("queue_wait_seconds", 1, 86_400, "alarm threshold"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)
        names = [cluster.name for cluster in self.clusters]
        if len(set(names)) != len(names):
            raise ConfigurationError(
                what="two clusters have one name", given=names, allowed="a name for each", fix="rename one"
            )
        for cidr in self.client_cidrs:
            network_of(cidr)
