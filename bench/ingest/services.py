"""The services that the ingest function talks to, on loopback: the catalog's API, and AWS that answers at once.

It measures nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rehearsal.scenario.catalog_service import CatalogService

TOKEN = "token-of-the-bench"  # noqa: S105 - opens nothing


class Aws:
    """Secrets Manager and Kinesis as far as the function needs them: one secret, one stream that takes everything.

    Anything else is answered 400, so that a batch that would dead-letter a message fails instead.
    """

    def __init__(self) -> None:
        """Take a free port of the loopback interface; serve inside `with`."""
        self.entries = 0
        """Records that were put on the stream so far."""
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Aws:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body for one operation, named as in the header `X-Amz-Target`."""
        match operation.rpartition(".")[2]:
            case "GetSecretValue":
                return 200, {"Name": "token", "SecretString": TOKEN}
            case "PutRecords":
                records = request["Records"]
                self.entries += len(records)
                taken = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
                return 200, {"FailedRecordCount": 0, "Records": [taken] * len(records)}
        return 400, {"__type": "InvalidAction", "message": f"the bench has no {operation}"}


class Services:
    """The catalog's API and AWS, in threads of this process."""

    def __init__(self, shows: Iterable[Mapping[str, Any]]) -> None:
        """Prepare services that know these shows; they serve inside `with`."""
        self.catalog = CatalogService(token=TOKEN, shows=shows)
        self.aws = Aws()

    def __enter__(self) -> Services:
        self.catalog.start()
        self.aws.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.aws.__exit__()
        self.catalog.stop()

    def environment(self) -> dict[str, str]:
        """Variables of a function that finds these services; what has a default in its settings keeps it."""
        return {
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "NO_PROXY": "127.0.0.1",
            "STREAM_NAME": "events",
            "CATALOG_BASE_URL": self.catalog.base_url,
            "CATALOG_TOKEN_SECRET_ARN": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:token",
            "DEAD_LETTER_QUEUE_URL": f"{self.aws.url}/111111111111/dead-letters",
            "POWERTOOLS_SERVICE_NAME": "ingest-show-catalog",
            "POWERTOOLS_METRICS_NAMESPACE": "Amp/bench",
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # clients keep their connections


def _handler_of(aws: Aws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in one packet: two would wait for the client's delayed acknowledgement.
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = aws.answer(self.headers.get("X-Amz-Target", ""), request)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
