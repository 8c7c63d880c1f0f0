"""A VPC of isolated subnets: no way to or from the internet, flow logs, endpoints for the AWS services that are called.

It must not look anything up at synth, nor know who stands in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Aws, Fn, Stack, Tags, aws_ec2, aws_iam, aws_kms
from constructs import Construct, IDependable

from building_blocks.acknowledgement import acknowledge
from building_blocks.arns import arn_of
from building_blocks.log_group import LogGroup

HTTPS = 443

S3_DATA_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
)
"""What reads and writes data in S3, and administers nothing."""


@dataclass(frozen=True, kw_only=True)
class EndpointUse:
    """A service that is called from within the VPC, and all that may be asked of it through its endpoint.

    ``service`` is the last part of the service's name (`com.amazonaws.<region>.<service>`); ``general`` are actions
    that know no resource. ``anybody`` are actions with the resources that they may be about, whoever asks: by addresses
    that a service of AWS signed, or to get credentials in the first place.
    """

    service: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    general: tuple[str, ...] = ()
    anybody: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class IsolatedVpc(Construct):
    """A VPC with one isolated subnet and one route table a zone.

    It is made of L1 constructs: the L2 one asks an account for its zones or takes two of them at most, and closes the
    default security group by a function of its own with rights over all security groups.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cidr: str,
        subnet_cidrs: Sequence[str],
        log_group_name: str,
        log_retention_days: int,
        log_key: aws_kms.IKey,
    ) -> None:
        """Make the VPC with a subnet for each of ``subnet_cidrs``, in the Region's zones in their order."""
        super().__init__(scope, id)
        self._cidr = cidr
        self.ways: list[IDependable] = []
        """What must stand before anything in the subnets reaches a service: routes of subnets, and endpoints."""
        self._vpc = aws_ec2.CfnVPC(self, "Vpc", cidr_block=cidr, enable_dns_hostnames=True, enable_dns_support=True)
        self._name(self._vpc, "")
        zones = [Fn.select(index, Fn.get_azs()) for index in range(len(subnet_cidrs))]
        self._subnets = [
            self._subnet(index, cidr=subnet, zone=zone)
            for index, (subnet, zone) in enumerate(zip(subnet_cidrs, zones, strict=True), start=1)
        ]
        self.vpc_id: str = self._vpc.ref
        self.subnet_ids = [subnet.ref for subnet, _ in self._subnets]
        self.route_table_ids = [table.ref for _, table in self._subnets]
        self.zones = zones
        self._flow_log(name=log_group_name, retention_days=log_retention_days, key=log_key)

    def add_gateway(self, use: EndpointUse) -> None:
        """Let the subnets reach S3 or DynamoDB by a route, which costs nothing."""
        gateway = aws_ec2.CfnVPCEndpoint(
            self,
            f"{use.service.title()}Gateway",
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{Aws.REGION}.{use.service}",
            vpc_endpoint_type="Gateway",
            route_table_ids=self.route_table_ids,
            policy_document=_policy(use),
        )
        self.ways.append(gateway)

    def add_interfaces(self, uses: Sequence[EndpointUse], *, zones: int) -> None:
        """Let the subnets reach services under their usual names, by addresses in the first ``zones`` zones.

        One security group is enough: whoever is in the VPC may knock, and each endpoint's policy says for what.
        """
        group = aws_ec2.CfnSecurityGroup(
            self,
            "EndpointsSecurityGroup",
            group_description="Interface endpoints: TLS from within the VPC",
            vpc_id=self.vpc_id,
            security_group_ingress=[
                aws_ec2.CfnSecurityGroup.IngressProperty(
                    ip_protocol="tcp", from_port=HTTPS, to_port=HTTPS, cidr_ip=self._cidr, description="Within the VPC"
                )
            ],
            security_group_egress=[_NOTHING],
        )
        for use in uses:
            endpoint = aws_ec2.CfnVPCEndpoint(
                self,
                f"{use.service.title().replace('-', '').replace('.', '')}Endpoint",
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{Aws.REGION}.{use.service}",
                vpc_endpoint_type="Interface",
                subnet_ids=self.subnet_ids[:zones],
                security_group_ids=[group.ref],
                private_dns_enabled=True,
                policy_document=_policy(use),
            )
            self.ways.append(endpoint)

    def add_instance_connect(self) -> None:
        """Let people reach SSH of instances in the VPC through AWS, without an address or a bastion."""
        group = aws_ec2.CfnSecurityGroup(
            self,
            "InstanceConnectSecurityGroup",
            group_description="EC2 Instance Connect Endpoint: SSH to instances within the VPC",
            vpc_id=self.vpc_id,
            security_group_egress=[
                aws_ec2.CfnSecurityGroup.EgressProperty(
                    ip_protocol="tcp", from_port=22, to_port=22, cidr_ip=self._cidr, description="SSH within the VPC"
                )
            ],
        )
        aws_ec2.CfnInstanceConnectEndpoint(
            self,
            "InstanceConnect",
            subnet_id=self.subnet_ids[0],
            security_group_ids=[group.ref],
            preserve_client_ip=False,
        )

    def _subnet(self, number: int, *, cidr: str, zone: str) -> tuple[aws_ec2.CfnSubnet, aws_ec2.CfnRouteTable]:
        subnet = aws_ec2.CfnSubnet(
            self,
            f"Isolated{number}",
            vpc_id=self._vpc.ref,
            cidr_block=cidr,
            availability_zone=zone,
            map_public_ip_on_launch=False,
        )
        table = aws_ec2.CfnRouteTable(self, f"Routes{number}", vpc_id=self._vpc.ref)
        association = aws_ec2.CfnSubnetRouteTableAssociation(
            self, f"Routes{number}OfIsolated{number}", subnet_id=subnet.ref, route_table_id=table.ref
        )
        self.ways.append(association)
        self._name(subnet, f"-isolated-{number}")
        self._name(table, f"-isolated-{number}")
        return subnet, table

    def _name(self, resource: Construct, suffix: str) -> None:
        Tags.of(resource).add("Name", f"{Stack.of(self).stack_name}{suffix}")

    def _flow_log(self, *, name: str, retention_days: int, key: aws_kms.IKey) -> None:
        """Who spoke to whom, all of it; the role is the one of the page "Publish flow logs to CloudWatch Logs"."""
        group = LogGroup(self, "FlowLogs", name=name, key=key, retention_days=retention_days)
        role = aws_iam.Role(
            self,
            "FlowLogRole",
            description="Writes the VPC's flow logs and does nothing else",
            assumed_by=aws_iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={
                    "ArnLike": {"aws:SourceArn": arn_of("ec2", "vpc-flow-log/*")},
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                },
            ),
            inline_policies={
                "Writing": aws_iam.PolicyDocument(
                    statements=[
                        aws_iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                            resources=[group.log_group_arn],
                        ),
                        aws_iam.PolicyStatement(actions=["logs:DescribeLogGroups"], resources=["*"]),
                    ]
                )
            },
        )
        acknowledge(
            role,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Log groups are listed by a call that knows no resource; it tells their names alone.",
        )
        aws_ec2.CfnFlowLog(
            self,
            "FlowLog",
            resource_id=self._vpc.ref,
            resource_type="VPC",
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
            max_aggregation_interval=600,
        )


_NOTHING = aws_ec2.CfnSecurityGroup.EgressProperty(
    ip_protocol="icmp", from_port=252, to_port=86, cidr_ip="255.255.255.255/32", description="Nothing leaves"
)
"""What a group without a way out needs in place of the rule that EC2 adds when there is none."""


def _policy(use: EndpointUse) -> aws_iam.PolicyDocument:
    """Principals of this account alone, to these resources alone, but for what is for anybody.

    An endpoint's policy names principals by condition: an account as `Principal` there means its root user ("Control
    access to VPC endpoints using endpoint policies" page).
    """
    return aws_iam.PolicyDocument(
        statements=[
            *(
                aws_iam.PolicyStatement(
                    principals=[aws_iam.AnyPrincipal()],
                    actions=list(actions),
                    resources=list(resources),
                    conditions={"StringEquals": {"aws:PrincipalAccount": Aws.ACCOUNT_ID}},
                )
                for actions, resources in ((use.actions, use.resources), (use.general, ("*",)))
                if actions
            ),
            *(
                aws_iam.PolicyStatement(
                    principals=[aws_iam.AnyPrincipal()], actions=[action], resources=list(resources)
                )
                for action, resources in use.anybody.items()
            ),
        ]
    )
