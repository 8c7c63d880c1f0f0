"""What the flattening function is measured beside: as people write it, with the libraries they use; judges nothing.

Each takes a transformation request and gives the response. None checks a contract, keeps apart what it does not know,
isolates a record that fails, watches the response's size, or says to which partition a record goes.
"""

from __future__ import annotations

import importlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import orjson
import pybase64

Transform = Callable[[dict[str, Any]], dict[str, Any]]

OURS, FLOOR = "ours", "floor"
FLATTENING = ("json_tools_rs", "recursion", "powertools", "flatten_json")
ALL = (OURS, FLOOR, *FLATTENING)
USUAL = ("recursion", "powertools", "flatten_json")
"""How people write it today."""
NAMES = {
    OURS: "the platform's function",
    FLOOR: "`pybase64` + `orjson`, no flattening (the floor)",
    "json_tools_rs": "`json-tools-rs`, the fastest general library found",
    "recursion": "`json` and plain recursion",
    "powertools": "Powertools data classes, `json`, recursion",
    "flatten_json": "`json` and `flatten_json`",
}


def contender(name: str) -> Transform:
    """A contender by its name, its packages imported.

    Raises:
        ImportError: a package of the bench is not installed.
    """
    made: Transform = globals()[f"_{name}"]()
    return made


def _ours() -> Transform:
    os.environ.setdefault("METRICS_NAMESPACE", "Amp/bench")
    os.environ.setdefault("SERVICE", "flatten-events")
    handler = importlib.import_module("lambdas.flatten_events.handler").handler
    return lambda request: handler(request, None)


def _floor() -> Transform:
    def transform(request: dict[str, Any]) -> dict[str, Any]:
        records = []
        for record in request["records"]:
            body = orjson.loads(pybase64.b64decode(record["data"], validate=True))
            data = pybase64.b64encode_as_string(orjson.dumps(body) + b"\n")
            records.append({"recordId": record["recordId"], "result": "Ok", "data": data})
        return {"records": records}

    return transform


def _json_tools_rs() -> Transform:
    flatten = importlib.import_module("json_tools_rs").JSONTools().flatten().separator("_").execute

    def transform(request: dict[str, Any]) -> dict[str, Any]:
        records = []
        for record in request["records"]:
            line = flatten(pybase64.b64decode(record["data"], validate=True).decode())
            data = pybase64.b64encode_as_string(f"{line}\n".encode())
            records.append({"recordId": record["recordId"], "result": "Ok", "data": data})
        return {"records": records}

    return transform


def _recursion() -> Transform:
    return _with_json(_flattened)


def _flatten_json() -> Transform:
    flatten = importlib.import_module("flatten_json").flatten
    return _with_json(lambda body: flatten(body, "_"))


def _with_json(flatten: Callable[[Any], Any]) -> Transform:
    def transform(request: dict[str, Any]) -> dict[str, Any]:
        records = []
        for record in request["records"]:
            row = flatten(json.loads(b64decode(record["data"])))
            data = b64encode((json.dumps(row) + "\n").encode()).decode()
            records.append({"recordId": record["recordId"], "result": "Ok", "data": data})
        return {"records": records}

    return transform


def _powertools() -> Transform:
    classes = importlib.import_module("aws_lambda_powertools.utilities.data_classes.kinesis_firehose_event")

    def transform(request: dict[str, Any]) -> dict[str, Any]:
        response = classes.KinesisFirehoseDataTransformationResponse()
        for record in classes.KinesisFirehoseEvent(request).records:
            answer = classes.KinesisFirehoseDataTransformationRecord(record_id=record.record_id, result="Ok", data="")
            answer.data = b64encode((json.dumps(_flattened(record.data_as_json)) + "\n").encode()).decode()
            response.add_record(answer)
        return response.asdict()  # type: ignore[no-any-return]

    return transform


def _flattened(body: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}

    def walk(node: dict[str, Any], prefix: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}_")
            else:
                row[f"{prefix}{key}"] = value

    walk(body, "")
    return row
