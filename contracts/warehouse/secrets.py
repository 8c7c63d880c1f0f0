"""How the secret of a warehouse's user says whose it is: who makes secrets and who rotates them agree on it here."""

from __future__ import annotations

TAG_CLUSTER = "amp:warehouse-cluster"
TAG_USER = "amp:warehouse-user"
"""Whose the secret is; a person's role or session has it too, and says who the person is."""
TAG_ROTATION = "amp:rotation"

SINGLE_USER = "single-user"
ALTERNATING_USERS = "alternating-users"
"""Values of `TAG_ROTATION` (Secrets Manager, "Lambda function rotation strategies" page)."""

CLONE_SUFFIX = "_clone"
"""What the name of a service's second user ends with, who takes turns with the first. No declared user may end so."""
