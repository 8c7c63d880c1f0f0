"""What a stage's cluster and its Airflow cost while nothing runs, counted in their templates.

`python -m bench.idle_bill [STAGE]` prints it.

It measures nothing and leaves out what is paid for by use; prices are parameters.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOURS_PER_MONTH = 730
STACKS = ("EmrOnEks", "Orchestration")

LEFT_OUT = (
    "What is paid for by use: gigabytes through NAT and into logs, requests to S3, SQS, KMS and CloudWatch. Idle it is "
    "little: the autoscaler asks a few services a few times a minute.",
    "Logs and run logs that are stored, flow logs, and Airflow's database (by the gigabyte).",
    "Discounts, savings plans, free allowances and taxes.",
)

COREDNS_PODS, COREDNS_CPUS, COREDNS_GIBIBYTES = 2, 0.1, 70 / 1024
"""What EKS's add-on asks for: two pods of 100m and 70Mi (its settings' defaults)."""

AIRFLOW_OWN_ENDPOINTS = 1
"""Interface endpoints that MWAA makes in the VPC for its database, in both zones; one more for a private web server."""

AIRFLOW_ZONES = 2
AIRFLOW_WORKERS, AIRFLOW_SCHEDULERS = 1, 2
"""What is in the price of an environment."""

_FARGATE_OWN_GIBIBYTES = 0.25
"""Added to what a pod asks for, for Kubernetes' own processes ("Fargate Pod configuration" page)."""

_FARGATE_SIZES = (
    (0.25, (0.5, 1, 2)),
    (0.5, (1, 2, 3, 4)),
    (1, tuple(range(2, 9))),
    (2, tuple(range(4, 17))),
    (4, tuple(range(8, 31))),
)
"""vCPUs, and the GB that can go with them (the same page)."""


