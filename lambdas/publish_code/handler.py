"""Entry point of the function that publishes code: a request of CloudFormation in, an answer to its address; no logic.

It must always answer: CloudFormation waits for one until the time-out of the resource.
"""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import boto3
import urllib3
from botocore.config import Config

from lambdas.publish_code.logic import answer, publish
from lambdas.publish_code.settings import Settings
from lambdas.publish_code.store import CodeStore

SETTINGS = Settings.from_environ(os.environ)
LOGGER = logging.getLogger(__name__)
HTTP = urllib3.PoolManager(timeout=10.0, retries=urllib3.Retry(total=4, backoff_factor=1.0, allowed_methods=None))
BAD_REQUEST = 400
CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})


def handler(event: dict[str, Any], context: Any) -> None:
    """Do one request ("Custom resource request types" page) and tell how it went."""
    status, data, reason = "SUCCESS", {}, "published"
    try:
        store = CodeStore(
            s3=boto3.client("s3", config=CONFIG),
            asset_bucket=SETTINGS.asset_bucket,
            code_bucket=SETTINGS.code_bucket,
            patience_seconds=SETTINGS.patience_seconds,
        )
        data = publish(event, store=store)
    except Exception as error:  # whatever it is, the deployment must hear of it now
        LOGGER.exception("The code could not be published.")
        status, reason = "FAILED", f"{type(error).__name__}: {error} (log stream {context.log_stream_name})"
    _tell(event["ResponseURL"], answer(event, status=status, data=data, reason=reason))


def _tell(address: str, said: dict[str, Any]) -> None:
    # No content type: the address is signed without one.
    answer = HTTP.request("PUT", address, body=json.dumps(said).encode(), headers={"Content-Type": ""})
    if answer.status >= BAD_REQUEST:
        raise RuntimeError(f"CloudFormation's address answered {answer.status}")
