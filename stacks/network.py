"""The network in which the warehouse stands: a VPC without a way to the internet.

It must not know who stands in it; whoever calls a service from within adds it to `_endpoint_uses`.
"""

from aws_cdk import Aws, CfnOutput, CfnWaitConditionHandle, Stack, aws_ec2
from constructs import Construct

from building_blocks.arns import arn_of
from building_blocks.encryption_key import EncryptionKey
from building_blocks.isolated_vpc import S3_DATA_ACTIONS, EndpointUse, IsolatedVpc
from building_blocks.lake_reading import CATALOG_READING
from building_blocks.private_network import existing_vpc
from config import naming
from config.model import Part, Stage
from config.network import ExistingVpc
from stacks.seams import NetworkSeam, pin


class NetworkStack(Stack):
    """A VPC of isolated subnets with the endpoints that its users call, or the VPC that configuration names."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage, keep_data: bool) -> None:
        """Make the stack for ``stage``; it holds no data but logs."""
        super().__init__(
            scope,
            id,
            stack_name=naming.stack_name(stage=stage, part=Part.NETWORK),
            description="Amp data platform: isolated network and endpoints",
            tags=dict(stage.tags),
            termination_protection=keep_data,
        )
        settings = stage.network
        if settings.existing is not None:
            self.seam = self._existing(settings.existing)
            return
        log_prefix = naming.log_group_prefix(stage=stage, part=Part.NETWORK)
        key = EncryptionKey(
            self,
            "NetworkKey",
            description="Flow logs of the network",
            alias=naming.key_alias(stage=stage, purpose="network"),
            keep=False,
            log_group_prefix=log_prefix,
        )
        network = IsolatedVpc(
            self,
            "Network",
            cidr=settings.cidr,
            subnet_cidrs=settings.subnet_cidrs,
            log_group_name=f"{log_prefix}/flow-logs",
            log_retention_days=stage.operations.log_retention_days,
            log_key=key,
        )
        for use in _gateway_uses():
            network.add_gateway(use)
        network.add_interfaces(_endpoint_uses(stage), zones=settings.endpoint_zones)
        if settings.instance_connect:
            network.add_instance_connect()
        self.seam = NetworkSeam(
            vpc=aws_ec2.Vpc.from_vpc_attributes(
                self,
                "Seam",
                vpc_id=network.vpc_id,
                vpc_cidr_block=settings.cidr,
                availability_zones=network.zones,
                isolated_subnet_ids=network.subnet_ids,
                isolated_subnet_route_table_ids=network.route_table_ids,
            ),
        )
        pin(self, network.vpc_id, *network.subnet_ids)
        CfnOutput(self, "VpcId", value=network.vpc_id)
        CfnOutput(self, "IsolatedSubnetIds", value=",".join(network.subnet_ids))

    def _existing(self, existing: ExistingVpc) -> NetworkSeam:
        # CloudFormation takes no stack without a resource; this one is nothing but a name.
        CfnWaitConditionHandle(self, "NothingIsMade")
        CfnOutput(self, "VpcId", value=existing.vpc_id)
        CfnOutput(self, "IsolatedSubnetIds", value=",".join(existing.subnet_ids))
        return NetworkSeam(vpc=existing_vpc(self, "Seam", existing, subnets="isolated"))


def _gateway_uses() -> list[EndpointUse]:
    """S3 and DynamoDB of this account; what is in the VPC reads and writes data there, and administers neither."""
    return [
        EndpointUse(
            service="s3",
            actions=S3_DATA_ACTIONS,
            resources=(f"arn:{Aws.PARTITION}:s3:::{naming.SYSTEM.lower()}-*",),
        ),
        EndpointUse(
            service="dynamodb",
            actions=(
                "dynamodb:BatchGetItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            ),
            resources=(arn_of("dynamodb", f"table/{naming.SYSTEM}-*"),),
        ),
    ]


def _endpoint_uses(stage: Stage) -> list[EndpointUse]:
    """What is called from within: by the rotation function, and by clusters for the lake's catalog.

    A cluster with enhanced VPC routing asks Glue for external tables through the VPC ("Redshift Spectrum and enhanced
    VPC routing" page); objects it reads through the gateway or outside of the VPC, and keys are used by S3, Secrets
    Manager and Redshift on its behalf.
    """
    lake = f"{naming.database_prefix(stage=stage)}_*"
    return [
        EndpointUse(
            service="secretsmanager",
            actions=(
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ),
            resources=(
                arn_of("secretsmanager", f"secret:{naming.warehouse_secret_prefix(stage=stage, cluster='*')}*"),
            ),
            general=("secretsmanager:GetRandomPassword",),
        ),
        EndpointUse(
            service="redshift",
            actions=("redshift:GetClusterCredentials",),
            resources=tuple(
                arn_of("redshift", f"{kind}:{naming.cluster_identifier(stage=stage, cluster='*')}/*")
                for kind in ("dbuser", "dbname")
            ),
        ),
        EndpointUse(
            service="glue",
            actions=CATALOG_READING,
            resources=(
                arn_of("glue", "catalog"),
                arn_of("glue", f"database/{lake}"),
                arn_of("glue", f"table/{lake}/*"),
            ),
        ),
    ]
