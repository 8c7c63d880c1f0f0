"""The four steps of a rotation, each safe to repeat and to resume; makes no client.

What keeps a service from ever being locked out: the password of a database user is set, and the current version is
changed to one that names this user, only while the user's row in the database is locked, and only when the labels say
under that lock that the version is the pending one and that the current one names the other user. Both hold whatever
other rotation of the secret runs at the same time or was interrupted where.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from lambdas.rotate_password.accounts import Account, Cluster, Credentials, account_of
from lambdas.rotate_password.errors import LoginError, RotationError
from lambdas.rotate_password.settings import COUNTS, METRIC_ROTATIONS_FINISHED
from lambdas.rotate_password.versions import PENDING, Secret

SET_AT = "amp:password-set-at:"
"""What begins a label that tells since when, in epoch seconds, a person's pending password is in force. It is on the
version, because nothing else outlives the attempt that set the password."""


class Versions(Protocol):
    """The secrets and their versions: `SecretVersions`, or a test's."""

    def describe(self, secret_id: str) -> Secret:
        """A secret without its values."""
        ...

    def value(self, arn: str, version: str) -> str | None:
        """The text of a version, if it has one."""
        ...

    def new_password(self) -> str:
        """A password that nobody knows."""
        ...

    def put_pending(self, arn: str, version: str, text: str) -> None:
        """Give the pending version its value, if it has none."""
        ...

    def move_current(self, arn: str, *, old: str, new: str) -> None:
        """Change the current version, if it is still the old one."""
        ...

    def add_label(self, arn: str, version: str, label: str) -> None:
        """Label a version."""
        ...

    def remove_label(self, arn: str, version: str, label: str) -> None:
        """Take a label off."""
        ...


class Logins(Protocol):
    """The clusters' databases: `Database`, or a test's."""

    def log_in(self, cluster: Cluster, user: str, password: str) -> None:
        """Log in and run a statement."""
        ...

    def setting_password(self, cluster: Cluster, user: str, password: str) -> AbstractContextManager[None]:
        """Set a password, in force when the block ends well; nobody else sets it inside."""
        ...


@dataclass(slots=True)
class Outcome:
    """What became of a step."""

    did: str
    """A sentence."""
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(COUNTS, 0)))
    """Metric name to count."""
    seconds_without_login: float | None = None
    """For how long the current secret did not log in; None for a service and before the end."""


