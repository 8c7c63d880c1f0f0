"""What can be wrong with a version; raises nothing itself."""

from __future__ import annotations


class UnknownVersion(LookupError):
    """There is no such data set, or no such version of it."""


class DamagedVersion(ValueError):
    """A file of the version is not what its manifest says, or this client is too old for the manifest's form."""
