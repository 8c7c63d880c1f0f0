"""The network has no way out but its endpoints, which speak for this account and for what is called alone."""

from dataclasses import replace
from pathlib import Path

from config import STAGES
from config.model import Part
from config.network import ExistingVpc, Network
from tests.stacks.assembly import Assembly, Resource, as_list, flat, synthesize
from tests.stacks.rendering import rendered

WAYS_OUT = (
    "AWS::EC2::EgressOnlyInternetGateway",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::TransitGatewayAttachment",
    "AWS::EC2::VPCGatewayAttachment",
)


NETWORKS_OF_THEIR_OWN = ("EmrOnEks", "Orchestration")
"""Stacks whose VPC has a way out; their own tests look at it."""


def _made(assembly: Assembly, *types: str) -> list[Resource]:
    """What the Network stack makes, and whoever stands in its VPC; EmrOnEks has a VPC of its own."""
    return [each for each in assembly.resources(*types) if each.stack not in NETWORKS_OF_THEIR_OWN]


def _synthesized(network: Network, folder: Path, *, judged: bool = False) -> Assembly:
    parts = frozenset({Part.DATA_LAKE, Part.NETWORK, Part.WAREHOUSE})
    return synthesize(replace(STAGES["dev"], network=network, parts=parts), folder, judged=judged)


def test_there_is_no_way_out_and_no_public_address(assembly: Assembly) -> None:
    assert not _made(assembly, *WAYS_OUT)
    for subnet in _made(assembly, "AWS::EC2::Subnet"):
        assert subnet.properties["MapPublicIpOnLaunch"] is False


def test_each_zone_has_a_subnet_with_a_route_table_of_its_own(assembly: Assembly) -> None:
    subnets = _made(assembly, "AWS::EC2::Subnet")
    zones = [str(subnet.properties["AvailabilityZone"]) for subnet in subnets]
    assert len(set(zones)) == len(subnets) >= 2
    tables = {
        flat(each.properties["RouteTableId"]) for each in _made(assembly, "AWS::EC2::SubnetRouteTableAssociation")
    }
    assert len(tables) == len(subnets)


def test_nothing_is_looked_up(assembly: Assembly) -> None:
    assert '"missing"' not in (assembly.folder / "manifest.json").read_text()


def _services(assembly: Assembly, kind: str) -> set[str]:
    return {
        flat(each.properties["ServiceName"]).rpartition(".")[2]
        for each in _made(assembly, "AWS::EC2::VPCEndpoint")
        if each.properties["VpcEndpointType"] == kind
    }


def test_endpoints_are_those_of_the_services_that_are_called_from_within(assembly: Assembly) -> None:
    assert _services(assembly, "Gateway") == {"s3", "dynamodb"}
    assert _services(assembly, "Interface") == {"secretsmanager", "redshift", "glue"}


def test_the_rotation_function_s_calls_pass_the_endpoints(dev: Assembly) -> None:
    let_through = {
        action
        for endpoint in _made(dev, "AWS::EC2::VPCEndpoint")
        for statement in endpoint.properties["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
    (role,) = (each for each in dev.resources("AWS::IAM::Role") if each.id.startswith("RotationExecutionRole"))
    calls = {
        action
        for policy in role.properties["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
        # Lambda's own calls, those for logs among them, do not pass through the network; KMS is called by its services.
        if not action.startswith(("ec2:", "logs:", "kms:"))
    }
    assert calls <= let_through


def test_an_endpoint_lets_through_calls_about_this_platform_s_own(dev: Assembly) -> None:
    for endpoint in _made(dev, "AWS::EC2::VPCEndpoint"):
        for statement in endpoint.properties["PolicyDocument"]["Statement"]:
            for resource in as_list(rendered(dev, endpoint.stack, statement["Resource"])):
                general = statement["Action"] == "secretsmanager:GetRandomPassword"
                assert "amp" in resource.lower() or resource.endswith(":catalog") or general, (endpoint, resource)


def test_interfaces_answer_under_the_services_names_to_tls_from_within(assembly: Assembly) -> None:
    (vpc,) = _made(assembly, "AWS::EC2::VPC")
    for endpoint in _made(assembly, "AWS::EC2::VPCEndpoint"):
        if endpoint.properties["VpcEndpointType"] != "Interface":
            continue
        assert endpoint.properties["PrivateDnsEnabled"] is True
        (group,) = (assembly.target("Network", each) for each in endpoint.properties["SecurityGroupIds"])
        assert group is not None
        (rule,) = group.properties["SecurityGroupIngress"]
        assert (rule["FromPort"], rule["ToPort"], rule["CidrIp"]) == (443, 443, vpc.properties["CidrBlock"])


def test_an_endpoint_stands_in_as_many_zones_as_are_paid_for(assemblies: dict[str, Assembly]) -> None:
    for name, assembly in assemblies.items():
        for endpoint in _made(assembly, "AWS::EC2::VPCEndpoint"):
            if endpoint.properties["VpcEndpointType"] == "Interface":
                assert len(endpoint.properties["SubnetIds"]) == STAGES[name].network.endpoint_zones


def test_all_traffic_is_written_down(assembly: Assembly) -> None:
    (log,) = _made(assembly, "AWS::EC2::FlowLog")
    (vpc,) = _made(assembly, "AWS::EC2::VPC")
    assert assembly.target("Network", log.properties["ResourceId"]) == vpc
    assert log.properties["TrafficType"] == "ALL"


def test_no_group_is_open_to_the_world(assembly: Assembly) -> None:
    for group in _made(assembly, "AWS::EC2::SecurityGroup"):
        for rule in group.properties.get("SecurityGroupIngress", []):
            assert rule["CidrIp"] != "0.0.0.0/0", group
        assert group.properties["SecurityGroupEgress"], "without a rule EC2 lets everything out"


def test_an_existing_vpc_is_used_and_none_is_made(tmp_path: Path) -> None:
    existing = ExistingVpc(
        vpc_id="vpc-0a1b2c3d",
        cidr="172.16.0.0/16",
        subnet_ids=("subnet-0a1b2c3d", "subnet-4e5f6a7b"),
        zones=("eu-west-1a", "eu-west-1b"),
    )
    assembly = _synthesized(Network(existing=existing), tmp_path, judged=True)
    made = [each.type for each in assembly.resources() if each.stack == "Network"]
    assert made == ["AWS::CloudFormation::WaitConditionHandle"], "nothing, in a stack that must hold something"
    subnets = assembly.one("AWS::Redshift::ClusterSubnetGroup").properties["SubnetIds"]
    assert subnets == ["subnet-0a1b2c3d", "subnet-4e5f6a7b"]
    for group in _made(assembly, "AWS::EC2::SecurityGroup"):
        assert group.properties["VpcId"] == "vpc-0a1b2c3d"


def test_instance_connect_is_there_when_asked_for_and_reaches_ssh_alone(dev: Assembly, tmp_path: Path) -> None:
    assert not dev.resources("AWS::EC2::InstanceConnectEndpoint")
    assembly = _synthesized(Network(instance_connect=True), tmp_path, judged=True)
    endpoint = assembly.one("AWS::EC2::InstanceConnectEndpoint")
    (group,) = (assembly.target("Network", each) for each in endpoint.properties["SecurityGroupIds"])
    assert group is not None
    (rule,) = group.properties["SecurityGroupEgress"]
    assert (rule["FromPort"], rule["ToPort"]) == (22, 22)
