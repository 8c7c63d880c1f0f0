"""An EKS cluster without a node of its own: system pods on Fargate, everything else waits for the autoscaler.

It must not know what runs in it, nor let in whoever made it: administrators are named.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import (
    Annotations,
    Aws,
    CfnElement,
    Duration,
    Fn,
    Stack,
    aws_ec2,
    aws_eks,
    aws_eks_v2,
    aws_iam,
    aws_kms,
    aws_lambda,
)
from aws_cdk.lambda_layer_kubectl_v35 import KubectlV35Layer
from constructs import Construct, IConstruct, IDependable

from building_blocks.acknowledgement import acknowledge
from building_blocks.arns import arn_of
from building_blocks.cluster_versions import ADD_ONS, KUBERNETES
from building_blocks.log_group import LogGroup

SYSTEM_NAMESPACE = "kube-system"

SYSTEM_PODS: Mapping[str, Mapping[str, str]] = {
    "CoreDNS": {"k8s-app": "kube-dns"},
    "Karpenter": {"app.kubernetes.io/name": "karpenter"},
}
"""Labels of the pods in `kube-system` that run on Fargate, and so start where there is no node."""

OBSERVABILITY_NAMESPACE = "aws-observability"
"""Where Fargate looks for what to do with the output of its pods ("Fargate logging" page)."""

ADD_ON_SETTINGS: Mapping[str, Mapping[str, Any]] = {"coredns": {"computeType": "Fargate"}}
"""Settings of add-ons that have any. The others are one pod a node, and none where there is no node."""

_LOG_KINDS = (
    aws_eks_v2.ClusterLoggingTypes.API,
    aws_eks_v2.ClusterLoggingTypes.AUDIT,
    aws_eks_v2.ClusterLoggingTypes.AUTHENTICATOR,
    aws_eks_v2.ClusterLoggingTypes.CONTROLLER_MANAGER,
    aws_eks_v2.ClusterLoggingTypes.SCHEDULER,
)

HELM_TIMEOUT = Duration.minutes(14)


def control_plane_logs(name: str) -> str:
    """The log group that EKS gives to the control plane of the cluster ``name``."""
    return f"/aws/eks/{name}/cluster"


class EksCluster(Construct):
    """The cluster ``name``, its add-ons, the Fargate profile of system pods, and what applies manifests to it."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        vpc: aws_ec2.IVpc,
        public_cidrs: Sequence[str],
        admin_role_arns: Sequence[str],
        key: aws_kms.IKey,
        log_prefix: str,
        log_retention_days: int,
        registry: str | None,
        after: Sequence[IDependable],
    ) -> None:
        """Make the cluster in the private subnets of ``vpc``; ``key`` encrypts its secrets and logs.

        What is in ``after`` stands before it: the ways by which its pods, and what applies manifests, reach AWS.

        With ``public_cidrs`` the Kubernetes API can be called from there too, else from within the VPC alone. Charts
        are pulled from the private ``registry``, or from public.ecr.aws when it is None.
        """
        super().__init__(scope, id)
        self.name = name
        self._key, self._log_prefix, self._log_retention_days = key, log_prefix, log_retention_days
        self._vpc, self._registry = vpc, registry
        access = aws_eks_v2.EndpointAccess
        logs = LogGroup(
            self, "ControlPlaneLogs", name=control_plane_logs(name), key=key, retention_days=log_retention_days
        )
        self.cluster = aws_eks_v2.Cluster(
            self,
            "Cluster",
            cluster_name=name,
            version=aws_eks_v2.KubernetesVersion.of(KUBERNETES),
            vpc=vpc,
            vpc_subnets=[aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_WITH_EGRESS)],
            role=self._cluster_role(),
            # Beside EKS's own group, which opens all that there is to open.
            security_group=aws_ec2.SecurityGroup(
                self,
                "ControlPlaneGroup",
                vpc=vpc,
                description="Control plane: nothing beside what EKS opens",
                allow_all_outbound=False,
            ),
            endpoint_access=access.PUBLIC_AND_PRIVATE.only_from(*public_cidrs) if public_cidrs else access.PRIVATE,
            cluster_logging=list(_LOG_KINDS),
            secrets_encryption_key=key,
            bootstrap_cluster_creator_admin_permissions=False,
            bootstrap_self_managed_addons=False,
            default_capacity_type=aws_eks_v2.DefaultCapacityType.NODEGROUP,
            default_capacity=0,
            output_config_command=False,
            prune=False,  # pruning labels what it applied by hashes that change with every template
            kubectl_provider_options=aws_eks_v2.KubectlProviderOptions(
                kubectl_layer=KubectlV35Layer(self, "Kubectl"), role=self._deployer_role()
            ),
        )
        resource = cast("aws_eks.CfnCluster", self.cluster.node.default_child)
        # EMR makes its own entry when a namespace is registered, and asks for this mode ("Enable cluster access" page).
        resource.add_property_override("AccessConfig.AuthenticationMode", "API_AND_CONFIG_MAP")
        resource.node.add_dependency(logs, *after)  # the logs, or EKS would make them, to keep for ever
        Annotations.of(self.cluster).acknowledge_warning(
            "@aws-cdk/aws-eks:clusterMustManuallyTagSubnet", "The tag is for load balancers, and the cluster has none."
        )
        if public_cidrs:
            acknowledge(
                resource,
                finding="AwsSolutions-EKS1",
                reason="The stage names the few address ranges that may call it; the world is refused at synth.",
            )
        for number, arn in enumerate(admin_role_arns, start=1):
            self.cluster.grant_cluster_admin(f"Admin{number}", arn)
        self._system_pods = self._fargate_profile()
        self.logging = self._fargate_logs()
        self._add_ons()
        self._tame_deployer()

    @property
    def security_group_id(self) -> str:
        """The group that EKS gives to its control plane, to Fargate's pods and to nodes: all speak to each other."""
        return self.cluster.cluster_security_group_id

    def apply(self, id: str, *manifests: dict[str, Any], after: Sequence[IDependable] = ()) -> IDependable:
        """Apply ``manifests`` when what is named in ``after`` stands."""
        applied = self.cluster.add_manifest(id, *manifests)
        for each in after:
            applied.node.add_dependency(each)
        return applied

    def install(
        self,
        id: str,
        *,
        chart: str,
        release: str,
        version: str,
        values: dict[str, Any],
        after: Sequence[IDependable] = (),
    ) -> IDependable:
        """Install the ``chart`` (`karpenter/karpenter`) of the registry into `kube-system`, and wait until it runs."""
        installed = self.cluster.add_helm_chart(
            id,
            chart=chart.rpartition("/")[2],
            repository=f"oci://{self._registry or 'public.ecr.aws'}/{chart}",
            release=release,
            version=version,
            namespace=SYSTEM_NAMESPACE,
            create_namespace=False,
            wait=True,
            timeout=HELM_TIMEOUT,
            values=values,
        )
        for each in (self._system_pods, self.logging, *after):
            installed.node.add_dependency(each)
        return installed

    def add_node_role(self, role: aws_iam.IRole) -> None:
        """Let instances of ``role`` join as nodes, and do nothing else by it."""
        aws_eks_v2.AccessEntry(
            self,
            "NodeAccess",
            cluster=cast("aws_eks_v2.ICluster", self.cluster),  # it lacks a property that nothing reads
            principal=role.role_arn,
            access_policies=[],
            access_entry_type=aws_eks_v2.AccessEntryType.EC2_LINUX,
        )

    def service_account_trust(self, *, namespace: str, name: str) -> tuple[str, dict[str, str]]:
        """The trust of a role in one service account (IRSA), as text for `Fn::Sub` and its variable.

        The condition's keys hold the issuer, which only a deployment knows, and a key can be no reference.
        """
        trust = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", '
            '"Principal": {"Federated": "${Provider}"}, '
            '"Condition": {"StringEquals": {"${Issuer}:aud": "sts.amazonaws.com", '
            f'"${{Issuer}}:sub": "system:serviceaccount:{namespace}:{name}"}}}}}}]}}'
        )
        issuer = Fn.select(1, Fn.split("//", self.cluster.cluster_open_id_connect_issuer_url))
        provider = self.cluster.open_id_connect_provider.open_id_connect_provider_arn
        return trust, {
            "Issuer": issuer,
            "Provider": provider,
        }

    def _cluster_role(self) -> aws_iam.Role:
        role = aws_iam.Role(
            self,
            "ControlPlaneRole",
            description="What the control plane does in the account",
            assumed_by=aws_iam.ServicePrincipal(
                "eks.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            managed_policies=[aws_iam.ManagedPolicy.from_aws_managed_policy_name("AmazonEKSClusterPolicy")],
        )
        acknowledge_managed(
            role, "AmazonEKSClusterPolicy", "EKS asks for its own policy, and changes it with what it needs."
        )
        return role

    def _deployer_role(self) -> aws_iam.IRole:
        """What applies manifests and charts while a stack is deployed: exactly this, whatever the provider would add.

        It administers the cluster by its access entry, and nothing in the account.
        """
        statement = aws_iam.PolicyStatement
        interfaces = ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
        role = aws_iam.Role(
            self,
            "DeployerRole",
            description="Applies manifests and charts while the stack is deployed",
            assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "Permissions": aws_iam.PolicyDocument(
                    statements=[
                        statement(actions=["eks:DescribeCluster"], resources=[arn_of("eks", f"cluster/{self.name}")]),
                        statement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                            resources=[arn_of("logs", f"log-group:{self._log_prefix}/deployer:*")],
                        ),
                        statement(
                            actions=[
                                "ec2:CreateNetworkInterface",
                                "ec2:DeleteNetworkInterface",
                                "ec2:DescribeNetworkInterfaces",
                                "ec2:DescribeSubnets",
                                *interfaces,
                            ],
                            resources=["*"],
                        ),
                        *self._pulling(),
                    ]
                )
            },
        )
        for finding, reason in (
            (
                f"AwsSolutions-IAM5[Resource::{arn_of('logs', f'log-group:{self._log_prefix}/deployer:*', nag=True)}]",
                "Lambda names the streams of this one log group.",
            ),
            (
                "AwsSolutions-IAM5[Resource::*]",
                "Lambda makes network interfaces by calls that it makes before there is one to name, and a registry's "
                "log-in knows no resource.",
            ),
            (
                "Serverless-LambdaStarPermissions",
                "The same calls for network interfaces and the log-in to a registry, which know no resource.",
            ),
        ):
            acknowledge(role, finding=finding, reason=reason)
        return role.without_policy_updates()

    def _pulling(self) -> list[aws_iam.PolicyStatement]:
        statement = aws_iam.PolicyStatement
        if self._registry is None:
            return [
                statement(
                    actions=["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"],
                    resources=["*"],
                )
            ]
        account, region, prefix = cast(
            "re.Match[str]", re.fullmatch(r"(\d+)\.dkr\.ecr\.([a-z0-9-]+)\.[^/]+/?(.*)", self._registry)
        ).groups()
        charts = [
            f"arn:{Aws.PARTITION}:ecr:{region}:{account}:repository/{f'{prefix}/' if prefix else ''}karpenter/{chart}"
            for chart in ("karpenter", "karpenter-crd")
        ]
        return [
            statement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
            statement(
                actions=["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                resources=charts,
            ),
        ]

    def _fargate_profile(self) -> aws_eks_v2.FargateProfile:
        group = f"{self._log_prefix}/system-pods"
        logs = LogGroup(self, "SystemPodLogs", name=group, key=self._key, retention_days=self._log_retention_days)
        role = aws_iam.Role(
            self,
            "SystemPodRole",
            description="Starts system pods on Fargate and writes their output; the pods themselves do not have it",
            assumed_by=aws_iam.ServicePrincipal(
                "eks-fargate-pods.amazonaws.com",
                conditions={"ArnLike": {"aws:SourceArn": arn_of("eks", f"fargateprofile/{self.name}/*")}},
            ),
            managed_policies=[
                aws_iam.ManagedPolicy.from_aws_managed_policy_name("AmazonEKSFargatePodExecutionRolePolicy")
            ],
            inline_policies={
                "Logs": aws_iam.PolicyDocument(
                    statements=[
                        aws_iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                            resources=[logs.log_group_arn],
                        )
                    ]
                )
            },
        )
        acknowledge_managed(
            role,
            "AmazonEKSFargatePodExecutionRolePolicy",
            "EKS asks for its own policy, which pulls images; pods do not get this role.",
        )
        return aws_eks_v2.FargateProfile(
            self,
            "SystemPods",
            cluster=self.cluster,
            vpc=self._vpc,
            pod_execution_role=role,
            selectors=[
                aws_eks_v2.Selector(namespace=SYSTEM_NAMESPACE, labels=dict(labels)) for labels in SYSTEM_PODS.values()
            ],
        )

    def _add_ons(self) -> None:
        for name, version in ADD_ONS.items():
            settings = ADD_ON_SETTINGS.get(name)
            add_on = aws_eks.CfnAddon(
                self,
                "".join(word.title() for word in name.split("-")),
                addon_name=name,
                addon_version=version,
                cluster_name=self.cluster.cluster_name,
                resolve_conflicts="OVERWRITE",
                configuration_values=None if settings is None else json.dumps(settings),
            )
            if name == "coredns":
                # Or it would wait for a node, and the stack for it; and what it says would go nowhere.
                add_on.node.add_dependency(self._system_pods, self.logging)

    def _fargate_logs(self) -> IDependable:
        """Have Fargate write what system pods say into our log group."""
        output = "\n".join(
            [
                "[OUTPUT]",
                "    Name cloudwatch_logs",
                "    Match *",
                f"    region {Aws.REGION}",
                f"    log_group_name {self._log_prefix}/system-pods",
                "    log_stream_prefix pod-",
                "    auto_create_group false",
                "",
            ]
        )
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": OBSERVABILITY_NAMESPACE, "labels": {OBSERVABILITY_NAMESPACE: "enabled"}},
        }
        settings = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "aws-logging", "namespace": OBSERVABILITY_NAMESPACE},
            "data": {"output.conf": output},
        }
        return self.apply("FargateLogging", namespace, settings)

    def _tame_deployer(self) -> None:
        """Give the provider's two functions log groups of ours, and say why the rest of them is right.

        They run while a stack is deployed, and the deployment fails with them; nobody else calls them.
        """
        provider = _below(self.cluster, "KubectlProvider")
        self.node.try_remove_child("HasEcrPublic")  # of a policy that the role does not take
        handler, framework = _below(provider, "Handler"), _below(provider, "Provider/framework-onEvent")
        for function, name in ((handler, "deployer"), (framework, "deployer-framework")):
            function.node.try_remove_child("LogGroup")  # which no key of ours encrypts
            resource = cast("aws_lambda.CfnFunction", function.node.default_child)
            group = LogGroup(
                self,
                "".join([*(word.title() for word in name.split("-")), "Logs"]),
                name=f"{self._log_prefix}/{name}",
                key=self._key,
                retention_days=self._log_retention_days,
            )
            resource.logging_config = aws_lambda.CfnFunction.LoggingConfigProperty(
                log_format="JSON", log_group=group.log_group_name
            )
            for finding, reason in (
                (
                    "Serverless-LambdaDLQ",
                    "CloudFormation calls it and waits for its answer: what fails, fails the deployment.",
                ),
                (
                    "Serverless-LambdaTracing",
                    "It runs while a stack is deployed; CloudFormation's events and its own log tell what it did.",
                ),
            ):
                acknowledge(function, finding=finding, reason=reason)
        for finding in ("AwsSolutions-L1", "Serverless-LambdaLatestVersion"):
            acknowledge(
                handler,
                finding=finding,
                reason="The construct library chooses the version that its code was tried with, and raises it.",
            )
        acknowledge(
            framework,
            finding="Serverless-LambdaDefaultMemorySize",
            reason="It hands a request on and waits; the function that works has the memory that it needs.",
        )
        role = _below(framework, "ServiceRole")
        # The functions name their roles, and wait for them by that; the policy of one of them they do not name.
        cast("aws_lambda.CfnFunction", handler.node.default_child).add_deletion_override("DependsOn")
        policy_id = Stack.of(self).get_logical_id(cast("CfnElement", _below(role, "DefaultPolicy/Resource")))
        cast("aws_lambda.CfnFunction", framework.node.default_child).add_override("DependsOn", [policy_id])
        for policy in ("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole"):
            acknowledge_managed(
                role,
                f"service-role/{policy}",
                "The construct library gives it to its function, which writes its log and stands in the VPC.",
            )
        function_arn = Stack.of(self).resolve(cast("aws_lambda.Function", handler).function_arn)["Fn::GetAtt"]
        acknowledge(
            _below(role, "DefaultPolicy"),
            finding=f"AwsSolutions-IAM5[Resource::<{'.'.join(function_arn)}>:*]",
            reason="It calls the one function that works, under any version of that.",
        )


def _below(scope: Construct, path: str) -> Construct:
    """The construct at ``path`` in ``scope``, in a tree that the construct library made."""
    found: Construct = scope
    for part in path.split("/"):
        found = cast("Construct", found.node.find_child(part))
    return found


def acknowledge_managed(role: IConstruct, policy: str, reason: str) -> None:
    """Say why ``role`` has a ``policy`` that AWS looks after."""
    acknowledge(
        role, finding=f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}]", reason=reason
    )
