"""Where pods of the cluster may run: drivers never on Spot or Fargate, system pods without any node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from building_blocks.pod_templates import driver_pod, executor_pod
from tests.stacks.assembly import Assembly
from tests.stacks.kubernetes import (
    asset,
    charts,
    configuration,
    fargate_profiles,
    job_templates,
    karpenter_values,
    manifest,
)
from tests.stacks.placement import FARGATE, Kind, may_run_on, nodes_of, runs_on_fargate

ZONE = "topology.kubernetes.io/zone"

PODS_OF_ADD_ONS: dict[str, dict[str, str] | None] = {
    "vpc-cni": None,
    "kube-proxy": None,
    "eks-pod-identity-agent": None,
    "coredns": {"k8s-app": "kube-dns", "eks.amazonaws.com/component": "coredns"},
}
"""Labels of an add-on's pods in kube-system; None for one pod a node, of which none has to start without a node."""

PODS_OF_CHARTS: dict[str, dict[str, str] | None] = {
    "karpenter-crd": None,
    "karpenter": {"app.kubernetes.io/name": "karpenter", "app.kubernetes.io/instance": "karpenter"},
}


def _pools(assembly: Assembly) -> tuple[Kind, Kind]:
    driver, executor = (nodes_of(manifest(assembly, "NodePool", name)) for name in ("driver", "executor"))
    return driver, executor


