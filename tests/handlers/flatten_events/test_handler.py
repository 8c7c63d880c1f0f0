"""The flattening function's entry point: environment in, answer and metric line out."""

from __future__ import annotations

import importlib
import json
from base64 import b64encode
from typing import Any

import pytest

pytest.importorskip("orjson", reason="the flattening function's own package")

from lambdas.flatten_events.reingestion import RESERVED_SECONDS


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("METRICS_NAMESPACE", "Amp/test")
    monkeypatch.setenv("SERVICE", "flatten-events")
    module = importlib.import_module("lambdas.flatten_events.handler")
    return importlib.reload(module)


def _request(*lines: bytes) -> dict[str, Any]:
    return {
        "invocationId": "invocation-1",
        "deliveryStreamArn": "arn:aws:firehose:eu-west-1:111111111111:deliverystream/events",
        "sourceKinesisStreamArn": "arn:aws:kinesis:eu-west-1:111111111111:stream/events",
        "region": "eu-west-1",
        "records": [
            {
                "recordId": f"record-{number}",
                "approximateArrivalTimestamp": 1_794_998_401_000,
                "data": b64encode(line).decode(),
            }
            for number, line in enumerate(lines)
        ],
    }


def test_a_request_is_answered_in_the_shape_that_firehose_reads(module: Any) -> None:
    answer = module.handler(_request(b'{"event_type":"teleport"}', b"{"), None)
    json.dumps(answer)
    assert [record["result"] for record in answer["records"]] == ["Ok", "Ok"]


def test_every_request_emits_its_counts_in_the_embedded_metric_format(
    module: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    module.handler(_request(b'{"event_type":"teleport"}', b"{"), None)
    line = json.loads(capsys.readouterr().out)
    definition = line["_aws"]["CloudWatchMetrics"][0]
    assert definition["Namespace"] == "Amp/test"
    assert definition["Dimensions"] == [["service"]]
    assert {metric["Name"]: line[metric["Name"]] for metric in definition["Metrics"]} == {
        "Events": 2,
        "Quarantined": 1,
        "UnknownType": 1,
        "DerivedEventIds": 2,
    }
    assert line["reasons"] == {"not_json": 1}


def test_a_missing_variable_names_itself(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METRICS_NAMESPACE")
    with pytest.raises(ValueError, match="METRICS_NAMESPACE"):
        importlib.reload(module)


def test_the_client_of_the_stream_gives_up_long_before_the_invocation_does(
    module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config = module._kinesis().meta.config
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) < RESERVED_SECONDS
