"""Where Spark's pods may run: the two pools of nodes, as Karpenter's objects, and what puts a pod into one of them.

It must not make a node: Karpenter does, when a pod waits for one, and takes it away when none is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from building_blocks.cluster_versions import NODE_IMAGE

POOL_LABEL = "amp/pool"
"""Label of every node, and key of its taint: a pod that asks for no pool gets into none."""

DRIVERS, EXECUTORS = "driver", "executor"

TAINT_EFFECT = "NoSchedule"

DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"
"""Annotation of a pod whose node is not taken away under it by choice ("Disruption" page of Karpenter)."""

IDLE_EXECUTOR_SECONDS = 60
"""Spark gives an executor back that had nothing to do for this long."""

EMPTY_NODE_SECONDS = 120
"""Karpenter takes a node away that was empty for this long. Longer than Spark's own idle time, or a node would go
between two executors of one job."""

DRAIN_SECONDS = 120
"""What Spot leaves between the warning and the end ("Spot Instance interruption notices" page)."""

LONGEST_NODE_HOURS = 168
"""Age at which a node takes no new pods and is left to end; longer than any run."""

NODE_CLASS = "spark"


@dataclass(frozen=True, kw_only=True)
class NodeClass:
    """What every node is: where, as whom, on which disk."""

    instance_profile: str
    subnet_ids: Sequence[str]
    security_group_id: str
    volume_key_arn: str
    volume_gibibytes: int
    tags: Mapping[str, str]

    def manifest(self) -> dict[str, Any]:
        """The EC2NodeClass: a pinned image, an encrypted disk, no public address, credentials for the node alone."""
        return {
            "apiVersion": "karpenter.k8s.aws/v1",
            "kind": "EC2NodeClass",
            "metadata": {"name": NODE_CLASS},
            "spec": {
                "amiSelectorTerms": [{"alias": NODE_IMAGE}],
                # One that is there: else Karpenter makes profiles, and needs rights over them.
                "instanceProfile": self.instance_profile,
                "subnetSelectorTerms": [{"id": each} for each in self.subnet_ids],
                "securityGroupSelectorTerms": [{"id": self.security_group_id}],
                "associatePublicIPAddress": False,
                # One hop: a pod cannot ask for the node's credentials, only the node itself.
                "metadataOptions": {
                    "httpEndpoint": "enabled",
                    "httpProtocolIPv6": "disabled",
                    "httpPutResponseHopLimit": 1,
                    "httpTokens": "required",
                },
                "instanceStorePolicy": "RAID0",
                "blockDeviceMappings": [
                    {
                        "deviceName": "/dev/xvda",
                        "ebs": {
                            "volumeSize": f"{self.volume_gibibytes}Gi",
                            "volumeType": "gp3",
                            "encrypted": True,
                            "kmsKeyID": self.volume_key_arn,
                            "deleteOnTermination": True,
                        },
                    }
                ],
                "tags": dict(self.tags),
            },
        }


def toleration(pool: str) -> dict[str, str]:
    """What a pod needs to run on the nodes of a pool."""
    return {"key": POOL_LABEL, "operator": "Equal", "value": pool, "effect": TAINT_EFFECT}


def driver_pool(*, cpus: int) -> dict[str, Any]:
    """On-Demand nodes for drivers and EMR's submitters; taken away when empty, and for nothing else."""
    return _pool(
        DRIVERS,
        capacity="on-demand",
        cpus=cpus,
        categories=["c", "m", "r"],
        expire_after=f"{LONGEST_NODE_HOURS}h",
        budgets=[{"nodes": "100%", "reasons": ["Empty"]}, {"nodes": "0", "reasons": ["Drifted", "Underutilized"]}],
    )


def executor_pool(*, cpus: int) -> dict[str, Any]:
    """Spot nodes for executors: what Spark has moved off or can work out again. A tenth may be renewed at a time."""
    return _pool(
        EXECUTORS,
        capacity="spot",
        cpus=cpus,
        categories=["c", "m", "r"],
        expire_after=f"{LONGEST_NODE_HOURS}h",
        budgets=[{"nodes": "100%", "reasons": ["Empty"]}, {"nodes": "10%", "reasons": ["Drifted", "Underutilized"]}],
    )


def _pool(
    name: str,
    *,
    capacity: str,
    cpus: int,
    categories: Sequence[str],
    expire_after: str,
    budgets: Sequence[Mapping[str, object]],
) -> dict[str, Any]:
    requirements: list[dict[str, Any]] = [
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": [capacity]},
        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
        {"key": "karpenter.k8s.aws/instance-category", "operator": "In", "values": list(categories)},
        {"key": "karpenter.k8s.aws/instance-generation", "operator": "Gt", "values": ["5"]},
        {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["3"]},
        {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lt", "values": ["33"]},
    ]
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": name},
        "spec": {
            "template": {
                "metadata": {"labels": {POOL_LABEL: name}},
                "spec": {
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": NODE_CLASS},
                    "requirements": requirements,
                    "taints": [{"key": POOL_LABEL, "value": name, "effect": TAINT_EFFECT}],
                    "expireAfter": expire_after,
                },
            },
            "disruption": {
                "consolidationPolicy": "WhenEmpty",
                "consolidateAfter": f"{EMPTY_NODE_SECONDS}s",
                "budgets": [dict(budget) for budget in budgets],
            },
            # Memory follows: 8 GiB a vCPU is the most that these categories have.
            "limits": {"cpu": str(cpus), "memory": f"{8 * cpus}Gi"},
        },
    }
