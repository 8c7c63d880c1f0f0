"""A function's environment becomes one typed object, or an error that names the variable."""

from dataclasses import dataclass

import pytest

from lambdas.shared.environment import EnvironmentSettings, SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings(EnvironmentSettings):
    stream_name: str
    max_attempts: int = 3
    timeout_seconds: float = 5.0
    strict: bool = True
    fields: tuple[str, ...] = ()


def test_variables_become_typed_fields_and_others_are_ignored() -> None:
    environ = {
        "STREAM_NAME": "events",
        "MAX_ATTEMPTS": "5",
        "TIMEOUT_SECONDS": "0.5",
        "STRICT": "false",
        "FIELDS": "a, b,,c",
        "HOME": "/root",
    }
    assert Settings.from_environ(environ) == Settings(
        stream_name="events", max_attempts=5, timeout_seconds=0.5, strict=False, fields=("a", "b", "c")
    )


def test_defaults_stand_for_variables_that_are_not_set() -> None:
    assert Settings.from_environ({"STREAM_NAME": "events"}) == Settings(stream_name="events")


def test_a_missing_required_variable_is_named() -> None:
    with pytest.raises(SettingsError, match=r"STREAM_NAME .* is missing; given: STRICT; allowed: text"):
        Settings.from_environ({"STRICT": "true"})


@pytest.mark.parametrize(
    ("name", "text"), [("MAX_ATTEMPTS", "3.5"), ("TIMEOUT_SECONDS", "soon"), ("STRICT", "yes"), ("MAX_ATTEMPTS", "")]
)
def test_a_value_that_does_not_fit_is_refused_with_what_would(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} does not fit its type; given: '{text}'; allowed: "):
        Settings.from_environ({"STREAM_NAME": "events", name: text})


def test_required_and_optional_variables_can_be_listed() -> None:
    assert Settings.variables() == {
        "STREAM_NAME": True,
        "MAX_ATTEMPTS": False,
        "TIMEOUT_SECONDS": False,
        "STRICT": False,
        "FIELDS": False,
    }


def test_a_type_that_no_variable_can_hold_is_refused() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Odd(EnvironmentSettings):
        sizes: list[int]

    with pytest.raises(SettingsError, match=r"SIZES has a type that cannot be read; given: list\[int\]"):
        Odd.from_environ({"SIZES": "1,2"})
