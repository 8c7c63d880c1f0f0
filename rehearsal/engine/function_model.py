"""What a function is and what comes of calling it: plain values, shared by those who create, run and call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.engine.networks import Attachment

LATEST = "$LATEST"


@dataclass(frozen=True, kw_only=True)
class FunctionDefinition:
    """One version of a function as its template declares it. ``timeout_s`` in seconds, ``memory_mb`` in MB.

    ``network`` is None for a function outside of VPCs.
    """

    name: str
    arn: str
    role_arn: str
    handler: str
    runtime: str
    asset: Path | None
    environment: Mapping[str, str]
    timeout_s: int
    memory_mb: int
    log_group: str
    log_format: str
    log_level: str
    traced: bool
    key_arn: str = ""
    reserved_concurrency: int | None
    version: str = LATEST
    network: Attachment | None = None


@dataclass(frozen=True, kw_only=True)
class InvocationResult:
    """What the caller of a function gets. ``error`` is empty, or Lambda's word for it (``Unhandled``)."""

    payload: bytes
    error: str = ""
    throttled: bool = False
    too_large: bool = False

    @property
    def ok(self) -> bool:
        """Whether the function returned a value."""
        return not (self.error or self.throttled or self.too_large)


@dataclass(kw_only=True)
class FunctionFault:
    """What the next ``times`` invocations of a function meet instead of a good end.

    ``error``: it fails before its code runs. ``timeout``: its time passes and nothing has run. ``lost``: its
    code runs to the end, and the caller is told that it failed.
    """

    kind: str
    times: int
