"""The same Spark and desk as the tests of transforms have."""

from __future__ import annotations

from tests.transforms.conftest import desk, spark  # noqa: F401 - pytest finds fixtures by their names here
