"""What Spark's settings cannot say of its pods: tolerations, annotations, the time to move shuffle files off.

It must not say what a setting can: EMR merges both, and the setting wins.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from aws_cdk import aws_iam, aws_s3_assets
from constructs import Construct

from building_blocks.node_pools import (
    DO_NOT_DISRUPT,
    DRAIN_SECONDS,
    DRIVERS,
    EXECUTORS,
    POOL_LABEL,
    toleration,
)


def driver_pod() -> dict[str, Any]:
    """A driver: beside no executor, on a node that is not taken away under it."""
    return _pod(
        container="spark-kubernetes-driver",
        annotations={DO_NOT_DISRUPT: "true"},
        spec={"nodeSelector": {POOL_LABEL: DRIVERS}, "tolerations": [toleration(DRIVERS)]},
    )


def executor_pod() -> dict[str, Any]:
    """An executor: on Spot, with as long to hand its files on as Spot leaves."""
    return _pod(
        container="spark-kubernetes-executor",
        annotations={},
        spec={
            "nodeSelector": {POOL_LABEL: EXECUTORS},
            "tolerations": [toleration(EXECUTORS)],
            "terminationGracePeriodSeconds": DRAIN_SECONDS,
        },
    )


class PodTemplates(Construct):
    """Both templates in the asset bucket, each version under a key of its own."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        with tempfile.TemporaryDirectory() as scratch:
            self.driver = self._asset("Driver", driver_pod(), Path(scratch))
            self.executor = self._asset("Executor", executor_pod(), Path(scratch))

    def reading(self) -> list[aws_iam.PolicyStatement]:
        """What a job's role needs: EMR reads the templates by it. Of the bucket's key as in `publisher`."""
        arns = [each.bucket.arn_for_objects(each.s3_object_key) for each in (self.driver, self.executor)]
        return [aws_iam.PolicyStatement(actions=["s3:GetObject"], resources=arns)]

    def _asset(self, id: str, pod: dict[str, Any], folder: Path) -> aws_s3_assets.Asset:
        file = folder / f"{id.lower()}.yaml"  # JSON is YAML, and the same bytes on every machine
        file.write_text(json.dumps(pod, indent=2, sort_keys=True) + "\n")
        return aws_s3_assets.Asset(self, id, path=str(file))


def _pod(*, container: str, annotations: dict[str, str], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"annotations": annotations},
        "spec": {**spec, "containers": [{"name": container}]},
    }