def take_step(
    event: Mapping[str, str],
    *,
    clusters: Mapping[str, Cluster],
    versions: Versions,
    database: Logins,
    clock: Callable[[], float],
) -> Outcome:
    """Take the step that Secrets Manager asks for ("Lambda rotation functions" page of its user guide).

    Args:
        event: `Step`, `SecretId` and `ClientRequestToken`, which is the id of the new version.
        clusters: the clusters by the names that secrets are tagged with.
        versions: the secrets.
        database: logins to the clusters.
        clock: the present, in epoch seconds.

    Raises:
        RotationError: the step was not taken. Taking it again is safe, and helps when the cause is gone.
    """
    step = event.get("Step", "")
    if step not in _STEPS:
        raise RotationError(f"The step is unknown; given: {step!r}; allowed: {', '.join(_STEPS)}.")
    secret = versions.describe(event["SecretId"])
    account = account_of(name=secret.name, tags=secret.tags, clusters=clusters)
    rotation = _Rotation(
        secret=secret,
        token=event["ClientRequestToken"],
        account=account,
        versions=versions,
        database=database,
        clock=clock,
    )
    if rotation.token == secret.current:
        return rotation.tidy(secret)
    rotation.require_pending(secret)
    return _STEPS[step](rotation)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rotation:
    secret: Secret
    """The secret as it was when the step began."""
    token: str
    """Id of the version that is to become the current one."""
    account: Account
    versions: Versions
    database: Logins
    clock: Callable[[], float]

    def create(self) -> Outcome:
        if self._value(self.token) is not None:
            self._pending()
            return Outcome("The pending version has its password already.")
        user = self.account.next_user(self._current_user(self.secret))
        new = Credentials(user=user, password=self.versions.new_password())
        self.versions.put_pending(self.secret.arn, self.token, self.account.value(new))
        return Outcome(f"A password for {user} is in the pending version.")

    def set(self) -> Outcome:
        user, password = self._pending()
        try:
            self.database.log_in(self.account.cluster, user, password)
        except LoginError:
            # Whether refused or out of reach: the administrator's login, next, tells which.
            with self.database.setting_password(self.account.cluster, user, password):
                secret = self._usable(user)
                if not self.account.alternating:
                    self._note_time(secret)
            return Outcome(f"The pending password of {user} is in force.")
        return Outcome(f"The pending password of {user} was in force already.")

    def test(self) -> Outcome:
        # Secrets Manager takes this step alone to try a configuration, on a pending version that may repeat the
        # current one: whether the version could become the current one is not asked here.
        credentials = self.account.credentials(self._require_value(self.token))
        self.database.log_in(self.account.cluster, credentials.user, self._password(credentials))
        return Outcome(f"The pending password of {credentials.user} logs in.")

    def finish(self) -> Outcome:
        user, password = self._pending()
        self.database.log_in(self.account.cluster, user, password)
        # The password is what it was: this is for the lock.
        with self.database.setting_password(self.account.cluster, user, password):
            old = self._usable(user).current
            if old is None:
                raise self._incomplete()
            self.versions.move_current(self.secret.arn, old=old, new=self.token)
        return self.tidy(self.versions.describe(self.secret.arn), moved=True)

    def tidy(self, secret: Secret, *, moved: bool = False) -> Outcome:
        """Take the labels of a finished rotation off, the pending one last: while it is there, this has to be done."""
        labels = secret.stages.get(self.token, ())
        if not moved and PENDING not in labels:
            return Outcome("The version is the current one already.")
        outcome = Outcome("The new password is the current one.")
        outcome.counts[METRIC_ROTATIONS_FINISHED] += 1
        # Labels of rotations that were given up too, but not of one that has begun meanwhile.
        times = [
            (version, label)
            for version, stages in secret.stages.items()
            if version == self.token or PENDING not in stages
            for label in stages
            if label.startswith(SET_AT)
        ]
        if times:
            since = min(_seconds(label) for _, label in times)
            outcome.seconds_without_login = max(0.0, self.clock() - since)
        for version, label in times:
            self.versions.remove_label(secret.arn, version, label)
        if PENDING in labels:
            self.versions.remove_label(secret.arn, self.token, PENDING)
        return outcome

    def require_pending(self, secret: Secret) -> None:
        if PENDING not in secret.stages.get(self.token, ()):
            raise RotationError(
                f"Version {self.token} of secret {secret.name} is not the pending one: its rotation was given up, or "
                "another one began after it; nothing was changed, and there is nothing to put right."
            )

    def _pending(self) -> tuple[str, str]:
        """User and password of the pending version, which is given up when it can never become the current one."""
        text = self._require_value(self.token)
        try:
            credentials = self.account.credentials(text)
        except RotationError as error:
            raise self._given_up(str(error)) from None
        if json.loads(text) != json.loads(self.account.value(credentials)):
            raise self._given_up("it does not describe the cluster as it is now.")
        self._require_usable(self.secret, credentials.user)
        return credentials.user, self._password(credentials)

    def _usable(self, user: str) -> Secret:
        """The secret as it is now, if the pending version may still become the current one."""
        secret = self.versions.describe(self.secret.arn)
        self._require_usable(secret, user)
        return secret

    def _require_usable(self, secret: Secret, user: str) -> None:
        self.require_pending(secret)
        if secret.current == self.token:
            raise RotationError(f"Another attempt has just finished this rotation of secret {secret.name}.")
        current_user = self._current_user(secret)
        if self.account.alternating and current_user == user:
            raise self._given_up(f"it is for {user}, and so is the current version since another rotation finished.")

    def _current_user(self, secret: Secret) -> str:
        return self.account.current_user(self._require_value(secret.current))

    def _value(self, version: str) -> str | None:
        return self.versions.value(self.secret.arn, version)

    def _require_value(self, version: str | None) -> str:
        text = None if version is None else self._value(version)
        if text is None:
            raise self._incomplete()
        return text

    def _password(self, credentials: Credentials) -> str:
        if credentials.password is None:
            raise self._incomplete()
        return credentials.password

    def _incomplete(self) -> RotationError:
        return RotationError(
            f"Secret {self.secret.name} lacks what the step needs: a current version that names the user, which the "
            "configuration of the cluster makes, or a pending one with a password, which createSecret makes."
        )

    def _note_time(self, secret: Secret) -> None:
        """Label the version with the present, as late as possible before its password comes into force."""
        for label in secret.stages[self.token]:
            if label.startswith(SET_AT):
                self.versions.remove_label(secret.arn, self.token, label)
        self.versions.add_label(secret.arn, self.token, f"{SET_AT}{self.clock():.3f}")

    def _given_up(self, why: str) -> RotationError:
        """Take the pending label off, so that the next rotation begins anew instead of failing like this one."""
        self.versions.remove_label(self.secret.arn, self.token, PENDING)
        return RotationError(
            f"The pending version {self.token} of secret {self.secret.name} was given up: {why} The next rotation "
            "makes another."
        )


_STEPS: Mapping[str, Callable[[_Rotation], Outcome]] = {
    "createSecret": _Rotation.create,
    "setSecret": _Rotation.set,
    "testSecret": _Rotation.test,
    "finishSecret": _Rotation.finish,
}


def _seconds(label: str) -> float:
    """The time that a label tells; what is no time never ago."""
    try:
        return float(label.removeprefix(SET_AT))
    except ValueError:
        return math.inf
