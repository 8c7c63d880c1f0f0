"""Glue jobs and security configurations, and the API's operations on job runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import (
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    InvalidInputException,
    JobRunNotFoundException,
)
from moto.glue.responses import GlueResponse

from rehearsal.engine.account import PARTITION, Account
from rehearsal.engine.jobs.glue.arguments import NOT_PLAYED
from rehearsal.engine.jobs.glue.model import JobDefinition, JobRun, SecurityConfiguration
from rehearsal.engine.jobs.glue.runs import JobRuns, TooManyRuns
from rehearsal.engine.resources import Created, Declaration, ResourceType
from rehearsal.engine.services.events import put_event
from rehearsal.engine.services.kms import customer_key

# AWS Glue Developer Guide, "Automating AWS Glue with EventBridge".
_SEVERITY = {"SUCCEEDED": "INFO", "STOPPED": "INFO", "TIMEOUT": "WARN", "FAILED": "ERROR"}
_MESSAGE = {"SUCCEEDED": "Job run succeeded", "STOPPED": "Job run stopped", "TIMEOUT": "Job run timed out"}
# StartJobRun's parameters that are played; each other one would be lost without a word.
_RUN_PARAMETERS = {"Timeout": "timeout_minutes", "WorkerType": "worker_type", "NumberOfWorkers": "workers"}
# AWS Glue Developer Guide, "Job structure": defaults of version 5.0.
_DEFAULT_TIMEOUT_MINUTES = 480


class SecurityConfigurations:
    """Those of the account, by name."""

    def __init__(self) -> None:
        self.by_name: dict[str, SecurityConfiguration] = {}


def attach(account: Account) -> Callable[[], None]:
    """Run jobs in the place of moto, which only says that it did."""

    def told(run: JobRun) -> None:
        failed = f"JobName:{run.job.name} and JobRunId:{run.id} failed to execute with exception {run.error}"
        detail = {
            "jobName": run.job.name,
            "severity": _SEVERITY[run.state],
            "state": run.state,
            "jobRunId": run.id,
            "message": _MESSAGE.get(run.state, failed),
        }
        put_event(account, source="aws.glue", detail_type="Glue Job State Change", detail=detail)

    runs = JobRuns(account, told)
    account.register(runs)
    account.register(SecurityConfigurations())
    operations = {
        "start_job_run": lambda response: _start(runs, response),
        "get_job_run": lambda response: _get(runs, response),
        "get_job_runs": lambda response: _list(runs, response),
        "batch_stop_job_run": lambda response: _stop(runs, response),
    }
    kept = {name: getattr(GlueResponse, name, None) for name in operations}
    for name, operation in operations.items():
        setattr(GlueResponse, name, operation)

    def undo() -> None:
        for name, method in kept.items():
            if method is None:
                delattr(GlueResponse, name)
            else:
                setattr(GlueResponse, name, method)

    return undo


# --- the API ------------------------------------------------------------------------------------------


def _start(runs: JobRuns, response: Any) -> ActionResult:
    given = dict(response.parameters)
    name, arguments = given.pop("JobName"), given.pop("Arguments", None) or {}
    unknown = sorted({*given} - {*_RUN_PARAMETERS}) + sorted(NOT_PLAYED & {*arguments})
    if unknown:
        raise InvalidInputException("StartJobRun", f"The rehearsal does not play {', '.join(unknown)} of StartJobRun")
    changed = {_RUN_PARAMETERS[key]: value for key, value in given.items()}
    try:
        run = runs.start(name, arguments, **changed)
    except KeyError:
        raise EntityNotFoundException(f"Failed to start job run due to missing metadata: no job {name}") from None
    except TooManyRuns as error:
        raise ConcurrentRunsExceededException(str(error)) from error
    return ActionResult({"JobRunId": run.id})


def _get(runs: JobRuns, response: Any) -> ActionResult:
    name, run_id = response.parameters["JobName"], response.parameters["RunId"]
    try:
        return ActionResult({"JobRun": runs.run(name, run_id).shown()})
    except KeyError:
        raise JobRunNotFoundException(run_id) from None


def _list(runs: JobRuns, response: Any) -> ActionResult:
    name = response.parameters["JobName"]
    try:
        runs.job(name)
    except KeyError:
        raise EntityNotFoundException(f"Job {name} not found.") from None
    start, size = int(response.parameters.get("NextToken") or 0), int(response.parameters.get("MaxResults") or 200)
    all_runs = runs.of(name)
    page = {"JobRuns": [run.shown() for run in all_runs[start : start + size]]}
    following = {"NextToken": str(start + size)} if start + size < len(all_runs) else {}
    return ActionResult({**page, **following})


def _stop(runs: JobRuns, response: Any) -> ActionResult:
    name = response.parameters["JobName"]
    submitted, errors = [], []
    for run_id in response.parameters["JobRunIds"]:
        entry = {"JobName": name, "JobRunId": run_id}
        try:
            if runs.stop(name, run_id):
                submitted.append(entry)
                continue
            error = {"ErrorCode": "InvalidInputException", "ErrorMessage": f"Job run {run_id} is not active"}
        except KeyError:
            error = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": f"Job run {run_id} not found"}
        errors.append({**entry, "ErrorDetail": error})
    return ActionResult({"SuccessfulSubmissions": submitted, "Errors": errors})


# --- the templates ------------------------------------------------------------------------------------


def _job(account: Account, declaration: Declaration) -> Created:
    properties = declaration.properties
    command = properties["Command"]
    if command["Name"] != "glueetl":
        raise declaration.unsupported(f"Command.Name {command['Name']!r} is not played", "Use glueetl")
    name = declaration.name(properties.get("Name"), longest=255)
    defaults = _texts(properties.get("DefaultArguments", {}))
    fixed = _texts(properties.get("NonOverridableArguments", {}))
    not_played = sorted(NOT_PLAYED & {*defaults, *fixed})
    if not_played:
        raise declaration.unsupported(
            f"the arguments {', '.join(not_played)} are not played",
            "Play them in rehearsal/engine/jobs/glue/arguments.py",
        )
    definition = JobDefinition(
        name=name,
        arn=account.arn("glue", f"job/{name}"),
        role_arn=_role_arn(account, properties["Role"]),
        script=command["ScriptLocation"],
        default_arguments=defaults,
        fixed_arguments=fixed,
        glue_version=str(properties.get("GlueVersion", "0.9")),
        worker_type=properties.get("WorkerType", "G.1X"),
        workers=int(properties.get("NumberOfWorkers", 10)),
        timeout_minutes=int(properties.get("Timeout", _DEFAULT_TIMEOUT_MINUTES)),
        retries=int(properties.get("MaxRetries", 0)),
        concurrent_runs=int(properties.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)),
        security=_security_of(account, declaration),
    )
    _check(definition, command, declaration)
    account.service(JobRuns).put(definition)
    _show_in_moto(account, definition, properties)
    return Created(ref=name, arn=definition.arn)


def _check(definition: JobDefinition, command: Mapping[str, Any], declaration: Declaration) -> None:
    if not definition.glue_version.startswith("5."):
        raise declaration.unsupported(
            f"GlueVersion {definition.glue_version!r} is not played", "Use 5.0 or 5.1, which are Spark 3.5"
        )
    if str(command.get("PythonVersion", "3")) != "3":
        raise declaration.fail(f"Command.PythonVersion {command['PythonVersion']!r}; allowed is '3'")
    if not definition.script.startswith("s3://"):
        raise declaration.fail(f"Command.ScriptLocation {definition.script!r}; allowed is an s3:// address")
    wrong = [key for key in {**definition.default_arguments, **definition.fixed_arguments} if key[:2] != "--"]
    if wrong:
        raise declaration.fail(f"the arguments {wrong} must begin with '--'")


def _security_of(account: Account, declaration: Declaration) -> SecurityConfiguration | None:
    name = declaration.properties.get("SecurityConfiguration")
    if name is None:
        return None
    known = account.service(SecurityConfigurations).by_name
    if name not in known:
        raise declaration.fail(f"SecurityConfiguration {name!r} does not exist; there are {sorted(known)}")
    return known[name]


def _texts(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in arguments.items()}


def _role_arn(account: Account, role: str) -> str:
    return role if role.startswith("arn:") else f"arn:{PARTITION}:iam::{account.id}:role/{role}"


def _show_in_moto(account: Account, definition: JobDefinition, properties: Mapping[str, Any]) -> None:
    """Let the API's GetJob and ListJobs show the job."""
    account.client("glue").create_job(
        Name=definition.name,
        Description=properties.get("Description", ""),
        Role=definition.role_arn,
        Command={"Name": "glueetl", "ScriptLocation": definition.script, "PythonVersion": "3"},
        DefaultArguments=dict(definition.default_arguments),
        NonOverridableArguments=dict(definition.fixed_arguments),
        ExecutionProperty={"MaxConcurrentRuns": definition.concurrent_runs},
        MaxRetries=definition.retries,
        Timeout=definition.timeout_minutes,
        GlueVersion=definition.glue_version,
        WorkerType=definition.worker_type,
        NumberOfWorkers=definition.workers,
    )


