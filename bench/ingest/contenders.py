"""The ingest function as Lambda calls it, and the bare calls of the API that it cannot do without; measures nothing."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import urllib3

from bench.ingest.batches import batch
from bench.ingest.services import TOKEN, Services
from bench.runtime import quietly

OURS, BARE = "ours", "bare"
NAMES = {OURS: "the ingest function", BARE: "bare calls"}
HANDLER = "lambdas.ingest_show_catalog.handler"

Contender = Callable[[Sequence[str]], None]
"""Brings the shows of one batch, an id a message, to where it brings them."""


class IngestFailed(RuntimeError):
    """A contender did not do what is measured; the text says what it left out."""


class Context:
    """What the function reads of Lambda's context object."""

    function_name = "ingest-show-catalog"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:111111111111:function:ingest-show-catalog"
    aws_request_id = "9d1c5b4e-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        """Time enough."""
        return 120_000


@contextmanager
def contenders(services: Services) -> Iterator[dict[str, Contender]]:
    """Both contenders before these services; each keeps its connections from call to call."""
    with patch.dict(os.environ, services.environment()), urllib3.PoolManager(num_pools=1, maxsize=1) as pool:
        sys.modules.pop(HANDLER, None)  # it reads its environment when it is imported
        with quietly():
            handler = importlib.import_module(HANDLER).handler
        try:
            yield {OURS: _ours(handler, services), BARE: _bare(pool, services)}
        finally:
            sys.modules.pop(HANDLER, None)


def _ours(handler: Callable[[dict[str, Any], Context], dict[str, Any]], services: Services) -> Contender:
    def call(show_ids: Sequence[str]) -> None:
        event, before = batch(show_ids), services.aws.entries
        with quietly():
            failed = handler(event, Context())["batchItemFailures"]
        put = services.aws.entries - before
        if failed or put != len(set(show_ids)):
            raise IngestFailed(
                f"of {len(show_ids)} messages {len(failed)} failed, and {put} of {len(set(show_ids))} shows are on "
                "the stream; call the function's handler by itself to see its log"
            )

    return call


def _bare(pool: urllib3.PoolManager, services: Services) -> Contender:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Authorization": f"Bearer {TOKEN}"}

    def call(show_ids: Sequence[str]) -> None:
        for show_id in dict.fromkeys(show_ids):
            answer = pool.request("GET", f"{services.catalog.base_url}/shows/{show_id}", headers=headers, retries=False)
            if answer.status != 200:
                raise IngestFailed(f"the catalog service answered {answer.status} for {show_id}")

    return call
