"""S3 prefixes with Firehose's expressions, as "Custom prefixes for Amazon S3 objects" in its guide defines them."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

_EXPRESSION = re.compile(r"!\{([^{}:]+):([^{}]*)\}")
_DEFAULT_TIME = "yyyy/MM/dd/HH/"
# Of Java's DateTimeFormatter, the letters that name parts of a date and an hour.
_JAVA_LETTERS = {
    "yyyy": "%Y",
    "YYYY": "%G",
    "yy": "%y",
    "MM": "%m",
    "dd": "%d",
    "DDD": "%j",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
}


class PartitionKeyMissing(Exception):
    """A record came back from the function without a partition key that the prefix needs."""


class Prefix:
    """A prefix pattern. ``problem`` says what the service would refuse in it, and is empty when nothing."""

    def __init__(self, pattern: str, *, time_zone: str = "UTC") -> None:
        self._pattern, self._zone = pattern, ZoneInfo(time_zone)
        found = _EXPRESSION.findall(pattern)
        self.keys = tuple(value for namespace, value in found if namespace == "partitionKeyFromLambda")
        self.has_expression = bool(found)
        self.has_error_type = ("firehose", "error-output-type") in found
        self._dated = any(namespace == "timestamp" for namespace, _ in found) or bool(self.keys)
        self.problem = next(filter(None, (_problem(*one) for one in found)), "")
        if not self.problem and "!{" in _EXPRESSION.sub("", pattern):
            self.problem = f"{pattern!r} holds an expression that cannot be read"

    def render(self, moment: datetime, *, keys: Mapping[str, str] | None = None, error_type: str = "") -> str:
        """The prefix of an object whose oldest record arrived at ``moment``.

        Raises:
            PartitionKeyMissing: naming the key.
        """
        local = self.local(moment)

        def replace(match: re.Match[str]) -> str:
            namespace, value = match.groups()
            if namespace == "timestamp":
                return java_time(value, local)
            if namespace == "partitionKeyFromLambda":
                found = (keys or {}).get(value)
                if not found:
                    raise PartitionKeyMissing(value)
                return str(found)
            if value == "error-output-type":
                return error_type
            return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(11))

        rendered = _EXPRESSION.sub(replace, self._pattern)
        if error_type and not self.has_expression:
            rendered += f"{error_type}/"
        elif self._dated or error_type:
            return rendered
        return rendered + java_time(_DEFAULT_TIME, local)

    def local(self, moment: datetime) -> datetime:
        """``moment`` in the delivery stream's time zone."""
        return moment.astimezone(self._zone)


def _problem(namespace: str, value: str) -> str:
    if namespace == "timestamp":
        try:
            java_time(value, datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC")))
        except ValueError as error:
            return str(error)
        return ""
    if namespace == "partitionKeyFromLambda":
        return ""
    if namespace == "firehose" and value in ("error-output-type", "random-string"):
        return ""
    return f"!{{{namespace}:{value}}} is not an expression the engine evaluates"


def java_time(pattern: str, moment: datetime) -> str:
    """``moment`` in a pattern of Java's DateTimeFormatter (letters of dates and hours, quoted text).

    Raises:
        ValueError: a letter that is not one of those.
    """

    def replace(match: re.Match[str]) -> str:
        text = match.group(0)
        if text.startswith("'"):
            return text[1:-1] or "'"
        if text not in _JAVA_LETTERS:
            raise ValueError(f"timestamp pattern {pattern!r}: {text!r} is not one of {sorted(_JAVA_LETTERS)}")
        return moment.strftime(_JAVA_LETTERS[text])

    return re.sub(r"'[^']*'|([A-Za-z])\1*", replace, pattern)
