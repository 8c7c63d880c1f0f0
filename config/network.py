"""A network that clusters stand in: the settings of the Network stack, and of the VPC that EMR on EKS has of its own.

It must not hold any stage's values, nor know who uses the network.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import Enum

from config.checks import ConfigurationError, check_between

MAX_ZONES = 6
"""Availability zones of the largest Region."""

SUBNETS_EACH = 16
"""Parts of the network's addresses, of which each zone takes one: room for zones and kinds of subnets to come."""

_VPC_ID = re.compile(r"vpc-[0-9a-f]{8,17}")
_SUBNET_ID = re.compile(r"subnet-[0-9a-f]{8,17}")
_ZONE = re.compile(r"[a-z]{2}(-[a-z]+)+-\d[a-z]")


class Egress(Enum):
    """How what stands in private subnets reaches AWS's services; S3 is behind a gateway endpoint, free, in any case."""

    NAT = "nat"
    """NAT gateways: everything can be reached from within; S3's gateway takes most of what flows."""

    ENDPOINTS = "endpoints"
    """Interface endpoints for each service and no way to the internet: images come from private registries."""


def network_of(cidr: str) -> ipaddress.IPv4Network:
    """The addresses that ``cidr`` means.

    Raises:
        ConfigurationError: it is no range of private IPv4 addresses, or not of a size that a VPC can have.
    """
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError:
        network = None
    if network is None or not network.is_private or not 16 <= network.prefixlen <= 24:
        raise ConfigurationError(
            what="cidr is no range of private addresses for a VPC",
            given=cidr,
            allowed="private IPv4 addresses, /16 to /24, no bits set behind the prefix",
            fix="write it as 10.40.0.0/16",
        )
    return network


@dataclass(frozen=True, kw_only=True)
class ExistingVpc:
    """A VPC that others made and look after, with the ways to services that the page of its stack names."""

    vpc_id: str
    cidr: str
    subnet_ids: tuple[str, ...]
    """Subnets in which nothing has a public address, one a zone."""

    zones: tuple[str, ...]
    """The zones of ``subnet_ids``, in the same order."""

    def __post_init__(self) -> None:
        network_of(self.cidr)
        bad = [each for each in self.subnet_ids if not _SUBNET_ID.fullmatch(each)]
        bad += [each for each in self.zones if not _ZONE.fullmatch(each)]
        if not _VPC_ID.fullmatch(self.vpc_id):
            bad.append(self.vpc_id)
        if bad or not self.subnet_ids or len(self.subnet_ids) != len(self.zones):
            raise ConfigurationError(
                what="an existing VPC is not fully named",
                given=bad or (self.subnet_ids, self.zones),
                allowed="vpc-…, and as many subnet-… as zones such as eu-west-1a, one at least",
                fix="copy the ids from the console; nothing is looked up",
            )


@dataclass(frozen=True, kw_only=True)
class Network:
    """A VPC of isolated subnets, or one that is there."""

    cidr: str = "10.40.0.0/16"
    """Its addresses; each zone gets a sixteenth."""

    zones: int = 2
    """Availability zones with a subnet (2 to 6); a cluster in one of them can be moved to another."""

    endpoint_zones: int = 1
    """Zones in which each interface endpoint has an address, the first ones: each is paid for by the hour. With one,
    the loss of that zone stops password rotation and queries of the lake's catalog until it is back."""

    instance_connect: bool = False
    """Make an EC2 Instance Connect Endpoint: SSH to instances in these subnets without an address of their own. It
    reaches no database, because it tunnels to ports 22 and 3389 only."""

    existing: ExistingVpc | None = None
    """Take this VPC and make nothing; the settings above then mean nothing."""

    def __post_init__(self) -> None:
        network_of(self.cidr)
        check_between(what="zones", value=self.zones, low=2, high=MAX_ZONES, source="EKS asks for two; AWS has six")
        check_between(
            what="endpoint_zones", value=self.endpoint_zones, low=1, high=self.zones, source="zones that there are"
        )

    @property
    def subnet_cidrs(self) -> list[str]:
        """Addresses of each zone's subnet."""
        return [str(subnet) for subnet in self._parts()[: self.zones]]

    @property
    def public_subnet_cidrs(self) -> list[str]:
        """Addresses of each zone's public subnet, a sixteenth of the last part; only NAT gateways stand there."""
        return [str(subnet) for subnet in list(self._parts()[-1].subnets(prefixlen_diff=4))[: self.zones]]

    def _parts(self) -> list[ipaddress.IPv4Network]:
        return list(network_of(self.cidr).subnets(prefixlen_diff=4))
