"""The front of the rehearsal engine: deploys an assembly into a played account and lets it run.

It knows AWS and CloudFormation; which application it rehearses, what goes in and what must come out is a scenario's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from boto3.session import Session
from moto.moto_api._internal.models import moto_api_backend

from rehearsal.engine import iam, services
from rehearsal.engine.account import PARTITION, Account
from rehearsal.engine.assembly import Assembly, Stack, Template
from rehearsal.engine.clock import Clock
from rehearsal.engine.deployment import Deployment
from rehearsal.engine.errors import DeploymentFailed, RehearsalError
from rehearsal.engine.faults import Faults
from rehearsal.engine.keys import KeyAwareAuthorizer
from rehearsal.engine.mwaa.environment import Environments, ManagedAirflow
from rehearsal.engine.mwaa.model import Departure, Installation
from rehearsal.engine.records import FinishedJobRun, Invocation, Metric, TimelineEvent
from rehearsal.engine.resources import Resource, TypeCoverage
from rehearsal.engine.secret_rotation import Rotations
from rehearsal.engine.server import MotoServer
from rehearsal.engine.services.cloudformation import stack_created
from rehearsal.engine.services.redshift import Clusters

Mutation = Callable[[Template], Template]

DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT = "123456789012"
# The service for which outside applications' roles are made: containers of any cluster.
OUTSIDE_SERVICE = "ecs-tasks.amazonaws.com"
_one_at_a_time = threading.Lock()


class Engine:
    """One rehearsal of one assembly.

    Only one runs in a process at a time: moto's state and the process's clock are one each.

    Args:
        assembly: the folder that ``cdk synth`` wrote.
        clock: what "now" is for everything; the machine's time from the start on when absent.
        account_id: twelve digits.
        region: the Region of stacks that name none.

    Example:
        >>> with Engine(Path("cdk.out")) as engine:
        ...     engine.deploy()
        ...     engine.client("sqs").send_message(QueueUrl=engine.outputs("Shop")["QueueUrl"], MessageBody="{}")
        ...     engine.settle()
    """

    def __init__(
        self,
        assembly: Path,
        *,
        clock: Clock | None = None,
        account_id: str = DEFAULT_ACCOUNT,
        region: str = DEFAULT_REGION,
    ) -> None:
        self.assembly = Assembly.read(assembly)
        self.clock = clock or Clock()
        self._account_id, self._region = account_id, region
        self._undo: list[Callable[[], None]] = []
        self._running = False

    # --- life -----------------------------------------------------------------------------------------

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Bring the empty account up.

        Raises:
            RehearsalError: another engine runs in this process.
        """
        if not _one_at_a_time.acquire(blocking=False):
            raise RehearsalError("Another Engine runs in this process; close it before starting the next")
        self._running = True
        self._undo.append(_one_at_a_time.release)
        try:
            self._bring_up()
        except BaseException:
            self.close()
            raise

    def _bring_up(self) -> None:
        self._set_environment("MOTO_ACCOUNT_ID", self._account_id)
        moto_api_backend.reset()
        self._undo.append(moto_api_backend.reset)
        self.clock.start()
        self._undo.append(self.clock.stop)
        keys: dict[str, str] = {}
        bucket_keys: set[str] = set()
        self.authorizer = KeyAwareAuthorizer(
            account=self._account_id,
            region=self._region,
            now=self.clock.now,
            encryption_key_of=keys.get,
            bucket_key_enabled=bucket_keys.__contains__,
        )
        self._undo.append(iam.install(self.authorizer))
        server = MotoServer()
        self._undo.append(server.stop)
        host, port = server.address
        workspace = Path(tempfile.mkdtemp(prefix="rehearsal-"))
        self._undo.append(lambda: shutil.rmtree(workspace, ignore_errors=True))
        self.account = Account(
            account_id=self._account_id,
            region=self._region,
            clock=self.clock,
            endpoint_url=f"http://{host}:{port}",
            serve=server.serve,
            assets=self.assembly.assets,
            authorizer=self.authorizer,
            encryption_keys=keys,
            bucket_keys=bucket_keys,
            workspace=workspace,
        )
        self.account.reachable.add((host, port))
        self._undo.append(self.account.close)
        self._undo.extend(services.attach(self.account))
        self._deployment = Deployment(self.account, services.resource_types())
        self.faults = Faults(self.account, self.authorizer.disabled_keys)

    def _set_environment(self, name: str, value: str) -> None:
        before = os.environ.get(name)
        os.environ[name] = value

        def restore() -> None:
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before

        self._undo.append(restore)

    def close(self) -> None:
        """End the workers and the server and forget the account. A second call does nothing."""
        while self._undo:
            self._undo.pop()()
        self._running = False

    # --- deploying ------------------------------------------------------------------------------------

    def deploy(
        self,
        *,
        stacks: Sequence[str] | None = None,
        parameters: Mapping[str, Mapping[str, str]] | None = None,
        mutate: Mapping[str, Mutation] | None = None,
    ) -> None:
        """Create the assembly's stacks, each after those it depends on.

        What their creation sets off, such as a rule for CloudFormation's events, happens when the engine runs.

        Args:
            stacks: names of the stacks to create; all of the assembly when absent.
            parameters: stack name → parameter → value.
            mutate: stack name → a function that gets a copy of its template and gives the one to deploy.

        Raises:
            DeploymentFailed: a stack is named that is not in the assembly, or CloudFormation would refuse.
            Unsupported: a template uses what the engine neither honours nor ignores.
        """
        known = {stack.name for stack in self.assembly.stacks}
        for named in (*(stacks or ()), *(parameters or {}), *(mutate or {})):
            if named not in known:
                raise DeploymentFailed(f"Stack {named!r} is not in the assembly, which has {sorted(known)}")
        for stack in self.assembly.stacks:
            if stacks is not None and stack.name not in stacks:
                continue
            mutation = (mutate or {}).get(stack.name)
            if mutation is not None:
                template = mutation(_copy(stack.template))
                stack = Stack(name=stack.name, template=template, dependencies=stack.dependencies)
            self._deployment.deploy(stack, (parameters or {}).get(stack.name, {}))
            stack_created(self.account, self._deployment.stack_id(stack.name))

    def outputs(self, stack: str) -> Mapping[str, Any]:
        """The outputs of a deployed stack, by logical name."""
        return self._deployment.outputs[stack]

    def resources(self) -> Sequence[Resource]:
        """Every created resource, in order of creation."""
        return tuple(self._deployment.resources)

    def resource(self, stack: str, logical_id: str) -> Resource:
        """One created resource; a prefix of the logical id that is unique in the stack will do.

        Raises:
            RehearsalError: none or several match.
        """
        found = [r for r in self._deployment.resources if r.stack == stack and r.logical_id.startswith(logical_id)]
        exact = [r for r in found if r.logical_id == logical_id] or found
        if len(exact) != 1:
            raise RehearsalError(f"{stack}/{logical_id}: {len(exact)} resources match: {[r.logical_id for r in exact]}")
        return exact[0]

    def coverage(self) -> Sequence[TypeCoverage]:
        """Per resource type in use: honoured and ignored properties, how many, and which are only modelled."""
        return self._deployment.coverage()

    # --- acting ---------------------------------------------------------------------------------------

    @property
    def endpoint_url(self) -> str:
        """Where AWS's APIs are answered, on loopback."""
        return self.account.endpoint_url

    def client(self, service: str, role_arn: str | None = None) -> Any:
        """A boto3 client: of the administrator, or of a role that `principal` made."""
        if role_arn is None:
            return self.account.client(service)
        return self.account.client_as(service, role_arn, acting=OUTSIDE_SERVICE, session="application")

    def principal(self, name: str, managed_policy_arns: Sequence[str] = (), *, may_assume: Sequence[str] = ()) -> str:
        """The role of an application outside the assembly, with managed policies; gives its ARN.

        `may_assume` are ARNs of roles that it may ask for, if their trust policies let it.
        """
        arn = f"arn:{PARTITION}:iam::{self._account_id}:role/{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": OUTSIDE_SERVICE},
            "Action": "sts:AssumeRole",
        }
        assuming = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": list(may_assume)}
        self.authorizer.put_role(
            arn,
            trust_policy={"Version": "2012-10-17", "Statement": [statement]},
            policies={"Assume": {"Version": "2012-10-17", "Statement": [assuming]}} if may_assume else {},
            managed_arns=list(managed_policy_arns),
        )
        return arn

    def session_of(self, role_arn: str, *, caller: str) -> Session:
        """A boto3 session of a role that the role ``caller`` assumes by the token service, as another team would.

        Raises:
            botocore.exceptions.ClientError: the caller may not assume it.
        """
        given = self.client("sts", caller).assume_role(RoleArn=role_arn, RoleSessionName="visitor")["Credentials"]
        return Session(
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
            region_name=self._region,
        )

    def administrator_environment(self) -> dict[str, str]:
        """Environment variables with which the AWS CLI or boto3 in another process reaches the account."""
        credentials = self.authorizer.administrator_credentials()
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token,
        }

    def allow_network(self, host: str, port: int) -> None:
        """Let functions connect to an address, such as an HTTP API that the scenario serves on loopback."""
        self.account.reachable.add((host, port))

    # --- running --------------------------------------------------------------------------------------

    def settle(
        self,
        *,
        timeout_s: float = 120.0,
        horizon_s: float = 24 * 3600.0,
        on_progress: Callable[[], None] | None = None,
    ) -> None:
        """Run until nothing moves: queues with consumers empty, buffers written, no retry due.

        Args:
            timeout_s: machine seconds that it may take.
            horizon_s: virtual seconds that it may take.
            on_progress: called a few times a second.

        Raises:
            NotSettled: names each thing that still waits, and what was refused last.
        """
        self.account.scheduler.settle(timeout_s=timeout_s, horizon_s=horizon_s, on_progress=on_progress)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass, doing what is due in them."""
        self.account.scheduler.run_until(self.clock.time() + seconds)

    def serve(self, stop: threading.Event, *, on_progress: Callable[[], None] | None = None) -> None:
        """Keep running, as `settle` does, until ``stop`` is set; what comes in meanwhile is carried on."""
        while not stop.is_set():
            self.settle(timeout_s=float("inf"), horizon_s=float("inf"), on_progress=on_progress)
            stop.wait(0.1)

    @contextmanager
    def watching_rotations(self, secret_id: str, after: Callable[[str], None]) -> Iterator[None]:
        """Have ``after`` told each step of a secret's rotations (``createSecret`` …) when it has ended, well or not.

        Args:
            secret_id: the secret's name or ARN.
            after: given the step.
        """
        rotations = self.account.service(Rotations)

        def watcher(secret: Any, step: str) -> None:
            if secret_id in (secret.name, secret.arn):
                after(step)

        rotations.watchers.append(watcher)
        try:
            yield
        finally:
            rotations.watchers.remove(watcher)

    def airflow(
        self, environment: str, installation: Installation, *, departures: Sequence[Departure] = ()
    ) -> ManagedAirflow:
        """An Airflow for a deployed MWAA environment, ready to be started; it ends with the engine.

        Args:
            environment: the environment's name.
            installation: the virtual environment that Airflow is installed in.
            departures: settings that are otherwise than deployed, beside those of every rehearsal.

        Raises:
            RehearsalError: there is no such environment, or no Airflow that could play it (`AirflowUnavailable`).
        """
        return self.account.service(Environments).play(environment, installation, departures)

    # --- looking --------------------------------------------------------------------------------------

    @property
    def refusals(self) -> Sequence[iam.CallRecord]:
        """Every call that was refused, those of services included."""
        return tuple(self.authorizer.denied)

    @property
    def calls(self) -> Sequence[iam.CallRecord]:
        """Every call of a role or a service, equal ones counted together."""
        return tuple(self.authorizer.calls)

    @property
    def problems(self) -> Sequence[str]:
        """Requests that no table of permissions knows, and uses of disabled keys."""
        return (*self.authorizer.problems, *self.authorizer.refused_for_key)

    @property
    def invocations(self) -> Sequence[Invocation]:
        """Every run of a function, in order."""
        return tuple(self.account.records.invocations)

    @property
    def job_runs(self) -> Sequence[FinishedJobRun]:
        """Every attempt of a Glue job and every job run of EMR that has ended, in the order of the ends."""
        return tuple(self.account.records.job_runs)

    def modelled_statements(self, cluster: str) -> Counter[tuple[str, str]]:
        """What ran on a Redshift cluster that PostgreSQL has not: form and what stood for it, and how often."""
        modelled = self.account.service(Clusters).by_identifier[cluster].modelled
        return Counter({form: count for form, count in modelled.items() if form[1]})

    @property
    def metrics(self) -> Sequence[Metric]:
        """Data points of functions (embedded metric format) and of played services, in order."""
        return tuple(self.account.records.metrics)

    @property
    def timeline(self) -> Sequence[TimelineEvent]:
        """What happened, in order."""
        return tuple(self.account.records.timeline)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
