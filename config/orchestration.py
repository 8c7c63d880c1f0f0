"""Airflow on Amazon MWAA, which runs the lake's jobs: the settings of the Orchestration stack.

It must not hold any stage's values, nor know a DAG.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from config.checks import ConfigurationError, check_between
from config.network import Egress, Network

AIRFLOW_VERSION = "3.0.6"
"""The newest that MWAA has; DAGs are tested on its pins (constraints-airflow.txt), which a test holds to it."""

ENVIRONMENT_CLASSES = ("mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge")
"""Classes that scale by themselves ("Environment classes" page). mw1.micro has one container for scheduler, triggerer
and three tasks, too few for the hourly run beside a backfill."""

ZONES = 2
"""Subnets that MWAA takes, in two zones, no more and no fewer ("About networking" page)."""

LOG_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO")
"""There is no DEBUG: botocore's would write requests with their credentials' signatures into the log."""

_WINDOW = re.compile(r"(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30)")
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, kw_only=True)
class Orchestration:
    """The environment: how large it is, where it stands, who reaches its web server, when it tells people."""

    environment_class: str = "mw1.small"
    """Size of schedulers, workers and web servers; mw1.small takes 50 DAGs and 5 tasks a worker."""

    min_workers: int = 1
    """Workers that are always up (1 to `max_workers`); one is in the environment's price."""

    max_workers: int = 3
    """Workers at most (to 25); tasks that wait for a job hold none, so that few are enough."""

    schedulers: int = 2
    """Schedulers (2 to 5); two, so that the loss of a zone stops nothing."""

    network: Network = field(default_factory=lambda: Network(cidr="10.42.0.0/16", zones=ZONES))
    """A VPC of the environment's own, or one that is there with two private subnets."""

    egress: Egress = Egress.NAT
    """How it reaches AWS's services; docs/decisions/0033 has the sums."""

    nat_gateways: int = 1
    """NAT gateways (1 or 2). With one, the loss of its zone stops new tasks until it is back."""

    public_web_server: bool = False
    """Give the web server an address on the internet, behind IAM's log-in; else it is reached from within the VPC."""

    web_cidrs: tuple[str, ...] = ()
    """Private address ranges from which the private web server may be reached: those of a VPN, a peered network."""

    task_log_level: str = "INFO"
    """Lowest level of what tasks log."""

    service_log_level: str = "WARNING"
    """Lowest level of what schedulers, workers, web servers and the reading of DAGs log."""

    maintenance_window: str = "SUN:03:30"
    """Start of AWS's two hours for maintenance in the week, in UTC."""

    schedules: bool = True
    """Start DAGs by the clock and by messages; without it by hand alone."""

    schedule_from: str | None = None
    """Day (yyyy-MM-dd) since which each hour and day is owed a run: with it, what was missed while nothing ran is made
    up for by itself, with None by a backfill."""

    runbook_url: str = "docs/runbooks"
    """Where the pages of docs/runbooks are read: what notices of failed tasks lead to."""

    queued_minutes: int = 30
    """Minutes for which a task may wait for a worker before an alarm is raised (5 to 1,440)."""

    failed_attempts: int = 3
    """Attempts of tasks that may fail within an hour before an alarm is raised; retries make single ones good."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("max_workers", 1, 25, "MWAA, without a higher quota"),
            ("min_workers", 1, self.max_workers, "not more than max_workers"),
            ("schedulers", 2, 5, "MWAA"),
            ("nat_gateways", 1, ZONES, "one a zone"),
            ("queued_minutes", 5, 1_440, "CloudWatch evaluates periods of a day at most"),
            ("failed_attempts", 0, 1_000, "alarm threshold"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)
        for what, given, choices in (
            ("environment_class", self.environment_class, ENVIRONMENT_CLASSES),
            ("task_log_level", self.task_log_level, LOG_LEVELS),
            ("service_log_level", self.service_log_level, LOG_LEVELS),
        ):
            if given not in choices:
                raise ConfigurationError(
                    what=f"{what} is unknown", given=given, allowed=", ".join(choices), fix="take one of them"
                )
        if not _WINDOW.fullmatch(self.maintenance_window):
            raise ConfigurationError(
                what="maintenance_window is no start of a window",
                given=self.maintenance_window,
                allowed="day and half hour in UTC, as SUN:03:30",
                fix="write it so",
            )
        if self.schedule_from is not None and not _DAY.fullmatch(self.schedule_from):
            raise ConfigurationError(
                what="schedule_from is no day",
                given=self.schedule_from,
                allowed="yyyy-MM-dd in UTC, or None",
                fix="write it as 2026-12-01",
            )
        self._check_network()

    def _check_network(self) -> None:
        existing = self.network.existing
        subnets = self.network.zones if existing is None else len(set(existing.zones))
        if subnets != ZONES:
            raise ConfigurationError(
                what="the environment's network has not the subnets that MWAA takes",
                given=self.network.zones if existing is None else existing.zones,
                allowed=f"{ZONES} private subnets in {ZONES} zones",
                fix=f"set zones to {ZONES}, or name two subnets",
            )
        for cidr in self.web_cidrs:
            try:
                private = ipaddress.IPv4Network(cidr).is_private
            except ValueError:
                private = False
            if not private:
                raise ConfigurationError(
                    what="web_cidrs names what is no range of private addresses",
                    given=cidr,
                    allowed="private IPv4 ranges such as 10.8.0.0/16",
                    fix="name the range of your VPN or peered network",
                )
        if self.web_cidrs and self.public_web_server:
            raise ConfigurationError(
                what="web_cidrs beside a public web server, which no security group holds",
                given=self.web_cidrs,
                allowed="web_cidrs with public_web_server=False",
                fix="leave one of them out",
            )
