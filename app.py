"""Which environment → platform; nothing else.

`cdk synth -c stage=dev` (the default); `-c destroy_data=true` lets a stage that does not keep its data lose them;
CDK_VALIDATION=false leaves the judges out.
"""

import os
from pathlib import Path

from config import stage_named
from config.model import ConfigurationError
from stacks.application import application
from stacks.platform import Platform

app = application(
    outdir=Path(os.environ.get("CDK_OUTDIR", "cdk.out")),
    judged=os.environ.get("CDK_VALIDATION") != "false",
)
try:
    stage = stage_named(app.node.try_get_context("stage") or "dev")
except ConfigurationError as error:
    raise SystemExit(f"app.py: {error}") from None
Platform(
    app,
    stage=stage,
    destroy_data=app.node.try_get_context("destroy_data") in (True, "true"),
)
app.synth()
