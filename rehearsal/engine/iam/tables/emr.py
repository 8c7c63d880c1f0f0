"""Needs of requests to EMR on EKS.

It must not resolve a job template: a request comes with the role that its run gets (`Authorizer.completions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehearsal.engine.iam.model import ContextValue, Need
from rehearsal.engine.iam.scope import Parameters, Rule, Scope, anywhere, on


def _virtual_cluster(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("emr-containers", f"/virtualclusters/{parameters.get('virtualClusterId') or parameters['id']}")


def _job_run(parameters: Parameters, scope: Scope) -> str:
    return f"{_virtual_cluster(parameters, scope)}/jobruns/{parameters['id']}"


def _job_template(parameters: Parameters, scope: Scope) -> str:
    return scope.arn("emr-containers", f"/jobtemplates/{parameters['id']}")


def _start(parameters: Parameters, scope: Scope) -> Sequence[Need]:
    """EMR on EKS guide, "Controlling access to job templates": whoever starts from one must be able to read it."""
    tags = parameters.get("tags") or {}
    context: dict[str, ContextValue] = {f"aws:RequestTag/{name}": str(value) for name, value in tags.items()}
    if tags:
        context["aws:TagKeys"] = tuple(tags)
    if parameters.get("executionRoleArn"):
        context["emr-containers:ExecutionRoleArn"] = str(parameters["executionRoleArn"])
    reading = []
    if parameters.get("jobTemplateId"):
        template = _job_template({"id": parameters["jobTemplateId"]}, scope)
        context["emr-containers:JobTemplateArn"] = template
        reading.append(Need(action="emr-containers:DescribeJobTemplate", resource=template))
    cluster = _virtual_cluster(parameters, scope)
    return [Need(action="emr-containers:StartJobRun", resource=cluster, context=context), *reading]


TABLE: Mapping[str, Rule] = {
    "StartJobRun": _start,
    "ListJobRuns": on("emr-containers:ListJobRuns", _virtual_cluster),
    "DescribeJobRun": on("emr-containers:DescribeJobRun", _job_run),
    "CancelJobRun": on("emr-containers:CancelJobRun", _job_run),
    "DescribeVirtualCluster": on("emr-containers:DescribeVirtualCluster", _virtual_cluster),
    "ListVirtualClusters": anywhere("emr-containers:ListVirtualClusters"),
    "DescribeJobTemplate": on("emr-containers:DescribeJobTemplate", _job_template),
}
