"""The autoscaler: Karpenter on Fargate, under a role that can start and end the nodes of one cluster and no others.

It must not hold what the nodes are for: the pools do.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws, Fn, aws_iam, aws_kms
from constructs import Construct, IDependable

from building_blocks.acknowledgement import acknowledge
from building_blocks.arns import arn_of
from building_blocks.cluster_versions import KARPENTER, KARPENTER_IMAGE_DIGEST
from building_blocks.eks_cluster import SYSTEM_NAMESPACE, EksCluster, acknowledge_managed
from building_blocks.interruption_queue import InterruptionQueue

SERVICE_ACCOUNT = "karpenter"

CONTROLLER_RESOURCES = {"cpu": "500m", "memory": "768Mi"}
"""Of one pod. Fargate adds 256 MiB of its own and rounds up, here to half a vCPU and 1 GB ("Fargate Pod
configuration" page)."""


class Karpenter(Construct):
    """Karpenter's charts and role in ``cluster``; `ready` is what pools wait for."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        cluster: EksCluster,
        queue: InterruptionQueue,
        volume_key: aws_kms.IKey,
        registry: str | None,
        replicas: int,
    ) -> None:
        """Install it; without a way to the internet it comes from ``registry`` and asks for no prices."""
        super().__init__(scope, id)
        self._cluster, self._queue, self._volume_key = cluster, queue, volume_key
        self._isolated = registry is not None
        self.node_role = self._node_role()
        self.instance_profile = aws_iam.CfnInstanceProfile(self, "InstanceProfile", roles=[self.node_role.role_name])
        self.role = self._controller_role()
        resources = cluster.install(
            "KarpenterCrds", chart="karpenter/karpenter-crd", release="karpenter-crd", version=KARPENTER, values={}
        )
        self.ready: IDependable = cluster.install(
            "Karpenter",
            chart="karpenter/karpenter",
            release="karpenter",
            version=KARPENTER,
            values=self._values(registry=registry, replicas=replicas),
            after=[resources],
        )

    def _values(self, *, registry: str | None, replicas: int) -> dict[str, Any]:
        """What is set of the chart's values; all else is as the chart has it."""
        return {
            "replicas": replicas,
            "serviceAccount": {
                "name": SERVICE_ACCOUNT,
                "annotations": {"eks.amazonaws.com/role-arn": self.role.attr_arn},
            },
            "controller": {
                "image": {
                    "repository": f"{registry or 'public.ecr.aws'}/karpenter/controller",
                    "tag": KARPENTER,
                    "digest": KARPENTER_IMAGE_DIGEST,
                },
                "resources": {"requests": CONTROLLER_RESOURCES, "limits": CONTROLLER_RESOURCES},
                "env": [{"name": "AWS_REGION", "value": Aws.REGION}],
            },
            # By the VPC's DNS: it comes up whether or not the cluster's does.
            "dnsPolicy": "Default",
            "settings": {
                "clusterName": self._cluster.name,
                "clusterEndpoint": self._cluster.cluster.cluster_endpoint,
                "interruptionQueue": self._queue.queue.queue_name,
                "isolatedVPC": self._isolated,
            },
        }

    def _node_role(self) -> aws_iam.Role:
        """What a node is in the account. Pods do not get it: the one hop that is allowed ends at the node."""
        policies = {
            "AmazonEKSWorkerNodePolicy": "joins the cluster, and lets its agent fetch what a pod's own role gives",
            "AmazonEKS_CNI_Policy": "gives pods addresses of the subnet",
            "AmazonEC2ContainerRegistryPullOnly": "pulls the images of EKS and EMR",
        }
        role = aws_iam.Role(
            self,
            "NodeRole",
            description="What a node of the cluster may do; its pods have roles of their own",
            assumed_by=aws_iam.ServicePrincipal("ec2.amazonaws.com"),
            managed_policies=[aws_iam.ManagedPolicy.from_aws_managed_policy_name(each) for each in policies],
        )
        for policy, what in policies.items():
            acknowledge_managed(role, policy, f"A node {what}; EKS asks for this policy and keeps it up to date.")
        self._cluster.add_node_role(role)
        return role

    def _controller_role(self) -> aws_iam.CfnRole:
        trust, variables = self._cluster.service_account_trust(namespace=SYSTEM_NAMESPACE, name=SERVICE_ACCOUNT)
        role = aws_iam.CfnRole(
            self,
            "ControllerRole",
            description="Starts and ends the nodes of this cluster and no other instance",
            assume_role_policy_document=Fn.sub(trust, variables),
            policies=[
                aws_iam.CfnRole.PolicyProperty(
                    policy_name=name, policy_document=aws_iam.PolicyDocument(statements=list(statements))
                )
                for name, statements in (
                    ("Nodes", _nodes(self._cluster.name)),
                    ("Looking", _looking(self._cluster.name, open_=not self._isolated)),
                    ("Surroundings", self._surroundings()),
                )
            ],
        )
        for kind in (
            *("fleet", "instance", "launch-template", "network-interface", "security-group", "spot-instances-request"),
            *("subnet", "volume"),
        ):
            acknowledge(
                role,
                finding=f"AwsSolutions-IAM5[Resource::{_ec2(kind, nag=True)}]",
                reason="EC2 names what it makes; conditions hold it to the tags of this cluster, or it is only used to "
                "start an instance that has them.",
            )
        acknowledge(
            role,
            finding=f"AwsSolutions-IAM5[Resource::{_public('image', nag=True)}]",
            reason="AWS's image for nodes has another id in each Region; the node class names its release.",
        )
        acknowledge(
            role,
            finding=f"AwsSolutions-IAM5[Resource::{_public('snapshot', nag=True)}]",
            reason="The snapshot of AWS's image for nodes has another id in each Region.",
        )
        acknowledge(
            role,
            finding=f"AwsSolutions-IAM5[Resource::{_parameters(nag=True)}]",
            reason="AWS publishes the ids of its images for nodes in parameters, one a release and architecture.",
        )
        acknowledge(
            role,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Calls that describe what EC2 has, and its prices, know no resource; they change nothing.",
        )
        return role

    def _surroundings(self) -> Sequence[aws_iam.PolicyStatement]:
        """Its queue, the node's role for a node, and the key of a node's disk through EC2."""
        statement = aws_iam.PolicyStatement
        through_ec2 = {"StringEquals": {"kms:ViaService": f"ec2.{Aws.REGION}.amazonaws.com"}}
        return [
            *self._queue.reading(),
            statement(
                actions=["iam:PassRole"],
                resources=[self.node_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
            ),
            statement(
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext"],
                resources=[self._volume_key.key_arn],
                conditions=through_ec2,
            ),
            statement(
                actions=["kms:CreateGrant"],
                resources=[self._volume_key.key_arn],
                conditions={**through_ec2, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            statement(
                actions=["iam:GetInstanceProfile"],
                resources=[self.instance_profile.attr_arn],
            ),
        ]


def _nodes(cluster: str) -> list[aws_iam.PolicyStatement]:
    """Starting, tagging and ending instances, held to the cluster by their tags (Karpenter's "CloudFormation" page)."""
    statement = aws_iam.PolicyStatement
    owned = f"kubernetes.io/cluster/{cluster}"
    requested = {
        "StringEquals": {f"aws:RequestTag/{owned}": "owned", "aws:RequestTag/eks:eks-cluster-name": cluster},
        "StringLike": {"aws:RequestTag/karpenter.sh/nodepool": "*"},
    }
    existing = {
        "StringEquals": {f"aws:ResourceTag/{owned}": "owned"},
        "StringLike": {"aws:ResourceTag/karpenter.sh/nodepool": "*"},
    }
    made = ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"]
    return [
        statement(
            actions=["ec2:RunInstances", "ec2:CreateFleet"],
            resources=[_public("image"), _public("snapshot"), _ec2("security-group"), _ec2("subnet")],
        ),
        statement(
            actions=["ec2:RunInstances", "ec2:CreateFleet"], resources=[_ec2("launch-template")], conditions=existing
        ),
        statement(
            actions=["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"],
            resources=[_ec2(kind) for kind in made],
            conditions=requested,
        ),
        statement(
            actions=["ec2:CreateTags"],
            resources=[_ec2(kind) for kind in made],
            conditions={
                **requested,
                "StringEquals": {
                    **requested["StringEquals"],
                    "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
                },
            },
        ),
        statement(
            actions=["ec2:CreateTags"],
            resources=[_ec2("instance")],
            conditions={
                **existing,
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": cluster},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]
                },
            },
        ),
        statement(
            actions=["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            resources=[_ec2("instance"), _ec2("launch-template")],
            conditions=existing,
        ),
    ]


def _looking(cluster: str, *, open_: bool) -> list[aws_iam.PolicyStatement]:
    """What it asks before it chooses: types, offers, images, and where the cluster's API is.

    ``open_``: with a way to the internet it also asks for prices, and for profiles that it may have left behind; no
    endpoint leads there.
    """
    statement = aws_iam.PolicyStatement
    return [
        statement(
            actions=[
                "ec2:DescribeCapacityReservations",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceStatus",
                "ec2:DescribeInstanceTypeOfferings",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeInstances",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribePlacementGroups",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSpotPriceHistory",
                "ec2:DescribeSubnets",
            ],
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": Aws.REGION}},
        ),
        *([statement(actions=["iam:ListInstanceProfiles", "pricing:GetProducts"], resources=["*"])] if open_ else []),
        statement(actions=["ssm:GetParameter"], resources=[_parameters()]),
        statement(actions=["eks:DescribeCluster"], resources=[arn_of("eks", f"cluster/{cluster}")]),
    ]


def _ec2(kind: str, *, nag: bool = False) -> str:
    return arn_of("ec2", f"{kind}/*", nag=nag)


def _public(kind: str, *, nag: bool = False) -> str:
    """Images and snapshots, whose ARNs name no account."""
    partition, region = ("<AWS::Partition>", "<AWS::Region>") if nag else (Aws.PARTITION, Aws.REGION)
    return f"arn:{partition}:ec2:{region}::{kind}/*"


def _parameters(*, nag: bool = False) -> str:
    partition, region = ("<AWS::Partition>", "<AWS::Region>") if nag else (Aws.PARTITION, Aws.REGION)
    return f"arn:{partition}:ssm:{region}::parameter/aws/service/eks/optimized-ami/*"
