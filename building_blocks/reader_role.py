"""A role through which another team reads the lake's tables: exact databases, tables and prefixes, nothing else.

It must not give anything of the raw zone, nor a table that no contract declares.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, aws_iam, aws_s3, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.arns import arn_of
from building_blocks.encryption_key import key_use
from config.catalog import ReadGrant
from config.checks import ConfigurationError
from contracts.lake import LakeTable, Zone
from contracts.lake_tables import LAKE_TABLES

_READING = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables"]
"""What engines ask of the Glue catalog to read an Iceberg table, whose partitions are not in the catalog."""


class ReaderRole(Construct):
    """The role of ``grant``, which the grant's principals may assume and which reads what the grant names.

    Its trust names accounts and, where the grant names roles, holds them by `aws:PrincipalArn`: a role's ARN as a
    principal would be refused until that role exists, and would be another role's once it was made anew ("AWS JSON
    policy elements: Principal" page). An external id would add nothing: it is for a service that assumes roles for
    many customers, and whoever is named here assumes this one for itself. In the account that is named, the caller
    needs `sts:AssumeRole` for this role too, so that both sides have said yes.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        grant: ReadGrant,
        name: str,
        bucket: aws_s3.IBucket,
        databases: Mapping[Zone, str],
        notices: aws_sns.ITopic,
    ) -> None:
        """Make the role ``name``; it may also subscribe to ``notices`` of what is withdrawn.

        Raises:
            ConfigurationError: the grant names a table that there is not.
        """
        super().__init__(scope, id)
        self.grant = grant
        self.tables = _declared(grant)
        self.zones = [Zone(database) for database in grant.databases]
        self._bucket, self._databases = bucket, databases
        self.role = aws_iam.Role(
            self,
            "Role",
            role_name=name,
            description=f"Reads of the lake what the grant {grant.name} names",
            assumed_by=_principals(grant),
            inline_policies={
                "Reading": aws_iam.PolicyDocument(statements=self._statements(notices), minimize=True),
            },
        )
        self._acknowledge()

    @property
    def prefixes(self) -> list[str]:
        """Where in the bucket the granted tables lie, each with a slash at its end."""
        return [*(f"{zone}/" for zone in self.zones), *(table.prefix for table in self.tables)]

    def _statements(self, notices: aws_sns.ITopic) -> list[aws_iam.PolicyStatement]:
        statement = aws_iam.PolicyStatement
        zones = sorted({*self.zones, *(table.zone for table in self.tables)})
        patterns = [*((zone, "*") for zone in self.zones), *((table.zone, table.name) for table in self.tables)]
        return [
            statement(
                actions=_READING,
                resources=[
                    arn_of("glue", "catalog"),
                    *(arn_of("glue", f"database/{self._databases[zone]}") for zone in zones),
                    *(arn_of("glue", f"table/{self._databases[zone]}/{table}") for zone, table in patterns),
                ],
            ),
            statement(
                actions=["s3:GetObject"],
                resources=[self._bucket.arn_for_objects(f"{prefix}*") for prefix in self.prefixes],
            ),
            statement(
                actions=["s3:ListBucket"],
                resources=[self._bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in self.prefixes]}},
            ),
            *key_use(key=self._bucket.encryption_key, service="s3", actions=["kms:Decrypt"]),
            statement(actions=["sns:Subscribe"], resources=[notices.topic_arn]),
        ]

    def _acknowledge(self) -> None:
        files = cited(self.role, owner=self._bucket, arn=self._bucket.bucket_arn)
        for prefix in self.prefixes:
            acknowledge(
                self.role,
                finding=f"AwsSolutions-IAM5[Resource::{files}/{prefix}*]",
                reason=f"The grant is for what lies below {prefix} of this one bucket; Iceberg names the files there.",
            )
        for zone in self.zones:
            database = cited(self.role, owner=self._bucket, arn=self._databases[zone])  # both have one home
            acknowledge(
                self.role,
                finding=f"AwsSolutions-IAM5[Resource::{arn_of('glue', f'table/{database}/*', nag=True)}]",
                reason=f"The grant is for the whole database of the {zone} zone, with the tables that are made later.",
            )


def _declared(grant: ReadGrant) -> list[LakeTable]:
    known = {table.full_name: table for table in LAKE_TABLES}
    unknown = [name for name in grant.tables if name not in known]
    if unknown:
        raise ConfigurationError(
            what=f"grant {grant.name} names tables that no contract declares",
            given=unknown,
            allowed=", ".join(sorted(known)),
            fix="correct the name, or declare the table in contracts/lake_tables",
        )
    return [known[name] for name in grant.tables]


def _principals(grant: ReadGrant) -> aws_iam.IPrincipal:
    accounts: dict[str, list[str]] = {}
    for given in grant.principals:
        if given.isdigit():
            accounts.setdefault(given, [])
    for given in grant.principals:
        arn = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:{given}" if given.startswith("role/") else given
        if not given.isdigit() and (account := arn.split(":")[4]) not in grant.principals:
            accounts.setdefault(account, []).append(arn)
    return aws_iam.CompositePrincipal(
        *(_of_account(account, roles=roles) for account, roles in sorted(accounts.items()))
    )


def _of_account(account: str, *, roles: Sequence[str]) -> aws_iam.PrincipalBase:
    principal = aws_iam.AccountPrincipal(account)
    return principal.with_conditions({"ArnEquals": {"aws:PrincipalArn": list(roles)}}) if roles else principal
