"""Lambda functions, versions, aliases, permissions and asynchronous invocation; the API's Invoke comes here too."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from moto.awslambda.responses import LambdaResponse

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.functions import FunctionDefinition, Functions, InvocationResult
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

# AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": one minute
# before the second attempt, two before the third; 256 KB was the limit of an event, 1 MB since October 2025.
RETRY_DELAYS_S = (60.0, 120.0)
ACTING = "lambda.amazonaws.com"
ASYNC_LIMIT_BYTES = 1_048_576
MAXIMUM_EVENT_AGE_S = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class InvokeConfig:
    """How asynchronous invocations of a function are retried and where their failures go."""

    retries: int = 2
    maximum_age_s: int = MAXIMUM_EVENT_AGE_S
    on_failure: str = ""
    on_success: str = ""


@dataclass(kw_only=True)
class _Event:
    function: str
    payload: bytes
    source: str
    queued: float
    due: float
    attempts: int = 0


class AsyncInvocations:
    """Activity: the queue in front of asynchronously invoked functions."""

    def __init__(self, account: Account) -> None:
        self.name = "Lambda asynchronous invocations"
        self.refusals = 0
        self._account = account
        self._events: deque[_Event] = deque()
        self.configs: dict[str, InvokeConfig] = {}
        self.dead_letters: dict[str, str] = {}

    def enqueue(self, function: str, payload: bytes, *, source: str) -> None:
        """Take an event for a function (name or ARN)."""
        now = self._account.clock.time()
        self._events.append(_Event(function=function, payload=payload, source=source, queued=now, due=now))

    def due(self) -> float | None:
        """When the earliest event is to be tried (again)."""
        return min((event.due for event in self._events), default=None)

    def step(self) -> None:
        """Try the earliest event once; retry it later, or send it where failures go."""
        event = min(self._events, key=lambda one: one.due)
        functions = self._account.service(Functions)
        definition = functions.find(event.function)
        config = self.configs.get(definition.name, InvokeConfig())
        result = functions.invoke(event.function, event.payload, source=f"async {event.source}")
        event.attempts += 1
        now = self._account.clock.time()
        delay = RETRY_DELAYS_S[min(event.attempts, 2) - 1]
        too_old = now + delay - event.queued > config.maximum_age_s
        if not result.ok and event.attempts <= config.retries and not too_old:
            event.due = now + delay
            return
        self._events.remove(event)
        self._tell(definition, config, event, result)

    def waiting(self) -> str:
        """How many events wait, and for which functions."""
        names = sorted({event.function for event in self._events})
        return f"{len(self._events)} events for {', '.join(names)}" if self._events else ""

    def _tell(
        self, definition: FunctionDefinition, config: InvokeConfig, event: _Event, result: InvocationResult
    ) -> None:
        targets = [config.on_success] if result.ok else [config.on_failure]
        envelope = json.dumps(
            {
                "version": "1.0",
                "timestamp": self._account.clock.now().isoformat(),
                "requestContext": {
                    "functionArn": f"{definition.arn}:{definition.version}",
                    "condition": "Success" if result.ok else "RetriesExhausted",
                    "approximateInvokeCount": event.attempts,
                },
                "requestPayload": json.loads(event.payload or b"null"),
                "responsePayload": json.loads(result.payload or b"null"),
            }
        )
        for target in targets:
            if target:
                self._send(definition, target, envelope)
        if not result.ok and definition.name in self.dead_letters:
            self._send(definition, self.dead_letters[definition.name], event.payload.decode())

    def _send(self, definition: FunctionDefinition, target: str, text: str) -> None:
        service = target.split(":")[2]
        try:
            client = self._account.client_as(
                service,
                definition.role_arn,
                acting=ACTING,
                session=definition.name,
                source_arn=definition.arn,
            )
            if service == "sqs":
                account_id, name = target.split(":")[4:6]
                client.send_message(QueueUrl=f"{self._account.endpoint_url}/{account_id}/{name}", MessageBody=text)
            else:
                client.publish(TopicArn=target, Message=text)
        except Exception as error:
            self._account.records.happened("dead-letter-refused", definition.arn, str(error))
        else:
            self._account.records.happened("dead-lettered", definition.arn, target)


def _invoke_api(account: Account, response: LambdaResponse) -> tuple[int, dict[str, str], bytes]:
    """The API's Invoke operation; the caller's permission is decided before, at the gate."""
    function = unquote(response.path.rsplit("/", 2)[-2])
    qualifier = response._get_param("Qualifier") or response._get_param("qualifier")
    body = response.body.encode() if isinstance(response.body, str) else response.body
    kind = response.headers.get("X-Amz-Invocation-Type", "RequestResponse")
    functions = account.service(Functions)
    try:
        definition = functions.find(function, qualifier)
    except RehearsalError as error:
        return _api_error(404, "ResourceNotFoundException", str(error))
    if kind == "DryRun":
        return 204, {"status": "204"}, b""
    if kind == "Event":
        if len(body) > ASYNC_LIMIT_BYTES:
            return _api_error(413, "RequestTooLargeException", f"{len(body)} byte payload is too large")
        target = f"{definition.arn}:{qualifier}" if qualifier else definition.arn
        account.service(AsyncInvocations).enqueue(target, body or b"{}", source="API")
        return 202, {"status": "202"}, b""
    result = functions.invoke(function, body or b"{}", source="API", qualifier=qualifier)
    if result.throttled:
        return _api_error(429, "TooManyRequestsException", "Rate Exceeded.")
    if result.too_large:
        return _api_error(413, "RequestTooLargeException", f"{len(body)} byte payload is too large")
    headers = {"content-type": "application/json", "x-amz-executed-version": definition.version}
    if result.error:
        headers["x-amz-function-error"] = result.error
    return 200, headers, result.payload


def _api_error(status: int, code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    headers = {"status": str(status), "x-amzn-errortype": code, "content-type": "application/json"}
    return status, headers, json.dumps({"Type": "User", "message": message, "Message": message}).encode()


def attach(account: Account) -> Callable[[], None]:
    """Run functions in the place of moto's containers."""
    functions, invocations = Functions(account), AsyncInvocations(account)
    account.register(functions)
    account.register(invocations)
    account.scheduler.add(invocations)
    kept = LambdaResponse.invoke

    def invoke(self: LambdaResponse) -> tuple[int, dict[str, str], bytes]:
        return _invoke_api(account, self)

    LambdaResponse.invoke = invoke

    def undo() -> None:
        LambdaResponse.invoke = kept
        functions.close()

    return undo


