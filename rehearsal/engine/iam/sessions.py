"""Who holds which access key.

It must not decide who may assume a role; it is told after the decision.
"""

from __future__ import annotations

import secrets
import string

from rehearsal.engine.iam.model import Credentials, Principal, UnknownCredentials

_KEY_CHARACTERS = string.ascii_uppercase + "234567"


class Sessions:
    """The credentials that were given out, and whose they are."""

    def __init__(self, *, account: str) -> None:
        self.administrator = Principal(arn=f"arn:aws:iam::{account}:user/administrator", kind="administrator")
        self._holders: dict[str, tuple[Principal, str]] = {}

    def open(self, principal: Principal) -> Credentials:
        """Makes new credentials for a principal."""
        credentials = Credentials(
            access_key_id="ASIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(16)),
            secret_access_key=secrets.token_urlsafe(30),
            session_token=secrets.token_urlsafe(60),
        )
        self.adopt(credentials, principal)
        return credentials

    def adopt(self, credentials: Credentials, principal: Principal) -> None:
        """Registers credentials that were made elsewhere."""
        self._holders[credentials.access_key_id] = (principal, credentials.session_token)

    def principal_of(self, access_key_id: str, session_token: str | None) -> Principal:
        """The holder of an access key; see `Authorizer.principal_of`."""
        holder = self._holders.get(access_key_id)
        if holder is None or (session_token is not None and session_token != holder[1]):
            raise UnknownCredentials(access_key_id)
        return holder[0]
