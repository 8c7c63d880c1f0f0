"""A way out of a VPC's private subnets, and none in: NAT gateways in public subnets where nothing else stands.

It must not give anything an address that the internet can reach.
"""

from collections.abc import Sequence

from aws_cdk import Stack, Tags, aws_ec2
from constructs import Construct

_ANYWHERE = "0.0.0.0/0"


class NatGateways(Construct):
    """``gateways`` NAT gateways, one a zone; the private subnets of zones without one go through another zone's."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        vpc_id: str,
        zones: Sequence[str],
        public_cidrs: Sequence[str],
        private_route_table_ids: Sequence[str],
        gateways: int,
    ) -> None:
        """Make as many public subnets as ``gateways``, out of ``public_cidrs`` in the order of ``zones``."""
        super().__init__(scope, id)
        internet = aws_ec2.CfnInternetGateway(self, "Internet")
        attachment = aws_ec2.CfnVPCGatewayAttachment(
            self, "InternetOfVpc", vpc_id=vpc_id, internet_gateway_id=internet.ref
        )
        table = aws_ec2.CfnRouteTable(self, "PublicRoutes", vpc_id=vpc_id)
        route = aws_ec2.CfnRoute(
            self,
            "PublicWayOut",
            route_table_id=table.ref,
            destination_cidr_block=_ANYWHERE,
            gateway_id=internet.ref,
        )
        route.add_resource_dependency(attachment)
        made = []
        for number, (zone, cidr) in enumerate(zip(zones[:gateways], public_cidrs, strict=False), start=1):
            subnet = aws_ec2.CfnSubnet(
                self,
                f"Public{number}",
                vpc_id=vpc_id,
                cidr_block=cidr,
                availability_zone=zone,
                map_public_ip_on_launch=False,
            )
            association = aws_ec2.CfnSubnetRouteTableAssociation(
                self, f"RoutesOfPublic{number}", subnet_id=subnet.ref, route_table_id=table.ref
            )
            address = aws_ec2.CfnEIP(self, f"Address{number}", domain="vpc")
            address.add_resource_dependency(attachment)
            gateway = aws_ec2.CfnNatGateway(
                self, f"Gateway{number}", subnet_id=subnet.ref, allocation_id=address.attr_allocation_id
            )
            gateway.add_resource_dependency(route)
            gateway.add_resource_dependency(association)
            for resource, name in ((subnet, "public"), (gateway, "nat")):
                Tags.of(resource).add("Name", f"{Stack.of(self).stack_name}-{name}-{number}")
            made.append(gateway)
        for number, private in enumerate(private_route_table_ids):
            aws_ec2.CfnRoute(
                self,
                f"WayOut{number + 1}",
                route_table_id=private,
                destination_cidr_block=_ANYWHERE,
                nat_gateway_id=made[number % len(made)].ref,
            )
