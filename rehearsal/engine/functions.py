"""The Lambda functions of the account: invokes them with their role, records what they did, writes their logs.

It must not know who asks: event sources, deliveries and API calls all come through `Functions.invoke`.
"""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.function_logs import FunctionLogs, LogLine
from rehearsal.engine.function_model import LATEST, FunctionDefinition, FunctionFault, InvocationResult
from rehearsal.engine.networks import Networks
from rehearsal.engine.records import Invocation
from rehearsal.engine.workers import Worker, WorkerResult

# AWS Lambda Developer Guide, "Lambda quotas": 6 MB each for synchronous request and response.
REQUEST_LIMIT_BYTES = 6_291_556
RESPONSE_LIMIT_BYTES = 6_291_556


@dataclass(kw_only=True)
class _Environment:
    worker: Worker
    log_stream: str


@dataclass(kw_only=True)
class _Deployed:
    versions: dict[str, FunctionDefinition]
    aliases: dict[str, str] = field(default_factory=dict)
    idle: list[tuple[str, _Environment]] = field(default_factory=list)
    faults: list[FunctionFault] = field(default_factory=list)
    dies_after: tuple[str, str, int] | None = None


class Functions:
    """Every function of the account, by name or ARN."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._logs = FunctionLogs(account)
        self._functions: dict[str, _Deployed] = {}
        self._lock = threading.Lock()
        self._all: list[Worker] = []

    def put(self, definition: FunctionDefinition) -> None:
        """Make a function known; its ``$LATEST`` version is ``definition``."""
        self._functions[definition.name] = _Deployed(versions={LATEST: definition})

    def publish(self, name: str) -> FunctionDefinition:
        """Publish a version of a function's present definition and give it."""
        deployed = self._functions[name]
        version = str(len(deployed.versions))
        latest = deployed.versions[LATEST]
        deployed.versions[version] = replace(latest, version=version)
        return deployed.versions[version]

    def put_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias of a function to a version."""
        self._functions[name].aliases[alias] = version

    def names(self) -> tuple[str, ...]:
        """The names of all functions."""
        return tuple(self._functions)

    def find(self, name_or_arn: str, qualifier: str | None = None) -> FunctionDefinition:
        """The version that a name or ARN (qualified or not) stands for.

        Raises:
            RehearsalError: no such function, version or alias.
        """
        name, own_qualifier = _name_and_qualifier(name_or_arn)
        wanted = qualifier or own_qualifier or LATEST
        deployed = self._functions.get(name)
        if deployed is None:
            raise RehearsalError(f"Function {name!r} does not exist; there are {sorted(self._functions)}")
        version = deployed.aliases.get(wanted, wanted)
        if version not in deployed.versions:
            raise RehearsalError(f"Function {name!r} has no version or alias {wanted!r}")
        return deployed.versions[version]

    def add_fault(self, name_or_arn: str, fault: FunctionFault) -> None:
        """Let the next invocations of a function meet ``fault``."""
        self._functions[self.find(name_or_arn).name].faults.append(fault)

    def kill_after(self, name_or_arn: str, service: str, operation: str, call: int) -> None:
        """Let a function's process die once, when the ``call``-th call of an operation in one invocation returned."""
        self._functions[self.find(name_or_arn).name].dies_after = (service, operation, call)

    def invoke(
        self, name_or_arn: str, payload: bytes, *, source: str, qualifier: str | None = None
    ) -> InvocationResult:
        """Run a function once, synchronously. Who may call it is decided before, by the caller's policies.

        Args:
            name_or_arn: which function.
            payload: the event as JSON, at most 6 MB.
            source: who asks, for the records.
            qualifier: version or alias.
        """
        definition = self.find(name_or_arn, qualifier)
        request_id = str(uuid.uuid4())
        if len(payload) > REQUEST_LIMIT_BYTES:
            message = f"{len(payload)} byte payload is too large for the RequestResponse invocation type"
            return InvocationResult(payload=_error("RequestTooLargeException", message), too_large=True)
        if definition.reserved_concurrency == 0:
            self._record(definition, source, request_id, "throttled", payload, b"")
            return InvocationResult(payload=_error("TooManyRequestsException", "Rate Exceeded."), throttled=True)
        fault = self._next_fault(definition.name)
        if fault in ("error", "timeout"):
            return self._faulty(definition, source, request_id, fault, payload)
        result = self._run(definition, source, request_id, payload)
        if fault == "lost" and result.ok:
            return InvocationResult(payload=_error("Runtime.ExitError", "the answer was lost"), error="Unhandled")
        return result

    def close(self) -> None:
        """End every worker process."""
        for worker in self._all:
            worker.close()
        for deployed in self._functions.values():
            deployed.idle.clear()

    def _next_fault(self, name: str) -> str:
        with self._lock:
            faults = self._functions[name].faults
            if not faults:
                return ""
            faults[0].times -= 1
            return faults.pop(0).kind if faults[0].times <= 0 else faults[0].kind

    def _faulty(
        self, definition: FunctionDefinition, source: str, request_id: str, fault: str, payload: bytes
    ) -> InvocationResult:
        if fault == "timeout":
            self._account.clock.advance(definition.timeout_s)
            answer = _timed_out(request_id, definition.timeout_s)
        else:
            answer = _error("Runtime.ExitError", f"RequestId: {request_id} Error: fault asked for by the scenario")
        self._record(definition, source, request_id, "fault", payload, answer)
        return InvocationResult(payload=answer, error="Unhandled")

    def _run(self, definition: FunctionDefinition, source: str, request_id: str, payload: bytes) -> InvocationResult:
        lines: list[LogLine] = []

        def log(moment: float, text: str) -> None:
            lines.extend(LogLine(moment, line) for line in text.split("\n"))

        started = self._account.clock.now()
        try:
            environment, cold = self._environment(definition, log)
        except iam.AccessDenied as refused:
            answer = _error("AccessDeniedException", f"Lambda could not start the function: {refused}")
            self._record(definition, source, request_id, "init-error", payload, answer)
            return InvocationResult(payload=answer, error="Unhandled")
        worker, deployed = environment.worker, self._functions[definition.name]
        if worker.init_error is not None:
            result = _init_failure(worker.init_error, worker.init_ms)
        else:
            result = worker.invoke(
                {
                    "now": self._account.clock.time(),
                    "request_id": request_id,
                    "function_arn": _qualified_arn(definition),
                    "timeout_s": definition.timeout_s,
                    "trace_id": _trace_id(self._account.clock.time()),
                    "reachable": sorted(self._account.reachable),
                    "dies_after": deployed.dies_after,
                },
                payload,
                timeout_s=definition.timeout_s,
                log=log,
            )
            if result.outcome == "crash":
                deployed.dies_after = None
        if definition.traced:
            self._trace(definition)
        if worker.alive:
            with self._lock:
                self._functions[definition.name].idle.append((definition.version, environment))
        result = _checked(result, request_id, definition.timeout_s)
        self._record(
            definition, source, request_id, result.outcome, payload, result.payload,
            cold=cold, duration_ms=result.duration_ms, started=started,
        )  # fmt: skip
        self._logs.write(definition, environment.log_stream, request_id, result, lines)
        error = "" if result.outcome == "ok" else "Unhandled"
        return InvocationResult(payload=result.payload, error=error)

    def _trace(self, definition: FunctionDefinition) -> None:
        # The tracing daemon beside a function sends with the function's role; a refusal loses traces alone.
        principal = iam.Principal(arn=definition.role_arn, kind="role", session=definition.name)
        for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords"):
            with contextlib.suppress(iam.AccessDenied):
                self._account.authorizer.authorize(principal, [iam.Need(action=action, resource="*")])

    def _environment(self, definition: FunctionDefinition, log: object) -> tuple[_Environment, bool]:
        with self._lock:
            idle = self._functions[definition.name].idle
            for index, (version, environment) in enumerate(idle):
                if version == definition.version:
                    del idle[index]
                    return environment, False
        log_stream = f"{self._account.clock.now():%Y/%m/%d}/[{definition.version}]{secrets.token_hex(16)}"
        if definition.asset is None:
            raise RehearsalError(
                f"Function {definition.name} (runtime {definition.runtime}) was invoked, and only Python functions "
                "can run here; play its service's part in rehearsal/engine/services/ or do not invoke it"
            )
        self._decrypt_environment(definition)
        worker = Worker(
            asset=definition.asset,
            handler=definition.handler,
            environment=self._variables(definition, log_stream),
            log_format=definition.log_format,
            log_level=definition.log_level,
            now=self._account.clock.time(),
            reachable=self._account.reachable,
            log=log,  # type: ignore[arg-type]
        )
        with self._lock:
            self._all.append(worker)
        return _Environment(worker=worker, log_stream=log_stream), True

    def _decrypt_environment(self, definition: FunctionDefinition) -> None:
        # AWS Lambda Developer Guide, "Securing Lambda environment variables": with a customer managed key the
        # execution role must be allowed to decrypt.
        if definition.key_arn and definition.environment:
            context = {
                "kms:ViaService": f"lambda.{self._account.region}.amazonaws.com",
                "kms:EncryptionContext:aws:lambda:FunctionArn": definition.arn,
                "kms:EncryptionContextKeys": ["aws:lambda:FunctionArn"],
            }
            principal = iam.Principal(arn=definition.role_arn, kind="role", session=definition.name)
            need = iam.Need(action="kms:Decrypt", resource=definition.key_arn, context=context)
            self._account.authorizer.authorize(principal, [need])

    def _variables(self, definition: FunctionDefinition, log_stream: str) -> dict[str, str]:
        credentials = self._account.authorizer.credentials(
            definition.role_arn,
            service="lambda.amazonaws.com",
            session=definition.name,
            context={"aws:SourceArn": definition.arn, "aws:SourceAccount": self._account.id},
            way=self._way(definition),
        )
        region = self._account.region
        return {
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **self._account.function_environment,
            **definition.environment,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
            "AWS_ENDPOINT_URL": self._account.endpoint_url,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{definition.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": definition.name,
            "AWS_LAMBDA_FUNCTION_VERSION": definition.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(definition.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": definition.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "AWS_LAMBDA_LOG_FORMAT": definition.log_format,
            **({"AWS_LAMBDA_LOG_LEVEL": definition.log_level} if definition.log_level else {}),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "LAMBDA_TASK_ROOT": str(definition.asset),
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "_HANDLER": definition.handler,
        }

    def _way(self, definition: FunctionDefinition) -> Callable[[str], iam.Passage] | None:
        if definition.network is None:
            return None
        return functools.partial(self._account.service(Networks).passage, definition.network)

    def _record(
        self,
        definition: FunctionDefinition,
        source: str,
        request_id: str,
        outcome: str,
        request: bytes,
        response: bytes,
        *,
        cold: bool = False,
        duration_ms: float = 0.0,
        started: datetime | None = None,
    ) -> None:
        records, name = self._account.records, definition.name
        error = "" if outcome == "ok" else response[:2000].decode("utf-8", "replace")
        records.add(
            Invocation(
                time=started or datetime.now(UTC),
                function=name,
                source=source,
                request_id=request_id,
                outcome=outcome,
                cold=cold,
                duration_ms=duration_ms,
                request_bytes=len(request),
                response_bytes=len(response),
                error=error,
            )
        )
        if outcome == "throttled":
            records.measured("AWS/Lambda", "Throttles", 1, FunctionName=name)
            return
        records.measured("AWS/Lambda", "Invocations", 1, FunctionName=name)
        records.measured("AWS/Lambda", "Errors", 0 if outcome == "ok" else 1, FunctionName=name)
        records.measured("AWS/Lambda", "Duration", duration_ms, unit="Milliseconds", FunctionName=name)


def _init_failure(said: bytes, init_ms: float) -> WorkerResult:
    try:
        json.loads(said)
    except ValueError:
        said = _error("Runtime.ExitError", said.decode("utf-8", "replace"))
    return WorkerResult(outcome="init-error", payload=said, duration_ms=init_ms)


def _checked(result: WorkerResult, request_id: str, timeout_s: int) -> WorkerResult:
    if result.outcome == "timeout":
        return replace(result, payload=_timed_out(request_id, timeout_s))
    if result.outcome == "crash":
        message = f"RequestId: {request_id} Error: Runtime exited with error: {result.payload.decode()}"
        return replace(result, payload=_error("Runtime.ExitError", message))
    if len(result.payload) > RESPONSE_LIMIT_BYTES:
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT_BYTES} bytes)."
        return replace(result, outcome="too-large", payload=_error("Function.ResponseSizeTooLarge", message))
    return result


def _timed_out(request_id: str, timeout_s: int) -> bytes:
    message = f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds"
    return _error("Sandbox.Timedout", message)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _name_and_qualifier(name_or_arn: str) -> tuple[str, str | None]:
    parts = name_or_arn.split(":")
    if parts[0] == "arn":
        parts = parts[6:]
    return parts[0], parts[1] if len(parts) > 1 else None


def _qualified_arn(definition: FunctionDefinition) -> str:
    return definition.arn if definition.version == LATEST else f"{definition.arn}:{definition.version}"


def _trace_id(now: float) -> str:
    return f"Root=1-{int(now):08x}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=1"
