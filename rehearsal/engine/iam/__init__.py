"""The identity and access management of the rehearsal: decides each call as AWS would, and records it.

It must not know which application is rehearsed; it reads policies and requests alone.
"""

from rehearsal.engine.iam.authorizer import Authorizer
from rehearsal.engine.iam.gate import install
from rehearsal.engine.iam.model import (
    AccessDenied,
    CallRecord,
    ContextValue,
    Credentials,
    Need,
    NoRoute,
    Passage,
    PolicyError,
    Principal,
    UnknownCredentials,
)
from rehearsal.engine.iam.requests import ApiRequest, Scope, UnmappedRequest, needs_of
from rehearsal.engine.iam.usage import (
    Grant,
    Removal,
    RoleUsage,
    usage_of,
    without_action,
    without_resource_statement,
)

__all__ = [
    "AccessDenied",
    "ApiRequest",
    "Authorizer",
    "CallRecord",
    "ContextValue",
    "Credentials",
    "Grant",
    "Need",
    "NoRoute",
    "Passage",
    "PolicyError",
    "Principal",
    "Removal",
    "RoleUsage",
    "Scope",
    "UnknownCredentials",
    "UnmappedRequest",
    "install",
    "needs_of",
    "usage_of",
    "without_action",
    "without_resource_statement",
]
