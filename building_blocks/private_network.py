"""Private subnets that reach AWS's services: a VPC of their own with NAT or endpoints, or one that others look after.

It must not look anything up at synth, nor know who stands in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aws_cdk import Annotations, aws_ec2, aws_kms
from constructs import Construct, IDependable

from building_blocks.isolated_vpc import EndpointUse, IsolatedVpc
from building_blocks.nat_gateways import NatGateways
from config.network import Egress, ExistingVpc, Network


@dataclass(frozen=True, kw_only=True)
class PrivateNetwork:
    """A VPC, the zones of its private subnets, and what must stand before anything is reached from them."""

    vpc: aws_ec2.IVpc
    zones: Sequence[str]
    ways: Sequence[IDependable]


def private_network(
    scope: Construct,
    *,
    network: Network,
    egress: Egress,
    nat_gateways: int,
    gateways: Sequence[EndpointUse],
    interfaces: Sequence[EndpointUse],
    log_group_name: str,
    log_retention_days: int,
    log_key: aws_kms.IKey,
) -> PrivateNetwork:
    """The network that the settings name, made in ``scope`` unless it exists.

    ``gateways`` are reached by a route however services are reached; ``interfaces`` with `Egress.ENDPOINTS` alone.
    """
    if network.existing is not None:
        vpc = existing_vpc(scope, "Vpc", network.existing, subnets="private")
        return PrivateNetwork(vpc=vpc, zones=network.existing.zones, ways=())
    made = IsolatedVpc(
        scope,
        "Network",
        cidr=network.cidr,
        subnet_cidrs=network.subnet_cidrs,
        log_group_name=log_group_name,
        log_retention_days=log_retention_days,
        log_key=log_key,
    )
    for use in gateways:
        made.add_gateway(use)
    if egress is Egress.NAT:
        nat = NatGateways(
            scope,
            "WayOut",
            vpc_id=made.vpc_id,
            zones=made.zones,
            public_cidrs=network.public_subnet_cidrs,
            private_route_table_ids=made.route_table_ids,
            gateways=nat_gateways,
        )
        made.ways.append(nat)
    else:
        made.add_interfaces(interfaces, zones=network.endpoint_zones)
    vpc = aws_ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=made.vpc_id,
        vpc_cidr_block=network.cidr,
        availability_zones=made.zones,
        private_subnet_ids=made.subnet_ids,
        private_subnet_route_table_ids=made.route_table_ids,
    )
    return PrivateNetwork(vpc=vpc, zones=made.zones, ways=made.ways)


def existing_vpc(
    scope: Construct, id: str, existing: ExistingVpc, *, subnets: Literal["private", "isolated"]
) -> aws_ec2.IVpc:
    """The VPC that others look after; ``subnets`` says whether the named ones have a way to the internet."""
    ids: dict[str, Any] = {f"{subnets}_subnet_ids": list(existing.subnet_ids)}
    vpc = aws_ec2.Vpc.from_vpc_attributes(
        scope,
        id,
        vpc_id=existing.vpc_id,
        vpc_cidr_block=existing.cidr,
        availability_zones=list(existing.zones),
        **ids,
    )
    for subnet in [*vpc.private_subnets, *vpc.isolated_subnets]:
        Annotations.of(subnet).acknowledge_warning(
            "@aws-cdk/aws-ec2:noSubnetRouteTableId", "Nothing here adds a route to a VPC that others look after."
        )
    return vpc
