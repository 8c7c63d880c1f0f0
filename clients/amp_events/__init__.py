"""Publish app events to the Amp data platform: checked, batched, retried and counted.

It knows the stream and the contracts, and nothing of what the platform does with an event.
"""

from .errors import BufferFull, InvalidEvent, ProducerClosed
from .limits import Limits, WhenFull
from .producer import EventProducer, Unsent
from .stats import Stats

__all__ = ["BufferFull", "EventProducer", "InvalidEvent", "Limits", "ProducerClosed", "Stats", "Unsent", "WhenFull"]
