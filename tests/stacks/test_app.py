"""`app.py` needs nothing but the repository: no account, no flag, no network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _run(tmp_path: Path, context: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`app.py` as the CDK CLI runs it, in an environment that knows no AWS account."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={
            **environment,
            "CDK_OUTDIR": str(tmp_path / "out"),
            "CDK_VALIDATION": "false",
            "CDK_CONTEXT_JSON": json.dumps(context),
            "AWS_EC2_METADATA_DISABLED": "true",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("context", "stage", "data"),
    [({"destroy_data": "true"}, "dev", "Delete"), ({"stage": "prod"}, "prod", "RetainExceptOnCreate")],
)
def test_the_context_says_which_stage_and_lets_development_s_data_go(
    context: dict[str, str], stage: str, data: str, tmp_path: Path
) -> None:
    done = _run(tmp_path, context)
    assert done.returncode == 0, done.stderr
    artifacts = json.loads((tmp_path / "out" / "manifest.json").read_text())["artifacts"]
    stacks = [each for each in artifacts.values() if each["type"] == "aws:cloudformation:stack"]
    assert stacks
    for stack in stacks:
        assert stack["properties"]["stackName"].startswith(f"Amp-{stage}-")
        assert stack["environment"] == "aws://unknown-account/unknown-region"
    assert "missing" not in json.loads((tmp_path / "out" / "manifest.json").read_text()), "a look-up slipped in"
    template = json.loads((tmp_path / "out" / "DataLake.template.json").read_text())
    buckets = [each for each in template["Resources"].values() if each["Type"] == "AWS::S3::Bucket"]
    assert {bucket["DeletionPolicy"] for bucket in buckets} == {data}


def test_an_unknown_stage_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = _run(tmp_path, {"stage": "production"})
    assert done.returncode != 0
    assert "unknown stage; given: 'production'; allowed: dev, stage, prod" in done.stderr
