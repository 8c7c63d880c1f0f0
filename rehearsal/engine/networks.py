"""VPCs as far as a function in one needs them: which AWS API it reaches, by which endpoint, past which groups.

No packet is sent: routes and security groups are read, not played. It must not know templates or functions.

Rules: AWS PrivateLink Guide, "Access AWS services through AWS PrivateLink" and "Gateway endpoints"; Amazon VPC User
Guide, "Security group rules".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from rehearsal.engine.iam import NoRoute, Passage

HTTPS = 443
EVERYWHERE = IPv4Network("0.0.0.0/0")
# Where the last part of an endpoint's service name is not boto3's name of the service.
_SERVICE_NAMES = {
    "cloudwatch": "monitoring",
    "dynamodbstreams": "dynamodb-streams",
    "firehose": "kinesis-firehose",
    "kinesis": "kinesis-streams",
    "stepfunctions": "states",
}


@dataclass(frozen=True, kw_only=True)
class GroupRule:
    """What a security group lets through: a protocol (``-1``: every), ports, and a range or a group on the far side."""

    protocol: str
    from_port: int
    to_port: int
    cidr: IPv4Network | None = None
    group_id: str = ""

    def covers(self, port: int) -> bool:
        """Whether it speaks of TCP to ``port``."""
        return self.protocol == "-1" or (self.protocol in ("tcp", "6") and self.from_port <= port <= self.to_port)

    def reaches(self, ranges: Iterable[IPv4Network], group_ids: Sequence[str]) -> bool:
        """Whether the far side, which lies in all of ``ranges`` and is in ``group_ids``, is the rule's."""
        cidr = self.cidr
        return self.group_id in group_ids or (cidr is not None and all(one.subnet_of(cidr) for one in ranges))


@dataclass(kw_only=True)
class SecurityGroup:
    """A security group; its rules come in any order."""

    vpc_id: str
    ingress: list[GroupRule] = field(default_factory=list)
    egress: list[GroupRule] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Vpc:
    """A VPC; ``private_names``: an endpoint can answer to the usual names of its service."""

    cidr: IPv4Network
    private_names: bool


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet."""

    vpc_id: str
    cidr: IPv4Network


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A VPC endpoint: an interface in subnets, behind groups, or (``gateway``) an entry of route tables."""

    id: str
    vpc_id: str
    service_name: str
    gateway: bool
    private_names: bool
    subnet_ids: Sequence[str]
    group_ids: Sequence[str]
    route_table_ids: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """Where in a VPC a function is."""

    vpc_id: str
    subnet_ids: tuple[str, ...]
    group_ids: tuple[str, ...]


class Networks:
    """The VPCs of an account and what is in them, by id."""

    def __init__(self, region: str) -> None:
        self._region = region
        self.vpcs: dict[str, Vpc] = {}
        self.subnets: dict[str, Subnet] = {}
        self.groups: dict[str, SecurityGroup] = {}
        self.route_tables: dict[str, str] = {}
        self.routes_of: dict[str, str] = {}
        self.endpoints: list[Endpoint] = []

    def attachment(self, subnet_ids: Sequence[str], group_ids: Sequence[str]) -> Attachment:
        """The place of something in subnets and groups.

        Raises:
            ValueError: one of them does not exist, or they are not of one VPC.
        """
        found = {
            **{one: self.subnets[one].vpc_id for one in subnet_ids if one in self.subnets},
            **{one: self.groups[one].vpc_id for one in group_ids if one in self.groups},
        }
        missing = [one for one in (*subnet_ids, *group_ids) if one not in found]
        if missing:
            raise ValueError(f"{', '.join(missing)} does not exist; give subnets and security groups of the template")
        if not subnet_ids or not group_ids or len(set(found.values())) != 1:
            raise ValueError(f"given {found}; give at least one subnet and one security group, all of one VPC")
        return Attachment(vpc_id=found[subnet_ids[0]], subnet_ids=tuple(subnet_ids), group_ids=tuple(group_ids))

    def passage(self, attachment: Attachment, service: str) -> Passage:
        """The endpoint by which something in a VPC reaches the API of a service (boto3's name).

        Raises:
            NoRoute: there is no endpoint, or routes, names or security groups do not lead to it.
        """
        name = f"com.amazonaws.{self._region}.{_SERVICE_NAMES.get(service, service)}"
        vpc = attachment.vpc_id
        endpoints = [one for one in self.endpoints if (one.vpc_id, one.service_name) == (vpc, name)]
        if not endpoints:
            raise NoRoute(
                f"no route: the VPC {vpc} has no endpoint for {service}; add one for {name}, or do not call it there"
            )
        obstacles = [self._obstacle(attachment, endpoint) for endpoint in endpoints]
        for endpoint, obstacle in zip(endpoints, obstacles, strict=True):
            if not obstacle:
                return Passage(vpc=vpc, endpoint=endpoint.id)
        raise NoRoute(f"no route: in the VPC {vpc} the endpoint for {service} is not reached: {'; '.join(obstacles)}")

    def _obstacle(self, attachment: Attachment, endpoint: Endpoint) -> str:
        if endpoint.gateway:
            return self._gateway_obstacle(attachment, endpoint)
        if not endpoint.private_names:
            return f"{endpoint.id} does not answer to the service's usual name (PrivateDnsEnabled)"
        near, far = self._ranges(attachment.subnet_ids), self._ranges(endpoint.subnet_ids)
        egress = [rule for group_id in attachment.group_ids for rule in self.groups[group_id].egress]
        if not any(rule.covers(HTTPS) and rule.reaches(far, endpoint.group_ids) for rule in egress):
            return f"no group of {list(attachment.group_ids)} lets TCP {HTTPS} out to it"
        ingress = [rule for group_id in endpoint.group_ids for rule in self.groups[group_id].ingress]
        if not any(rule.covers(HTTPS) and rule.reaches(near, attachment.group_ids) for rule in ingress):
            return f"no group of {list(endpoint.group_ids)} lets TCP {HTTPS} in from the caller"
        return ""

    def _gateway_obstacle(self, attachment: Attachment, endpoint: Endpoint) -> str:
        unrouted = [one for one in attachment.subnet_ids if self.routes_of.get(one) not in endpoint.route_table_ids]
        if unrouted:
            return f"the route tables of {unrouted} have no route to {endpoint.id}"
        egress = [rule for group_id in attachment.group_ids for rule in self.groups[group_id].egress]
        # The addresses of the service are public ones.
        if not any(rule.covers(HTTPS) and rule.reaches([EVERYWHERE], ()) for rule in egress):
            return f"no group of {list(attachment.group_ids)} lets TCP {HTTPS} out to {EVERYWHERE}"
        return ""

    def _ranges(self, subnet_ids: Iterable[str]) -> list[IPv4Network]:
        return [self.subnets[one].cidr for one in subnet_ids]
