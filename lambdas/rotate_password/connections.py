"""Open what the function talks to, once for each execution environment; it sends nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from lambdas.rotate_password.accounts import Cluster, read_clusters
from lambdas.rotate_password.settings import Settings
from lambdas.rotate_password.versions import SecretVersions

if TYPE_CHECKING:
    from lambdas.rotate_password.database import Database


class Connections(NamedTuple):
    """What `logic.take_step` takes, by the names of its arguments."""

    clusters: Mapping[str, Cluster]
    versions: SecretVersions
    database: Database


def connect(settings: Settings) -> Connections:
    """Connections by the function's settings. Nothing is called before it is needed.

    Raises:
        RotationError: the clusters cannot be read.
    """
    # At first need: the imports and the first client take longer than all else of a cold start together.
    import boto3
    from botocore.config import Config
    from botocore.httpsession import where

    from lambdas.rotate_password.database import Database

    # Short, because the default of 60 s for each wait and five attempts would outlive the invocation.
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    session = boto3.Session()
    return Connections(
        clusters=read_clusters(settings.clusters),
        versions=SecretVersions(secrets=session.client("secretsmanager", config=config)),
        database=Database(
            redshift=session.client("redshift", config=config),
            # The authorities that the SDK itself trusts, Amazon's among them, who sign the clusters' certificates.
            ca_file=session._session.get_config_variable("ca_bundle") or where(),
        ),
    )
