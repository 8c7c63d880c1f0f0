"""What the function asks of Secrets Manager: the versions of a secret and their staging labels; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lambdas.rotate_password.accounts import PASSWORD_LENGTH
from lambdas.rotate_password.errors import RotationError
from lambdas.shared.failures import error_name

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """What is known of a secret without reading a value."""

    arn: str
    name: str
    tags: Mapping[str, str]
    stages: Mapping[str, tuple[str, ...]]
    """Version id to the staging labels on it."""

    @property
    def current(self) -> str | None:
        """Id of the current version."""
        return next((version for version, labels in self.stages.items() if CURRENT in labels), None)


class SecretVersions:
    """The secrets and their versions.

    Every method raises `RotationError` when Secrets Manager refuses or does not answer; the error names the call and
    Secrets Manager's code, because the client's own error may quote what was sent.
    """

    def __init__(self, *, secrets: SecretsManagerClient) -> None:
        """Remember whom to ask."""
        self._secrets = secrets

    def describe(self, secret_id: str) -> Secret:
        """A secret by its ARN or name."""
        try:
            answer = self._secrets.describe_secret(SecretId=secret_id)
        except Exception as error:
            raise _failed("DescribeSecret", secret_id, error) from None
        return Secret(
            arn=answer["ARN"],
            name=answer["Name"],
            tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
            stages={version: tuple(labels) for version, labels in answer.get("VersionIdsToStages", {}).items()},
        )

    def value(self, arn: str, version: str) -> str | None:
        """The text of a version; None when it has none yet."""
        try:
            return self._secrets.get_secret_value(SecretId=arn, VersionId=version).get("SecretString", "")
        except Exception as error:
            if error_name(error) == "ResourceNotFoundException":
                return None
            raise _failed("GetSecretValue", arn, error) from None

    def new_password(self) -> str:
        """A random password of letters and digits, so that it needs no quoting in a URL or a connection string."""
        try:
            answer = self._secrets.get_random_password(
                PasswordLength=PASSWORD_LENGTH,
                ExcludeCharacters="'\"\\/@ ",
                ExcludeNumbers=False,
                ExcludePunctuation=True,
                ExcludeUppercase=False,
                ExcludeLowercase=False,
                IncludeSpace=False,
                RequireEachIncludedType=True,
            )
        except Exception as error:
            raise _failed("GetRandomPassword", None, error) from None
        return answer["RandomPassword"]

    def put_pending(self, arn: str, version: str, text: str) -> None:
        """Give the pending version its value. A value that it has already stays (`ResourceExistsException`)."""
        try:
            self._secrets.put_secret_value(
                SecretId=arn, ClientRequestToken=version, SecretString=text, VersionStages=[PENDING]
            )
        except Exception as error:
            if error_name(error) != "ResourceExistsException":
                raise _failed("PutSecretValue", arn, error) from None

    def move_current(self, arn: str, *, old: str, new: str) -> None:
        """Make ``new`` the current version; refused when ``old`` is not the current one any more."""
        self._update_stage(arn, VersionStage=CURRENT, RemoveFromVersionId=old, MoveToVersionId=new)

    def add_label(self, arn: str, version: str, label: str) -> None:
        """Put a label, which no version has, on a version."""
        self._update_stage(arn, VersionStage=label, MoveToVersionId=version)

    def remove_label(self, arn: str, version: str, label: str) -> None:
        """Take a label off a version; refused when it is not on it."""
        self._update_stage(arn, VersionStage=label, RemoveFromVersionId=version)

    def _update_stage(self, arn: str, **arguments: Any) -> None:
        try:
            self._secrets.update_secret_version_stage(SecretId=arn, **arguments)
        except Exception as error:
            raise _failed("UpdateSecretVersionStage", arn, error) from None


def _failed(operation: str, secret: str | None, error: Exception) -> RotationError:
    of = f" of secret {secret}" if secret else ""
    return RotationError(f"Secrets Manager did not carry out {operation}{of}: {error_name(error)}.")
