"""Where a pod may run, as Kubernetes' scheduler and Fargate decide it: selectors, affinity, taints, profiles.

As much of the rules as the pods here use ("Assigning Pods to Nodes" and "Taints and Tolerations" pages of Kubernetes,
"Define which Pods use AWS Fargate" page); anything else is refused, so that no rule is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_POD_SPEC = {
    *("affinity", "containers", "nodeSelector", "terminationGracePeriodSeconds", "tolerations"),
    "topologySpreadConstraints",
}


@dataclass(frozen=True)
class Kind:
    """A kind of node: for each label the values that it may have (None: any), and its taints."""

    labels: dict[str, set[str] | None]
    taints: tuple[dict[str, str], ...] = ()


FARGATE = Kind({"eks.amazonaws.com/compute-type": {"fargate"}, "kubernetes.io/os": {"linux"}})


def nodes_of(pool: dict[str, Any]) -> Kind:
    """The nodes that Karpenter may start for a NodePool."""
    template = pool["spec"]["template"]
    labels: dict[str, set[str] | None] = {
        "karpenter.sh/nodepool": {pool["metadata"]["name"]},
        "topology.kubernetes.io/zone": None,
        **{key: {value} for key, value in template["metadata"]["labels"].items()},
    }
    for requirement in template["spec"]["requirements"]:
        if requirement["operator"] == "In":
            labels[requirement["key"]] = set(requirement["values"])
        else:
            labels.setdefault(requirement["key"], None)
    return Kind(labels, tuple(template["spec"]["taints"]))


def may_run_on(spec: dict[str, Any], kind: Kind) -> bool:
    """Whether a pod of this spec may be put on some node of the kind."""
    assert set(spec) <= _POD_SPEC, f"a rule that is not known here: {sorted(set(spec) - _POD_SPEC)}"
    selected = all(_has(kind, key, [value]) for key, value in spec.get("nodeSelector", {}).items())
    terms = _required_terms(spec.get("affinity", {}))
    attracted = not terms or any(all(_matches(kind, each) for each in term) for term in terms)
    return selected and attracted and all(_tolerated(spec, taint) for taint in kind.taints)


def runs_on_fargate(namespace: str, labels: dict[str, str], profiles: list[dict[str, Any]]) -> bool:
    """Whether a Fargate profile takes a pod: one of its selectors has the namespace, and labels that the pod has."""
    return any(
        selector["Namespace"] == namespace
        and all(labels.get(label["Key"]) == label["Value"] for label in selector.get("Labels", []))
        for profile in profiles
        for selector in profile["Selectors"]
    )


def _required_terms(affinity: dict[str, Any]) -> list[list[dict[str, Any]]]:
    required = affinity.get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
    return [list(_expressions(term)) for term in required.get("nodeSelectorTerms", [])]


def _expressions(term: dict[str, Any]) -> Iterator[dict[str, Any]]:
    assert set(term) == {"matchExpressions"}, term
    yield from term["matchExpressions"]


def _matches(kind: Kind, expression: dict[str, Any]) -> bool:
    operator, key = expression["operator"], expression["key"]
    if operator == "In":
        return _has(kind, key, expression["values"])
    assert operator in ("Exists", "DoesNotExist"), operator
    return bool((key in kind.labels) == (operator == "Exists"))


def _has(kind: Kind, key: str, values: list[str]) -> bool:
    if key not in kind.labels:
        return False
    possible = kind.labels[key]
    return possible is None or bool(possible & set(values))


def _tolerated(spec: dict[str, Any], taint: dict[str, str]) -> bool:
    return any(
        toleration.get("key") in (None, taint["key"])
        and toleration.get("effect") in (None, taint["effect"])
        and (toleration.get("operator") == "Exists" or toleration.get("value") == taint["value"])
        for toleration in spec.get("tolerations", [])
    )
