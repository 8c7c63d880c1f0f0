"""What readers are granted in Lake Formation, beside what IAM lets them: locations, databases and tables.

It must not touch `DataLakeSettings`: that resource replaces the account's administrators by those it names.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, aws_iam, aws_lakeformation, aws_s3
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.encryption_key import key_use
from building_blocks.reader_role import ReaderRole
from contracts.lake import Zone


class LakeFormationGrants(Construct):
    """Registers the zones of ``bucket`` and grants each reader there what its role has in IAM.

    Locations are registered in hybrid mode, in which IAM decides for whoever has not been opted in, so that jobs and
    readers go on as before ("Hybrid access mode" pages). Whoever deploys this must be an administrator of Lake
    Formation, and a table must be there before it can be granted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        bucket: aws_s3.IBucket,
        databases: Mapping[Zone, str],
        readers: Sequence[ReaderRole],
    ) -> None:
        super().__init__(scope, id)
        self._databases = databases
        zones = (Zone.PERSONAL, Zone.TRANSFORMED)
        role = _location_role(self, bucket=bucket, zones=zones)
        locations = [
            aws_lakeformation.CfnResource(
                self,
                f"{zone.capitalize()}Location",
                resource_arn=bucket.arn_for_objects(zone),
                use_service_linked_role=False,
                role_arn=role.role_arn,
                hybrid_access_enabled=True,
            )
            for zone in zones
        ]
        for reader in readers:
            for granted in self._grant(reader):
                granted.node.add_dependency(*locations)

    def _grant(self, reader: ReaderRole) -> list[aws_lakeformation.CfnPrincipalPermissions]:
        permissions = aws_lakeformation.CfnPrincipalPermissions
        name = reader.node.id
        reader.role.add_to_principal_policy(
            aws_iam.PolicyStatement(actions=["lakeformation:GetDataAccess"], resources=["*"])
        )
        acknowledge(
            reader.role,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Lake Formation knows no resource for handing out access; its own grants say what to.",
        )
        zones = sorted({*reader.zones, *(table.zone for table in reader.tables)})
        made = [
            self._permissions(
                f"{name}-{zone}",
                reader,
                ["DESCRIBE"],
                permissions.ResourceProperty(
                    database=permissions.DatabaseResourceProperty(catalog_id=Aws.ACCOUNT_ID, name=self._databases[zone])
                ),
            )
            for zone in zones
        ]
        tables = permissions.TableResourceProperty
        for zone in reader.zones:
            every = tables(catalog_id=Aws.ACCOUNT_ID, database_name=self._databases[zone], table_wildcard={})
            resource = permissions.ResourceProperty(table=every)
            made.append(self._permissions(f"{name}-{zone}-tables", reader, ["DESCRIBE", "SELECT"], resource))
        for table in reader.tables:
            one = tables(catalog_id=Aws.ACCOUNT_ID, database_name=self._databases[table.zone], name=table.name)
            resource = permissions.ResourceProperty(table=one)
            made.append(self._permissions(f"{name}-{table.full_name}", reader, ["DESCRIBE", "SELECT"], resource))
        return made

    def _permissions(
        self,
        id: str,
        reader: ReaderRole,
        actions: list[str],
        resource: aws_lakeformation.CfnPrincipalPermissions.ResourceProperty,
    ) -> aws_lakeformation.CfnPrincipalPermissions:
        permissions = aws_lakeformation.CfnPrincipalPermissions
        return permissions(
            self,
            id,
            principal=permissions.DataLakePrincipalProperty(data_lake_principal_identifier=reader.role.role_arn),
            resource=resource,
            permissions=actions,
            permissions_with_grant_option=[],
        )


def _location_role(scope: Construct, *, bucket: aws_s3.IBucket, zones: Sequence[Zone]) -> aws_iam.Role:
    """What Lake Formation itself may read to hand it on; a role of ours, because the lake's key lets no service in."""
    statement = aws_iam.PolicyStatement
    role = aws_iam.Role(
        scope,
        "LocationRole",
        description="What Lake Formation may read of the lake to hand it on to those it granted it to",
        assumed_by=aws_iam.ServicePrincipal("lakeformation.amazonaws.com"),
        inline_policies={
            "Reading": aws_iam.PolicyDocument(
                statements=[
                    statement(
                        actions=["s3:GetObject"], resources=[bucket.arn_for_objects(f"{zone}/*") for zone in zones]
                    ),
                    statement(
                        actions=["s3:ListBucket"],
                        resources=[bucket.bucket_arn],
                        conditions={"StringLike": {"s3:prefix": [f"{zone}/*" for zone in zones]}},
                    ),
                    *key_use(key=bucket.encryption_key, service="s3", actions=["kms:Decrypt"]),
                ],
                minimize=True,
            )
        },
    )
    files = cited(role, owner=bucket, arn=bucket.bucket_arn)
    for zone in zones:
        acknowledge(
            role,
            finding=f"AwsSolutions-IAM5[Resource::{files}/{zone}/*]",
            reason=f"The location that is registered is the {zone} zone as a whole; Lake Formation's grants divide it.",
        )
    return role
