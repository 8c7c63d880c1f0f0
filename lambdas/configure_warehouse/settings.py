"""What the configuration function is told by its environment, and the names of the metrics it emits.

It must not import anything heavy: it is read at every cold start and at synth.
"""

from dataclasses import dataclass

from lambdas.shared.environment import PowertoolsSettings

METRIC_CONFIGURED = "ClustersConfigured"
"""Clusters that are as declared at the end of a run, whether or not there was something to do (count)."""

METRIC_FAILED = "ConfigurationsFailed"
"""Runs that ended without that: a declaration that cannot be taken, a statement that failed, a cluster that is gone or
broken (count)."""

METRIC_UNAVAILABLE = "ClustersUnavailable"
"""Clusters that were paused or busy with themselves, so that nothing was tried (count)."""

METRIC_DRIFT = "DriftFound"
"""Facts that were changed by hand: made so and gone, or there and not declared (count)."""

METRIC_OPEN = "RowPoliciesWaiting"
"""Row policies whose table is not there: whoever is given rights on it when it comes sees every row (count)."""

METRIC_STATEMENTS = "StatementsRun"
"""Statements that changed something (count)."""

METRICS = (METRIC_CONFIGURED, METRIC_FAILED, METRIC_UNAVAILABLE, METRIC_DRIFT, METRIC_OPEN, METRIC_STATEMENTS)
"""Every metric of the function; each is emitted with each invocation, a zero too, so that alarms have data."""

METRIC_DIMENSION = "service"
"""The one dimension of every metric above; its value is `Settings.powertools_service_name`."""


@dataclass(frozen=True, kw_only=True)
class Settings(PowertoolsSettings):
    """Environment of the configuration function."""

    clusters: str
    """The clusters it may configure: a JSON object of names to what `clusters.Cluster` holds."""

    declaration_table: str
    """DynamoDB table of declarations."""

    configuration_table: str
    """DynamoDB table of locks, of what was made so, and of runs."""

    queue_url: str
    """SQS queue that feeds the function; a run that could not end asks there for another."""

    rotation_function_arn: str
    """Function by which Secrets Manager rotates users' secrets."""

    secret_key_arn: str
    """KMS key of users' secrets."""

    person_rotation_days: int
    """Days between rotations of a person's password."""

    service_rotation_days: int
    """Days between rotations of a service's password."""
