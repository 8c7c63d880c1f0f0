"""How a step says that it failed: in a sentence for people, which holds no password and no text of a client's error."""

from __future__ import annotations


class RotationError(Exception):
    """A step failed and changed nothing by halves; Secrets Manager tries the rotation again."""


class LoginError(RotationError):
    """A database user could not log in, or the cluster could not be reached."""
