"""What every Spark job is made of, as two files in the asset bucket: an entry script and the zip of our packages.

It must not run a job's code, nor hold anything but sources: the same sources always give the same bytes.
"""

import shutil
import tempfile
from pathlib import Path

from aws_cdk import Aws, aws_iam, aws_s3_assets
from constructs import Construct

from building_blocks.function_package import REPOSITORY

GLUE_SCRIPT = REPOSITORY / "glue_scripts" / "run_job.py"
"""Glue's entry: any job by name."""

EMR_SCRIPT = REPOSITORY / "spark_jobs" / "__main__.py"
"""EMR's entry, the same without Glue's own arguments: any job by name."""

PACKAGES = ("contracts", "spark_jobs", "transforms")
"""What the entry imports, at the paths that it has in the repository."""


def lay_out(*, target: Path) -> None:
    """Fill ``target`` with the `.py` files of the packages."""
    for package in PACKAGES:
        for file in sorted((REPOSITORY / package).rglob("*.py")):
            destination = target / file.relative_to(REPOSITORY)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, destination)


class JobPackage(Construct):
    """Script and packages, uploaded with the stack; each version has a key of its own in the asset bucket."""

    def __init__(self, scope: Construct, id: str, *, script: Path) -> None:
        """Upload ``script`` and the packages that it imports."""
        super().__init__(scope, id)
        self.script = aws_s3_assets.Asset(self, "Script", path=str(script))
        with tempfile.TemporaryDirectory() as scratch:
            lay_out(target=Path(scratch))
            self.packages = aws_s3_assets.Asset(self, "Packages", path=scratch)

    def reading(self) -> list[aws_iam.PolicyStatement]:
        """What a role needs to load both.

        Nothing for a key: that of the asset bucket lets every principal of the account decrypt through S3.
        """
        return [
            aws_iam.PolicyStatement(
                actions=["s3:GetObject"],
                resources=[
                    f"arn:{Aws.PARTITION}:s3:::{asset.s3_bucket_name}/{asset.s3_object_key}"
                    for asset in (self.script, self.packages)
                ],
            )
        ]
