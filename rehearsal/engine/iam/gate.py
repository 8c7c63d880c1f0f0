"""The gate in front of moto: every HTTP request is mapped to its needs and authorized before moto acts.

It must not decide by itself, and must leave moto as it was when it is uninstalled.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model
from moto.glue.models import GlueBackend
from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.sts.models import STSBackend

from rehearsal.engine.iam import wire
from rehearsal.engine.iam.authorizer import Authorizer
from rehearsal.engine.iam.model import (
    AccessDenied,
    Credentials,
    Need,
    NoRoute,
    PolicyError,
    Principal,
    UnknownCredentials,
)
from rehearsal.engine.iam.moto_state import completed, json_body
from rehearsal.engine.iam.reference import action_prefix
from rehearsal.engine.iam.requests import UnmappedRequest

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
_installed = threading.Lock()
# Of the request that is being served; one may make others meanwhile, each in a context of its own.
_refused_objects: ContextVar[frozenset[str]] = ContextVar("refused_objects", default=frozenset())
_lister: ContextVar[Principal | None] = ContextVar("lister", default=None)


class _Gate:
    """What replaces moto's own checks while it is installed."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def check(self, response: Any) -> None:
        """Authorizes the request that a moto response object is about to serve.

        Raises:
            Refusal: in the service's own protocol.
        """
        _refused_objects.set(frozenset())
        _lister.set(None)
        request, service = response.normalized_request, response.boto3_service_name
        if request.method == "OPTIONS":
            return  # a browser's preflight request, which nobody signs
        protocol = determine_request_protocol(get_service_model(service), request.content_type)
        try:
            self._authorize(request, service, protocol)
        except AccessDenied as denied:
            refusal = wire.access_denied(denied, service=service, protocol=protocol)
        except UnknownCredentials as unknown:
            refusal = wire.unknown_credentials(str(unknown), service=service, protocol=protocol)
        except NoRoute as problem:
            self._authorizer.problems.append(str(problem))
            refusal = wire.no_route(str(problem), service=service, protocol=protocol)
        except (UnmappedRequest, PolicyError) as problem:
            self._authorizer.problems.append(str(problem))
            refusal = wire.not_modelled(str(problem), service=service, protocol=protocol)
        else:
            return
        response.response_headers.update(refusal.headers)
        raise refusal

    def _authorize(self, request: Any, service: str, protocol: str) -> None:
        key, token = _signer(request)
        principal = self._authorizer.principal_of(key, token)
        self._authorizer.asking = principal
        try:
            operation, labels = get_service_router(service).match(request)
        except NotFound:
            problem = f"{request.method} {request.path} is no known operation of {service}."
            raise UnmappedRequest(problem) from None
        if principal.kind == "administrator":
            need = Need(action=f"{action_prefix(service)}:{operation.name}", resource="*")
            self._authorizer.authorize(principal, [need])
            return
        given = _parameters(request, operation, labels, protocol)
        parameters = completed(service, given, self._authorizer.scope)
        parameters = self._authorizer.completions.get(service, _as_given)(parameters)
        if service == "redshift-data":
            submitted = str(parameters.get("Id", "")).partition(":")[0]
            owner = self._authorizer.statement_owners.get(submitted, principal.user_id)
            parameters = {**parameters, "StatementOwner": owner}
        needs = self._through_vpc(principal, key, service, operation.name, parameters)
        if (service, operation.name) == ("glue", "GetTables"):
            _lister.set(principal)
        if (service, operation.name) != ("s3", "DeleteObjects"):
            self._authorizer.authorize(principal, needs)
            return
        # S3 reference, "DeleteObjects": the answer is 200 and lists the keys that may not be deleted.
        refused: set[str] = set()
        for need in needs:
            try:
                self._authorizer.authorize(principal, [need])
            except AccessDenied:
                refused.add(need.resource)
        _refused_objects.set(frozenset(refused))

    def _through_vpc(
        self, principal: Principal, key: str, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> Sequence[Need]:
        """What a request needs, after a caller in a VPC has passed its endpoint."""
        needs = self._authorizer.needs_of(service, operation, parameters)
        try:
            passage = self._authorizer.passage_of(key, service)
        except NoRoute as problem:
            raise NoRoute(f"{principal.session_arn} calls {service}:{operation}: {problem}") from problem
        if passage is None:
            return needs
        # What a service asks of another for its caller (a key of KMS) does not go through the caller's VPC.
        prefix = f"{action_prefix(service)}:"
        context = {"aws:SourceVpc": passage.vpc, "aws:SourceVpce": passage.endpoint}
        needs = tuple(
            replace(need, context={**need.context, **context}) if need.action.startswith(prefix) else need
            for need in needs
        )
        own = [need for need in needs if need.action.startswith(prefix)]
        self._authorizer.authorize_passage(principal, own, passage)
        return needs

    def bucket_permission(self, resource: str) -> Any:
        """In place of moto's own reading of a bucket policy, which knows no conditions: already decided."""
        return PermissionResult.DENIED if resource in _refused_objects.get() else PermissionResult.NEUTRAL

    def shown_tables(self, tables: list[Any]) -> list[Any]:
        """The tables of a list that its caller may see.

        Glue guide, "Identity-based policy examples", filter tables by GetTables permission.
        """
        lister = _lister.get()
        if lister is None:
            return tables
        scope = self._authorizer.scope
        return [
            table
            for table in tables
            if self._authorizer.shown(
                lister,
                Need(action="glue:GetTables", resource=scope.arn("glue", f"table/{table.database_name}/{table.name}")),
            )
        ]

    def adopt(self, assumed: Any) -> Any:
        """Makes the credentials known that moto's security token service has just made."""
        credentials = Credentials(
            access_key_id=assumed.access_key_id,
            secret_access_key=assumed.secret_access_key,
            session_token=assumed.session_token,
        )
        self._authorizer.adopt(credentials, role_arn=assumed.role_arn, session=assumed.session_name)
        return assumed


def _as_given(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return parameters


def _signer(request: Any) -> tuple[str, str | None]:
    header = request.headers.get("Authorization", "")
    found = _CREDENTIAL.search(header)
    if found:
        return found.group(1), request.headers.get("X-Amz-Security-Token")
    if header.startswith("AWS "):
        return header[4:].split(":")[0], request.headers.get("X-Amz-Security-Token")
    arguments = request.args
    presigned = unquote(arguments.get("X-Amz-Credential", "")).split("/")[0]
    key = presigned or arguments.get("AWSAccessKeyId", "")
    token = arguments.get("X-Amz-Security-Token") or arguments.get("x-amz-security-token")
    return key or "(unsigned request)", token


def _parameters(request: Any, operation: Any, labels: Mapping[str, Any], protocol: str) -> Mapping[str, Any]:
    if protocol == "json":
        return json_body(request.data)
    # The bytes of an object or of a function's event say nothing about permissions.
    body = b"" if operation.has_streaming_input else request.data
    parsed: Mapping[str, Any] = PROTOCOL_PARSERS[protocol](operation).parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": labels,
        }
    )
    return parsed


