"""The job runs of EMR on EKS: started by the API, executed as every service's are, under the role of their pods.

It must not read templates of CloudFormation or requests of the wire, nor know who is told of a state.
"""

from __future__ import annotations

import math
import secrets
import string
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.function_logs import LogLine, record_metrics
from rehearsal.engine.jobs.emr import logs
from rehearsal.engine.jobs.emr.model import JobRun, JobTemplate, VirtualCluster
from rehearsal.engine.jobs.emr.request import BadRequest, NotFound, argument_pairs, check, filled, program
from rehearsal.engine.jobs.executions import Ending, Executions, Program, Refused
from rehearsal.engine.kubernetes import KubernetesClusters, NoIdentity, pod_credentials
from rehearsal.engine.records import FinishedJobRun

COMPONENTS = ("spark-client", "spark-driver", "spark-executor")
"""EMR makes a service account for each of them ("Enable EKS Pod Identity" page): submitter, driver, executors."""

_DIGITS = string.digits + string.ascii_lowercase
_ID_LENGTH = 19
_DETAILS_LENGTH = 256
_SUCCEEDED = "JobRun COMPLETED successfully."
_CANCELLED = "JobRun CANCELLED successfully."
_FAILED = "JobRun failed. Please refer logs uploaded to S3/CloudWatch based on your monitoring configuration."


def service_account(component: str, role_arn: str) -> str:
    """The service account as which EMR runs a component's pods under a role.

    Its last part is the role's name, the bytes taken for one number in base 36, as ``aws emr-containers
    update-role-trust-policy`` writes it.
    """
    number, encoded = int.from_bytes(role_arn.rsplit("/", 1)[-1].encode(), "big"), ""
    while number:
        number, digit = divmod(number, 36)
        encoded = _DIGITS[digit] + encoded
    return f"emr-containers-sa-{component}-{role_arn.split(':')[4]}-{encoded}"


