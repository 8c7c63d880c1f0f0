"""EKS clusters as far as a rehearsal needs them: what was applied to them, and whose role which pods have.

No pod, node or controller runs: what a cluster is given is recorded, and a run is a process of this machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError

POD_IDENTITY = "pods.eks.amazonaws.com"
# Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity".
ACTIONS = ("sts:AssumeRole", "sts:TagSession")
INITIAL_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


class NoIdentity(RehearsalError):
    """A pod has no role: nobody tied one to its service account, or its trust does not let the pod have it."""


@dataclass(kw_only=True)
class Cluster:
    """A cluster by its name. `associations` hold role ARNs by namespace and service account."""

    name: str
    arn: str
    manifests: list[Mapping[str, Any]] = field(default_factory=list)
    charts: list[str] = field(default_factory=list)
    associations: dict[tuple[str, str], str] = field(default_factory=dict)

    def namespaces(self) -> frozenset[str]:
        """Those that a cluster begins with and those that were applied."""
        made = (one["metadata"]["name"] for one in self.manifests if one["kind"] == "Namespace")
        return frozenset({*INITIAL_NAMESPACES, *made})


class KubernetesClusters:
    """Those of the account, by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, Cluster] = {}


def read_manifests(text: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a manifest in JSON: one, or a list."""
    given = json.loads(text)
    yield from given if isinstance(given, list) else [given]


def pod_credentials(
    account: Account, cluster: Cluster, *, namespace: str, service_account: str, pod: str, session: str
) -> iam.Credentials:
    """Credentials of the role that is tied to a pod's service account, as EKS Pod Identity gives them.

    EKS assumes the role with tags that say which pod it is for (Amazon EKS User Guide, "Grant Pods access to AWS
    resources based on tags"), so that the role's trust may ask for a cluster or a namespace.

    Raises:
        NoIdentity: no role is tied to the service account, or its trust does not let this pod have it.
    """
    role_arn = cluster.associations.get((namespace, service_account))
    if role_arn is None:
        tied = sorted(f"{space}/{name}" for space, name in cluster.associations)
        raise NoIdentity(
            f"no Pod Identity association of cluster {cluster.name} is for service account "
            f"{namespace}/{service_account}; there are {tied}"
        )
    tags = {
        "eks-cluster-arn": cluster.arn,
        "eks-cluster-name": cluster.name,
        "kubernetes-namespace": namespace,
        "kubernetes-service-account": service_account,
        "kubernetes-pod-name": pod,
        "kubernetes-pod-uid": session,
    }
    context: dict[str, iam.ContextValue] = {
        "aws:SourceArn": cluster.arn,
        "aws:SourceAccount": account.id,
        "aws:TagKeys": tuple(tags),
        **{f"aws:RequestTag/{key}": value for key, value in tags.items()},
    }
    try:
        tagging = iam.Need(action="sts:TagSession", resource=role_arn, context=context)
        account.authorizer.authorize(iam.Principal(arn=POD_IDENTITY, kind="service"), [tagging])
        return account.authorizer.credentials(role_arn, service=POD_IDENTITY, session=session, context=context)
    except iam.AccessDenied as refused:
        raise NoIdentity(
            f"the trust policy of {role_arn} does not let pods of {cluster.name}/{namespace} have it: {refused}"
        ) from refused


def lets_pods_in(trust: Mapping[str, Any]) -> bool:
    """Whether a trust policy allows Pod Identity what it does, under whatever conditions."""
    allowed: set[str] = set()
    statements = trust.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principals = statement.get("Principal", {})
        services = principals.get("Service", []) if isinstance(principals, Mapping) else []
        if statement["Effect"] == "Allow" and POD_IDENTITY in ([services] if isinstance(services, str) else services):
            actions = statement.get("Action", [])
            allowed |= {actions} if isinstance(actions, str) else {*actions}
    return allowed >= {*ACTIONS} or "sts:*" in allowed
