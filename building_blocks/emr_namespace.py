"""The part of a Kubernetes cluster that EMR may use: a namespace with its quota, registered as a virtual cluster.

It must not know which jobs run there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import CfnTag, aws_emrcontainers
from constructs import Construct, IDependable

from building_blocks.eks_cluster import EksCluster

NAMESPACE = "emr"

MAX_PODS = 1_000

DEFAULT_REQUEST = {"cpu": "100m", "memory": "256Mi"}
"""Of a container that asks for nothing, such as those that EMR puts beside Spark's: under a quota each must ask."""


def manifests(*, cpus: int) -> list[dict[str, Any]]:
    """Namespace, quota and defaults; ``cpus`` are those of both pools together, memory follows as theirs does."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": NAMESPACE,
                # Said, not enforced: what EMR's own containers ask for is EMR's, and changes with its releases.
                "labels": {
                    "pod-security.kubernetes.io/audit": "baseline",
                    "pod-security.kubernetes.io/warn": "baseline",
                },
            },
        },
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "pools", "namespace": NAMESPACE},
            "spec": {
                "hard": {
                    "pods": str(MAX_PODS),
                    "requests.cpu": str(cpus),
                    "requests.memory": f"{8 * cpus}Gi",
                    "services.loadbalancers": "0",
                    "services.nodeports": "0",
                }
            },
        },
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "requests", "namespace": NAMESPACE},
            "spec": {"limits": [{"type": "Container", "defaultRequest": dict(DEFAULT_REQUEST)}]},
        },
    ]


class EmrNamespace(Construct):
    """The namespace `emr` of ``cluster``, and the virtual cluster ``name`` over it.

    EMR makes its own access entry for the namespace when the virtual cluster is made ("Enable cluster access" page).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: EksCluster,
        name: str,
        cpus: int,
        tags: Mapping[str, str],
        after: Sequence[IDependable],
    ) -> None:
        """Register it once what is named in ``after`` stands: a run that no node would come for would wait."""
        super().__init__(scope, id)
        applied = cluster.apply("Namespace", *manifests(cpus=cpus))
        provider = aws_emrcontainers.CfnVirtualCluster
        self.virtual_cluster = provider(
            self,
            "VirtualCluster",
            name=name,
            container_provider=provider.ContainerProviderProperty(
                id=cluster.name,
                type="EKS",
                info=provider.ContainerInfoProperty(eks_info=provider.EksInfoProperty(namespace=NAMESPACE)),
            ),
            tags=[CfnTag(key=key, value=value) for key, value in tags.items()],
        )
        for each in (applied, *after):
            self.virtual_cluster.node.add_dependency(each)
