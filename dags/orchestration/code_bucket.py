"""Where job code lies: a prefix for each version, named by its hash, and the pointer to the current one."""

from __future__ import annotations

from dataclasses import dataclass

POINTER = "jobs/current.json"
PACKAGES = "packages.zip"
GLUE_ENTRY = "run_job.py"


@dataclass(frozen=True, kw_only=True)
class CodeBucket:
    """The bucket of stack Code."""

    name: str

    def key(self, code: str, file: str) -> str:
        """The key of a file of one version."""
        return f"jobs/{code}/{file}"

    def url(self, code: str, file: str) -> str:
        """Where a file of one version lies: `s3://…`."""
        return f"s3://{self.name}/{self.key(code, file)}"
