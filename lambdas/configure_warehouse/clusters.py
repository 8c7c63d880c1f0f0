"""The clusters that the function may configure, as its environment names them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One cluster and where its parts are; ``databases`` are the lake's Glue databases by zone."""

    name: str
    cluster_identifier: str
    database: str
    admin_user: str
    declaration: str
    host: str
    port: int
    spectrum_role_arn: str
    secret_prefix: str
    databases: Mapping[str, str]


class UnknownClusterError(Exception):
    """There is no cluster of that name here; the text says which there are."""


def read_clusters(text: str) -> dict[str, Cluster]:
    """The registry, by the clusters' names.

    Args:
        text: a JSON object of the clusters' names to their other fields.
    """
    return {
        name: Cluster(name=name, **{**fields, "port": int(fields["port"])}) for name, fields in json.loads(text).items()
    }


def named(clusters: Mapping[str, Cluster], name: str) -> list[Cluster]:
    """The cluster of a name, or all for ``*``.

    Raises:
        UnknownClusterError: there is none.
    """
    if name == "*":
        return list(clusters.values())
    if name not in clusters:
        raise UnknownClusterError(f"there is no cluster {name!r}; there are {', '.join(sorted(clusters)) or 'none'}")
    return [clusters[name]]
