"""Lambda functions, versions, aliases, permissions and asynchronous invocation; the API's Invoke comes here too."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from moto.awslambda.responses import LambdaResponse

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.async_invocations import (
    ASYNC_LIMIT_BYTES,
    MAXIMUM_EVENT_AGE_S,
    AsyncInvocations,
    InvokeConfig,
)
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.function_model import FunctionDefinition
from rehearsal.engine.functions import Functions
from rehearsal.engine.networks import Attachment, Networks
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.kms import customer_key

ACTING = "lambda.amazonaws.com"
# AWS Lambda Developer Guide, "Giving Lambda functions access to resources in an Amazon VPC", required permissions.
_INTERFACE_ACTIONS = ("AssignPrivateIpAddresses", "DeleteNetworkInterface", "UnassignPrivateIpAddresses")
_INTERFACE_LISTS = ("DescribeNetworkInterfaces", "DescribeSubnets")


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
    account.register(_Permissions())
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
    runtime, layers = properties.get("Runtime", ""), properties.get("Layers", [])
    logging = properties.get("LoggingConfig", {})
    concurrency = properties.get("ReservedConcurrentExecutions")
    definition = FunctionDefinition(
        name=name,
        arn=arn,
        role_arn=properties["Role"],
        handler=properties.get("Handler", ""),
        runtime=runtime,
        # A function that needs what is in a layer cannot run here, as one of another runtime cannot.
        asset=_code(account, declaration, name) if runtime.startswith("python") and not layers else None,
        environment={k: str(v) for k, v in properties.get("Environment", {}).get("Variables", {}).items()},
        timeout_s=int(properties.get("Timeout", 3)),
        memory_mb=int(properties.get("MemorySize", 128)),
        log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel", "INFO" if logging.get("LogFormat") == "JSON" else ""),
        traced=properties.get("TracingConfig", {}).get("Mode") == "Active",
        key_arn=customer_key(account, properties.get("KmsKeyArn")) or "",
        reserved_concurrency=None if concurrency is None else int(concurrency),
        network=_network(account, declaration, name),
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


def _network(account: Account, declaration: Declaration, name: str) -> Attachment | None:
    """Where in a VPC the function is; its role must be able to give it network interfaces there."""
    given = declaration.properties.get("VpcConfig", {})
    if not given.get("SubnetIds"):
        return None
    try:
        network = account.service(Networks).attachment(given["SubnetIds"], given.get("SecurityGroupIds", []))
    except ValueError as error:
        raise declaration.fail(f"VpcConfig: {error}") from error
    interface = account.arn("ec2", "network-interface/*")
    placed = [account.arn("ec2", f"subnet/{one}") for one in network.subnet_ids]
    placed += [account.arn("ec2", f"security-group/{one}") for one in network.group_ids]
    principal = iam.Principal(arn=declaration.properties["Role"], kind="role", session=name)
    try:
        account.authorizer.authorize(
            principal,
            [
                *(iam.Need(action="ec2:CreateNetworkInterface", resource=one) for one in (interface, *placed)),
                *(iam.Need(action=f"ec2:{one}", resource=interface) for one in _INTERFACE_ACTIONS),
                *(iam.Need(action=f"ec2:{one}", resource="*") for one in _INTERFACE_LISTS),
            ],
        )
    except iam.AccessDenied as error:
        raise declaration.fail(f"VpcConfig: the role cannot give the function network interfaces: {error}") from error
    return network


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
    statements = account.service(_Permissions).statements.setdefault(arn, [])
    statements.append(statement)
    account.authorizer.put_resource_policy(arn, {"Version": "2012-10-17", "Statement": statements})
    return Created(ref=declaration.logical_id, attributes={"Id": declaration.logical_id})


def _layer(account: Account, declaration: Declaration) -> Created:
    arn = account.arn("lambda", f"layer:{declaration.name(declaration.properties.get('LayerName'))}:1")
    return Created(ref=arn, arn=arn, attributes={"LayerVersionArn": arn})


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


_NO_LAYER = "no function with layers runs in a rehearsal"

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
            "Layers",
            "LoggingConfig.ApplicationLogLevel",
            "LoggingConfig.LogFormat",
            "LoggingConfig.LogGroup",
            "MemorySize",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "Timeout",
            "TracingConfig.Mode",
            "VpcConfig.SecurityGroupIds",
            "VpcConfig.SubnetIds",
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
        name="AWS::Lambda::LayerVersion",
        create=_layer,
        honoured=("LayerName",),
        ignored={
            **dict.fromkeys(("CompatibleArchitectures", "CompatibleRuntimes", "Content"), _NO_LAYER),
            **dict.fromkeys(("Description", "LicenseInfo"), "a text for people"),
        },
        modelled_only=_NO_LAYER,
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