def _pods(assembly: Assembly) -> list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Specs of submitter, driver and executor of each job, as template and settings together make them."""
    found = []
    for _, data in job_templates(assembly):
        settings = configuration(data, "spark-defaults")
        templates = [
            json.loads(asset(assembly, settings[f"spark.kubernetes.{role}.podTemplateFile"]).read_text())
            for role in ("driver", "executor")
        ]
        submitted = data["JobDriver"]["SparkSubmitJobDriver"]["SparkSubmitParameters"]
        assert f"--conf spark.kubernetes.node.selector.{ZONE}=${{Zone}}" in submitted
        driver, executor = (
            {**each["spec"], "nodeSelector": {**each["spec"]["nodeSelector"], ZONE: "eu-west-1a"}} for each in templates
        )
        found.append((_submitter(configuration(data, "emr-job-submitter")), driver, executor))
    return found


def _submitter(settings: dict[str, str]) -> dict[str, Any]:
    """Spec of the pod that calls spark-submit, as EMR makes it ("Using job submitter classification" page)."""
    selector, key = "jobsubmitter.node.selector.", "jobsubmitter.node.toleration.amp/pool"
    return {
        "nodeSelector": {
            name.removeprefix(selector): value.replace("${Zone}", "eu-west-1a")
            for name, value in settings.items()
            if name.startswith(selector)
        },
        "tolerations": [{"key": "amp/pool", "value": settings[key], "effect": settings[f"{key}.effect"]}],
        "containers": [],
    }


def test_a_pod_that_asks_for_no_pool_runs_in_none(assembly: Assembly) -> None:
    assert not any(may_run_on({"containers": []}, pool) for pool in _pools(assembly))


def test_submitter_and_driver_are_not_moved_by_choice(assembly: Assembly) -> None:
    assert driver_pod()["metadata"]["annotations"] == {"karpenter.sh/do-not-disrupt": "true"}
    for _, data in job_templates(assembly):
        settings = configuration(data, "emr-job-submitter")
        assert settings["jobsubmitter.annotation.karpenter.sh/do-not-disrupt"] == "true"


def test_a_driver_runs_on_demand_and_never_on_spot_or_fargate(assembly: Assembly) -> None:
    on_demand, spot = _pools(assembly)
    assert on_demand.labels["karpenter.sh/capacity-type"] == {"on-demand"}
    assert spot.labels["karpenter.sh/capacity-type"] == {"spot"}
    for submitter, driver, _ in _pods(assembly):
        for spec in (submitter, driver):
            assert may_run_on(spec, on_demand)
            assert not may_run_on(spec, spot)
            assert not may_run_on(spec, FARGATE)
    assert not runs_on_fargate("emr", {"spark-role": "driver"}, fargate_profiles(assembly))


def test_neither_selector_nor_taint_alone_keeps_a_driver_off_spot(dev: Assembly) -> None:
    """Each would do by itself: one that is lost by mistake costs no run."""
    _, spot = _pools(dev)
    spec = driver_pod()["spec"]
    assert not may_run_on({key: value for key, value in spec.items() if key != "nodeSelector"}, spot)
    assert not may_run_on(spec, Kind(spot.labels))
    assert may_run_on({"containers": []}, Kind(spot.labels)), "without both it would"


def test_executors_run_on_spot_alone(assembly: Assembly) -> None:
    on_demand, spot = _pools(assembly)
    for _, _, executor in _pods(assembly):
        assert may_run_on(executor, spot)
        assert not may_run_on(executor, on_demand)
        assert not may_run_on(executor, FARGATE)
    assert executor_pod()["spec"]["nodeSelector"]


def test_all_pods_of_a_run_are_in_the_one_zone_that_it_is_given(assembly: Assembly) -> None:
    for pods in _pods(assembly):
        assert {spec["nodeSelector"][ZONE] for spec in pods} == {"eu-west-1a"}
    for _, data in job_templates(assembly):
        assert "Zone" in data["ParameterConfiguration"]


def test_every_pod_that_must_be_there_at_start_is_taken_by_a_fargate_profile(assembly: Assembly) -> None:
    add_ons = {each.properties["AddonName"] for each in assembly.resources("AWS::EKS::Addon")}
    assert add_ons == set(PODS_OF_ADD_ONS), "say what pods an add-on starts"
    assert set(charts(assembly)) == set(PODS_OF_CHARTS), "say what pods a chart starts"
    assert {each["Namespace"] for each in charts(assembly).values()} == {"kube-system"}
    starting = [labels for labels in (*PODS_OF_ADD_ONS.values(), *PODS_OF_CHARTS.values()) if labels is not None]
    assert len(starting) == 2
    for labels in starting:
        assert runs_on_fargate("kube-system", labels, fargate_profiles(assembly)), labels


def test_no_profile_takes_more_than_those(assembly: Assembly) -> None:
    profiles = fargate_profiles(assembly)
    assert not runs_on_fargate("kube-system", {"app.kubernetes.io/name": "metrics-server"}, profiles)
    for namespace in ("default", "emr", "aws-observability"):
        assert not runs_on_fargate(namespace, {"k8s-app": "kube-dns"}, profiles)


def test_the_autoscaler_starts_where_there_is_no_node_and_not_on_its_own(assembly: Assembly) -> None:
    values = karpenter_values(assembly)
    spec = {name: values[name] for name in ("nodeSelector", "affinity", "tolerations")}
    assert may_run_on(spec, FARGATE)
    for pool in _pools(assembly):
        assert not may_run_on(spec, pool)
    assert values["dnsPolicy"] == "Default", "it waits for no other pod"


def test_dns_is_told_to_run_on_fargate(assembly: Assembly) -> None:
    (dns,) = (each for each in assembly.resources("AWS::EKS::Addon") if each.properties["AddonName"] == "coredns")
    assert json.loads(dns.properties["ConfigurationValues"]) == {"computeType": "Fargate"}
    (profile,) = assembly.resources("AWS::EKS::FargateProfile")
    assert profile.id in dns.body["DependsOn"]


@pytest.mark.parametrize("type", ["AWS::EC2::Instance", "AWS::EKS::Nodegroup", "AWS::AutoScaling::AutoScalingGroup"])
def test_no_node_is_declared_so_that_none_is_there_when_idle(assembly: Assembly, type: str) -> None:
    assert not assembly.resources(type)
