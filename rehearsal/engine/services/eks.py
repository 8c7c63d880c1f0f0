"""EKS clusters and what belongs to them: recorded, and asked for by what depends on them; nothing runs in them.

Manifests and Helm charts are applied in AWS by a function with kubectl, as custom resources; here they are read.
"""

from __future__ import annotations

import hashlib
import json

from rehearsal.engine.account import Account
from rehearsal.engine.kubernetes import Cluster, KubernetesClusters, lets_pods_in, read_manifests
from rehearsal.engine.networks import EVERYWHERE, GroupRule, Networks, SecurityGroup
from rehearsal.engine.resources import Created, Declaration, ResourceType

_NO_CLUSTER = "no node, pod or controller runs in a rehearsal; a job run is a process of this machine"
_NO_TAGS = "no rule of the rehearsal reads the tags of a cluster"


def attach(account: Account) -> None:
    """Make the clusters known."""
    account.register(KubernetesClusters())


def _digest(declaration: Declaration, length: int) -> str:
    return hashlib.sha256(f"{declaration.stack}/{declaration.logical_id}".encode()).hexdigest()[:length]


def _cluster_of(account: Account, declaration: Declaration) -> Cluster:
    clusters, name = account.service(KubernetesClusters).by_name, declaration.properties["ClusterName"]
    if name not in clusters:
        raise declaration.fail(f"cluster {name!r} does not exist; there are {sorted(clusters)}")
    return clusters[name]


def _cluster(account: Account, declaration: Declaration) -> Created:
    properties, networks = declaration.properties, account.service(Networks)
    name, network = declaration.name(properties.get("Name"), longest=100), properties["ResourcesVpcConfig"]
    subnets = network["SubnetIds"]
    unknown = sorted({*subnets} - {*networks.subnets}) + sorted(
        {*network.get("SecurityGroupIds", [])} - {*networks.groups}
    )
    if unknown:
        raise declaration.fail(f"ResourcesVpcConfig names {unknown}, which do not exist")
    identity = _digest(declaration, 32).upper()
    host = f"{identity}.gr7.{account.region}.eks.amazonaws.com"
    # Amazon EKS User Guide, "View Amazon EKS security group requirements for clusters": it is made with the cluster.
    group_id = f"sg-{_digest(declaration, 17)}"
    networks.groups[group_id] = SecurityGroup(
        vpc_id=networks.subnets[subnets[0]].vpc_id,
        ingress=[],
        egress=[GroupRule(protocol="-1", from_port=-1, to_port=-1, cidr=EVERYWHERE)],
    )
    arn = account.arn("eks", f"cluster/{name}")
    account.service(KubernetesClusters).by_name[name] = Cluster(name=name, arn=arn)
    return Created(
        ref=name,
        arn=arn,
        attributes={
            "Arn": arn,
            "CertificateAuthorityData": "",
            "ClusterSecurityGroupId": group_id,
            "Endpoint": f"https://{host}",
            "OpenIdConnectIssuerUrl": f"https://oidc.eks.{account.region}.amazonaws.com/id/{identity}",
        },
    )


def _part(account: Account, declaration: Declaration) -> Created:
    """An add-on, a profile, a node group or an access entry of a cluster that must be there."""
    cluster = _cluster_of(account, declaration)
    name = declaration.name()
    arn = account.arn("eks", f"{declaration.type.rsplit(':', 1)[-1].lower()}/{cluster.name}/{name}")
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


def _association(account: Account, declaration: Declaration) -> Created:
    properties, cluster = declaration.properties, _cluster_of(account, declaration)
    role_arn, name = properties["RoleArn"], f"a-{_digest(declaration, 17)}"
    trust = account.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]["AssumeRolePolicyDocument"]
    if not lets_pods_in(trust):
        raise declaration.fail("Trust policy of the role provided is invalid.")
    key = (properties["Namespace"], properties["ServiceAccount"])
    if key in cluster.associations:
        raise declaration.fail(f"Association already exists for service account {'/'.join(key)}")
    cluster.associations[key] = role_arn
    arn = account.arn("eks", f"podidentityassociation/{cluster.name}/{name}")
    return Created(ref=arn, arn=arn, attributes={"AssociationArn": arn, "AssociationId": name})


