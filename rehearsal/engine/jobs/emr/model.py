"""What virtual clusters, job templates and job runs are: plain values, as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# EMR on EKS guide, "Job run states".
ACTIVE_STATES = frozenset({"PENDING", "SUBMITTED", "RUNNING", "CANCEL_PENDING"})


@dataclass(frozen=True, kw_only=True)
class VirtualCluster:
    """A namespace of an EKS cluster (by the cluster's name) in which runs are."""

    id: str
    arn: str
    name: str
    cluster: str
    namespace: str


@dataclass(frozen=True, kw_only=True)
class JobTemplate:
    """``data`` is the API's ``jobTemplateData``; parameters stand in it as ``${Name}``."""

    id: str
    arn: str
    name: str
    data: Mapping[str, Any]
    created: datetime
    tags: Mapping[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As DescribeJobTemplate shows it."""
        return {
            "id": self.id,
            "arn": self.arn,
            "name": self.name,
            "createdAt": self.created,
            "tags": dict(self.tags),
            "jobTemplateData": dict(self.data),
        }


@dataclass(kw_only=True)
class JobRun:
    """One job run. ``request`` is what StartJobRun was given, a template's values among it.

    ``job`` is the template's name, or the run's own; ``created`` and ``finished`` are virtual time.
    """

    id: str
    arn: str
    virtual_cluster: VirtualCluster
    job: str
    request: Mapping[str, Any]
    created_by: str
    created: datetime
    state: str = "PENDING"
    details: str = ""
    failure: str = ""
    finished: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ACTIVE_STATES

    @property
    def name(self) -> str:
        """What its caller called it; empty when it has no name."""
        return str(self.request.get("name", ""))

    @property
    def role_arn(self) -> str:
        """Under whose permissions it runs."""
        return str(self.request["executionRoleArn"])

    def shown(self) -> dict[str, Any]:
        """As DescribeJobRun shows it."""
        kept = ("name", "clientToken", "executionRoleArn", "releaseLabel", "jobDriver", "configurationOverrides")
        shown = {
            "id": self.id,
            "virtualClusterId": self.virtual_cluster.id,
            "arn": self.arn,
            "state": self.state,
            "createdAt": self.created,
            "createdBy": self.created_by,
            "tags": dict(self.request.get("tags", {})),
            **{key: self.request[key] for key in kept if key in self.request},
        }
        if self.finished is not None:
            shown["finishedAt"] = self.finished
        if self.details:
            shown["stateDetails"] = self.details
        if self.failure:
            shown["failureReason"] = self.failure
        return shown

    def listed(self) -> dict[str, Any]:
        """As ListJobRuns shows it: its type is that of DescribeJobRun, but what the run is to do is left out."""
        return {key: value for key, value in self.shown().items() if key not in ("jobDriver", "configurationOverrides")}