def _security_configuration(account: Account, declaration: Declaration) -> Created:
    name = declaration.name(declaration.properties["Name"], longest=255)
    logs = declaration.properties["EncryptionConfiguration"].get("CloudWatchEncryption", {})
    key = customer_key(account, logs.get("KmsKeyArn")) if logs.get("CloudWatchEncryptionMode") == "SSE-KMS" else None
    configuration = SecurityConfiguration(name=name, log_key_arn=key or "")
    account.service(SecurityConfigurations).by_name[name] = configuration
    return Created(ref=name)


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::Glue::Job",
        create=_job,
        honoured=(
            "Command.Name",
            "Command.PythonVersion",
            "Command.ScriptLocation",
            "DefaultArguments",
            "Description",
            "ExecutionProperty.MaxConcurrentRuns",
            "GlueVersion",
            "MaxRetries",
            "Name",
            "NonOverridableArguments",
            "NumberOfWorkers",
            "Role",
            "SecurityConfiguration",
            "Timeout",
            "WorkerType",
        ),
        ignored={
            "ExecutionClass": "spare capacity differs in price and in when a run starts",
            "JobMode": "it says which editor shows the job",
            "JobRunQueuingEnabled": "the rehearsal has no limit of the account to queue for",
            "NotificationProperty": "no event of a delayed run is made",
            "Tags": "no rule of the rehearsal reads a job's tags",
        },
    ),
    ResourceType(
        name="AWS::Glue::SecurityConfiguration",
        create=_security_configuration,
        honoured=("EncryptionConfiguration.CloudWatchEncryption", "Name"),
        ignored={
            "EncryptionConfiguration.JobBookmarksEncryption": "no bookmark is played",
            "EncryptionConfiguration.S3Encryptions": "objects are encrypted as their bucket says",
        },
    ),
)
