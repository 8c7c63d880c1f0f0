"""The only creator of Lambda functions: their files, role, environment, logs, concurrency and alarms.

It must not give a function more than the statements it is handed.
"""

import importlib
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from aws_cdk import Duration, aws_ec2, aws_iam, aws_kms, aws_lambda, aws_sns
from constructs import Construct

from building_blocks.acknowledgement import acknowledge
from building_blocks.alarms import Alarm, Runbook, metric
from building_blocks.arns import arn_of
from building_blocks.function_package import lay_out
from building_blocks.log_group import LogGroup

PYTHON_VERSION = "3.13"
"""Lambda's Python, for which the wheels are fetched."""

ARCHITECTURE = "arm64"
"""Lambda's processor, for which the wheels are fetched."""

_WHY_THIS_PYTHON = (
    f"Python {PYTHON_VERSION} is the newest version that the platform is tested on; Lambda supports it for years to "
    "come, and the constant PYTHON_VERSION moves all functions and their packages together."
)


class EnvironmentMismatchError(ValueError):
    """The environment given to a function is not the one its `Settings` reads."""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where in a network a function stands: in all isolated subnets of ``vpc``, under one security group."""

    vpc: aws_ec2.IVpc
    security_group: aws_ec2.ISecurityGroup


class PythonFunction(Construct):
    """Function of the folder ``lambdas/<name>``, handler ``lambdas.<name>.handler.handler``.

    Whoever calls the function keeps what fails (an event-source mapping, a service that tries again itself), or fails
    with it (a deployment), so it has no dead-letter target of its own.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        description: str,
        environment: Mapping[str, str],
        permissions: Iterable[aws_iam.PolicyStatement],
        memory_mebibytes: int,
        timeout_seconds: int,
        log_group_name: str,
        log_retention_days: int,
        log_level: str,
        key: aws_kms.IKey,
        alarm_topic: aws_sns.ITopic,
        reserved_concurrency: int | None = None,
        files: Mapping[str, str] | None = None,
        placement: Placement | None = None,
        runbook: Runbook = Runbook.FUNCTION_FAILS,
    ) -> None:
        """Make the function; ``files`` are further files of its package, text by path.

        Without ``placement`` it stands in no network of ours. ``runbook`` is that of its errors, if it has one.

        Raises:
            EnvironmentMismatchError: ``environment`` lacks a variable of the function's `Settings`, has one that
                it does not read, or a value of the wrong type.
            PackagingError: its files cannot be laid out.
        """
        super().__init__(scope, id)
        check_environment(name=name, environment=environment)
        log_group = LogGroup(self, "Logs", name=log_group_name, key=key, retention_days=log_retention_days)
        writing_logs = aws_iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        )
        in_network = [] if placement is None else _in_network(placement)
        self.role = aws_iam.Role(
            self,
            "ExecutionRole",
            description=f"What the function {name} may do",
            assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={
                "Permissions": aws_iam.PolicyDocument(
                    statements=[writing_logs, *in_network, *permissions], minimize=True
                )
            },
        )
        with tempfile.TemporaryDirectory() as scratch:
            lay_out(
                name=name,
                target=Path(scratch),
                python_version=PYTHON_VERSION,
                architecture=ARCHITECTURE,
                files=files,
            )
            self.function = aws_lambda.Function(
                self,
                "Function",
                description=description,
                code=aws_lambda.Code.from_asset(scratch),
                handler=f"lambdas.{name}.handler.handler",
                runtime=aws_lambda.Runtime(f"python{PYTHON_VERSION}", aws_lambda.RuntimeFamily.PYTHON),
                architecture=aws_lambda.Architecture.custom(ARCHITECTURE),
                role=self.role,
                environment=dict(environment),
                memory_size=memory_mebibytes,
                timeout=Duration.seconds(timeout_seconds),
                reserved_concurrent_executions=reserved_concurrency,
                vpc=None if placement is None else placement.vpc,
                vpc_subnets=None
                if placement is None
                else aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED),
                security_groups=None if placement is None else [placement.security_group],
                log_group=log_group,
                logging_format=aws_lambda.LoggingFormat.JSON,
                application_log_level_v2=aws_lambda.ApplicationLogLevel[_LAMBDA_LEVELS[log_level]],
                system_log_level_v2=aws_lambda.SystemLogLevel.INFO,
            )
        # The role's statements are its own property, so that referring to the role waits for them already.
        cast("aws_lambda.CfnFunction", self.function.node.default_child).add_deletion_override("DependsOn")
        self._acknowledge()
        if placement is not None:
            self._acknowledge_network()
        self._watch(alarm_topic, runbook)

    def _watch(self, topic: aws_sns.ITopic, runbook: Runbook) -> None:
        for name, meaning, opened in (
            ("Errors", "The function ends with an error: it crashed, timed out or ran out of memory.", runbook),
            ("Throttles", "Calls of the function are refused for lack of concurrency.", Runbook.FUNCTION_FAILS),
        ):
            Alarm(
                self,
                name,
                metric=metric(
                    namespace="AWS/Lambda",
                    name=name,
                    dimensions={"FunctionName": self.function.function_name},
                    statistic="Sum",
                ),
                threshold=0,
                meaning=meaning,
                runbook=opened,
                topic=topic,
            )

    def _acknowledge(self) -> None:
        for finding, reason in (
            (
                "Serverless-LambdaDLQ",
                "Its callers keep what fails (queue, stream), or fail themselves and say so (a deployment): a "
                "dead-letter target would get nothing that is not known elsewhere.",
            ),
            (
                "Serverless-LambdaTracing",
                "X-Ray's write actions know no resource, so tracing would put a wildcard into every role; "
                "metrics and structured logs with request ids tell the same here.",
            ),
            ("AwsSolutions-L1", _WHY_THIS_PYTHON),
            ("Serverless-LambdaLatestVersion", _WHY_THIS_PYTHON),
        ):
            acknowledge(self.function, finding=finding, reason=reason)

    def _acknowledge_network(self) -> None:
        acknowledge(
            self.role,
            finding=f"AwsSolutions-IAM5[Resource::{arn_of('ec2', 'network-interface/*', nag=True)}]",
            reason="Lambda names the network interfaces that it makes for the function; subnets and security group of "
            "a new one are named here.",
        )
        acknowledge(
            self.role,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="Lambda looks at network interfaces and subnets by calls that know no resource, which the "
            "function's own code is denied; statements of its own name what else knows none.",
        )
        acknowledge(
            self.role,
            finding="Serverless-LambdaStarPermissions",
            reason="Lambda's own calls for the network know no resource, and the function's code is denied them; "
            "statements of its own name what else knows none.",
        )


