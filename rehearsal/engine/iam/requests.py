"""From a request to the permissions it needs: one table for each service, a generic rule for the rest.

It must not decide anything, nor know the wire: an operation and its parameters come in, needs go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.iam.model import Need
from rehearsal.engine.iam.reference import UnmappedRequest, generic_needs
from rehearsal.engine.iam.scope import Rule, Scope
from rehearsal.engine.iam.tables import TABLES

__all__ = ["ApiRequest", "Scope", "UnmappedRequest", "needs_of"]


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """A call of an AWS API as botocore names it: `kinesis`, `PutRecords`, `{"StreamName": …}`."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


def needs_of(request: ApiRequest, scope: Scope) -> tuple[Need, ...]:
    """Every permission the caller of a request must have, those on encryption keys included.

    An operation that needs no permission (`sts:GetCallerIdentity`) gives none.

    Raises:
        UnmappedRequest: neither a table nor the service authorization reference says what it needs.
    """
    rule: Rule | None = TABLES.get(request.service, {}).get(request.operation)
    if rule is not None:
        try:
            return tuple(rule(request.parameters, scope))
        except KeyError as missing:
            raise UnmappedRequest(
                f"{request.service}.{request.operation} has no parameter {missing}, by which the resource is "
                f"named; given are {sorted(request.parameters)}."
            ) from missing
    return tuple(generic_needs(request.service, request.operation, request.parameters, scope))
