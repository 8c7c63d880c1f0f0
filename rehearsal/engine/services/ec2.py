"""VPCs, subnets, routes, security groups and endpoints, as functions in a VPC meet them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.ec2.models.subnets import Subnet as MotoSubnet

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.networks import EVERYWHERE, Endpoint, GroupRule, Networks, SecurityGroup, Subnet, Vpc
from rehearsal.engine.resources import Created, Declaration, ResourceType

FLOW_LOGS = "vpc-flow-logs.amazonaws.com"
_NO_TAGS = "no rule of the rehearsal reads the tags of a network"
_RULE = ("CidrIp", "FromPort", "IpProtocol", "ToPort")


def attach(account: Account) -> None:
    """Make the networks known."""
    account.register(Networks(account.region))


def _id(declaration: Declaration, prefix: str) -> str:
    """An id as EC2 makes them, the same in each rehearsal of one template."""
    digest = hashlib.sha256(f"{declaration.stack}/{declaration.logical_id}".encode()).hexdigest()
    return f"{prefix}-{digest[:17]}"


def _existing(declaration: Declaration, known: Mapping[str, Any], *wanted: str) -> None:
    for one in wanted:
        if one not in known:
            raise declaration.fail(f"{one} does not exist; there are {sorted(known)}")


def _cidr(declaration: Declaration, text: str) -> IPv4Network:
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise declaration.fail(f"the range {text!r} cannot be read: {error}") from error


def _vpc(account: Account, declaration: Declaration) -> Created:
    properties, vpc_id = declaration.properties, _id(declaration, "vpc")
    account.service(Networks).vpcs[vpc_id] = Vpc(
        cidr=_cidr(declaration, properties["CidrBlock"]),
        private_names=bool(properties.get("EnableDnsSupport", True) and properties.get("EnableDnsHostnames", False)),
    )
    attributes = {"VpcId": vpc_id, "CidrBlock": properties["CidrBlock"]}
    return Created(ref=vpc_id, arn=account.arn("ec2", f"vpc/{vpc_id}"), attributes=attributes)


def _subnet(account: Account, declaration: Declaration) -> Created:
    properties, networks, subnet_id = declaration.properties, account.service(Networks), _id(declaration, "subnet")
    vpc_id = properties["VpcId"]
    _existing(declaration, networks.vpcs, vpc_id)
    cidr, whole = _cidr(declaration, properties["CidrBlock"]), networks.vpcs[vpc_id].cidr
    if not cidr.subnet_of(whole):
        raise declaration.fail(f"the range {cidr} is not within the VPC's {whole}")
    for other_id, other in networks.subnets.items():
        if other.vpc_id == vpc_id and other.cidr.overlaps(cidr):
            raise declaration.fail(f"the range {cidr} overlaps {other.cidr} of {other_id}")
    networks.subnets[subnet_id] = Subnet(vpc_id=vpc_id, cidr=cidr)
    _show_in_moto(account, subnet_id, networks.subnets[subnet_id], properties.get("AvailabilityZone", ""))
    attributes = {"SubnetId": subnet_id, "VpcId": vpc_id, "CidrBlock": str(cidr)}
    if "AvailabilityZone" in properties:
        attributes["AvailabilityZone"] = properties["AvailabilityZone"]
    return Created(ref=subnet_id, arn=account.arn("ec2", f"subnet/{subnet_id}"), attributes=attributes)


def _show_in_moto(account: Account, subnet_id: str, subnet: Subnet, zone: str) -> None:
    """Let other services of moto, which look subnets up, find this one; it makes an id of its own otherwise."""
    zones = {one.name: one for one in RegionsAndZonesBackend.zones[account.region]}
    backend = ec2_backends[account.id][account.region]
    place = zones.get(zone) or next(iter(zones.values()))
    backend.subnets[place.name][subnet_id] = MotoSubnet(
        backend, subnet_id, subnet.vpc_id, str(subnet.cidr), None, place, False, False
    )


def _route_table(account: Account, declaration: Declaration) -> Created:
    networks, table_id = account.service(Networks), _id(declaration, "rtb")
    _existing(declaration, networks.vpcs, declaration.properties["VpcId"])
    networks.route_tables[table_id] = declaration.properties["VpcId"]
    return Created(ref=table_id, attributes={"RouteTableId": table_id})


def _association(account: Account, declaration: Declaration) -> Created:
    properties, networks, name = declaration.properties, account.service(Networks), _id(declaration, "rtbassoc")
    _existing(declaration, networks.subnets, properties["SubnetId"])
    _existing(declaration, networks.route_tables, properties["RouteTableId"])
    networks.routes_of[properties["SubnetId"]] = properties["RouteTableId"]
    return Created(ref=name, attributes={"Id": name})


def _security_group(account: Account, declaration: Declaration) -> Created:
    properties, networks, group_id = declaration.properties, account.service(Networks), _id(declaration, "sg")
    _existing(declaration, networks.vpcs, properties["VpcId"])
    everything = GroupRule(protocol="-1", from_port=-1, to_port=-1, cidr=EVERYWHERE)
    outward = properties.get("SecurityGroupEgress")
    networks.groups[group_id] = SecurityGroup(
        vpc_id=properties["VpcId"],
        ingress=[_rule(declaration, one, "Source") for one in properties.get("SecurityGroupIngress", [])],
        egress=[_rule(declaration, one, "Destination") for one in outward] if outward else [everything],
    )
    attributes = {"GroupId": group_id, "Id": group_id, "VpcId": properties["VpcId"]}
    return Created(ref=group_id, arn=account.arn("ec2", f"security-group/{group_id}"), attributes=attributes)


def _ingress(account: Account, declaration: Declaration) -> Created:
    networks, group_id = account.service(Networks), declaration.properties["GroupId"]
    _existing(declaration, networks.groups, group_id)
    networks.groups[group_id].ingress.append(_rule(declaration, declaration.properties, "Source"))
    name = _id(declaration, "sgr")
    return Created(ref=name, attributes={"Id": name})


def _egress(account: Account, declaration: Declaration) -> Created:
    networks, group_id = account.service(Networks), declaration.properties["GroupId"]
    _existing(declaration, networks.groups, group_id)
    networks.groups[group_id].egress.append(_rule(declaration, declaration.properties, "Destination"))
    name = _id(declaration, "sgr")
    return Created(ref=name, attributes={"Id": name})


def _rule(declaration: Declaration, given: Mapping[str, Any], side: str) -> GroupRule:
    group_id = given.get(f"{side}SecurityGroupId", "")
    if bool(group_id) == ("CidrIp" in given):
        raise declaration.fail(f"a rule needs either CidrIp or {side}SecurityGroupId, given {dict(given)}")
    return GroupRule(
        protocol=str(given["IpProtocol"]).lower(),
        from_port=int(given.get("FromPort", -1)),
        to_port=int(given.get("ToPort", -1)),
        cidr=_cidr(declaration, given["CidrIp"]) if "CidrIp" in given else None,
        group_id=group_id,
    )


def _endpoint(account: Account, declaration: Declaration) -> Created:
    properties, networks, endpoint_id = declaration.properties, account.service(Networks), _id(declaration, "vpce")
    kind, vpc_id = properties.get("VpcEndpointType", "Gateway"), properties["VpcId"]
    if kind not in ("Gateway", "Interface"):
        raise declaration.unsupported(f"VpcEndpointType {kind} is not played", "Use Gateway or Interface")
    _existing(declaration, networks.vpcs, vpc_id)
    _existing(declaration, networks.subnets, *properties.get("SubnetIds", []))
    _existing(declaration, networks.groups, *properties.get("SecurityGroupIds", []))
    _existing(declaration, networks.route_tables, *properties.get("RouteTableIds", []))
    private = bool(properties.get("PrivateDnsEnabled", False))
    if private and not networks.vpcs[vpc_id].private_names:
        raise declaration.fail("PrivateDnsEnabled needs EnableDnsSupport and EnableDnsHostnames of the VPC")
    networks.endpoints.append(
        Endpoint(
            id=endpoint_id,
            vpc_id=vpc_id,
            service_name=properties["ServiceName"],
            gateway=kind == "Gateway",
            private_names=private,
            subnet_ids=properties.get("SubnetIds", []),
            group_ids=properties.get("SecurityGroupIds", []),
            route_table_ids=properties.get("RouteTableIds", []),
        )
    )
    if "PolicyDocument" in properties:
        account.authorizer.put_endpoint_policy(endpoint_id, properties["PolicyDocument"])
    arn = account.arn("ec2", f"vpc-endpoint/{endpoint_id}")
    return Created(ref=endpoint_id, arn=arn, attributes={"Id": endpoint_id})


def _flow_log(account: Account, declaration: Declaration) -> Created:
    name = _id(declaration, "fl")
    role_arn = declaration.properties["DeliverLogsPermissionArn"]
    context = {"aws:SourceArn": account.arn("ec2", f"vpc-flow-log/{name}"), "aws:SourceAccount": account.id}
    try:
        account.authorizer.credentials(role_arn, service=FLOW_LOGS, session="flow-log", context=context)
    except iam.AccessDenied as error:
        raise declaration.fail(f"flow logs cannot be written as the role: {error}") from error
    return Created(ref=name, attributes={"Id": name})


def _instance_connect(account: Account, declaration: Declaration) -> Created:
    properties, networks, name = declaration.properties, account.service(Networks), _id(declaration, "eice")
    _existing(declaration, networks.subnets, properties["SubnetId"])
    _existing(declaration, networks.groups, *properties.get("SecurityGroupIds", []))
    return Created(ref=name, attributes={"Id": name})


def _named(prefix: str, attribute: str) -> Callable[[Account, Declaration], Created]:
    """What makes a resource that has a name of its own, which others may refer to, and no effect."""

    def create(account: Account, declaration: Declaration) -> Created:
        del account
        name = _id(declaration, prefix)
        return Created(ref=name, attributes={attribute: name})

    return create


def _address(account: Account, declaration: Declaration) -> Created:
    del account
    # An address of the block that is kept for documentation (RFC 5737), the same in each rehearsal of one template.
    last = int(_id(declaration, "")[1:], 16) % 254 + 1
    return Created(ref=f"203.0.113.{last}", attributes={"AllocationId": _id(declaration, "eipalloc")})


def _nat_gateway(account: Account, declaration: Declaration) -> Created:
    name = _id(declaration, "nat")
    _existing(declaration, account.service(Networks).subnets, declaration.properties["SubnetId"])
    return Created(ref=name, attributes={"NatGatewayId": name})


def _route(account: Account, declaration: Declaration) -> Created:
    _existing(declaration, account.service(Networks).route_tables, declaration.properties["RouteTableId"])
    return Created(ref=_id(declaration, "route"))


def _attachment(account: Account, declaration: Declaration) -> Created:
    _existing(declaration, account.service(Networks).vpcs, declaration.properties["VpcId"])
    return Created(ref=_id(declaration, "igwatt"))


_NO_PACKETS = "no packet crosses a network of the rehearsal, so there is nothing to log"
_NO_WAY_OUT = "nothing in a rehearsal leaves this machine; a function in a VPC reaches what its endpoints lead to"

RESOURCE_TYPES = (
    ResourceType(
        name="AWS::EC2::VPC",
        create=_vpc,
        honoured=("CidrBlock", "EnableDnsHostnames", "EnableDnsSupport"),
        ignored={"Tags": _NO_TAGS},
    ),
    ResourceType(
        name="AWS::EC2::Subnet",
        create=_subnet,
        honoured=("AvailabilityZone", "CidrBlock", "VpcId"),
        ignored={"MapPublicIpOnLaunch": "no instance is launched", "Tags": _NO_TAGS},
    ),
    ResourceType(name="AWS::EC2::RouteTable", create=_route_table, honoured=("VpcId",), ignored={"Tags": _NO_TAGS}),
    ResourceType(
        name="AWS::EC2::SubnetRouteTableAssociation", create=_association, honoured=("RouteTableId", "SubnetId")
    ),
    ResourceType(
        name="AWS::EC2::SecurityGroup",
        create=_security_group,
        honoured=(
            *(f"SecurityGroupEgress.{one}" for one in (*_RULE, "DestinationSecurityGroupId")),
            *(f"SecurityGroupIngress.{one}" for one in (*_RULE, "SourceSecurityGroupId")),
            "VpcId",
        ),
        ignored={
            "GroupDescription": "a text for people",
            "SecurityGroupEgress.Description": "a text for people",
            "SecurityGroupIngress.Description": "a text for people",
            "Tags": _NO_TAGS,
        },
    ),
    ResourceType(
        name="AWS::EC2::SecurityGroupIngress",
        create=_ingress,
        honoured=(*_RULE, "GroupId", "SourceSecurityGroupId"),
        ignored={"Description": "a text for people"},
    ),
    ResourceType(
        name="AWS::EC2::SecurityGroupEgress",
        create=_egress,
        honoured=(*_RULE, "DestinationSecurityGroupId", "GroupId"),
        ignored={"Description": "a text for people"},
    ),
    ResourceType(
        name="AWS::EC2::VPCEndpoint",
        create=_endpoint,
        honoured=(
            "PolicyDocument",
            "PrivateDnsEnabled",
            "RouteTableIds",
            "SecurityGroupIds",
            "ServiceName",
            "SubnetIds",
            "VpcEndpointType",
            "VpcId",
        ),
        ignored={"Tags": _NO_TAGS},
    ),
    ResourceType(
        name="AWS::EC2::InternetGateway",
        create=_named("igw", "InternetGatewayId"),
        ignored={"Tags": _NO_TAGS},
        modelled_only=_NO_WAY_OUT,
    ),
    ResourceType(
        name="AWS::EC2::VPCGatewayAttachment",
        create=_attachment,
        honoured=("VpcId",),
        ignored={"InternetGatewayId": _NO_WAY_OUT},
        modelled_only=_NO_WAY_OUT,
    ),
    ResourceType(
        name="AWS::EC2::EIP",
        create=_address,
        ignored={"Domain": _NO_WAY_OUT, "Tags": _NO_TAGS},
        modelled_only=_NO_WAY_OUT,
    ),
    ResourceType(
        name="AWS::EC2::NatGateway",
        create=_nat_gateway,
        honoured=("SubnetId",),
        ignored={"AllocationId": _NO_WAY_OUT, "Tags": _NO_TAGS},
        modelled_only=_NO_WAY_OUT,
    ),
    ResourceType(
        name="AWS::EC2::Route",
        create=_route,
        honoured=("RouteTableId",),
        ignored=dict.fromkeys(("DestinationCidrBlock", "GatewayId", "NatGatewayId"), _NO_WAY_OUT),
        modelled_only=_NO_WAY_OUT,
    ),
    ResourceType(
        name="AWS::EC2::FlowLog",
        create=_flow_log,
        honoured=("DeliverLogsPermissionArn",),
        ignored=dict.fromkeys(
            (
                "LogDestinationType",
                "LogGroupName",
                "MaxAggregationInterval",
                "ResourceId",
                "ResourceType",
                "Tags",
                "TrafficType",
            ),
            _NO_PACKETS,
        ),
        modelled_only=_NO_PACKETS,
    ),
    ResourceType(
        name="AWS::EC2::InstanceConnectEndpoint",
        create=_instance_connect,
        honoured=("SecurityGroupIds", "SubnetId"),
        ignored={"PreserveClientIp": "nobody connects through it", "Tags": _NO_TAGS},
        modelled_only="it is for people who connect to instances, of which a rehearsal has none",
    ),
)
