"""Ask the catalog service for a show over HTTP, within a time limit; it does not read what the service answers."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import urllib3

from lambdas.ingest_show_catalog.outcomes import METRIC_API_CALLS, METRIC_API_UNAUTHORIZED, Refusal
from lambdas.shared.failures import CanNeverSucceedError, MayYetSucceedError, error_name

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Longest answer that is read: four times a record, as configuration may filter much of it out."""

TOKEN_RENEWAL_SECONDS = 30
"""A token that was read again this recently is not read again for a refusal."""

_NOT_FOUND = frozenset({404, 410})
_REFUSED = frozenset({400, 414, 422, 451})
_UNAUTHORIZED = frozenset({401, 403})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_TOKEN = re.compile(r"[\x21-\x7e]+")


class SecretToken:
    """The bearer token in a Secrets Manager secret: the plain string, or the field `token` of a JSON object."""

    def __init__(self, *, secrets: SecretsManagerClient, secret_arn: str) -> None:
        """Nothing is read before the token is needed."""
        self._secrets = secrets
        self._secret_arn = secret_arn
        self._token = ""
        self._renewed_at = 0.0

    def value(self) -> str:
        """The token, from memory after the first call.

        Raises:
            MayYetSucceedError: the secret cannot be read or holds no token.
        """
        if not self._token:
            self._token = self._read()
        return self._token

    def renew(self) -> bool:
        """Read the secret again, unless that has just been done; tells whether the token is another one now."""
        if time.time() - self._renewed_at < TOKEN_RENEWAL_SECONDS:
            return False
        self._renewed_at = time.time()
        before, self._token = self._token, self._read()
        return self._token != before

    def _read(self) -> str:
        try:
            text = self._secrets.get_secret_value(SecretId=self._secret_arn).get("SecretString", "")
        except Exception as error:
            sentence = f"The secret of the catalog service's token cannot be read: {error_name(error)}."
            raise MayYetSucceedError(sentence) from None
        token = _token_in(text)
        # A control character would make the HTTP client quote the whole header in its error.
        if not _TOKEN.fullmatch(token):
            raise MayYetSucceedError(
                "The secret of the catalog service's token holds no token; allowed is the token itself, or a JSON "
                "object whose field 'token' is it, of printable ASCII characters without blanks; set it."
            )
        return token


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes | None
    """None when it was too long to be read."""
    retry_after: str


class CatalogApi:
    """The catalog service, `GET <base URL>/shows/<show id>`; connections are kept between shows and invocations."""

    def __init__(
        self,
        *,
        base_url: str,
        token: SecretToken,
        timeout_seconds: float,
        max_attempts: int,
        backoff_seconds: float,
    ) -> None:
        """Remember where and how to ask.

        Args:
            base_url: without the path `/shows`.
            token: sent as bearer token.
            timeout_seconds: limit of connecting and of each wait for bytes, in one attempt.
            max_attempts: attempts for one show, the first included.
            backoff_seconds: longest wait before the second attempt; it doubles with each further one, and the wait is
                drawn from zero to it (full jitter). `Retry-After` takes its place.
        """
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout_seconds = timeout_seconds
        self._max_attempts = max_attempts
        self._backoff_seconds = backoff_seconds
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1)

    def show(self, show_id: str, *, within_seconds: float, counts: Counter[str]) -> bytes:
        """Body of the service's answer (200) for one show.

        Args:
            show_id: any text but a dot segment.
            within_seconds: time that all attempts and waits for this show may take.
            counts: metric name to count; calls and refused tokens are added.

        Raises:
            CanNeverSucceedError: the service has no such show, or refuses or overloads the request for good.
            MayYetSucceedError: no usable answer within the attempts and the time.
        """
        deadline = time.time() + within_seconds
        why = "there was no time left to ask"
        for attempt in range(self._max_attempts):
            if time.time() >= deadline:
                break
            wait = random.uniform(0, self._backoff_seconds * 2**attempt)  # noqa: S311 - jitter, no secret
            try:
                answer = self._authorized_call(show_id, deadline, counts)
            except urllib3.exceptions.HTTPError as error:
                why = f"it gave no answer: {error_name(error)}"
            else:
                if answer.status == 200:
                    return _body(answer)
                _raise_for_good(answer.status)
                why = f"it answered {answer.status}"
                asked_for = _retry_after_seconds(answer.retry_after)
                wait = wait if asked_for is None else asked_for
            if attempt + 1 == self._max_attempts:
                break
            if wait > deadline - time.time():
                why += ", and there was no time left to ask again"
                break
            time.sleep(wait)
        raise MayYetSucceedError(f"The catalog service could not be asked: {why}.")

    def _authorized_call(self, show_id: str, deadline: float, counts: Counter[str]) -> _Answer:
        try:
            answer = self._call(show_id, deadline, counts)
            if answer.status in _UNAUTHORIZED and self._token.renew():
                answer = self._call(show_id, deadline, counts)
        except MayYetSucceedError:
            counts[METRIC_API_UNAUTHORIZED] += 1
            raise
        if answer.status in _UNAUTHORIZED:
            counts[METRIC_API_UNAUTHORIZED] += 1
            raise MayYetSucceedError(
                f"The catalog service refused the token ({answer.status}); it was read again. Set the secret's value."
            )
        return answer

    def _call(self, show_id: str, deadline: float, counts: Counter[str]) -> _Answer:
        token = self._token.value()
        counts[METRIC_API_CALLS] += 1
        limit = max(0.001, min(self._timeout_seconds, deadline - time.time()))
        response = self._pool.request(
            "GET",
            f"{self._base_url}/shows/{quote(show_id, safe='')}",
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Authorization": f"Bearer {token}",
            },
            timeout=urllib3.Timeout(connect=limit, read=limit),
            retries=False,
            redirect=False,  # the token is for this host alone
            preload_content=False,
        )
        try:
            body = _read(response, deadline)
        except BaseException:
            response.close()
            raise
        if body is None:
            response.close()
        response.release_conn()
        return _Answer(response.status, body, response.headers.get("Retry-After", ""))


def _read(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    # read1 returns with what is there, so that a service that sends drop by drop meets the deadline too.
    while chunk := response.read1(65_536):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            return None
        if time.time() > deadline:
            raise urllib3.exceptions.TimeoutError("the answer was not complete in time")
        parts.append(chunk)
    return b"".join(parts)


def _body(answer: _Answer) -> bytes:
    if answer.body is None:
        raise CanNeverSucceedError(
            code=Refusal.TOO_LARGE,
            sentence=f"The catalog service's answer is longer than {MAX_ANSWER_BYTES} bytes.",
        )
    return answer.body


def _raise_for_good(status: int) -> None:
    if status in _NOT_FOUND:
        raise CanNeverSucceedError(
            code=Refusal.SHOW_NOT_FOUND, sentence=f"The catalog service does not have the show ({status})."
        )
    if status in _REFUSED:
        raise CanNeverSucceedError(
            code=Refusal.SHOW_REFUSED, sentence=f"The catalog service will not answer for this show ({status})."
        )
    if status not in _PASSING:
        # Asking again at once gives the same; whoever set the URL or runs the service has to mend it.
        raise MayYetSucceedError(f"The catalog service answered {status}, which it should not; check its base URL.")


def _retry_after_seconds(header: str) -> float | None:
    """Seconds to wait by a `Retry-After` header: a number or an HTTP date (RFC 9110); None when it says neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _token_in(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        token = json.loads(text)["token"]
    except (ValueError, KeyError):
        return ""
    return token.strip() if isinstance(token, str) else ""
