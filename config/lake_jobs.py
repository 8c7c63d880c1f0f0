"""How large the Glue jobs that make lake tables are: the settings of the LakeJobs stack.

It must not hold any stage's values, nor know which jobs there are: the contracts do, and the stack holds one against
the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.checks import ConfigurationError, check_between

WORKER_TYPES = ("G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X", "R.1X", "R.2X", "R.4X", "R.8X")
"""Workers that Glue runs Spark batch jobs on ("Configuring job properties for Spark jobs" page)."""


@dataclass(frozen=True, kw_only=True)
class JobSize:
    """How large a Glue job may become, how long it may take, and how often it is tried."""

    worker_type: str = "G.1X"
    """Kind of worker: G.1X has 4 cores and 16 GB, each next one twice that; R.* have twice the memory per core."""

    max_workers: int = 4
    """Workers at most, the driver among them; Glue starts and stops executors by what a run asks for (2 to 299)."""

    timeout_minutes: int = 60
    """Minutes after which a run is ended (1 to 10,080: "AWS Glue endpoints and quotas" page, seven days)."""

    retries: int = 1
    """Further attempts after a failed run (0 to 10: Jobs API page, MaxRetries)."""

    max_concurrent_runs: int = 1
    """Runs at the same time; a further start is refused. More than 1 only for jobs whose entry says `overlaps`."""

    flexible: bool = False
    """Run on spare capacity: a third cheaper, starts when there is some (FLEX; G.1X and G.2X only)."""

    shuffle_partitions: int | None = None
    """Partitions of a shuffle; None lets the run choose by the size of its input."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("max_workers", 2, 299, "Glue: a driver and at least one executor"),
            ("timeout_minutes", 1, 10_080, "Glue: seven days"),
            ("retries", 0, 10, "Glue"),
            ("max_concurrent_runs", 1, 2_000, "Glue"),
            ("shuffle_partitions", 1, 100_000, "Spark"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)
        if self.worker_type not in WORKER_TYPES:
            raise ConfigurationError(
                what="worker_type is no worker of a Spark job",
                given=self.worker_type,
                allowed=", ".join(WORKER_TYPES),
                fix="take G.1X unless a run ends for want of memory",
            )
        if self.flexible and self.worker_type not in ("G.1X", "G.2X"):
            raise ConfigurationError(
                what="a flexible job with a worker_type that spare capacity is not sold in",
                given=self.worker_type,
                allowed='G.1X, G.2X ("Job" API page, ExecutionClass)',
                fix="take one of them, or leave flexible out",
            )


@dataclass(frozen=True, kw_only=True)
class LakeJobs:
    """The Glue jobs that make lake tables."""

    size: JobSize = field(default_factory=JobSize)
    """What holds for every job that `sizes` does not name."""

    sizes: Mapping[str, JobSize] = field(default_factory=dict)
    """Sizes of single jobs, by the name that contracts/jobs.py gives them."""

    max_quiet_hours: int = 3
    """Hours without a successful run of the job `events` after which an alarm is raised (1 to 168)."""

    def __post_init__(self) -> None:
        check_between(
            what="max_quiet_hours",
            value=self.max_quiet_hours,
            low=1,
            high=168,
            source="CloudWatch evaluates hourly periods of seven days at most",
        )

    def size_of(self, job_name: str) -> JobSize:
        """How the job of that name is set."""
        return self.sizes.get(job_name, self.size)
