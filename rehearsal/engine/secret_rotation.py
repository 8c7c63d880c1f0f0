"""Rotation of secrets as Secrets Manager does it: four steps of a function, tried again when one fails, on schedule.

It must not know a database. Rules: AWS Secrets Manager User Guide, "Rotation by Lambda function" and "Rotation
schedules"; API reference, "RotateSecret" and "DescribeSecret".
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.secretsmanager.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    SecretsManagerClientError,
)
from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

from rehearsal.engine import iam
from rehearsal.engine.account import Account
from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.functions import Functions
from rehearsal.engine.schedules import Cron, Rate, read_schedule

PRINCIPAL = "secretsmanager.amazonaws.com"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
# AWS says that a failed rotation is retried several times from its first step, not how often nor when.
RETRY_DELAYS_S = (60.0, 120.0, 300.0, 600.0)
_DAY_S = 86_400
_LEAST_S = 4 * 3600
_DURATION = re.compile(r"(\d+)h")


@dataclass(kw_only=True)
class Rotation:
    """How a secret is rotated. ``rules`` as the API takes them; ``next_window`` in seconds since the epoch."""

    function_arn: str
    rules: Mapping[str, Any]
    enabled: bool = True
    next_window: float | None = None


@dataclass(kw_only=True)
class _Attempt:
    secret_id: str
    token: str
    due: float
    steps: tuple[str, ...] = STEPS
    failures: int = 0
    problem: str = ""
    test_only: bool = False


class Rotations:
    """Activity: the rotations that are under way. Secrets are known by their ARNs.

    Each of ``watchers`` is told the secret and the step after every step, failed ones too.
    """

    def __init__(self, account: Account) -> None:
        self.name = "Secrets Manager rotations"
        self.refusals = 0
        self._account = account
        self._attempts: list[_Attempt] = []
        self.by_secret: dict[str, Rotation] = {}
        self.watchers: list[Callable[[FakeSecret, str], None]] = []

    def rotate(
        self, secret: FakeSecret, *, function_arn: str, rules: Mapping[str, Any], token: str, immediately: bool
    ) -> str:
        """Configure and start a rotation; gives the id of the new version.

        Raises:
            moto.core.exceptions.ServiceException: as Secrets Manager refuses.
        """
        rotation = self._configured(secret, function_arn, rules)
        if any(attempt.token == token for attempt in self._attempts) or token in secret.versions:
            return token
        pending = _version_with(secret, "AWSPENDING")
        if pending is not None and pending != _version_with(secret, "AWSCURRENT"):
            self._again(secret, pending)
            raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")
        now = self._account.clock.time()
        self._begin(secret, token)
        if immediately:
            self._attempts.append(_Attempt(secret_id=secret.arn, token=token, due=now))
        else:
            test = _Attempt(secret_id=secret.arn, token=token, due=now, steps=("testSecret",), test_only=True)
            self._attempts.append(test)
        rotation.next_window = self._next_window(rotation)
        _show(secret, rotation)
        return token

    def cancel(self, secret: FakeSecret) -> None:
        """Turn automatic rotation off and forget the rotation that is under way; labels stay where they are."""
        rotation = self.by_secret.get(secret.arn)
        if rotation is None:
            raise InvalidRequestException("You can't cancel the rotation of a secret that has none configured.")
        rotation.enabled, rotation.next_window = False, None
        self._attempts = [attempt for attempt in self._attempts if attempt.secret_id != secret.arn]
        _show(secret, rotation)

    def start_scheduled(self, secret_arn: str) -> None:
        """Start the rotation whose window has come; one that is incomplete is tried again instead."""
        rotation, secret = self.by_secret[secret_arn], self._secret(secret_arn)
        rotation.next_window = self._next_window(rotation)
        if secret is None or secret.is_deleted():
            return
        pending = _version_with(secret, "AWSPENDING")
        if pending is not None and pending != _version_with(secret, "AWSCURRENT"):
            self._again(secret, pending)
            return
        token = str(uuid.uuid4())
        self._begin(secret, token)
        self._attempts.append(_Attempt(secret_id=secret_arn, token=token, due=self._account.clock.time()))

    def due(self) -> float | None:
        """When the next step or attempt is due."""
        return min((attempt.due for attempt in self._attempts), default=None)

    def step(self) -> None:
        """Invoke the function for one step of the earliest rotation."""
        attempt = min(self._attempts, key=lambda one: one.due)
        secret = self._secret(attempt.secret_id)
        if secret is None or secret.is_deleted():
            self._attempts.remove(attempt)
            return
        step = attempt.steps[0]
        attempt.problem = self._invoke(attempt, step)
        for watcher in tuple(self.watchers):
            watcher(secret, step)
        if attempt not in self._attempts:
            return  # cancelled by the function itself
        if attempt.problem:
            self._failed(attempt, secret)
        elif len(attempt.steps) > 1:
            attempt.steps = attempt.steps[1:]
        else:
            self._attempts.remove(attempt)
            self._ended(attempt, secret)

    def waiting(self) -> str:
        """Which secrets are being rotated, and what failed last."""
        return "; ".join(
            f"{attempt.secret_id} before {attempt.steps[0]}{': ' + attempt.problem if attempt.problem else ''}"
            for attempt in self._attempts
        )

    def _configured(self, secret: FakeSecret, function_arn: str, rules: Mapping[str, Any]) -> Rotation:
        rotation = self.by_secret.get(secret.arn)
        function_arn = function_arn or (rotation.function_arn if rotation is not None else "")
        if not function_arn:
            raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
        rules = rules or (rotation.rules if rotation is not None else {})
        _schedule(rules)
        try:
            self._account.service(Functions).find(function_arn)
        except RehearsalError as error:
            raise InvalidRequestException(f"The rotation function cannot be found: {error}") from error
        try:
            self._authorize(function_arn, secret.arn)
        except iam.AccessDenied as error:
            raise SecretsManagerClientError(
                "AccessDeniedException",
                "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
                f"access to the principal {PRINCIPAL}.",
            ) from error
        self.by_secret[secret.arn] = Rotation(function_arn=function_arn, rules=rules)
        if rotation is not None:
            self.by_secret[secret.arn].next_window = rotation.next_window
        _show(secret, self.by_secret[secret.arn])
        return self.by_secret[secret.arn]

    def _begin(self, secret: FakeSecret, token: str) -> None:
        # The function's first step finds its version labelled and empty.
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {
            "createdate": int(self._account.clock.time()), "version_id": token, "version_stages": ["AWSPENDING"],
        }  # fmt: skip

    def _again(self, secret: FakeSecret, token: str) -> None:
        now = self._account.clock.time()
        for attempt in self._attempts:
            if attempt.secret_id == secret.arn:
                return
        self._attempts.append(_Attempt(secret_id=secret.arn, token=token, due=now))

    def _invoke(self, attempt: _Attempt, step: str) -> str:
        function_arn = self.by_secret[attempt.secret_id].function_arn
        event = {
            "ClientRequestToken": attempt.token,
            "SecretId": attempt.secret_id,
            "Step": step,
            "RotationToken": str(uuid.uuid4()),
        }
        try:
            self._authorize(function_arn, attempt.secret_id)
            payload = json.dumps(event).encode()
            result = self._account.service(Functions).invoke(function_arn, payload, source=f"{PRINCIPAL} {step}")
        except (iam.AccessDenied, RehearsalError) as error:
            return str(error)
        return "" if result.ok else result.payload.decode("utf-8", "replace")

    def _authorize(self, function_arn: str, secret_arn: str) -> None:
        parameters = {"FunctionName": function_arn}
        self._account.authorize_service(PRINCIPAL, "lambda", "Invoke", parameters, source_arn=secret_arn)

    def _failed(self, attempt: _Attempt, secret: FakeSecret) -> None:
        self._account.records.happened("rotation-step-failed", secret.arn, f"{attempt.steps[0]}: {attempt.problem}")
        if attempt.test_only or attempt.failures >= len(RETRY_DELAYS_S):
            self._attempts.remove(attempt)
            if attempt.test_only:
                secret.versions.pop(attempt.token, None)
            self._account.records.happened("rotation-failed", secret.arn, attempt.problem)
            return
        attempt.due = self._account.clock.time() + RETRY_DELAYS_S[attempt.failures]
        attempt.failures += 1
        attempt.steps = STEPS

    def _ended(self, attempt: _Attempt, secret: FakeSecret) -> None:
        if attempt.test_only:
            secret.versions.pop(attempt.token, None)
            return
        pending, current = _version_with(secret, "AWSPENDING"), _version_with(secret, "AWSCURRENT")
        if pending is not None and pending != current:
            attempt.problem = "finishSecret left AWSPENDING on a version that is not AWSCURRENT"
            self._account.records.happened("rotation-failed", secret.arn, attempt.problem)
            return
        rotation = self.by_secret[attempt.secret_id]
        secret.last_rotation_date = int(self._account.clock.time())
        if rotation.enabled:
            rotation.next_window = self._next_window(rotation)
        _show(secret, rotation)
        self._account.records.happened("secret-rotated", secret.arn, rotation.function_arn)

    def _next_window(self, rotation: Rotation) -> float | None:
        schedule, now = _schedule(rotation.rules), self._account.clock.time()
        if schedule is None:
            return None
        due = schedule.next_after(now)
        if isinstance(schedule, Rate):
            # Windows of days begin at midnight, those of hours at the full hour.
            due -= due % (_DAY_S if schedule.seconds % _DAY_S == 0 else 3600)
        return due

    def _secret(self, arn: str) -> FakeSecret | None:
        found = secretsmanager_backends[self._account.id][self._account.region].secrets.get(arn)
        return found if isinstance(found, FakeSecret) else None


class RotationSchedule:
    """Periodic activity: starts the rotations whose windows come."""

    def __init__(self, rotations: Rotations) -> None:
        self.name = "Secrets Manager rotation schedules"
        self.refusals = 0
        self._rotations = rotations

    def due(self) -> float | None:
        """When the next window begins."""
        windows = [window for window, _ in self._windows()]
        return min(windows, default=None)

    def step(self) -> None:
        """Start the rotation whose window comes first."""
        self._rotations.start_scheduled(min(self._windows())[1])

    def waiting(self) -> str:
        """Nothing: a schedule holds nothing."""
        return ""

    def _windows(self) -> list[tuple[float, str]]:
        return [
            (rotation.next_window, arn)
            for arn, rotation in self._rotations.by_secret.items()
            if rotation.enabled and rotation.next_window is not None
        ]


def _schedule(rules: Mapping[str, Any]) -> Rate | Cron | None:
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression is not None:
        raise InvalidParameterException("RotationRules has AutomaticallyAfterDays or ScheduleExpression, but not both.")
    if days is not None:
        if not 1 <= int(days) <= 1000:
            raise InvalidParameterException("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
        return Rate(seconds=int(days) * _DAY_S)
    if expression is None:
        return None
    if rules.get("Duration") and not _DURATION.fullmatch(rules["Duration"]):
        raise InvalidParameterException(f"RotationRules.Duration {rules['Duration']!r} must be hours, such as 3h.")
    try:
        schedule = read_schedule(expression)
    except ValueError as error:
        raise InvalidParameterException(str(error)) from error
    if isinstance(schedule, Rate) and schedule.seconds < _LEAST_S:
        raise InvalidParameterException("A secret is rotated every four hours at most.")
    return schedule


def _version_with(secret: FakeSecret, stage: str) -> str | None:
    return next((version for version, value in secret.versions.items() if stage in value["version_stages"]), None)


def _show(secret: FakeSecret, rotation: Rotation) -> None:
    """Let DescribeSecret tell the configuration; the next date is the end of the next window."""
    secret.rotation_requested, secret.rotation_enabled = True, rotation.enabled
    secret.rotation_lambda_arn = rotation.function_arn
    secret.rotation_rules = dict(rotation.rules)
    schedule = _schedule(rotation.rules)
    if isinstance(schedule, Rate):
        secret.auto_rotate_after_days = max(1, schedule.seconds // _DAY_S)
    secret.next_rotation_date = None
    if rotation.next_window is not None:
        window = datetime.fromtimestamp(rotation.next_window, UTC)
        hours = _DURATION.fullmatch(rotation.rules.get("Duration", ""))
        in_days = not isinstance(schedule, Rate) or schedule.seconds % _DAY_S == 0
        if hours:
            end = window + timedelta(hours=int(hours[1]))
        elif in_days:
            end = window.replace(hour=23, minute=59, second=59)
        else:
            end = window + timedelta(hours=1)
        secret.next_rotation_date = int(end.timestamp())
