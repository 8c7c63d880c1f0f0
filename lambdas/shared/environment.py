"""Reads a function's environment variables into one typed, frozen object.

It must not read anything else (no file, no AWS call), nor default what a deployment has to decide.
"""

from __future__ import annotations

import dataclasses

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without that import at a function's cold start
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

_DESCRIPTIONS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true, false, 1 or 0",
    "tuple[str, ...]": "comma separated text",
}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class SettingsError(ValueError):
    """An environment variable is missing or holds a value that its type does not take."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentSettings:
    """Base of every function's ``Settings``: the field ``stream_name`` is the variable ``STREAM_NAME``.

    Fields are ``str``, ``int``, ``float``, ``bool`` (``true``/``false``/``1``/``0``) or ``tuple[str, ...]``
    (comma separated, blanks around an item ignored). A field with a default makes its variable optional.

    Example::

        @dataclass(frozen=True, kw_only=True)
        class Settings(EnvironmentSettings):
            stream_name: str
            max_attempts: int = 3

        Settings.from_environ({"STREAM_NAME": "events"}).max_attempts  # 3
    """

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Build the settings from ``environ`` (``os.environ``); variables that it does not name are ignored.

        Raises:
            SettingsError: a required variable is missing, or a value does not fit its type.
        """
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            name = field.name.upper()
            if name in environ:
                values[field.name] = _parse(name=name, text=environ[name], kind=_kind(field.type))
            elif cls.variables()[name]:
                given = [known for known in cls.variables() if known in environ]
                raise SettingsError(
                    f"Environment variable {name} of {cls.__module__} is missing; "
                    f"given: {', '.join(given) or 'none of its variables'}; "
                    f"allowed: {_DESCRIPTIONS.get(_kind(field.type), 'text')}; "
                    "set it where the function is declared."
                )
        return cls(**values)

    @classmethod
    def variables(cls) -> dict[str, bool]:
        """The environment variables that the settings read, each with whether it is required."""
        return {
            field.name.upper(): field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            for field in dataclasses.fields(cls)
        }


@dataclasses.dataclass(frozen=True, kw_only=True)
class PowertoolsSettings(EnvironmentSettings):
    """Base of the ``Settings`` of a function that logs and counts with Powertools, by Powertools' own variables."""

    powertools_service_name: str
    """Powertools' name of the service: the ``service`` dimension and log key."""

    powertools_metrics_namespace: str
    """CloudWatch namespace of the metrics; one per stage."""

    powertools_log_level: str = "INFO"
    """Lowest level that is logged: INFO, WARNING, ERROR or CRITICAL."""


def _kind(declared: Any) -> str:
    """``str`` and ``tuple[str, ...]`` alike by their source text, postponed annotations included."""
    return declared.__name__ if isinstance(declared, type) else str(declared)


def _parse(*, name: str, text: str, kind: str) -> object:
    try:
        match kind:
            case "str":
                return text
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return _BOOLEANS[text.strip().lower()]
            case "tuple[str, ...]":
                return tuple(item for item in (part.strip() for part in text.split(",")) if item)
    except (ValueError, KeyError):
        raise SettingsError(
            f"Environment variable {name} does not fit its type; given: {text!r}; "
            f"allowed: {_DESCRIPTIONS[kind]}; correct it where the function is declared."
        ) from None
    raise SettingsError(
        f"The field of environment variable {name} has a type that cannot be read; given: {kind}; "
        f"allowed: {'; '.join(_DESCRIPTIONS)}; change the field in the function's settings.py."
    )
