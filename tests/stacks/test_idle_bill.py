"""The idle bill counts what a template declares, by Fargate's sizes, and the page tells the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.idle_bill import HOURS_PER_MONTH, Prices, fargate_size, idle, page
from tests.stacks.assembly import Assembly

PAGES = Path(__file__).resolve().parents[2] / "docs" / "stacks"


@pytest.mark.parametrize(("stack", "name"), [("EmrOnEks", "emr-on-eks.md"), ("Orchestration", "orchestration.md")])
def test_the_page_of_the_stack_has_the_bill_of_each_stage(
    stack: str, name: str, assemblies: dict[str, Assembly]
) -> None:
    text = (PAGES / name).read_text()
    for stage, assembly in assemblies.items():
        bill = page(idle(assembly.templates[stack]))
        assert f"\n{stage}\n\n{bill}\n" in text, f"python -m bench.idle_bill {stage} says:\n{bill}"


def _template(**resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"Resources": {id: {"Type": type, "Properties": what} for id, (type, what) in resources.items()}}


def test_an_endpoint_is_paid_for_in_each_zone_and_a_gateway_is_not() -> None:
    template = _template(
        s3=("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Gateway"}),
        sqs=("AWS::EC2::VPCEndpoint", {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}),
    )
    endpoint, nodes = idle(template, Prices(interface_endpoint=0.02))
    assert (endpoint.count, endpoint.dollars) == (2, 2 * 0.02 * HOURS_PER_MONTH)
    assert (nodes.what, nodes.count) == ("EC2 node", 0)


def test_a_node_that_is_declared_is_counted() -> None:
    (nodes,) = idle(_template(group=("AWS::EKS::Nodegroup", {})))
    assert nodes.count == 1


def test_an_environment_of_airflow_is_paid_for_with_what_is_always_up_and_its_own_endpoints() -> None:
    environment = {"MinWorkers": 3, "Schedulers": 2, "EnvironmentClass": "mw1.small"}
    prices = Prices(airflow={"mw1.small": 1.0}, airflow_more={"mw1.small": 0.1}, interface_endpoint=0.01)
    counts = {}
    for access in ("PRIVATE_ONLY", "PUBLIC_ONLY"):
        template = _template(airflow=("AWS::MWAA::Environment", {**environment, "WebserverAccessMode": access}))
        counts[access] = {each.what: (each.count, each.dollars / HOURS_PER_MONTH) for each in idle(template, prices)}
    assert counts["PRIVATE_ONLY"] == {
        "Airflow environment (mw1.small)": (1, 1.0),
        "Further worker that is always up": (2, pytest.approx(0.2)),
        "Interface endpoint that MWAA makes, in a zone": (4, pytest.approx(0.04)),
    }
    assert counts["PUBLIC_ONLY"]["Interface endpoint that MWAA makes, in a zone"][0] == 2


def test_a_class_without_a_price_is_named() -> None:
    environment = {"MinWorkers": 1, "Schedulers": 2, "EnvironmentClass": "mw1.9xlarge", "WebserverAccessMode": ""}
    with pytest.raises(ValueError, match=r"no price for mw1\.9xlarge; there are mw1\.small"):
        idle(_template(airflow=("AWS::MWAA::Environment", environment)))


@pytest.mark.parametrize(
    ("cpus", "gibibytes", "size"),
    [(0.1, 0.07, (0.25, 0.5)), (0.5, 0.75, (0.5, 1)), (0.5, 0.8, (0.5, 2)), (0.25, 2, (0.5, 3)), (1, 7.75, (1, 8))],
)
def test_fargate_rounds_up_after_adding_its_own(cpus: float, gibibytes: float, size: tuple[float, float]) -> None:
    assert fargate_size(cpus, gibibytes) == size


def test_a_pod_larger_than_what_is_listed_is_refused() -> None:
    with pytest.raises(ValueError, match="no size of Fargate"):
        fargate_size(8, 1)
