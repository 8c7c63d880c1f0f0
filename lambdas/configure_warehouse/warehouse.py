"""One cluster as a run sees it: its database, its users' secrets, its history, and whether it is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdas.configure_warehouse.clusters import Cluster
from lambdas.configure_warehouse.data_api import DataApi
from lambdas.configure_warehouse.history import History
from lambdas.configure_warehouse.user_secrets import UserSecrets

if TYPE_CHECKING:
    from mypy_boto3_redshift import RedshiftClient

_AVAILABLE = "available"
_PASSING = frozenset(
    {
        *("creating", "deleting", "final-snapshot", "maintenance", "modifying", "paused", "pausing", "rebooting"),
        *("renaming", "resizing", "resuming", "rotating-keys", "updating-hsm", "cancelling-resize"),
    }
)
"""Statuses that end by themselves or by the schedule ("Cluster status" section of the Management Guide)."""


class UnavailableError(Exception):
    """The cluster is not there to be asked for now; the text says what it is instead."""


class BrokenError(Exception):
    """The cluster is gone or will not be available by itself; the text says what it is instead."""


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """What a run needs of one cluster."""

    cluster: Cluster
    database: DataApi
    secrets: UserSecrets
    history: History
    redshift: RedshiftClient
    rotation_days: Mapping[str, int]
    """By the way of rotation."""

    def check_available(self) -> None:
        """Ask for the cluster's state.

        Raises:
            UnavailableError: it is paused or busy with itself.
            BrokenError: it is gone, or somebody has to mend it.
        """
        identifier = self.cluster.cluster_identifier
        try:
            found = self.redshift.describe_clusters(ClusterIdentifier=identifier)["Clusters"]
        except self.redshift.exceptions.ClusterNotFoundFault:
            found = []
        if not found:
            raise BrokenError(f"cluster {identifier} does not exist; deploy it, or take it out of config/")
        status = found[0]["ClusterStatus"]
        if status.partition(",")[0] == _AVAILABLE:  # "available, prep-for-resize" is available
            return
        if status not in _PASSING:
            raise BrokenError(f"cluster {identifier} is {status}, which does not pass by itself; look at its events")
        raise UnavailableError(
            f"cluster {identifier} is {status}; it is configured by the first run after it is available again"
        )
