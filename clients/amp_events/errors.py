"""What `put` may answer instead of taking an event; quotes no value of any event."""

from __future__ import annotations


class InvalidEvent(ValueError):
    """The event breaks its contract and was not taken; the platform would have quarantined it.

    `path` is the dotted place at fault (`*` stands for a key of a free map), `allowed` what may stand there.
    """

    def __init__(self, *, path: str, allowed: str) -> None:
        """Say where the event is at fault and what is allowed there."""
        super().__init__(f"the event was not taken: {path or 'the event'} should be {allowed}")
        self.path = path
        self.allowed = allowed


class BufferFull(RuntimeError):
    """The event was not taken, because as much is waiting to be sent as `Limits` allows."""


class ProducerClosed(RuntimeError):
    """The event was not taken, because the producer is closed or closing."""
