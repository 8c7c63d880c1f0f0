"""What the rotation function is told by its environment, and the names of the metrics it emits.

It must not import anything heavy: it is read at every cold start and at synth.
"""

from dataclasses import dataclass

from lambdas.shared.environment import PowertoolsSettings

METRIC_ROTATIONS_FINISHED = "RotationsFinished"
"""Rotations whose new password has become the current one (count)."""

METRIC_STEPS_FAILED = "StepsFailed"
"""Steps that ended with an error; Secrets Manager tries the rotation again (count)."""

METRIC_SECONDS_WITHOUT_LOGIN = "SecondsWithoutLogin"
"""For how long the current secret of a person did not log in: from the new password's coming into force in the
database to its becoming the current one, over all attempts (seconds). Emitted when a person's rotation finishes."""

COUNTS = (METRIC_ROTATIONS_FINISHED, METRIC_STEPS_FAILED)
"""The counting metrics; each is emitted with each step, a zero too, so that alarms have data."""

METRIC_DIMENSION = "service"
"""The one dimension of every metric above; its value is `Settings.powertools_service_name`."""


@dataclass(frozen=True, kw_only=True)
class Settings(PowertoolsSettings):
    """Environment of the rotation function; which user a secret is for it knows from the secret's tags and name."""

    clusters: str
    """JSON object of the clusters, by the names that secrets are tagged with (`accounts.read_clusters`)."""
