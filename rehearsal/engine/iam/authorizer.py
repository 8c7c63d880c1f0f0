"""The keeper of the policies: answers whether a principal may make a call, and records every answer.

It must not read requests of a wire protocol (`gate`), nor judge what was recorded (`usage`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rehearsal.engine.iam.decisions import Bearing, Decision, decide, pass_endpoint
from rehearsal.engine.iam.documents import Policy
from rehearsal.engine.iam.model import (
    AccessDenied,
    CallRecord,
    ContextValue,
    Credentials,
    Need,
    Passage,
    PolicyDocument,
    Principal,
)
from rehearsal.engine.iam.policies import PolicyStore, resource_owner
from rehearsal.engine.iam.recorder import Recorder
from rehearsal.engine.iam.requests import ApiRequest, Scope, needs_of
from rehearsal.engine.iam.sessions import Sessions

_asking: ContextVar[Principal] = ContextVar("asking")
_CACHED_DECISIONS = 50_000
_MOVING_KEYS = frozenset({"aws:currenttime", "aws:epochtime"})
_Question = tuple[str, str, str, str, tuple[tuple[str, ...], ...]]


class Authorizer:
    """Decides as IAM would, from the policies it was given, and keeps what it decided.

    Args:
        account: the twelve digits of the account that is rehearsed.
        region: its Region.
        now: the time that `aws:CurrentTime` and the records show; called once a decision.
        encryption_key_of: the ARN of the customer managed key that encrypts a resource (bucket, queue,
            topic, stream, secret, table, parameter), or None where none does.
        bucket_key_enabled: whether a bucket uses an S3 Bucket Key, which changes the encryption context.

    Loopback transport counts as TLS (`aws:SecureTransport` is true): the same clients use HTTPS in AWS.
    """

    def __init__(
        self,
        *,
        account: str,
        region: str,
        now: Callable[[], datetime],
        encryption_key_of: Callable[[str], str | None],
        bucket_key_enabled: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.account = account
        self.region = region
        self.scope = Scope(
            account=account,
            region=region,
            encryption_key_of=encryption_key_of,
            bucket_key_enabled=bucket_key_enabled,
        )
        self._now = now
        self._lock = threading.RLock()
        self._policies = PolicyStore()
        self._sessions = Sessions(account=account)
        self._ways: dict[str, Callable[[str], Passage]] = {}
        self._recorder = Recorder()
        self._decisions: dict[_Question, Decision] = {}
        self._keys: tuple[str, ...] = ()
        self._answered: set[str] = set()
        self.problems: list[str] = []
        """Requests that could not be judged: an operation without a mapping, a role that was never put."""
        self.statement_owners: dict[str, str] = {}
        """Who submitted a statement of the Redshift Data API: its id to a user id."""
        self.completions: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {}
        """By boto3's name of a service: gives a request's parameters with what the service itself adds to them."""
        self.watchers: list[Callable[[Principal, Sequence[Need]], None]] = []
        """Told of each allowed request before it is done; one that raises AccessDenied keeps it from being done."""

    @property
    def asking(self) -> Principal:
        """Who makes the request that is being served here; LookupError where none is."""
        return _asking.get()

    @asking.setter
    def asking(self, principal: Principal) -> None:
        _asking.set(principal)

    # --- policies -------------------------------------------------------------------------------------

    def put_role(
        self,
        arn: str,
        *,
        trust_policy: PolicyDocument,
        policies: Mapping[str, PolicyDocument] | None = None,
        managed: Mapping[str, PolicyDocument] | None = None,
        managed_arns: Sequence[str] = (),
        boundary: PolicyDocument | str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Makes a role known, or replaces it; policies attached from outside (below) stay attached.

        Args:
            arn: the role's ARN.
            trust_policy: who may assume it.
            policies: its own inline policies, by name.
            managed: documents of attached managed policies, by ARN; they become known as managed policies.
            managed_arns: attached managed policies that `put_managed_policy` makes known, before or later.
            boundary: the permissions boundary, as a document or as a managed policy's ARN.
            tags: the role's tags, for `aws:PrincipalTag/…`.
        """
        with self._changing():
            self._policies.put_role(
                arn,
                trust_policy=trust_policy,
                policies=policies or {},
                managed=managed or {},
                managed_arns=managed_arns,
                boundary=boundary,
                tags=tags or {},
            )

    def remove_role(self, arn: str) -> None:
        """Forgets a role, its trust policy and what was attached to it; what it did stays recorded."""
        with self._changing():
            self._policies.remove_role(arn)

    def put_inline_policy(self, role_arn: str, name: str, document: PolicyDocument | None) -> None:
        """Embeds a policy in a role that may not be known yet (`AWS::IAM::Policy`); None takes it away."""
        with self._changing():
            self._policies.put_inline_policy(role_arn, name, document)

    def put_managed_policy(self, arn: str, document: PolicyDocument | None, *, roles: Sequence[str] = ()) -> None:
        """Makes a managed policy known, attached to roles by ARN that may not be known yet; None deletes it."""
        with self._changing():
            self._policies.put_managed_policy(arn, document, roles=roles)

    def attach_managed_policy(self, role_arn: str, policy_arn: str) -> None:
        """Attaches a managed policy to a role; either may become known later."""
        with self._changing():
            self._policies.attach(role_arn, policy_arn)

    def detach_managed_policy(self, role_arn: str, policy_arn: str) -> None:
        """Detaches a managed policy, however it was attached."""
        with self._changing():
            self._policies.detach(role_arn, policy_arn)

    def put_resource_policy(self, arn: str, document: PolicyDocument | None) -> None:
        """Sets the policy of a bucket, queue, topic, stream, key, secret or function; None takes it away.

        Lambda permissions come as one policy document for each function ARN, qualifier included.
        """
        with self._changing():
            self._policies.put_resource_policy(arn, document)

    def put_endpoint_policy(self, endpoint: str, document: PolicyDocument) -> None:
        """Sets the policy of a VPC endpoint, by its id; one without lets everything through."""
        with self._changing():
            self._policies.put_endpoint_policy(endpoint, document)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            finally:
                self._decisions.clear()
                self._keys = tuple(sorted(self._policies.keys()))

    def roles(self) -> tuple[str, ...]:
        """The ARNs of every known role."""
        return self._policies.roles()

    def resource_policies(self) -> Mapping[str, Policy]:
        """Every resource policy by its owner's ARN, trust policies by their role's ARN among them."""
        return self._policies.resource_policies()

    def identity_policies(self, role_arn: str) -> tuple[Policy, ...]:
        """The policies that give a role its permissions: inline first, then managed."""
        return self._policies.identity_policies(role_arn)

    # --- sessions -------------------------------------------------------------------------------------

    def credentials(
        self,
        role_arn: str,
        *,
        service: str,
        session: str,
        context: Mapping[str, ContextValue] | None = None,
        way: Callable[[str], Passage] | None = None,
    ) -> Credentials:
        """Credentials of a role that a service (`lambda.amazonaws.com`) assumes.

        The trust policy must allow it; the call is recorded as `sts:AssumeRole`. `context` holds what the
        service sends along, for instance `aws:SourceArn` or `sts:ExternalId`. `way` is for a holder in a VPC: it
        gives the endpoint by which that one reaches a service, or raises `NoRoute`.

        Raises:
            AccessDenied: the trust policy does not allow the service to assume the role.
        """
        caller = Principal(arn=service, kind="service")
        self.authorize(caller, [Need(action="sts:AssumeRole", resource=role_arn, context=context or {})])
        opened = self._sessions.open(Principal(arn=role_arn, kind="role", session=session))
        if way is not None:
            self._ways[opened.access_key_id] = way
        return opened

    def administrator_credentials(self) -> Credentials:
        """Credentials that may do everything; what they do is recorded apart."""
        return self._sessions.open(self._sessions.administrator)

    def adopt(self, credentials: Credentials, *, role_arn: str, session: str) -> None:
        """Registers credentials that the security token service gave out after an allowed AssumeRole."""
        self._sessions.adopt(credentials, Principal(arn=role_arn, kind="role", session=session))

    def principal_of(self, access_key_id: str, session_token: str | None = None) -> Principal:
        """Who signs with an access key; a session token that is given must be the key's own.

        Raises:
            UnknownCredentials: the key was not given out here, or the token belongs to another.
        """
        return self._sessions.principal_of(access_key_id, session_token)

    def passage_of(self, access_key_id: str, service: str) -> Passage | None:
        """The endpoint by which the holder of a key reaches a service (boto3's name); None: it is in no VPC.

        Raises:
            NoRoute: its VPC does not lead there.
        """
        way = self._ways.get(access_key_id)
        return way(service) if way is not None else None

    # --- decisions ------------------------------------------------------------------------------------

    def needs_of(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, object],
        *,
        context: Mapping[str, ContextValue] | None = None,
    ) -> tuple[Need, ...]:
        """What a request needs, its encryption included; `context` goes into each need.

        For a service that acts for a resource, give `aws:SourceArn` and `aws:SourceAccount` as context.
        """
        request = ApiRequest(service=service, operation=operation, parameters=parameters)
        needs = needs_of(request, self.scope)
        return tuple(replace(n, context={**n.context, **context}) for n in needs) if context else needs

    def authorize(self, principal: Principal, needs: Sequence[Need]) -> None:
        """Decides and records every need.

        Raises:
            AccessDenied: the first need that is refused.
        """
        refused: AccessDenied | None = None
        for need in needs:
            decision = self._decision(principal, need)
            if not decision.allowed and refused is None:
                refused = AccessDenied(principal=principal, need=need, reason=decision.because)
        if refused is not None:
            raise refused
        for watcher in self.watchers:
            watcher(principal, needs)

    def authorize_passage(self, principal: Principal, needs: Sequence[Need], passage: Passage) -> None:
        """Decides whether a VPC endpoint's policy lets a call through, and records what it does not.

        Raises:
            AccessDenied: the first need that is refused.
        """
        policy = self._policies.endpoint_policy(passage.endpoint)
        if policy is None:
            return
        at = self._now()
        for need in needs:
            context = self.context_of(principal, need, at=at)
            decision = pass_endpoint(
                principal=principal, action=need.action, resource=need.resource, context=context, policy=policy
            )
            if not decision.allowed:
                lasting = tuple(value for key, value in context.items() if key not in _MOVING_KEYS)
                with self._lock:
                    self._recorder.record(principal, need, decision, lasting, at=at)
                raise AccessDenied(principal=principal, need=need, reason=decision.because)

    def shown(self, principal: Principal, need: Need) -> bool:
        """Whether an entry of a list is shown to its caller; what is left out of a list is no refusal on record."""
        return self._decision(principal, need, record_refusal=False).allowed

    def _decision(self, principal: Principal, need: Need, *, record_refusal: bool = True) -> Decision:
        with self._lock:
            at = self._now()
            if principal.kind == "administrator":
                decision = Decision(allowed=True, reason="the administrator may do everything")
                self._recorder.record(principal, need, decision, (), at=at)
                return decision
            context = self.context_of(principal, need, at=at)
            shape = tuple(context.values())
            question = (principal.arn, principal.session, need.action, need.resource, shape)
            known = self._decisions.get(question)
            if known is None:
                if len(self._decisions) >= _CACHED_DECISIONS:
                    self._decisions.clear()
                known = self.decide_with(principal, need, context, self.bearing_on(principal, need))
                self._decisions[question] = known
                self._answered.update(key for key, values in context.items() if values)
            lasting = tuple(value for key, value in context.items() if key not in _MOVING_KEYS)
            if known.allowed or record_refusal:
                self._recorder.record(principal, need, known, lasting, at=at)
            return known

    @staticmethod
    def decide_with(
        principal: Principal, need: Need, context: Mapping[str, Sequence[str]], bearing: Bearing
    ) -> Decision:
        """The decision under the policies given, without recording it."""
        return decide(
            principal=principal,
            action=need.action,
            resource=need.resource,
            context=context,
            bearing=bearing,
        )

    def bearing_on(self, principal: Principal, need: Need) -> Bearing:
        """The policies that bear on a need.

        Raises:
            PolicyError: the principal is a role that was never put, or has a policy that never was.
        """
        owner = resource_owner(need.resource)
        parts = owner.split(":")
        return Bearing(
            identity=self._policies.identity_policies(principal.arn) if principal.kind == "role" else (),
            boundary=self._policies.boundary_of(principal.arn) if principal.kind == "role" else None,
            resource=self._policies.resource_policies().get(owner),
            resource_account=(parts[4] if len(parts) > 5 else "") or self.account,
            owner=owner,
        )

    def context_of(self, principal: Principal, need: Need, *, at: datetime) -> dict[str, tuple[str, ...]]:
        """The request context as far as any policy asks for it: lower-case keys, values as tuples.

        Keys are those of the "AWS global condition context keys" page; a key without a value is empty.
        """
        given = {key.lower(): value for key, value in need.context.items()}
        context: dict[str, tuple[str, ...]] = {}
        for key in self._keys:
            value = given.get(key)
            if value is None:
                value = self._global_value(key, principal, need, at)
            context[key] = (value,) if isinstance(value, str) else tuple(value)
        return context

    def _global_value(self, key: str, principal: Principal, need: Need, at: datetime) -> ContextValue:
        is_service = principal.kind == "service"
        match key:
            case "aws:securetransport":
                return "true"
            case "aws:currenttime":
                return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "aws:epochtime":
                return str(int(at.timestamp()))
            case "aws:requestedregion":
                return self.region
            case "aws:resourceaccount" | "s3:resourceaccount":
                parts = need.resource.split(":")
                return (parts[4] if len(parts) > 5 else "") or self.account
            case "aws:viaawsservice":
                return "false"
            case "aws:principalisawsservice":
                return "true" if is_service else "false"
            case "aws:principalservicename" | "aws:principalservicenameslist":
                return principal.arn if is_service else ()
            case "aws:principalarn":
                return () if is_service else principal.arn
            case "aws:principalaccount" | "kms:calleraccount":
                return () if is_service else principal.account
            case "aws:principaltype":
                return () if is_service else "AssumedRole"
            case "aws:userid":
                return () if is_service else principal.user_id
        if key.startswith("aws:principaltag/") and not is_service:
            return self._policies.tag_of(principal.arn, key.removeprefix("aws:principaltag/"))
        return ()

    # --- records --------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[CallRecord]:
        """What roles and services asked for, in the order of first occurrence, equal calls counted."""
        with self._lock:
            return self._recorder.calls()

    @property
    def denied(self) -> list[CallRecord]:
        """The calls that were refused."""
        return [record for record in self.calls if not record.allowed]

    def unanswered_keys(self) -> tuple[str, ...]:
        """Condition keys that policies ask for and no request has had so far, in lower case.

        A condition on one of them was decided as for an absent key: look here when a refusal surprises.
        """
        return tuple(key for key in self._keys if key not in self._answered)

    @property
    def administrator_calls(self) -> list[CallRecord]:
        """What the administrator did."""
        with self._lock:
            return self._recorder.administrator_calls()
