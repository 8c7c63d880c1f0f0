"""What every configured value is held against: the error that explains itself, and the check of a range.

It must not know a part of the platform.
"""


class ConfigurationError(ValueError):
    """A configured value that no deployment could use; the message says what, given, allowed and fix."""

    def __init__(self, *, what: str, given: object, allowed: str, fix: str) -> None:
        super().__init__(f"{what}; given: {given!r}; allowed: {allowed}; fix: {fix}.")


def check_between(*, what: str, value: float | None, low: float, high: float, source: str) -> None:
    """Refuse a ``value`` outside ``low`` to ``high``, where ``source`` says who sets these limits; None passes."""
    if value is not None and not low <= value <= high:
        raise ConfigurationError(
            what=f"{what} is out of range", given=value, allowed=f"{low} to {high} ({source})", fix=f"set {what}"
        )