_INTERFACES = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
_LOOKING = ("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets")


def _in_network(placement: Placement) -> list[aws_iam.PolicyStatement]:
    """What Lambda needs of the role to put a function into subnets, and that the function itself may use none of it.

    As on the page "Giving Lambda functions access to resources in an Amazon VPC": Lambda acts with the role before
    there is a function; a call of the function's own code carries the function as `lambda:SourceFunctionArn`.
    """
    subnets = placement.vpc.isolated_subnets
    made = [
        arn_of("ec2", "network-interface/*"),
        *(arn_of("ec2", f"subnet/{subnet.subnet_id}") for subnet in subnets),
        arn_of("ec2", f"security-group/{placement.security_group.security_group_id}"),
    ]
    statement = aws_iam.PolicyStatement
    return [
        statement(actions=["ec2:CreateNetworkInterface"], resources=made),
        statement(actions=list(_INTERFACES), resources=[arn_of("ec2", "network-interface/*")]),
        statement(actions=list(_LOOKING), resources=["*"]),
        statement(
            effect=aws_iam.Effect.DENY,
            actions=["ec2:CreateNetworkInterface", *_INTERFACES, *_LOOKING],
            resources=["*"],
            conditions={"ArnLike": {"lambda:SourceFunctionArn": arn_of("lambda", "function:*")}},
        ),
    ]


_LAMBDA_LEVELS = {
    "INFO": "INFO",
    "WARNING": "WARN",
    "ERROR": "ERROR",
    "CRITICAL": "FATAL",
}


def check_environment(*, name: str, environment: Mapping[str, str]) -> None:
    """Hold ``environment`` against the `Settings` of the function ``lambdas/<name>``.

    Raises:
        EnvironmentMismatchError: a variable is missing, is not read, or has a value of the wrong type.
    """
    settings = importlib.import_module(f"lambdas.{name}.settings").Settings
    variables: dict[str, bool] = settings.variables()
    missing = sorted(variable for variable, required in variables.items() if required and variable not in environment)
    extra = sorted(set(environment) - set(variables))
    if missing or extra:
        raise EnvironmentMismatchError(
            f"The environment of function {name} is not what its Settings reads; missing: {missing}; "
            f"given but not read: {extra}; allowed: {sorted(variables)}; fix: give each required variable where the "
            f"function is declared, or change lambdas/{name}/settings.py."
        )
    try:
        settings.from_environ(environment)
    except ValueError as error:
        raise EnvironmentMismatchError(f"The environment of function {name} cannot be read: {error}") from error
