"""Open what the function talks to, once for each execution environment; it sends nothing itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambdas.configure_warehouse.clusters import read_clusters
from lambdas.configure_warehouse.data_api import DataApi
from lambdas.configure_warehouse.declarations import Declarations
from lambdas.configure_warehouse.history import History
from lambdas.configure_warehouse.logic import rotation_days
from lambdas.configure_warehouse.requests import Request, to_messages
from lambdas.configure_warehouse.settings import Settings
from lambdas.configure_warehouse.user_secrets import UserSecrets
from lambdas.configure_warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class Connections:
    """All that the handler needs."""

    def __init__(self, settings: Settings) -> None:
        """Make clients by the function's settings; nothing is called before it is needed."""
        # At first need: the import and the first client take longer than all else of a cold start together.
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})
        dynamodb = boto3.resource("dynamodb", config=config)
        redshift = boto3.client("redshift", config=config)
        data = boto3.client("redshift-data", config=config)
        secrets = boto3.client("secretsmanager", config=config)
        self._sqs: SQSClient = boto3.client("sqs", config=config)
        self._queue_url = settings.queue_url
        self.declarations = Declarations(table=dynamodb.Table(settings.declaration_table))
        history = dynamodb.Table(settings.configuration_table)
        days = rotation_days(person=settings.person_rotation_days, service=settings.service_rotation_days)
        self.clusters = read_clusters(settings.clusters)
        self.warehouses: Mapping[str, Warehouse] = {
            name: Warehouse(
                cluster=cluster,
                database=DataApi(
                    client=data,
                    cluster_identifier=cluster.cluster_identifier,
                    database=cluster.database,
                    user=cluster.admin_user,
                    sleep=time.sleep,
                ),
                secrets=UserSecrets(
                    client=secrets,
                    cluster=cluster,
                    key_arn=settings.secret_key_arn,
                    rotation_function_arn=settings.rotation_function_arn,
                ),
                history=History(table=history, cluster=name, now=time.time),
                redshift=redshift,
                rotation_days=days,
            )
            for name, cluster in self.clusters.items()
        }

    def ask_again(self, again: Request, delay_seconds: int) -> None:
        """Send a message that has clusters configured after some seconds."""
        for body in to_messages(again):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_seconds)
