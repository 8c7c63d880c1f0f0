"""What every Spark job is made of: two entry scripts and the zip of our packages, below a prefix named by their hash.

It must not run a job's code, nor hold anything but sources: the same sources always give the same hash.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_iam, aws_s3

from building_blocks.acknowledgement import acknowledge, cited
from building_blocks.encryption_key import key_use
from building_blocks.function_package import REPOSITORY

GLUE_SCRIPT = REPOSITORY / "glue_scripts" / "run_job.py"
"""Glue's entry: any job by name."""

EMR_SCRIPT = REPOSITORY / "spark_jobs" / "__main__.py"
"""EMR's entry, the same without Glue's own arguments: any job by name."""

PACKAGES = ("contracts", "spark_jobs", "transforms")
"""What the entry imports, at the paths that it has in the repository."""

PREFIX = "jobs/"
"""Where jobs' code lies in the code bucket; below it, for each hash, what was deployed under it."""

POINTER_KEY = f"{PREFIX}current.json"
"""Which hash a new run takes: `{"hash": "…"}`. Other code that is deployed moves it, an operator can move it back."""

PACKAGES_FILE = "packages.zip"

HASH_CHARACTERS = 16
"""Of the hash's 64: enough that no two versions ever share a prefix."""


def lay_out(*, target: Path) -> None:
    """Fill ``target`` with the `.py` files of the packages."""
    for file in _sources():
        destination = target / file.relative_to(REPOSITORY)
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, destination)


def code_hash() -> str:
    """What names this version of the jobs: their sources by path and content, entry scripts among them."""
    digest = hashlib.sha256()
    for file in sorted({*_sources(), GLUE_SCRIPT, EMR_SCRIPT}):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(REPOSITORY).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:HASH_CHARACTERS]


def _sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((REPOSITORY / package).rglob("*.py"))


@dataclass(frozen=True, kw_only=True)
class JobCode:
    """The jobs' code in its bucket: that of the deployed ``hash``, and beside it all that was deployed before."""

    bucket: aws_s3.IBucket
    hash: str

    def url(self, file: str) -> str:
        """Where the ``file`` of the deployed version lies; a run may be given another version's."""
        return f"s3://{self.bucket.bucket_name}/{PREFIX}{self.hash}/{file}"

    def reading(self) -> list[aws_iam.PolicyStatement]:
        """What a job's role needs to load any version: a run in flight keeps the one that it began with."""
        return [
            aws_iam.PolicyStatement(actions=["s3:GetObject"], resources=[self.bucket.arn_for_objects(f"{PREFIX}*")]),
            *key_use(key=self.bucket.encryption_key, service="s3", actions=["kms:Decrypt"]),
        ]

    def acknowledge(self, role: aws_iam.Role) -> None:
        """Say on a job's role why it reads every version."""
        files = cited(role, owner=self.bucket, arn=self.bucket.bucket_arn)
        acknowledge(
            role,
            finding=f"AwsSolutions-IAM5[Resource::{files}/{PREFIX}*]",
            reason="A run keeps the version of the code that it began with, whatever is deployed meanwhile, and an "
            "operator can go back to any.",
        )
