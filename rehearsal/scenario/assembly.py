"""Synthesize the platform's own templates for a stage, as a deployment would; changes nothing in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class SynthesisError(RuntimeError):
    """`app.py` did not write an assembly; the message holds what it said."""


def synthesize(stage: str, *, folder: Path) -> Path:
    """Write the assembly of a stage into `folder` and return it.

    The validators stay out: `make synth` and the test suite run them, and a rehearsal need not wait for them.

    Raises:
        SynthesisError: the stage does not exist, or the app failed.
    """
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_VALIDATION": "false",
        "CDK_CONTEXT_JSON": json.dumps({"stage": stage}),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
        raise SynthesisError("\n".join(lines[-12:]) or f"app.py ended with {done.returncode} and said nothing")
    return folder
