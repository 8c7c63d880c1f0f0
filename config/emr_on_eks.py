"""The cluster that runs the lake's jobs by EMR on EKS: the settings of the EmrOnEks stack.

It must not hold any stage's values, nor the size of a job: that is in config/lake_jobs.py, whatever runs the job.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from config.checks import ConfigurationError, check_between
from config.network import Egress, Network, network_of

_OWN_ROLE = re.compile(r"role/[\w+=,.@/-]{1,512}", re.ASCII)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?(/[a-z0-9][a-z0-9._/-]*)?")

LEAST_NETWORK = 20
"""Longest prefix of the network's addresses: a zone's subnet is then a /24, and every pod takes an address of it."""

LEAST_ZONES = 2

EVERYWHERE = ipaddress.IPv4Network("0.0.0.0/0")
WIDEST_PREFIX = 16
"""Bits that a public address range must fix at least: an office or a VPN has no more addresses than that."""


@dataclass(frozen=True, kw_only=True)
class EmrOnEks:
    """An EKS cluster without a node of its own, and what may come up in it."""

    network: Network = field(default_factory=lambda: Network(cidr="10.41.0.0/16", zones=3))
    """A VPC of the cluster's own, or one that is there. Three zones, because what Spot lacks in one it has in another;
    only `Egress.ENDPOINTS` pays for them."""

    public_cidrs: tuple[str, ...] = ()
    """Address ranges from which the Kubernetes API may be called over the internet; empty, it has no public address."""

    admin_roles: tuple[str, ...] = ()
    """Roles that administer the cluster by kubectl: ARNs, or `role/<name>` for a role of this account. Whoever creates
    the cluster is none by that."""

    egress: Egress = Egress.NAT
    """How nodes and pods reach AWS's services; docs/decisions/0026 has the sums."""

    nat_gateways: int = 1
    """NAT gateways, in the first zones (1 to the zones of the network). With one, the loss of its zone stops new nodes
    and jobs until it is back."""

    registry: str | None = None
    """With `Egress.ENDPOINTS`: private registry that holds Karpenter's charts and image under the names that they have
    in public.ecr.aws (`<account>.dkr.ecr.<region>.amazonaws.com/ecr-public`)."""

    controller_replicas: int = 1
    """Pods of the autoscaler (1 or 2), each paid for on Fargate by the second. With one, nothing scales for the minute
    that a new one takes."""

    driver_cpus: int = 32
    """vCPUs of On-Demand nodes at most, for drivers (4 to 10,000)."""

    executor_cpus: int = 128
    """vCPUs of Spot nodes at most, for executors (4 to 10,000)."""

    node_volume_gibibytes: int = 100
    """Disk of a node: images, logs and what Spark spills and shuffles (30 to 16,384)."""

    log_retention_days: int = 30
    """Days for which the logs of runs lie in S3 (1 to 3,650)."""

    def __post_init__(self) -> None:
        for name, low, high, source in (
            ("nat_gateways", 1, self.network.zones, "one a zone"),
            ("controller_replicas", 1, 2, "Karpenter: one leads, one waits"),
            ("driver_cpus", 4, 10_000, "Karpenter's limits"),
            ("executor_cpus", 4, 10_000, "Karpenter's limits"),
            ("node_volume_gibibytes", 30, 16_384, "EBS gp3, and what images take"),
            ("log_retention_days", 1, 3_650, "ten years"),
        ):
            check_between(what=name, value=getattr(self, name), low=low, high=high, source=source)
        for cidr in self.public_cidrs:
            _check_public(cidr)
        bad = [each for each in self.admin_roles if not (_OWN_ROLE.fullmatch(each) or _ROLE_ARN.fullmatch(each))]
        if bad:
            raise ConfigurationError(
                what="admin_roles names what is no role",
                given=bad,
                allowed="ARNs of roles without a session, or role/<name> for a role of this account",
                fix="name the role itself, not who assumes it",
            )
        if self.network.existing is None and network_of(self.network.cidr).prefixlen > LEAST_NETWORK:
            raise ConfigurationError(
                what="the network of a cluster has too few addresses",
                given=self.network.cidr,
                allowed=f"/16 to /{LEAST_NETWORK}: every pod takes an address",
                fix="give the network a larger cidr",
            )
        if self.network.existing is not None and len(self.network.existing.subnet_ids) < LEAST_ZONES:
            raise ConfigurationError(
                what="an existing VPC has too few subnets for a cluster",
                given=self.network.existing.subnet_ids,
                allowed=f"subnets in {LEAST_ZONES} zones at least (EKS: its control plane stands in two)",
                fix="name a private subnet of another zone too",
            )
        isolated = self.egress is Egress.ENDPOINTS
        if isolated != (self.registry is not None) or (self.registry and not _REGISTRY.fullmatch(self.registry)):
            raise ConfigurationError(
                what="registry and egress disagree",
                given=(self.egress.value, self.registry),
                allowed="<account>.dkr.ecr.<region>.amazonaws.com/<prefix> with endpoints, where nothing comes from a "
                "public registry; None with nat",
                fix="mirror the charts and the image as docs/runbooks/upgrade-the-cluster.md says, and name the place",
            )


def _check_public(cidr: str) -> None:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        network = EVERYWHERE
    if network.prefixlen < WIDEST_PREFIX:
        raise ConfigurationError(
            what="public_cidrs would open the Kubernetes API to the world, or is no range",
            given=cidr,
            allowed=f"IPv4 ranges of /{WIDEST_PREFIX} to /32, such as 198.51.100.0/24; never 0.0.0.0/0",
            fix="name the addresses of your office or VPN, or leave it empty and go through the VPC",
        )