def _function(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    name = declaration.name(properties.get("FunctionName"))
    arn = account.arn("lambda", f"function:{name}")
    runtime = properties.get("Runtime", "")
    logging = properties.get("LoggingConfig", {})
    concurrency = properties.get("ReservedConcurrentExecutions")
    definition = FunctionDefinition(
        name=name,
        arn=arn,
        role_arn=properties["Role"],
        handler=properties.get("Handler", ""),
        runtime=runtime,
        asset=_code(account, declaration, name) if runtime.startswith("python") else None,
        environment={k: str(v) for k, v in properties.get("Environment", {}).get("Variables", {}).items()},
        timeout_s=int(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel", "INFO" if logging.get("LogFormat") == "JSON" else ""),
        traced=properties.get("TracingConfig", {}).get("Mode") == "Active",
        key_arn=customer_key(account, properties.get("KmsKeyArn")) or "",
        reserved_concurrency=None if concurrency is None else int(concurrency),
    )
    try:
        account.client_as("logs", definition.role_arn, acting=ACTING, session=name, source_arn=arn)
    except iam.AccessDenied as error:
        raise declaration.fail(f"the role cannot be assumed by Lambda: {error}") from error
    account.service(Functions).put(definition)
    if "DeadLetterConfig" in properties:
        account.service(AsyncInvocations).dead_letters[name] = properties["DeadLetterConfig"]["TargetArn"]
    _show_in_moto(account, definition, properties)
    return Created(ref=name, arn=arn, attributes={"Arn": arn})


def _code(account: Account, declaration: Declaration, name: str) -> Path:
    code: Mapping[str, Any] = declaration.properties["Code"]
    if "ZipFile" in code:
        folder = account.workspace / f"inline-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.py").write_text(code["ZipFile"], "utf-8")
        return folder
    key = code["S3Key"]
    if key not in account.assets:
        raise declaration.fail(f"asset {key} is not in the assembly; synthesize again")
    asset = account.assets[key]
    if asset.is_dir():
        return asset
    folder = account.workspace / f"asset-{asset.stem}"
    if not folder.exists():
        with zipfile.ZipFile(asset) as archive:
            archive.extractall(folder)
    return folder


def _show_in_moto(account: Account, definition: FunctionDefinition, properties: Mapping[str, Any]) -> None:
    """Let the API's Get and List operations show the function; moto never runs it."""
    placeholder = io.BytesIO()
    with zipfile.ZipFile(placeholder, "w") as archive:
        archive.writestr("index.py", "")
    account.client("lambda").create_function(
        FunctionName=definition.name,
        Role=definition.role_arn,
        Runtime=definition.runtime,
        Handler=definition.handler,
        Code={"ZipFile": placeholder.getvalue()},
        Timeout=definition.timeout_s,
        MemorySize=definition.memory_mb,
        Architectures=properties.get("Architectures", ["x86_64"]),
        Environment={"Variables": dict(definition.environment)},
        Description=properties.get("Description", ""),
    )


def _version(account: Account, declaration: Declaration) -> Created:
    functions = account.service(Functions)
    published = functions.publish(functions.find(declaration.properties["FunctionName"]).name)
    arn = f"{published.arn}:{published.version}"
    attributes = {"Version": published.version, "FunctionArn": arn}
    return Created(ref=arn, arn=arn, attributes=attributes)


def _alias(account: Account, declaration: Declaration) -> Created:
    properties, functions = declaration.properties, account.service(Functions)
    definition = functions.find(properties["FunctionName"])
    functions.put_alias(definition.name, properties["Name"], properties["FunctionVersion"])
    arn = f"{definition.arn}:{properties['Name']}"
    return Created(ref=arn, arn=arn, attributes={"AliasArn": arn})


class _Permissions:
    """The statements of each function's resource policy so far."""

    def __init__(self) -> None:
        self.statements: dict[str, list[dict[str, Any]]] = {}


def _permission(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    definition = account.service(Functions).find(properties["FunctionName"])
    given = properties["FunctionName"].split(":")
    arn = f"{definition.arn}:{given[7]}" if len(given) > 7 else definition.arn
    principal = properties["Principal"]
    conditions: dict[str, dict[str, str]] = {}
    if "SourceArn" in properties:
        conditions["ArnLike"] = {"AWS:SourceArn": properties["SourceArn"]}
    if "SourceAccount" in properties:
        conditions["StringEquals"] = {"AWS:SourceAccount": properties["SourceAccount"]}
    statement: dict[str, Any] = {
        "Sid": declaration.logical_id,
        "Effect": "Allow",
        "Principal": {"Service" if principal.endswith(".amazonaws.com") else "AWS": principal},
        "Action": properties["Action"],
        "Resource": arn,
    }
    if conditions:
        statement["Condition"] = conditions
    try:
        permissions = account.service(_Permissions)
    except RehearsalError:
        permissions = _Permissions()
        account.register(permissions)
    statements = permissions.statements.setdefault(arn, [])
    statements.append(statement)
    account.authorizer.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": statements})
    return Created(ref=declaration.logical_id, attributes={"Id": declaration.logical_id})


def _event_invoke_config(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    if properties["Qualifier"] != "$LATEST":
        raise declaration.unsupported(
            f"Qualifier {properties['Qualifier']!r} is not played", "Use $LATEST or play it in services/lambda_.py"
        )
    definition = account.service(Functions).find(properties["FunctionName"])
    destinations = properties.get("DestinationConfig", {})
    account.service(AsyncInvocations).configs[definition.name] = InvokeConfig(
        retries=int(properties.get("MaximumRetryAttempts", 2)),
        maximum_age_s=int(properties.get("MaximumEventAgeInSeconds", MAXIMUM_EVENT_AGE_S)),
        on_failure=destinations.get("OnFailure", {}).get("Destination", ""),
        on_success=destinations.get("OnSuccess", {}).get("Destination", ""),
    )
    digest = hashlib.sha256(definition.arn.encode()).hexdigest()[:12]
    return Created(ref=f"{definition.name}-{digest}")


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Lambda::Function",
        create=_function,
        honoured=(
            "Code.S3Bucket",
            "Code.S3Key",
            "Code.ZipFile",
            "DeadLetterConfig.TargetArn",
            "Description",
            "Environment.Variables",
            "FunctionName",
            "Handler",
            "KmsKeyArn",
            "LoggingConfig.ApplicationLogLevel",
            "LoggingConfig.LogFormat",
            "LoggingConfig.LogGroup",
            "MemorySize",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "Timeout",
            "TracingConfig.Mode",
        ),
        ignored={
            "Architectures": "the code runs on this machine; packages with native code are taken from here",
            "EphemeralStorage": "the temporary folder of a worker is as large as this machine's",
            "LoggingConfig.SystemLogLevel": "the platform's own lines are always written",
            "RecursiveLoop": "no loop detection is played",
            "RuntimeManagementConfig": "the runtime is this machine's interpreter",
            "SnapStart": "it changes how long a cold start takes",
            "Tags": "no rule of the rehearsal reads a function's tags",
        },
    ),
    ResourceType(
        name="AWS::Lambda::Version",
        create=_version,
        honoured=("FunctionName",),
        ignored={"CodeSha256": "the code is the assembly's", "Description": "a text for people"},
    ),
    ResourceType(
        name="AWS::Lambda::Alias",
        create=_alias,
        honoured=("FunctionName", "FunctionVersion", "Name"),
        ignored={"Description": "a text for people"},
    ),
    ResourceType(
        name="AWS::Lambda::Permission",
        create=_permission,
        honoured=("Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"),
    ),
    ResourceType(
        name="AWS::Lambda::EventInvokeConfig",
        create=_event_invoke_config,
        honoured=(
            "DestinationConfig.OnFailure.Destination",
            "DestinationConfig.OnSuccess.Destination",
            "FunctionName",
            "MaximumEventAgeInSeconds",
            "MaximumRetryAttempts",
            "Qualifier",
        ),
    ),
)