class EmrJobRuns:
    """Every virtual cluster, job template and job run of the account; ``on_change`` is told of each new state."""

    def __init__(self, account: Account, on_change: Callable[[JobRun], None]) -> None:
        self._account, self._on_change = account, on_change
        self._clusters: dict[str, VirtualCluster] = {}
        self._templates: dict[str, JobTemplate] = {}
        self._runs: dict[str, JobRun] = {}
        self._tokens: dict[tuple[str, str], tuple[Mapping[str, Any], JobRun]] = {}
        self._lock = threading.RLock()

    def put_cluster(self, cluster: VirtualCluster) -> None:
        """Make a virtual cluster known."""
        self._clusters[cluster.id] = cluster

    def put_template(self, template: JobTemplate) -> None:
        """Make a job template known."""
        self._templates[template.id] = template
        self._account.service(Executions).jobs.add(template.name)

    def template(self, template_id: str) -> JobTemplate:
        """The job template of that id.

        Raises:
            NotFound: there is none.
        """
        try:
            return self._templates[template_id]
        except KeyError:
            raise NotFound(f"Job template {template_id} doesn't exist.") from None

    def completed(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """A request with the role of its template, by which whoever starts it is judged; as it is when it is wrong."""
        template = self._templates.get(str(request.get("jobTemplateId")))
        if template is None:
            return request
        try:
            return {**request, "executionRoleArn": filled(request, template)["executionRoleArn"]}
        except BadRequest:
            return request

    def start(self, request: Mapping[str, Any], *, created_by: str) -> JobRun:
        """Submit a run; the same client token gives the run that it gave before.

        Raises:
            NotFound: the virtual cluster, the template or the release does not exist.
            BadRequest: the request is wrong, or asks for what is not played.
        """
        cluster = self._clusters.get(request["virtualClusterId"])
        if cluster is None:
            raise NotFound(f"Virtual cluster {request['virtualClusterId']} doesn't exist.")
        template = self.template(request["jobTemplateId"]) if request.get("jobTemplateId") else None
        full = filled(request, template)
        check(full)
        with self._lock:
            token = (cluster.id, request["clientToken"])
            before = self._tokens.get(token)
            if before is not None:
                if before[0] != request:
                    raise BadRequest(f"Client token {request['clientToken']} was given with other parameters before")
                return before[1]
            run_id = "".join(secrets.choice(_DIGITS) for _ in range(_ID_LENGTH))
            run = JobRun(
                id=run_id,
                arn=f"{cluster.arn}/jobruns/{run_id}",
                virtual_cluster=cluster,
                job=self._job_of(full, template),
                request=full,
                created_by=created_by,
                created=self._account.clock.now(),
            )
            self._tokens[token] = (dict(request), run)
            self._runs[run.id] = run
        self._on_change(run)
        executions = self._account.service(Executions)
        executions.jobs.add(run.job)
        executions.add(_Execution(self, run))
        return run

    def _job_of(self, request: Mapping[str, Any], template: JobTemplate | None) -> str:
        """The template's name, the run's own, or that of the one template which has the run's role."""
        if template is not None:
            return template.name
        same = [
            one.name for one in self._templates.values() if one.data["executionRoleArn"] == request["executionRoleArn"]
        ]
        return same[0] if len(same) == 1 else str(request.get("name") or "unnamed")

    def run(self, cluster_id: str, run_id: str) -> JobRun:
        """One run of a virtual cluster.

        Raises:
            NotFound: there is none.
        """
        run = self._runs.get(run_id)
        if run is None or run.virtual_cluster.id != cluster_id:
            raise NotFound(f"Job run {run_id} doesn't exist.")
        return run

    def of(self, cluster_id: str) -> Sequence[JobRun]:
        """The runs of a virtual cluster, the newest first.

        Raises:
            NotFound: there is no such virtual cluster.
        """
        if cluster_id not in self._clusters:
            raise NotFound(f"Virtual cluster {cluster_id} doesn't exist.")
        with self._lock:
            return [run for run in reversed(self._runs.values()) if run.virtual_cluster.id == cluster_id]

    def cancel(self, cluster_id: str, run_id: str) -> JobRun:
        """End a run.

        Raises:
            NotFound: there is no such run.
            BadRequest: it has ended, or is about to.
        """
        with self._lock:
            run = self.run(cluster_id, run_id)
            if not run.active or run.state == "CANCEL_PENDING":
                raise BadRequest(f"Job run {run_id} is not in a cancellable state")
            self.move(run, "CANCEL_PENDING")
        self._account.service(Executions).kill(run_id)
        return run

    def move(self, run: JobRun, state: str, *, details: str = "", failure: str = "") -> None:
        """Bring a run into a state and tell of it."""
        with self._lock:
            if state in {"SUBMITTED", "RUNNING"} and run.state == "CANCEL_PENDING":
                return
            run.state, run.details, run.failure = state, details[:_DETAILS_LENGTH], failure
            if not run.active:
                run.finished = self._account.clock.now()
        self._on_change(run)

    # --- a run's execution ----------------------------------------------------------------------------

    def credentials(self, run: JobRun) -> iam.Credentials:
        """Those of the driver's pod, once the submitter's and the executors' have theirs too.

        Raises:
            Refused: a service account of the role has none.
        """
        cluster = self._account.service(KubernetesClusters).by_name[run.virtual_cluster.cluster]
        found = {}
        for component in COMPONENTS:
            try:
                found[component] = pod_credentials(
                    self._account,
                    cluster,
                    namespace=run.virtual_cluster.namespace,
                    service_account=service_account(component, run.role_arn),
                    pod=f"spark-{run.id}-{component.removeprefix('spark-')}",
                    session=run.id,
                )
            except NoIdentity as refused:
                raise Refused(f"Pods of job run {run.id} have no credentials: {refused}") from refused
        return found["spark-driver"]

    def end(self, run: JobRun, ending: Ending) -> FinishedJobRun:
        """Note how a run ended, write its logs and tell of it."""
        account = self._account
        for line in ending.printed:
            record_metrics(account.records, line)
        if ending.credentials is not None:
            errors = [*ending.spark, *([ending.error] if ending.error else [])]
            now = account.clock.time()
            said = [LogLine(now, line) for line in errors]
            logs.write(account, run, ending.credentials, output=ending.printed, error=said)
        if ending.outcome == "succeeded":
            self.move(run, "COMPLETED", details=_SUCCEEDED)
        elif ending.outcome == "stopped":
            self.move(run, "CANCELLED", details=_CANCELLED)
        else:
            began = bool(ending.seconds)
            self.move(run, "FAILED", details=_FAILED if began else ending.error, failure="USER_ERROR")
        return FinishedJobRun(
            time=run.created,
            job=run.job,
            run_id=run.id,
            attempt=0,
            state=run.state,
            error=ending.error,
            seconds=ending.seconds,
            arguments=argument_pairs(run.request),
        )


class _Execution:
    """A job run as `Executions` sees it."""

    limit_s = math.inf

    def __init__(self, runs: EmrJobRuns, run: JobRun) -> None:
        self.id, self.job = run.id, run.job
        self._runs, self._run = runs, run

    @property
    def active(self) -> bool:
        return self._run.active

    @property
    def stopping(self) -> bool:
        return self._run.state == "CANCEL_PENDING"

    def credentials(self) -> iam.Credentials:
        self._runs.move(self._run, "SUBMITTED")
        return self._runs.credentials(self._run)

    def program(self) -> Program:
        return program(self._run.request)

    def begun(self) -> None:
        self._runs.move(self._run, "RUNNING")

    def ended(self, ending: Ending) -> FinishedJobRun:
        return self._runs.end(self._run, ending)
