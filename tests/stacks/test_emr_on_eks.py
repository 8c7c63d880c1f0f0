"""The cluster: closed, encrypted, with named administrators, and ways out as they are paid for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from building_blocks.cluster_versions import KUBERNETES
from config import STAGES
from config.emr_on_eks import EmrOnEks
from config.model import Part
from config.network import Egress, ExistingVpc, Network
from tests.stacks.assembly import Assembly, Resource, as_list, flat, synthesize
from tests.stacks.kubernetes import STACK, charts, karpenter_values, manifest
from tests.stacks.rendering import rendered

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ecr-public"


def _synthesized(settings: EmrOnEks, folder: Path, *, judged: bool = True) -> Assembly:
    parts = frozenset({Part.DATA_LAKE, Part.CODE, Part.EMR_ON_EKS})
    return synthesize(replace(STAGES["dev"], emr_on_eks=settings, parts=parts), folder, judged=judged)


def _made(assembly: Assembly, type: str) -> list[Resource]:
    return [each for each in assembly.resources(type) if each.stack == STACK]


def test_the_kubernetes_api_has_no_public_address_and_says_what_it_does(assembly: Assembly) -> None:
    cluster = assembly.one("AWS::EKS::Cluster").properties
    assert cluster["Version"] == KUBERNETES
    access = cluster["ResourcesVpcConfig"]
    assert (access["EndpointPrivateAccess"], access["EndpointPublicAccess"]) == (True, False)
    kinds = {each["Type"] for each in cluster["Logging"]["ClusterLogging"]["EnabledTypes"]}
    assert kinds == {"api", "audit", "authenticator", "controllerManager", "scheduler"}
    assert cluster["EncryptionConfig"][0]["Resources"] == ["secrets"]
    assert cluster["BootstrapSelfManagedAddons"] is False


def test_whoever_makes_the_cluster_does_not_administer_it(assembly: Assembly) -> None:
    cluster = assembly.one("AWS::EKS::Cluster").properties
    assert cluster["AccessConfig"] == {
        "AuthenticationMode": "API_AND_CONFIG_MAP",
        "BootstrapClusterCreatorAdminPermissions": False,
    }
    entries = {
        target.id: each.properties
        for each in assembly.resources("AWS::EKS::AccessEntry")
        if (target := assembly.target(STACK, each.properties["PrincipalArn"])) is not None
    }
    deployer, node = sorted(entries, key=lambda id: "NodeRole" in id)
    assert deployer.startswith("KubernetesDeployerRole")
    assert node.startswith("AutoscalerNodeRole")
    assert entries[node]["Type"] == "EC2_LINUX"
    assert not entries[node].get("AccessPolicies")


def test_administrators_are_named_and_public_ranges_are_few(tmp_path: Path) -> None:
    settings = EmrOnEks(
        public_cidrs=("198.51.100.0/24",), admin_roles=("role/platform", "arn:aws:iam::123456789012:role/x")
    )
    assembly = _synthesized(settings, tmp_path)
    access = assembly.one("AWS::EKS::Cluster").properties["ResourcesVpcConfig"]
    assert access["EndpointPublicAccess"] is True
    assert access["EndpointPrivateAccess"] is True
    assert access["PublicAccessCidrs"] == ["198.51.100.0/24"]
    principals = {
        flat(each.properties["PrincipalArn"]): each.properties for each in assembly.resources("AWS::EKS::AccessEntry")
    }
    for arn in ("arn:<AWS::Partition>:iam::<AWS::AccountId>:role/platform", "arn:aws:iam::123456789012:role/x"):
        (policy,) = principals[arn]["AccessPolicies"]
        assert flat(policy["PolicyArn"]).endswith("AmazonEKSClusterAdminPolicy")


def test_logs_of_the_control_plane_and_of_system_pods_are_ours(assembly: Assembly) -> None:
    name = assembly.templates[STACK]["Outputs"]["ClusterName"]["Value"]
    groups = {flat(each.properties["LogGroupName"]): each for each in _made(assembly, "AWS::Logs::LogGroup")}
    control_plane = groups[f"/aws/eks/{name}/cluster"]
    assert control_plane.id in assembly.one("AWS::EKS::Cluster").body["DependsOn"]
    output = manifest(assembly, "ConfigMap", "aws-logging")["data"]["output.conf"]
    (group,) = (line.split()[1] for line in output.splitlines() if "log_group_name" in line)
    assert group in groups
    (profile,) = assembly.resources("AWS::EKS::FargateProfile")
    role = assembly.target(STACK, profile.properties["PodExecutionRoleArn"])
    assert role is not None
    (policy,) = role.properties["Policies"]
    resources = policy["PolicyDocument"]["Statement"][0]["Resource"]
    assert assembly.target(STACK, resources) == groups[group]


def _routes(assembly: Assembly) -> dict[str, str]:
    """Type of the way out by route table."""
    found = {}
    for route in _made(assembly, "AWS::EC2::Route"):
        properties = route.properties
        assert properties["DestinationCidrBlock"] == "0.0.0.0/0"
        found[properties["RouteTableId"]["Ref"]] = "NAT" if "NatGatewayId" in properties else "internet"
    return found


def test_nodes_go_out_by_nat_and_nothing_comes_in(assemblies: dict[str, Assembly]) -> None:
    for name, assembly in assemblies.items():
        settings = STAGES[name].emr_on_eks
        assert len(_made(assembly, "AWS::EC2::NatGateway")) == settings.nat_gateways
        routes = _routes(assembly)
        assert sorted(routes.values()) == ["NAT"] * settings.network.zones + ["internet"]
        tables = {
            each.properties["SubnetId"]["Ref"]: routes[each.properties["RouteTableId"]["Ref"]]
            for each in _made(assembly, "AWS::EC2::SubnetRouteTableAssociation")
        }
        cluster = assembly.one("AWS::EKS::Cluster").properties["ResourcesVpcConfig"]["SubnetIds"]
        nodes = manifest(assembly, "EC2NodeClass", "spark")["spec"]["subnetSelectorTerms"]
        assert {tables[each["Ref"]] for each in cluster} == {"NAT"}
        assert len(nodes) == len(cluster) == settings.network.zones
        for subnet in _made(assembly, "AWS::EC2::Subnet"):
            assert subnet.properties["MapPublicIpOnLaunch"] is False


def test_each_network_has_addresses_of_its_own(assembly: Assembly) -> None:
    vpcs = {each.stack: each.properties["CidrBlock"] for each in assembly.resources("AWS::EC2::VPC")}
    assert set(vpcs) == {"Network", STACK, "Orchestration"}
    assert len(set(vpcs.values())) == len(vpcs)


def test_without_a_way_to_the_internet_there_are_endpoints_and_a_private_registry(tmp_path: Path) -> None:
    network = Network(cidr="10.41.0.0/16", zones=2, endpoint_zones=2)
    settings = EmrOnEks(network=network, egress=Egress.ENDPOINTS, registry=REGISTRY)
    assembly = _synthesized(settings, tmp_path)
    for type in ("AWS::EC2::NatGateway", "AWS::EC2::InternetGateway", "AWS::EC2::Route"):
        assert not _made(assembly, type), type
    interfaces = {
        flat(each.properties["ServiceName"]).partition("<AWS::Region>.")[2]
        for each in _made(assembly, "AWS::EC2::VPCEndpoint")
        if each.properties["VpcEndpointType"] == "Interface"
    }
    assert interfaces == {
        *("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "glue", "lambda", "logs", "secretsmanager"),
        *("sns", "sqs", "ssm", "sts"),
    }
    values = karpenter_values(assembly)
    assert values["settings"]["isolatedVPC"] is True
    assert values["controller"]["image"]["repository"] == f"{REGISTRY}/karpenter/controller"
    for chart in charts(assembly).values():
        assert chart["Repository"].startswith(f"oci://{REGISTRY}/karpenter/")
    actions = {action for _, statement in assembly.statements() for action in as_list(statement["Action"])}
    assert not {"pricing:GetProducts", "ecr-public:GetAuthorizationToken"} & actions
    assert {"ecr:BatchGetImage", "ecr:GetAuthorizationToken"} <= actions


def test_an_existing_vpc_is_used_and_none_is_made(tmp_path: Path) -> None:
    existing = ExistingVpc(
        vpc_id="vpc-0a1b2c3d",
        cidr="172.16.0.0/16",
        subnet_ids=("subnet-0a1b2c3d", "subnet-4e5f6a7b"),
        zones=("eu-west-1a", "eu-west-1b"),
    )
    assembly = _synthesized(EmrOnEks(network=Network(existing=existing)), tmp_path)
    assert not _made(assembly, "AWS::EC2::VPC")
    assert not _made(assembly, "AWS::EC2::Subnet")
    cluster = assembly.one("AWS::EKS::Cluster").properties["ResourcesVpcConfig"]
    assert cluster["SubnetIds"] == ["subnet-0a1b2c3d", "subnet-4e5f6a7b"]
    assert assembly.templates[STACK]["Outputs"]["Zones"]["Value"] == "eu-west-1a,eu-west-1b"


def _controller(assembly: Assembly) -> Resource:
    (role,) = (each for each in assembly.resources("AWS::IAM::Role") if each.id.startswith("AutoscalerControllerRole"))
    return role


def test_the_autoscaler_gets_its_role_by_its_service_account_alone(assembly: Assembly) -> None:
    text, variables = _controller(assembly).properties["AssumeRolePolicyDocument"]["Fn::Sub"]
    for name in variables:
        text = text.replace(f"${{{name}}}", name)
    (trust,) = json.loads(text)["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Principal"] == {"Federated": "Provider"}
    assert trust["Condition"] == {
        "StringEquals": {"Issuer:aud": "sts.amazonaws.com", "Issuer:sub": "system:serviceaccount:kube-system:karpenter"}
    }
    provider = assembly.target(STACK, variables["Provider"])
    assert provider is not None
    assert provider.type == "AWS::IAM::OIDCProvider"
    service_account = charts(assembly)["karpenter"]["Values"]["serviceAccount"]
    assert service_account["name"] == "karpenter"
    assert service_account["annotations"] == {"eks.amazonaws.com/role-arn": f"<{_controller(assembly).id}>"}


def _statements(assembly: Assembly) -> list[dict[str, Any]]:
    return [
        statement
        for policy in _controller(assembly).properties["Policies"]
        for statement in rendered(assembly, STACK, policy["PolicyDocument"])["Statement"]
    ]


@pytest.mark.parametrize("action", ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"])
def test_the_autoscaler_ends_what_belongs_to_its_cluster_and_nothing_else(assembly: Assembly, action: str) -> None:
    name = assembly.templates[STACK]["Outputs"]["ClusterName"]["Value"]
    (ending,) = (each for each in _statements(assembly) if action in as_list(each["Action"]))
    assert ending["Condition"] == {
        "StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{name}": "owned"},
        "StringLike": {"aws:ResourceTag/karpenter.sh/nodepool": "*"},
    }


def test_what_the_autoscaler_makes_it_tags_for_its_cluster(assembly: Assembly) -> None:
    name = assembly.templates[STACK]["Outputs"]["ClusterName"]["Value"]
    making = ("ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:CreateTags", "ec2:RunInstances")
    for statement in _statements(assembly):
        kinds = {resource.rpartition(":")[2].partition("/")[0] for resource in as_list(statement["Resource"])}
        if not set(as_list(statement["Action"])) & set(making) or kinds <= {
            *("image", "snapshot", "security-group", "subnet"),
        }:
            continue
        tags = {key.partition("/")[2]: value for key, value in statement["Condition"]["StringEquals"].items()}
        assert tags[f"kubernetes.io/cluster/{name}"] == "owned", statement


def test_the_autoscaler_passes_the_node_s_role_to_ec2_and_no_other(assembly: Assembly) -> None:
    (passing,) = (each for each in _statements(assembly) if each["Action"] == "iam:PassRole")
    assert passing["Resource"].startswith("<AutoscalerNodeRole")
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    assert manifest(assembly, "EC2NodeClass", "spark")["spec"]["instanceProfile"].startswith(
        "<AutoscalerInstanceProfile"
    )


def test_pools_wait_for_the_autoscaler_and_the_virtual_cluster_for_pools(dev: Assembly) -> None:
    resources = dev.templates[STACK]["Resources"]

    def waits(id: str) -> set[str]:
        """All that must stand before a resource, said or through references."""
        found: set[str] = set()
        open_ = [id]
        while open_:
            body = resources[open_.pop()]
            text = json.dumps(body)
            next_ = {*as_list(body.get("DependsOn", [])), *(each for each in resources if f'"{each}"' in text)}
            open_ += [each for each in next_ - found if each in resources]
            found |= next_
        return found

    (virtual_cluster,) = (id for id, body in resources.items() if body["Type"] == "AWS::EMRContainers::VirtualCluster")
    before = waits(virtual_cluster)
    assert {id for id, body in resources.items() if body["Type"].startswith("Custom::")} <= before
    assert {id for id, body in resources.items() if body["Type"] == "AWS::EKS::FargateProfile"} <= before
    assert {id for id, body in resources.items() if body["Type"] == "AWS::EC2::NatGateway"} <= before
