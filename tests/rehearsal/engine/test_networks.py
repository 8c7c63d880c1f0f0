"""A function in a VPC reaches services by the endpoints of its VPC, past routes, groups and endpoint policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.rehearsal.engine.assemblies import (
    LOGS,
    NEEDS,
    AssemblyWriter,
    Json,
    StartEngine,
    allow,
    att,
    one_stack,
    role,
)

pytest.importorskip("time_machine", reason=NEEDS)

from rehearsal.engine.errors import DeploymentFailed

if TYPE_CHECKING:
    from rehearsal.engine.engine import Engine

HANDLER = """
import boto3

def handler(event, context):
    try:
        if event["call"] == "secret":
            return boto3.client("secretsmanager").get_random_password(PasswordLength=20)["RandomPassword"]
        if event["call"] == "queue":
            return boto3.client("sqs").list_queues().get("QueueUrls", [])
        return boto3.client("dynamodb").get_item(TableName="settings", Key={"name": {"S": "x"}}).get("Item", {})
    except Exception as error:
        return {"failed": str(error)}
"""
INTERFACES = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
]
TLS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def group(*, ingress: list[Json] | None = None, egress: list[Json] | None = None) -> Json:
    properties: Json = {"GroupDescription": "a group", "VpcId": {"Ref": "Vpc"}}
    if ingress is not None:
        properties["SecurityGroupIngress"] = ingress
    if egress is not None:
        properties["SecurityGroupEgress"] = egress
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def endpoint(service: str, **properties: Any) -> Json:
    return {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "ServiceName": {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"},
            "VpcId": {"Ref": "Vpc"},
            **properties,
        },
    }


def interface(service: str, **properties: Any) -> Json:
    own = {
        "VpcEndpointType": "Interface",
        "PrivateDnsEnabled": True,
        "SubnetIds": [{"Ref": "Subnet"}],
        "SecurityGroupIds": [{"Ref": "EndpointGroup"}],
    }
    return endpoint(service, **{**own, **properties})


def gateway(**properties: Any) -> Json:
    return endpoint("dynamodb", VpcEndpointType="Gateway", RouteTableIds=[{"Ref": "Routes"}], **properties)


def policy(*statements: Json) -> Json:
    everyone = [{"Principal": {"AWS": "*"}, **statement} for statement in statements]
    return {"Version": "2012-10-17", "Statement": everyone}


def network(**properties: Any) -> Json:
    """A VPC of one subnet with endpoints for Secrets Manager and DynamoDB."""
    return {
        "Vpc": {
            "Type": "AWS::EC2::VPC",
            "Properties": {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True, "EnableDnsSupport": True},
        },
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": False},
        },
        "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": {"Ref": "Vpc"}}},
        "RoutesOfSubnet": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"RouteTableId": {"Ref": "Routes"}, "SubnetId": {"Ref": "Subnet"}},
        },
        "EndpointGroup": group(ingress=[{**TLS, "CidrIp": "10.0.0.0/16"}]),
        "FunctionGroup": group(),
        "Secrets": interface("secretsmanager"),
        "Tables": gateway(),
        **properties,
    }


def vpc_app(folder: Path, statements: list[Json] | None = None, *, inside: bool = True, **resources: Any) -> Path:
    """A function in the VPC that calls what its event names."""
    writer = AssemblyWriter(folder)
    allowed = statements or [
        LOGS,
        allow(INTERFACES, "*"),
        allow(["secretsmanager:GetRandomPassword", "sqs:ListQueues", "dynamodb:GetItem"], "*"),
    ]
    place = {"SubnetIds": [{"Ref": "Subnet"}], "SecurityGroupIds": [{"Ref": "FunctionGroup"}]}
    template = {
        **network(**resources),
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "settings",
                "AttributeDefinitions": [{"AttributeName": "name", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "name", "KeyType": "HASH"}],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
        "Role": role("lambda.amazonaws.com", *allowed),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "inside",
                "Code": writer.asset({"main.py": HANDLER}),
                "Handler": "main.handler",
                "Runtime": "python3.13",
                "Role": att("Role"),
                "Timeout": 10,
                **({"VpcConfig": place} if inside else {}),
            },
        },
    }
    writer.stack("App", {"Resources": template})
    return writer.write()


def call(engine: Engine, what: str) -> Any:
    """What the function says of a call: the answer, or why it failed."""
    answer = engine.client("lambda").invoke(FunctionName="inside", Payload=json.dumps({"call": what}))
    return json.load(answer["Payload"])


def started(folder: Path, start_engine: StartEngine, **options: Any) -> Engine:
    engine = start_engine(vpc_app(folder, **options))
    engine.deploy()
    return engine


def test_services_with_an_endpoint_are_reached_and_logs_are_written(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    assert len(call(engine, "secret")) == 20
    assert call(engine, "table") == {}
    assert (engine.problems, engine.refusals) == ((), ())
    assert engine.client("logs").describe_log_groups()["logGroups"] != []


def test_a_service_without_an_endpoint_is_a_problem_that_names_it(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine)
    failed = call(engine, "queue")["failed"]
    vpc = engine.resource("App", "Vpc").physical_id
    assert f"no route: the VPC {vpc} has no endpoint for sqs" in failed
    (problem,) = engine.problems
    assert "assumed-role/" in problem
    assert "/inside calls sqs:ListQueues" in problem
    assert "add one for com.amazonaws.us-east-1.sqs" in problem


def test_a_function_outside_of_the_vpc_needs_no_endpoint(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = started(tmp_path, start_engine, inside=False)
    assert call(engine, "queue") == []
    assert engine.problems == ()


@pytest.mark.parametrize(
    ("changed", "what", "why"),
    [
        ({"Secrets": interface("secretsmanager", PrivateDnsEnabled=False)}, "secret", "PrivateDnsEnabled"),
        ({"FunctionGroup": group(egress=[{**TLS, "CidrIp": "10.9.0.0/16"}])}, "secret", "lets TCP 443 out to it"),
        ({"FunctionGroup": group(egress=[{**TLS, "ToPort": 443, "FromPort": 443, "CidrIp": "10.0.0.0/16"}])}, "table",
         "lets TCP 443 out to 0.0.0.0/0"),
        ({"EndpointGroup": group(ingress=[])}, "secret", "lets TCP 443 in from the caller"),
        ({"EndpointGroup": group(ingress=[{**TLS, "FromPort": 80, "ToPort": 80, "CidrIp": "10.0.0.0/16"}])}, "secret",
         "lets TCP 443 in from the caller"),
        ({"Tables": endpoint("dynamodb", RouteTableIds=[])}, "table", "have no route to"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_to_an_endpoint_is_named(
    tmp_path: Path, start_engine: StartEngine, changed: Json, what: str, why: str
) -> None:
    engine = started(tmp_path, start_engine, **changed)
    assert why in call(engine, what)["failed"]
    assert len(engine.problems) == 1


def test_a_group_can_let_another_group_in_by_a_rule_of_its_own(tmp_path: Path, start_engine: StartEngine) -> None:
    rules = {
        "EndpointGroup": group(ingress=[]),
        "FunctionGroup": group(egress=[{**TLS, "FromPort": 22, "ToPort": 22, "CidrIp": "10.0.0.0/16"}]),
        "In": {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {**TLS, "GroupId": att("EndpointGroup", "GroupId"),
                           "SourceSecurityGroupId": att("FunctionGroup", "GroupId")},
        },
        "Out": {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {**TLS, "GroupId": att("FunctionGroup", "GroupId"),
                           "DestinationSecurityGroupId": att("EndpointGroup", "GroupId")},
        },
    }  # fmt: skip
    engine = started(tmp_path, start_engine, **rules)
    assert len(call(engine, "secret")) == 20


READ = {"Effect": "Allow", "Action": "dynamodb:GetItem"}
OWN = {"Resource": att("Table")}
OF_ACCOUNT = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
OF_OTHERS = {"StringEquals": {"aws:PrincipalAccount": "999999999999"}}


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        ([{**READ, **OWN, "Condition": OF_ACCOUNT}], ""),
        (
            [{**READ, **OWN, "Condition": OF_OTHERS}],
            "because no VPC endpoint policy allows the dynamodb:GetItem action",
        ),
        ([{**READ, "Resource": "arn:aws:dynamodb:*:*:table/other"}], "because no VPC endpoint policy allows"),
        ([{**READ, **OWN, "Action": "dynamodb:Query"}], "because no VPC endpoint policy allows"),
        ([{**READ, **OWN}, {**READ, **OWN, "Effect": "Deny"}], "with an explicit deny in a VPC endpoint policy"),
    ],
)
def test_an_endpoint_lets_through_what_its_policy_allows(
    tmp_path: Path, start_engine: StartEngine, statements: list[Json], why: str
) -> None:
    engine = started(tmp_path, start_engine, Tables=gateway(PolicyDocument=policy(*statements)))
    answer = call(engine, "table")
    if not why:
        assert answer == {}
        assert engine.refusals == ()
        return
    assert why in answer["failed"]
    assert [record.need.action for record in engine.refusals] == ["dynamodb:GetItem"]


@pytest.mark.parametrize(("way", "answers"), [("Tables", True), ("Secrets", False)])
def test_policies_can_ask_by_which_endpoint_a_call_came(
    tmp_path: Path, start_engine: StartEngine, way: str, answers: bool
) -> None:
    through = {**allow(["dynamodb:GetItem"], "*"), "Condition": {"StringEquals": {"aws:SourceVpce": {"Ref": way}}}}
    engine = started(tmp_path, start_engine, statements=[LOGS, allow(INTERFACES, "*"), through])
    assert (call(engine, "table") == {}) is answers


@pytest.mark.parametrize("missing", INTERFACES)
def test_a_role_that_cannot_give_the_function_an_interface_fails_the_deployment(
    tmp_path: Path, start_engine: StartEngine, missing: str
) -> None:
    engine = start_engine(vpc_app(tmp_path, [LOGS, allow([one for one in INTERFACES if one != missing], "*")]))
    with pytest.raises(DeploymentFailed, match=missing):
        engine.deploy()


OTHER_VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}}


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}, "EnableDnsHostnames"),
        ({"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "ten"}}}, "cannot be read"),
        ({"Again": {"Type": "AWS::EC2::Subnet",
                    "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.128/25"}}}, "overlaps"),
        ({"Wide": {"Type": "AWS::EC2::Subnet",
                   "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.1.1.0/24"}}}, "not within the VPC"),
        ({"FunctionGroup": group(egress=[{**TLS}])}, "either CidrIp or DestinationSecurityGroupId"),
        ({"Secrets": interface("secretsmanager", SubnetIds=["subnet-1"])}, "subnet-1 does not exist"),
        ({"Other": OTHER_VPC, "FunctionGroup": {"Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": "elsewhere", "VpcId": {"Ref": "Other"}}}}, "all of one VPC"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_fails_the_deployment(
    tmp_path: Path, start_engine: StartEngine, resources: Json, message: str
) -> None:
    engine = start_engine(vpc_app(tmp_path, **resources))
    with pytest.raises(DeploymentFailed, match=message):
        engine.deploy()


def test_other_services_find_the_subnets_of_a_vpc(tmp_path: Path, start_engine: StartEngine) -> None:
    group_of_subnets = {
        "Type": "AWS::Redshift::ClusterSubnetGroup",
        "Properties": {"Description": "of the VPC", "SubnetIds": [{"Ref": "Subnet"}]},
    }
    engine = start_engine(one_stack(tmp_path, network(Clusters=group_of_subnets)))
    engine.deploy()
    (found,) = engine.client("redshift").describe_cluster_subnet_groups()["ClusterSubnetGroups"]
    subnet = engine.resource("App", "Subnet").physical_id
    assert [one["SubnetIdentifier"] for one in found["Subnets"]] == [subnet]


def flow_log(service: str) -> Json:
    return {
        "Logs": {"Type": "AWS::Logs::LogGroup"},
        "FlowRole": role(service),
        "FlowLog": {
            "Type": "AWS::EC2::FlowLog",
            "Properties": {
                "DeliverLogsPermissionArn": att("FlowRole"),
                "LogDestinationType": "cloud-watch-logs",
                "LogGroupName": {"Ref": "Logs"},
                "ResourceId": {"Ref": "Vpc"},
                "ResourceType": "VPC",
                "TrafficType": "ALL",
            },
        },
    }


def test_what_is_only_modelled_is_listed_with_its_reason(tmp_path: Path, start_engine: StartEngine) -> None:
    modelled = {
        **flow_log("vpc-flow-logs.amazonaws.com"),
        "Connect": {
            "Type": "AWS::EC2::InstanceConnectEndpoint",
            "Properties": {"SubnetId": {"Ref": "Subnet"}, "PreserveClientIp": False},
        },
        "Queries": {
            "Type": "AWS::Athena::WorkGroup",
            "Properties": {"Name": "people", "WorkGroupConfiguration": {"BytesScannedCutoffPerQuery": 10_000_000}},
        },
    }
    engine = start_engine(one_stack(tmp_path, network(**modelled)))
    engine.deploy()
    reasons = {covered.type: covered.modelled_only for covered in engine.coverage() if covered.modelled_only}
    assert sorted(reasons) == ["AWS::Athena::WorkGroup", "AWS::EC2::FlowLog", "AWS::EC2::InstanceConnectEndpoint"]
    assert engine.client("athena").get_work_group(WorkGroup="people")["WorkGroup"]["Name"] == "people"


def test_flow_logs_need_a_role_that_their_service_may_assume(tmp_path: Path, start_engine: StartEngine) -> None:
    engine = start_engine(one_stack(tmp_path, network(**flow_log("ec2.amazonaws.com"))))
    with pytest.raises(DeploymentFailed, match="flow logs cannot be written as the role"):
        engine.deploy()
