"""Load data sets for models of the Amp data platform: a version by its id, checked against its manifest."""

from __future__ import annotations

from .errors import DamagedVersion, UnknownVersion
from .loading import Version, load, versions

__all__ = ["DamagedVersion", "UnknownVersion", "Version", "load", "versions"]
