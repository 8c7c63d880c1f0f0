"""A DynamoDB table of items by two keys: encrypted with our key, restored to any moment, on demand.

It must not grant anything itself: it says what using and following it take.
"""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb, aws_iam, aws_kms
from constructs import Construct

from building_blocks.encryption_key import key_use
from building_blocks.retention import removal_policy

_KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
"""What DynamoDB does with a table's key on behalf of whoever uses the table ("DynamoDB encryption at rest usage
notes" page); grants to the service itself are made when the table is."""


class ItemTable(Construct):
    """A table with partition key ``partition_key`` and sort key ``sort_key``, both text."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        partition_key: str,
        sort_key: str,
        key: aws_kms.IKey,
        keep: bool,
        tells_keys: bool = False,
        expires_by: str | None = None,
    ) -> None:
        """Make the table.

        With ``tells_keys`` its stream tells the keys of each changed item. ``expires_by`` is the attribute that holds
        the epoch second after which DynamoDB deletes an item; one without it stays.
        """
        super().__init__(scope, id)
        self._key = key
        text = aws_dynamodb.AttributeType.STRING
        self.table = aws_dynamodb.Table(
            self,
            "Table",
            partition_key=aws_dynamodb.Attribute(name=partition_key, type=text),
            sort_key=aws_dynamodb.Attribute(name=sort_key, type=text),
            billing_mode=aws_dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=aws_dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=aws_dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=keep,
            removal_policy=removal_policy(keep=keep),
            time_to_live_attribute=expires_by,
            stream=aws_dynamodb.StreamViewType.KEYS_ONLY if tells_keys else None,
        )

    def using(self, *, actions: Sequence[str]) -> list[aws_iam.PolicyStatement]:
        """What using the table by ``actions`` takes, its key among it."""
        return [
            aws_iam.PolicyStatement(actions=list(actions), resources=[self.table.table_arn]),
            *key_use(key=self._key, service="dynamodb", actions=_KEY_ACTIONS),
        ]

    def following(self) -> list[aws_iam.PolicyStatement]:
        """What a function's role needs to be fed from the table's stream.

        "Using AWS Lambda with Amazon DynamoDB" page; `dynamodb:ListStreams`, which knows no resource, is for whoever
        looks for a stream: an event-source mapping is told it.
        """
        arn = self.table.table_stream_arn
        if arn is None:
            raise RuntimeError(f"{self.node.path}: the table has no stream; fix: make it with tells_keys.")
        return [
            aws_iam.PolicyStatement(
                actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                resources=[arn],
            ),
            *key_use(key=self._key, service="dynamodb", actions=["kms:Decrypt"]),
        ]
