"""The role by which a cluster reads the lake through external schemas: the declared zones, and nothing else.

It must not write, nor read a zone that no external schema of the cluster's declaration shows.
"""

from collections.abc import Collection

from aws_cdk import aws_iam
from constructs import Construct

from building_blocks.arns import arn_of
from building_blocks.lake_access import Lake
from building_blocks.lake_reading import ZonesRead
from contracts.lake import Zone


class SpectrumRole(Construct):
    """Read access to ``zones`` of the lake for the cluster ``cluster_identifier``, whoever is logged in there.

    Redshift passes the database user as external id ("Restricting access to IAM roles" page), which holds the role to
    this account's cluster of that name: the service's name alone would let in whoever attached the role elsewhere.
    """

    def __init__(
        self, scope: Construct, id: str, *, cluster_identifier: str, zones: Collection[Zone], lake: Lake
    ) -> None:
        super().__init__(scope, id)
        users = arn_of("redshift", f"dbuser:{cluster_identifier}/*")
        read = ZonesRead(lake=lake, zones=zones)
        self.role = aws_iam.Role(
            self,
            "Role",
            description=f"Reads the lake for the external schemas of {cluster_identifier}",
            assumed_by=aws_iam.ServicePrincipal(
                "redshift.amazonaws.com", conditions={"StringLike": {"sts:ExternalId": users}}
            ),
            inline_policies={"Reading": aws_iam.PolicyDocument(statements=read.statements(), minimize=True)}
            if zones
            else None,
        )
        read.acknowledge(self.role)
