"""The AWS account that a rehearsal plays: its data planes, its clients, its authorizer and what moves in it.

Service files work on it; it must not know any of them.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config

from rehearsal.engine import iam
from rehearsal.engine.clock import Clock
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.records import Records
from rehearsal.engine.scheduler import Scheduler

PARTITION = "aws"

T = TypeVar("T")

_CLIENT_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=900, max_pool_connections=10)


class Account:
    """State shared by the service files of one rehearsal.

    ``encryption_keys`` maps the ARN of an encrypted resource to the ARN of its customer managed key. ``assets``
    maps object keys to the staged folders. ``serve`` has a client of this process answered without a socket.
    ``services`` holds what service files register for one another, by class. ``bucket_keys`` holds the ARNs of
    buckets with an S3 Bucket Key. ``workspace`` is a folder for files that live as long as the rehearsal.
    ``function_environment`` holds variables that every function is given beside its own.
    """

    def __init__(
        self,
        *,
        account_id: str,
        region: str,
        clock: Clock,
        endpoint_url: str,
        serve: Callable[[BaseClient], None],
        assets: Mapping[str, Path],
        authorizer: iam.Authorizer,
        encryption_keys: dict[str, str],
        bucket_keys: set[str],
        workspace: Path,
    ) -> None:
        self.id, self.region, self.clock, self.endpoint_url = account_id, region, clock, endpoint_url
        self._serve = serve
        self.assets, self.authorizer, self.encryption_keys = assets, authorizer, encryption_keys
        self.workspace = workspace
        self.bucket_keys = bucket_keys
        self.records = Records()
        self.scheduler = Scheduler(clock)
        self.reachable: set[tuple[str, int]] = set()
        self.function_environment: dict[str, str] = {}
        self._services: dict[type, Any] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._session = _isolated_session(region)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of ``resource`` in this account and region."""
        return f"arn:{PARTITION}:{service}:{self.region}:{self.id}:{resource}"

    def register(self, service: object) -> None:
        """Make ``service`` known to the other service files under its class."""
        self._services[type(service)] = service

    def service(self, kind: type[T]) -> T:
        """The registered service of class ``kind``."""
        try:
            found: T = self._services[kind]
        except KeyError:
            raise RehearsalError(
                f"{kind.__name__} is not attached; its service file must attach it in attach(account)"
            ) from None
        return found

    def client(self, service: str) -> Any:
        """A boto3 client that may do everything: the deployer's and the scenario's."""
        return self._client(service, "administrator", None)

    def client_as(
        self, service: str, role_arn: str, *, acting: str, session: str, source_arn: str = "", external_id: str = ""
    ) -> Any:
        """A boto3 client with the credentials of a role.

        Args:
            service: boto3's name of the service.
            role_arn: the role.
            acting: service principal that assumes the role, such as ``firehose.amazonaws.com``.
            session: role session name.
            source_arn: the resource that ``acting`` acts for, if any (``aws:SourceArn`` in a trust policy).
            external_id: what ``acting`` passes as ``sts:ExternalId``; the account's id when empty.

        Raises:
            rehearsal.engine.iam.AccessDenied: the role's trust policy does not let ``acting`` assume it.
        """
        role = (role_arn, acting, session, source_arn, external_id or self.id)
        return self._client(service, "|".join(role), role)

    def client_of(self, service: str, credentials: iam.Credentials) -> Any:
        """A boto3 client of whoever holds ``credentials``; the caller closes it."""
        client = self._session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.endpoint_url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            config=_CLIENT_CONFIG,
        )
        self._serve(client)
        return client

    def _client(self, service: str, identity: str, role: tuple[str, str, str, str, str] | None) -> Any:
        with self._lock:
            client = self._clients.get((service, identity))
            if client is None:
                client = self.client_of(service, self._credentials(role))
                self._clients[service, identity] = client
            return client

    def _credentials(self, role: tuple[str, str, str, str, str] | None) -> iam.Credentials:
        if role is None:
            return self.authorizer.administrator_credentials()
        role_arn, acting, session, source_arn, external_id = role
        context = {"aws:SourceAccount": self.id, "sts:ExternalId": external_id}
        if source_arn:
            context["aws:SourceArn"] = source_arn
        return self.authorizer.credentials(role_arn, service=acting, session=session, context=context)

    def authorize_service(
        self, principal: str, service: str, operation: str, parameters: Mapping[str, Any], *, source_arn: str
    ) -> None:
        """Decide and record a call that an AWS service makes in its own name for ``source_arn``.

        Args:
            principal: the service principal, such as ``sns.amazonaws.com``.
            service: boto3's name of the service called.
            operation: API operation, such as ``SendMessage``.
            parameters: the parameters of that operation.
            source_arn: the resource the service acts for (``aws:SourceArn``).

        Raises:
            rehearsal.engine.iam.AccessDenied: the resource policy or the key policy does not allow it.
        """
        context = {"aws:SourceArn": source_arn, "aws:SourceAccount": self.id}
        needs = self.authorizer.needs_of(service, operation, parameters, context=context)
        self.authorizer.authorize(iam.Principal(arn=principal, kind="service"), needs)

    def close(self) -> None:
        """Close every client."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()


@functools.cache
def _isolated_session(region: str) -> boto3.Session:
    """A session that reads neither the user's configuration files nor a profile of the environment.

    It keeps the service models that it has read, which is most of what a first client costs.
    """
    core = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, os.devnull, None),
            "credentials_file": (None, None, os.devnull, None),
        }
    )
    return boto3.Session(botocore_session=core, region_name=region)