@dataclass(frozen=True, kw_only=True)
class Prices:
    """US dollars an hour, us-east-1, Linux on x86, without discounts; keys and alarms a month.

    Published list prices, at second hand: check them against the pricing pages before deciding by them.
    """

    control_plane: float = 0.10
    """An EKS cluster on a version in standard support."""
    fargate_cpu: float = 0.04048
    fargate_gigabyte: float = 0.004445
    nat_gateway: float = 0.045
    public_address: float = 0.005
    interface_endpoint: float = 0.01
    """In each zone that it stands in."""
    airflow: Mapping[str, float] = field(
        default_factory=lambda: {"mw1.small": 0.49, "mw1.medium": 0.74, "mw1.large": 0.99}
    )
    """An MWAA environment by its class, with two schedulers, two web servers and a worker."""
    airflow_more: Mapping[str, float] = field(
        default_factory=lambda: {"mw1.small": 0.055, "mw1.medium": 0.11, "mw1.large": 0.22}
    )
    """A further worker or scheduler."""
    key_month: float = 1.0
    alarm_month: float = 0.10


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line: how many, and dollars a month for all of them."""

    what: str
    count: int
    dollars: float


def idle(template: Mapping[str, Any], prices: Prices | None = None) -> list[Item]:
    """The lines of a synthesized template of the EmrOnEks or the Orchestration stack."""
    prices = prices or Prices()

    def properties(type: str) -> list[dict[str, Any]]:
        return [each["Properties"] for each in template["Resources"].values() if each["Type"] == type]

    def hourly(what: str, count: int, dollars: float) -> Item:
        return Item(what=what, count=count, dollars=count * dollars * HOURS_PER_MONTH)

    def pods(what: str, count: int, cpus: float, gibibytes: float) -> Item:
        cpu, gigabytes = fargate_size(cpus, gibibytes)
        each = cpu * prices.fargate_cpu + gigabytes * prices.fargate_gigabyte
        return hourly(f"{what} on Fargate ({cpu:g} vCPU, {gigabytes:g} GB)", count, each)

    endpoints = [each for each in properties("AWS::EC2::VPCEndpoint") if each["VpcEndpointType"] == "Interface"]
    lines = [
        hourly("EKS control plane", len(properties("AWS::EKS::Cluster")), prices.control_plane),
        *(
            pods("CoreDNS", COREDNS_PODS, COREDNS_CPUS, COREDNS_GIBIBYTES)
            for each in properties("AWS::EKS::Addon")
            if each["AddonName"] == "coredns"
        ),
        *(pods("Karpenter", *asked) for asked in _controllers(properties("Custom::AWSCDK-EKS-HelmChart"))),
        *(line for each in properties("AWS::MWAA::Environment") for line in _airflow(each, prices)),
        hourly("NAT gateway", len(properties("AWS::EC2::NatGateway")), prices.nat_gateway),
        hourly("Public address of a NAT gateway", len(properties("AWS::EC2::EIP")), prices.public_address),
        hourly("Interface endpoint in a zone", sum(len(e["SubnetIds"]) for e in endpoints), prices.interface_endpoint),
    ]
    for what, type, dollars in (
        ("KMS key", "AWS::KMS::Key", prices.key_month),
        ("Alarm", "AWS::CloudWatch::Alarm", prices.alarm_month),
    ):
        count = len(properties(type))
        lines.append(Item(what=what, count=count, dollars=count * dollars))
    nodes = [
        each["Type"]
        for each in template["Resources"].values()
        if each["Type"] in ("AWS::EC2::Instance", "AWS::EKS::Nodegroup", "AWS::AutoScaling::AutoScalingGroup")
    ]
    counted = [line for line in lines if line.count]
    if properties("AWS::MWAA::Environment"):
        return counted
    return [*counted, Item(what="EC2 node", count=len(nodes), dollars=0.0)]


def _airflow(environment: Mapping[str, Any], prices: Prices) -> Iterator[Item]:
    """The lines of one MWAA environment.

    Raises:
        ValueError: its class has no price here.
    """
    size = environment["EnvironmentClass"]
    if size not in prices.airflow:
        raise ValueError(f"no price for {size}; there are {', '.join(prices.airflow)}")
    endpoints = AIRFLOW_OWN_ENDPOINTS + (environment["WebserverAccessMode"] == "PRIVATE_ONLY")
    for what, count, dollars in (
        (f"Airflow environment ({size})", 1, prices.airflow[size]),
        ("Further worker that is always up", environment["MinWorkers"] - AIRFLOW_WORKERS, prices.airflow_more[size]),
        ("Further scheduler", environment["Schedulers"] - AIRFLOW_SCHEDULERS, prices.airflow_more[size]),
        ("Interface endpoint that MWAA makes, in a zone", endpoints * AIRFLOW_ZONES, prices.interface_endpoint),
    ):
        yield Item(what=what, count=count, dollars=count * dollars * HOURS_PER_MONTH)


def fargate_size(cpus: float, gibibytes: float) -> tuple[float, float]:
    """vCPUs and GB that Fargate gives, and bills, for a pod that asks for so much.

    Raises:
        ValueError: more than is listed here.
    """
    needed = gibibytes + _FARGATE_OWN_GIBIBYTES
    for cpu, memories in _FARGATE_SIZES:
        for memory in memories:
            if cpu >= cpus and memory >= needed:
                return float(cpu), float(memory)
    raise ValueError(f"no size of Fargate for {cpus} vCPUs and {gibibytes} GiB; up to 4 and 29.75 are listed")


def _controllers(charts: list[dict[str, Any]]) -> Iterator[tuple[int, float, float]]:
    """Pods, vCPUs and GiB of each chart that starts a controller."""
    for chart in charts:
        values = json.loads(_text(chart.get("Values", "{}")))
        if "replicas" in values:
            asked = values["controller"]["resources"]["requests"]
            yield (
                int(values["replicas"]),
                int(asked["cpu"].removesuffix("m")) / 1_000,
                int(asked["memory"].removesuffix("Mi")) / 1_024,
            )


def _text(value: Any) -> str:
    """A value of a template as text; what only a deployment knows is left out."""
    if isinstance(value, str):
        return value
    return "".join(part for part in value["Fn::Join"][1] if isinstance(part, str))


def page(items: list[Item]) -> str:
    """The lines as a table, with their sum."""
    rows = ["| what | how many | dollars a month |", "|---|---|---|"]
    rows += [f"| {item.what} | {item.count} | {item.dollars:.2f} |" for item in items]
    return "\n".join([*rows, f"| **together** | | **{sum(item.dollars for item in items):.2f}** |"])


def main(argv: list[str]) -> int:
    """Print the table of the stage that is named, or of dev."""
    from rehearsal.scenario.assembly import synthesize

    with tempfile.TemporaryDirectory() as folder:
        synthesize(argv[0] if argv else "dev", folder=Path(folder))
        for stack in STACKS:
            file = Path(folder) / f"{stack}.template.json"
            if file.is_file():
                print(f"{stack}\n\n{page(idle(json.loads(file.read_text())))}\n")
    print("Left out:", *LEFT_OUT, sep="\n- ")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
