"""One cluster as a run sees it: its database, its users' secrets, its history, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdas.configure_warehouse.clusters import Cluster
from lambdas.configure_warehouse.data_api import DataApi
from lambdas.configure_warehouse.history import History
from lambdas.configure_warehouse.user_secrets import UserSecrets

if TYPE_CHECKING:
    from mypy_boto3_redshift import RedshiftClient

_AVAILABLE = "available"


class UnavailableError(Exception):
    """The cluster is not there to be asked; the text says what it is instead."""


@dataclass(frozen=True, kw_only=True)
class Warehouse:
    """What a run needs of one cluster."""

    cluster: Cluster
    database: DataApi
    secrets: UserSecrets
    history: History
    redshift: RedshiftClient

    def check_available(self) -> None:
        """Ask for the cluster's state.

        Raises:
            UnavailableError: it is paused, gone or busy with itself.
        """
        identifier = self.cluster.cluster_identifier
        try:
            found = self.redshift.describe_clusters(ClusterIdentifier=identifier)["Clusters"]
        except self.redshift.exceptions.ClusterNotFoundFault:
            found = []
        if not found:
            raise UnavailableError(f"cluster {identifier} does not exist; deploy it, or take it out of config/")
        status = found[0]["ClusterStatus"]
        if status != _AVAILABLE:
            raise UnavailableError(
                f"cluster {identifier} is {status}; it is configured by the first run after it is available again"
            )