def install(authorizer: Authorizer) -> Callable[[], None]:
    """Puts the gate in front of moto, for this whole process; gives back what takes it away again.

    Raises:
        RuntimeError: a gate is installed already. Uninstall it first: moto's state is one in a process.
    """
    if not _installed.acquire(blocking=False):
        raise RuntimeError("A gate is installed already: call what install() gave back before the next one.")
    gate = _Gate(authorizer)
    assume_role, get_tables = STSBackend.assume_role, GlueBackend.get_tables
    replaced = (
        (
            ActionAuthenticatorMixin,
            "_authenticate_and_authorize_action",
            lambda response, *_: gate.check(response),
        ),
        (FakeBucket, "get_permission", lambda _bucket, _action, resource: gate.bucket_permission(resource)),
        (GlueBackend, "get_tables", lambda backend, *given: gate.shown_tables(get_tables(backend, *given))),
        (STSBackend, "assume_role", lambda backend, *a, **named: gate.adopt(assume_role(backend, *a, **named))),
    )
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, replacement in replaced:
        setattr(owner, name, replacement)
    done = threading.Event()

    def uninstall() -> None:
        if done.is_set():
            return
        done.set()
        for owner, name, original in originals:
            setattr(owner, name, original)
        _installed.release()

    return uninstall
