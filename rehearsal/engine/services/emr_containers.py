"""EMR on EKS: virtual clusters and job templates, and the API's operations on job runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.emrcontainers import urls
from moto.emrcontainers.exceptions import EMRContainersException
from moto.emrcontainers.models import VirtualCluster as MotoVirtualCluster
from moto.emrcontainers.models import emrcontainers_backends
from moto.emrcontainers.responses import EMRContainersResponse

from rehearsal.engine.account import PARTITION, Account
from rehearsal.engine.jobs.emr.model import JobRun, JobTemplate, VirtualCluster
from rehearsal.engine.jobs.emr.request import BadRequest, NotFound
from rehearsal.engine.jobs.emr.runs import EmrJobRuns
from rehearsal.engine.jobs.emr.validation import problems_of
from rehearsal.engine.kubernetes import KubernetesClusters
from rehearsal.engine.resources import Created, Declaration, ResourceType, camel
from rehearsal.engine.services.events import put_event

_PAGE = 100
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_TEMPLATE_PATH = "{0}/jobtemplates/(?P<templateId>[^/]+)$"
# Maps of a job template, whose keys are its own and not the API's.
_MAPS = frozenset({"JobTags", "Properties"})
_MAPS_OF_STRUCTURES = frozenset({"ParameterConfiguration"})


def attach(account: Account) -> Callable[[], None]:
    """Run job runs in the place of moto, which only says that it does."""

    def told(run: JobRun) -> None:
        _tell(account, run)

    runs = EmrJobRuns(account, told)
    account.register(runs)
    account.authorizer.completions["emr-containers"] = runs.completed

    operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "start_job_run": lambda given: _started(runs.start(given, created_by=account.authorizer.asking.session_arn)),
        "describe_job_run": lambda given: {"jobRun": runs.run(given["virtualClusterId"], given["id"]).shown()},
        "list_job_runs": lambda given: _listed(runs, given),
        "cancel_job_run": lambda given: _cancelled(runs.cancel(given["virtualClusterId"], given["id"])),
        "describe_job_template": lambda given: {"jobTemplate": runs.template(given["id"]).shown()},
    }
    kept = {name: getattr(EMRContainersResponse, name, None) for name in operations}
    for name, operation in operations.items():
        setattr(EMRContainersResponse, name, _answering(operation))
    urls.url_paths[_TEMPLATE_PATH] = EMRContainersResponse.dispatch

    def undo() -> None:
        del urls.url_paths[_TEMPLATE_PATH]
        for name, method in kept.items():
            if method is None:
                delattr(EMRContainersResponse, name)
            else:
                setattr(EMRContainersResponse, name, method)

    return undo


# --- the API ------------------------------------------------------------------------------------------


def _answering(operation: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], ActionResult]:
    def answer(response: Any) -> ActionResult:
        given = {key: value for key, value in response._get_params().items() if value is not None}
        wrong = problems_of(response._get_action(), given)
        if wrong:
            count = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected"
            raise EMRContainersException("ValidationException", f"{count}: {'; '.join(wrong)}")
        try:
            return ActionResult(operation(given))
        except NotFound as problem:
            raise EMRContainersException("ResourceNotFoundException", str(problem)) from problem
        except BadRequest as problem:
            raise EMRContainersException("ValidationException", str(problem)) from problem

    return answer


def _started(run: JobRun) -> dict[str, Any]:
    name = {"name": run.name} if run.name else {}
    return {"id": run.id, "arn": run.arn, "virtualClusterId": run.virtual_cluster.id, **name}


def _cancelled(run: JobRun) -> dict[str, Any]:
    return {"id": run.id, "virtualClusterId": run.virtual_cluster.id}


def _listed(runs: EmrJobRuns, given: Mapping[str, Any]) -> dict[str, Any]:
    states, name = given.get("states"), given.get("name")
    after, before = _moment(given.get("createdAfter"), _EARLIEST), _moment(given.get("createdBefore"), _LATEST)
    found = [
        run.listed()
        for run in runs.of(given["virtualClusterId"])
        if (not states or run.state in states) and (not name or run.name == name) and after <= run.created <= before
    ]
    start, size = int(given.get("nextToken") or 0), int(given.get("maxResults") or _PAGE)
    following = {"nextToken": str(start + size)} if start + size < len(found) else {}
    return {"jobRuns": found[start : start + size], **following}


def _moment(given: datetime | None, otherwise: datetime) -> datetime:
    """A moment of a request, which moto reads without its time zone."""
    return otherwise if given is None else given if given.tzinfo else given.replace(tzinfo=UTC)


def _tell(account: Account, run: JobRun) -> None:
    """EMR on EKS guide, "Monitor Amazon EMR on EKS with Amazon CloudWatch Events"."""
    failed = run.state == "FAILED"
    detail = {
        "severity": "ERROR" if failed else "INFO",
        "name": run.name,
        "id": run.id,
        "arn": run.arn,
        "virtualClusterId": run.virtual_cluster.id,
        "state": run.state,
        "createdBy": run.created_by,
        "releaseLabel": run.request["releaseLabel"],
        "executionRoleArn": run.role_arn,
        "createdAt": run.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updatedAt": account.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({"failureReason": run.failure, "stateDetails": run.details} if failed else {}),
    }
    put_event(account, source="aws.emr-containers", detail_type="EMR Job Run State Change", detail=detail)


# --- the templates ------------------------------------------------------------------------------------


def _id(declaration: Declaration) -> str:
    """An id as EMR makes them, the same in each rehearsal of one template."""
    return hashlib.sha256(f"{declaration.stack}/{declaration.logical_id}".encode()).hexdigest()[:25]


def _tags(declaration: Declaration) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in declaration.properties.get("Tags", [])}


def _virtual_cluster(account: Account, declaration: Declaration) -> Created:
    properties, cluster_id = declaration.properties, _id(declaration)
    provider = properties["ContainerProvider"]
    if provider["Type"] != "EKS":
        raise declaration.fail(f"ContainerProvider.Type {provider['Type']!r}; allowed is 'EKS'")
    clusters, namespace = account.service(KubernetesClusters).by_name, provider["Info"]["EksInfo"]["Namespace"]
    if provider["Id"] not in clusters:
        raise declaration.fail(f"EKS cluster {provider['Id']!r} does not exist; there are {sorted(clusters)}")
    if namespace not in clusters[provider["Id"]].namespaces():
        there = sorted(clusters[provider["Id"]].namespaces())
        raise declaration.fail(f"cluster {provider['Id']} has no namespace {namespace!r} yet; there are {there}")
    runs, name = account.service(EmrJobRuns), properties["Name"]
    arn = account.arn("emr-containers", f"/virtualclusters/{cluster_id}")
    backend = emrcontainers_backends[account.id][account.region]
    if any(one.container_provider_id == provider["Id"] and one.namespace == namespace
           for one in backend.virtual_clusters.values()):  # fmt: skip
        raise declaration.fail("A virtual cluster already exists in the given namespace")
    # Let the API's DescribeVirtualCluster and ListVirtualClusters show it.
    backend.virtual_clusters[cluster_id] = MotoVirtualCluster(
        name=name,
        container_provider={
            "id": provider["Id"],
            "type": "EKS",
            "info": {"eksInfo": {"namespace": namespace}},
        },
        client_token=cluster_id,
        account_id=account.id,
        region_name=account.region,
        aws_partition=PARTITION,
        tags=_tags(declaration),
        virtual_cluster_id=cluster_id,
    )
    runs.put_cluster(VirtualCluster(id=cluster_id, arn=arn, name=name, cluster=provider["Id"], namespace=namespace))
    return Created(ref=cluster_id, arn=arn, attributes={"Id": cluster_id, "Arn": arn})


def _job_template(account: Account, declaration: Declaration) -> Created:
    properties, template_id = declaration.properties, _id(declaration)
    name = declaration.name(properties.get("Name"))
    data = _as_in_the_api(properties["JobTemplateData"])
    wrong = problems_of("CreateJobTemplate", {"name": name, "clientToken": template_id, "jobTemplateData": data})
    if wrong:
        raise declaration.fail("; ".join(wrong))
    arn = account.arn("emr-containers", f"/jobtemplates/{template_id}")
    account.service(EmrJobRuns).put_template(
        JobTemplate(
            id=template_id,
            arn=arn,
            name=name,
            data=data,
            created=account.clock.now(),
            tags=_tags(declaration),
        )
    )
    return Created(ref=template_id, arn=arn, attributes={"Id": template_id, "Arn": arn})


def _as_in_the_api(value: Any) -> Any:
    """A property as the API spells it; the keys of maps stay as they are."""
    if isinstance(value, list):
        return [_as_in_the_api(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {
        camel(key): (
            dict(inner)
            if key in _MAPS
            else {name: _as_in_the_api(one) for name, one in inner.items()}
            if key in _MAPS_OF_STRUCTURES
            else _as_in_the_api(inner)
        )
        for key, inner in value.items()
    }


RESOURCE_TYPES = (
    ResourceType(
        name="AWS::EMRContainers::VirtualCluster",
        create=_virtual_cluster,
        honoured=(
            "ContainerProvider.Id",
            "ContainerProvider.Info.EksInfo.Namespace",
            "ContainerProvider.Type",
            "Name",
            "Tags",
        ),
    ),
    ResourceType(
        name="AWS::EMRContainers::JobTemplate",
        create=_job_template,
        honoured=("JobTemplateData", "Name", "Tags"),
    ),
)
