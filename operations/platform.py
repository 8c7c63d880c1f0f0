"""Find a deployed platform by its stacks' outputs and reach its services; it judges and changes nothing there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from config import naming, stage_named
from config.model import Part, Stage

Outputs = Mapping[str, Mapping[str, str]]
"""Stack name → output → value: the shape that `cdk deploy --outputs-file` writes."""

QUEUES: Mapping[str, tuple[Part, str]] = {
    "show-changes": (Part.SHOW_CATALOG, "ShowChangesQueueUrl"),
    "batch-files": (Part.CATALOG, "BatchFilesQueueUrl"),
    "catalogued-drops": (Part.ORCHESTRATION, "CataloguedQueueUrl"),
}
"""Queues that a function or Airflow consumes, by the name that commands know them by: part, and output with the URL."""

_CLIENTS = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)

# No function runs for longer than 900 seconds ("Lambda quotas" page). A call that is given up or fails may have been
# begun all the same, and a second one would do its work twice. A connection on which nothing is said for minutes is
# kept open for what stands between.
_INVOKING = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=930, tcp_keepalive=True)


class OperationsError(RuntimeError):
    """A command cannot do, or will not do, what was asked; the message says what, given, allowed and fix."""


@dataclass(frozen=True, kw_only=True)
class QueuePair:
    """A queue and the dead-letter queue behind it, by URL."""

    name: str
    url: str
    dead_letter_url: str


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One stage as deployed. Credentials, profile and Region are boto3's own (environment, configuration files)."""

    stage: Stage
    outputs: Outputs
    endpoint_url: str | None = None
    from_cloudformation: bool = True
    """Whether the outputs were asked of CloudFormation, so that all else in the account can be asked for too."""
    _session: boto3.Session = field(default_factory=boto3.Session, repr=False)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = _client(self._session, service, self.endpoint_url)
        return self._clients[service]

    @cached_property
    def invoking(self) -> Any:
        """Lambda's client for a call that waits for the function's answer, and is made once whatever comes of it."""
        return _client(self._session, "lambda", self.endpoint_url, config=_INVOKING)

    def output(self, part: Part, name: str) -> str:
        """One output of a part's stack.

        Raises:
            OperationsError: the stack or the output is not there.
        """
        stack = naming.stack_name(stage=self.stage, part=part)
        found = self.outputs.get(stack, {}).get(name)
        if found is None:
            raise OperationsError(
                f"Stack {stack} has no output {name}; given: {', '.join(self.outputs) or 'no stack'}; allowed: the "
                "stacks of the stage as this checkout deploys them; fix: deploy the stage, or choose another --stage."
            )
        return found

    def has(self, part: Part) -> bool:
        """Whether the part is deployed: a rehearsal leaves out some that its stage has, and they have no outputs."""
        return bool(self.outputs.get(naming.stack_name(stage=self.stage, part=part)))

    @property
    def raw_bucket(self) -> str:
        """The bucket in which events land."""
        return self.output(Part.DATA_LAKE, "RawBucketName")

    @property
    def raw_database(self) -> str:
        """The Glue database over the raw bucket."""
        return self.output(Part.DATA_LAKE, "RawDatabaseName")

    @property
    def alarm_topic_arn(self) -> str:
        """The topic that alarms tell."""
        return self.output(Part.DATA_LAKE, "AlarmTopicArn")

    @property
    def stream_arn(self) -> str:
        """The event stream."""
        return self.output(Part.EVENT_STREAM, "EventStreamArn")

    @property
    def virtual_cluster_id(self) -> str:
        """Where EMR on EKS runs the jobs."""
        return self.output(Part.EMR_ON_EKS, "VirtualClusterId")

    @property
    def queues(self) -> tuple[QueuePair, ...]:
        """Every queue that is deployed and has a consumer."""
        return tuple(
            QueuePair(name=name, url=self.output(part, output), dead_letter_url=self.output(part, "DeadLetterQueueUrl"))
            for name, (part, output) in QUEUES.items()
            if self.has(part)
        )

    @cached_property
    def caller(self) -> str:
        """Who acts: the ARN of the caller's identity."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    def now(self) -> datetime:
        """The platform's time, by S3's clock: neither a laptop's wrong clock nor a rehearsal's own one matters."""
        return date_of(self.client("s3").head_bucket(Bucket=self.raw_bucket))


def date_of(response: Mapping[str, Any]) -> datetime:
    """When a service answered, by its own clock (the HTTP `Date` header; whole seconds)."""
    text = response["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(text).astimezone(UTC) if text else datetime.now(UTC)


def find(
    *, stage: str, endpoint_url: str | None = None, outputs_file: Path | None = None, region: str | None = None
) -> Platform:
    """The platform of a stage, by the outputs of its stacks: CloudFormation's, or those of a file.

    Args:
        stage: a stage of `config/`.
        endpoint_url: where AWS's APIs are answered, for a running rehearsal; AWS when absent.
        outputs_file: a file as `cdk deploy --outputs-file` writes it, for where no CloudFormation answers.
        region: the Region, where boto3 is not to look for it.

    Raises:
        OperationsError: a stack is not there, or the file cannot be read.
        config.model.ConfigurationError: no such stage.
    """
    known = stage_named(stage)
    names = [naming.stack_name(stage=known, part=part) for part in Part if part in known.parts]
    session = boto3.Session(region_name=region)
    if outputs_file is not None:
        outputs = _from_file(outputs_file, names)
    else:
        client = _client(session, "cloudformation", endpoint_url)
        outputs = {name: _from_cloudformation(client, name) for name in names}
    return Platform(
        stage=known,
        outputs=outputs,
        endpoint_url=endpoint_url,
        from_cloudformation=outputs_file is None,
        _session=session,
    )


def _client(session: boto3.Session, service: str, endpoint_url: str | None, *, config: Config = _CLIENTS) -> Any:
    # Which service it is, is known at run time alone, and so is its type.
    client: Any = session.client
    return client(service, endpoint_url=endpoint_url, config=config)


def _from_file(file: Path, names: list[str]) -> Outputs:
    try:
        found = json.loads(file.read_text())
        if isinstance(found, dict) and found and not set(names) & set(found):
            raise OperationsError(
                f"{file} holds no stack of this stage ({', '.join(names)}); given: {', '.join(sorted(found))}; "
                "allowed: outputs of the stage that --stage names; fix: give the --stage that they belong to."
            )
        return {name: {key: str(value) for key, value in found[name].items()} for name in names}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationsError(
            f"The outputs of {', '.join(names)} cannot be read from {file} ({type(error).__name__}: {error}); allowed: "
            'a JSON object {"<stack>": {"<output>": "<value>"}}; fix: write it with `cdk deploy --outputs-file`.'
        ) from None


def _from_cloudformation(client: Any, name: str) -> dict[str, str]:
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        raise OperationsError(
            f"Stack {name} cannot be found: {error.response['Error'].get('Message', error)}; allowed: a stage that is "
            "deployed in this account and Region; fix: check --stage, AWS_PROFILE and AWS_REGION; for a rehearsal "
            "pass --endpoint-url and --outputs."
        ) from None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
