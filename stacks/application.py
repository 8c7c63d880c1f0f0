"""Makes the CDK app with the project's feature flags and judges, whoever starts it: the CLI, a test, a rehearsal.

It must not choose a stage or build a stack, nor excuse a finding: an acknowledgement stands beside its resource.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

_SETTINGS = Path(__file__).resolve().parent.parent / "cdk.json"


def application(*, context: Mapping[str, Any] | None = None, outdir: Path | None = None, judged: bool = True) -> App:
    """An app with the context of `cdk.json`, under ``context``, under what the CLI passes (`-c name=value`).

    The CLI reads `cdk.json` by itself, a plain `python app.py` or a test would not, and feature flags change
    templates. ``outdir`` is where the assembly is written (a temporary folder when None). When ``judged``,
    `app.synth()` raises on any finding of the CloudFormation validator or of cdk-nag's AwsSolutions and
    Serverless packs, and writes `validation-report.json`; otherwise it takes about half the time.
    """
    flags = json.loads(_SETTINGS.read_text())["context"]
    app = App(
        context={**flags, **(context or {})},
        outdir=None if outdir is None else str(outdir),
        builtin_cloud_formation_validation=judged,
    )
    if judged:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    return app
