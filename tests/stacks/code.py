"""What the Code stack publishes, by the addresses at which others find it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.stacks.assembly import Assembly
from tests.stacks.rendering import rendered


def published(assembly: Assembly) -> dict[str, Path]:
    """The staged file or folder behind each address of the code bucket that the Code stack fills."""
    manifest = json.loads((assembly.folder / "Code.assets.json").read_text())
    staged = {
        destination["objectKey"]: assembly.folder / file["source"]["path"]
        for file in manifest["files"].values()
        for destination in file["destinations"].values()
    }
    bucket = rendered(assembly, "Code", assembly.templates["Code"]["Outputs"]["BucketName"]["Value"])
    return {
        f"s3://{bucket}/{file['Key']}": staged[file["Asset"]]
        for each in assembly.resources("Custom::PublishedCode")
        if each.stack == "Code"
        for file in each.properties["Files"].values()
    }
