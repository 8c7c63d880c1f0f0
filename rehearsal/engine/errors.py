"""The errors of the rehearsal engine: each says what, given, allowed and how to fix; never a bare assertion."""

from __future__ import annotations

from collections.abc import Sequence


class RehearsalError(Exception):
    """Anything that stops a rehearsal and is not an answer of an AWS API."""


class Unsupported(RehearsalError):
    """A template uses something that the engine neither honours nor ignores with a reason."""

    def __init__(self, *, stack: str, logical_id: str, what: str, fix: str) -> None:
        self.stack, self.logical_id, self.what, self.fix = stack, logical_id, what, fix
        super().__init__(f"{stack}/{logical_id}: {what}. {fix}")


class DeploymentFailed(RehearsalError):
    """A resource could not be created from its template."""


class PackageMismatch(RehearsalError):
    """A function's asset pins a package that the local interpreter has not, or has in another version."""


class NotSettled(RehearsalError):
    """The application did not come to rest; ``stuck`` names each thing that still waits, and why."""

    def __init__(self, reason: str, stuck: Sequence[str]) -> None:
        self.stuck = tuple(stuck)
        super().__init__("\n  - ".join([reason, *self.stuck]))
