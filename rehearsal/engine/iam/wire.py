"""Refusals in each service's own wire protocol, with its error code, so that an AWS SDK reads them as AWS's.

It must not decide who is refused.
"""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.exceptions import HTTPException

from rehearsal.engine.iam.model import AccessDenied

# Where a refused encryption key has a code of its own; see "Errors" of the services' API references.
_KEY_CODES = {
    "sqs": "KMS.AccessDeniedException",
    "sns": "KMSAccessDenied",
    "kinesis": "KMSAccessDeniedException",
}
# SNS reference, "Publish": AuthorizationError, status 403.
_CODES = {"s3": "AccessDenied", "sns": "AuthorizationError"}
# Services that moved from the query protocol and still answer its codes, in this header (Smithy
# "awsQueryCompatible" trait).
_QUERY_COMPATIBLE = {"sqs": "AccessDenied", "cloudwatch": "AccessDenied"}
_REQUEST_ID = "00000000-0000-4000-8000-000000000000"


class Refusal(HTTPException):
    """An error answer, complete with its body, that a WSGI application returns as it is."""

    def __init__(self, *, status: int, headers: dict[str, str], body: str) -> None:
        super().__init__(description=body)
        self.code = status
        self.headers = headers

    def get_body(self, *_args: Any, **_named: Any) -> str:
        """The body, already in the service's protocol."""
        return self.description or ""

    def get_headers(self, *_args: Any, **_named: Any) -> list[tuple[str, str]]:
        """The headers that go with the body."""
        return list(self.headers.items())


def access_denied(denied: AccessDenied, *, service: str, protocol: str) -> Refusal:
    """The answer to a call that the policies do not allow."""
    on_key = denied.need.action.startswith("kms:") and service != "kms"
    usual = "AccessDenied" if protocol in ("query", "rest-xml") else "AccessDeniedException"
    code = (_KEY_CODES.get(service) if on_key else None) or _CODES.get(service, usual)
    return _answer(code, str(denied), service=service, protocol=protocol)


def unknown_credentials(message: str, *, service: str, protocol: str) -> Refusal:
    """The answer to a request that is signed with a key that nobody has."""
    if service == "s3":
        code = "InvalidAccessKeyId"
    else:
        code = "InvalidClientTokenId" if protocol == "query" else "UnrecognizedClientException"
    return _answer(code, message, service=service, protocol=protocol)


def not_modelled(message: str, *, service: str, protocol: str) -> Refusal:
    """The answer to a request of which it is not known what it needs; no SDK retries it."""
    return _answer("RequestNotModelled", message, service=service, protocol=protocol)


def no_route(message: str, *, service: str, protocol: str) -> Refusal:
    """The answer in place of the silence that a request without a route meets; no SDK retries it."""
    return _answer("NoRouteToService", message, service=service, protocol=protocol)


def _answer(code: str, message: str, *, service: str, protocol: str) -> Refusal:
    if protocol == "rest-xml":
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        return Refusal(status=403, headers={"Content-Type": "application/xml"}, body=body)
    if protocol in ("query", "ec2"):
        error = f"<Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>"
        return Refusal(status=403, headers={"Content-Type": "text/xml"}, body=body)
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
    if service in _QUERY_COMPATIBLE:
        compatible = _QUERY_COMPATIBLE[service] if code == "AccessDeniedException" else code
        headers["x-amzn-query-error"] = f"{compatible};Sender"
    body = json.dumps({"__type": code, "message": message, "Message": message})
    return Refusal(status=403 if protocol == "rest-json" else 400, headers=headers, body=body)
