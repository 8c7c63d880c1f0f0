"""What the function that publishes code is told by its environment: from where it copies, and to where.

It must not import anything heavy: it is read at synth.
"""

from dataclasses import dataclass

from lambdas.shared.environment import EnvironmentSettings


@dataclass(frozen=True, kw_only=True)
class Settings(EnvironmentSettings):
    """Environment of the function that publishes code; what it publishes comes with each request."""

    asset_bucket: str
    """Bucket into which a deployment uploads its assets."""

    code_bucket: str
    """Bucket from which jobs and Airflow take their code."""

    patience_seconds: float = 60.0
    """For how long a refusal is asked again: a deployment changes the function's role a moment before it calls it, and
    IAM takes a while to tell S3 ("Changes that I make are not always immediately visible" of the IAM guide)."""
