"""The warehouse that the steps' own tests use."""

from tests.logic.rotate_password.conftest import server, warehouse  # noqa: F401