def _manifest(account: Account, declaration: Declaration) -> Created:
    try:
        _cluster_of(account, declaration).manifests.extend(read_manifests(declaration.properties["Manifest"]))
    except (json.JSONDecodeError, AttributeError) as error:
        raise declaration.fail(f"Manifest is no JSON of Kubernetes objects: {error}") from error
    return Created(ref=declaration.name())


def _chart(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    release = properties["Release"]
    _cluster_of(account, declaration).charts.append(f"{properties.get('Chart', '')} {properties.get('Version', '')}")
    return Created(ref=release)


def _only_named(name: str, *, honoured: tuple[str, ...] = (), ignored: tuple[str, ...]) -> ResourceType:
    return ResourceType(
        name=name,
        create=_part,
        honoured=("ClusterName", *honoured),
        ignored={**dict.fromkeys(ignored, _NO_CLUSTER), "Tags": _NO_TAGS},
        modelled_only=_NO_CLUSTER,
    )


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::EKS::Cluster",
        create=_cluster,
        honoured=("Name", "ResourcesVpcConfig.SecurityGroupIds", "ResourcesVpcConfig.SubnetIds"),
        ignored={
            **dict.fromkeys(
                (
                    "AccessConfig",
                    "BootstrapSelfManagedAddons",
                    "ComputeConfig",
                    "EncryptionConfig",
                    "KubernetesNetworkConfig",
                    "Logging",
                    "ResourcesVpcConfig.EndpointPrivateAccess",
                    "ResourcesVpcConfig.EndpointPublicAccess",
                    "ResourcesVpcConfig.PublicAccessCidrs",
                    "RoleArn",
                    "StorageConfig",
                    "Version",
                ),
                _NO_CLUSTER,
            ),
            "Tags": _NO_TAGS,
        },
        modelled_only=_NO_CLUSTER,
    ),
    _only_named(
        "AWS::EKS::Addon",
        ignored=(
            "AddonName",
            "AddonVersion",
            "ConfigurationValues",
            "PreserveOnDelete",
            "ResolveConflicts",
            "ServiceAccountRoleArn",
        ),
    ),
    _only_named("AWS::EKS::AccessEntry", ignored=("AccessPolicies", "KubernetesGroups", "PrincipalArn", "Type")),
    _only_named(
        "AWS::EKS::FargateProfile", ignored=("FargateProfileName", "PodExecutionRoleArn", "Selectors", "Subnets")
    ),
    ResourceType(
        name="AWS::EKS::PodIdentityAssociation",
        create=_association,
        honoured=("ClusterName", "Namespace", "RoleArn", "ServiceAccount"),
        ignored={"Tags": _NO_TAGS},
    ),
    ResourceType(
        name="Custom::AWSCDK-EKS-KubernetesResource",
        create=_manifest,
        honoured=("ClusterName", "Manifest"),
        ignored=dict.fromkeys(("PruneLabel", "ServiceToken", "SkipValidation", "Overwrite"), _NO_CLUSTER),
        modelled_only="manifests are read for their namespaces and applied nowhere: " + _NO_CLUSTER,
    ),
    ResourceType(
        name="Custom::AWSCDK-EKS-HelmChart",
        create=_chart,
        honoured=("Chart", "ClusterName", "Release", "Version"),
        ignored=dict.fromkeys(
            ("Namespace", "Repository", "ServiceToken", "SkipCrds", "Timeout", "Values", "Wait"), _NO_CLUSTER
        ),
        modelled_only="charts are noted and installed nowhere: " + _NO_CLUSTER,
    ),
)
