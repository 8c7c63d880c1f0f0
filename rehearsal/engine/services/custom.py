"""Custom resources whose function is Python: the function runs as it would, and answers to an address on loopback.

Rules: AWS CloudFormation User Guide, "Custom resource request types" and "response objects".
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from rehearsal.engine.account import Account
from rehearsal.engine.asset_bucket import upload_named
from rehearsal.engine.functions import Functions
from rehearsal.engine.resources import Created, Declaration, ResourceType


class _Answers(HTTPServer):
    answer: dict[str, Any] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Answers

    def do_PUT(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.server.answer = json.loads(self.rfile.read(length))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        del arguments


@contextmanager
def _answers(account: Account) -> Iterator[_Answers]:
    server = _Answers(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    address = ("127.0.0.1", server.server_port)
    account.reachable.add(address)
    try:
        yield server
    finally:
        account.reachable.discard(address)
        server.shutdown()
        thread.join()
        server.server_close()


def _custom_resource(account: Account, declaration: Declaration) -> Created:
    functions = account.service(Functions)
    token = declaration.properties["ServiceToken"]
    definition = functions.find(token)
    if definition.asset is None:
        raise declaration.unsupported(
            f"is answered by a function of runtime {definition.runtime}, which cannot run here",
            "Model what it does in rehearsal/engine/services/cdk.py",
        )
    upload_named(account, dict(declaration.properties))
    with _answers(account) as server:
        event = {
            "RequestType": "Create",
            "ServiceToken": token,
            "ResponseURL": f"http://127.0.0.1:{server.server_port}/answer",
            "StackId": account.arn("cloudformation", f"stack/{declaration.stack}/0"),
            "RequestId": str(uuid.uuid4()),
            "ResourceType": declaration.type,
            "LogicalResourceId": declaration.logical_id,
            "ResourceProperties": _texts(declaration.properties),
        }
        result = functions.invoke(token, json.dumps(event).encode(), source="cloudformation.amazonaws.com")
        answer = server.answer
    if not result.ok:
        raise declaration.fail(f"its function failed: {result.payload.decode('utf-8', 'replace')}")
    if answer is None:
        raise declaration.fail("its function returned without answering to the ResponseURL")
    if answer.get("Status") != "SUCCESS":
        raise declaration.fail(f"its function answered {answer.get('Status')}: {answer.get('Reason', '')}")
    return Created(ref=answer["PhysicalResourceId"], attributes=answer.get("Data") or {})


def _texts(value: Any) -> Any:
    """Numbers and truth values reach a custom resource as text."""
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else value


RESOURCE_TYPES = tuple(
    ResourceType(name=name, create=_custom_resource, honoured=("ServiceToken",), any_property=True)
    for name in ("Custom::*", "AWS::CloudFormation::CustomResource")
)
