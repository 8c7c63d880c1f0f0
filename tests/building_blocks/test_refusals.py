"""Building blocks refuse what CDK and CloudFormation would let through to fail at run time."""

from typing import Any

import pytest
from aws_cdk import App, Stack, aws_kinesis, aws_kms, aws_lambda, aws_s3, aws_sns
from aws_cdk.assertions import Template

from building_blocks.delivery_stream import DeliveryStream
from building_blocks.item_table import ItemTable
from building_blocks.query_queues import wlm_configuration
from building_blocks.queue_with_dead_letters import QueueWithDeadLetters
from config.warehouse import QueryQueue


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def _queue(stack: Stack, **given: Any) -> QueueWithDeadLetters:
    settings: dict[str, Any] = {
        "key": aws_kms.Key(stack, "Key"),
        "alarm_topic": aws_sns.Topic(stack, "Alarms"),
        "consumer_timeout_seconds": 60,
        "batch_window_seconds": 2,
        "max_receives": 5,
        "keep": True,
        "oldest_message_seconds": 900,
    }
    return QueueWithDeadLetters(stack, "Queue", **{**settings, **given})


def _function(stack: Stack) -> aws_lambda.IFunction:
    return aws_lambda.Function.from_function_arn(
        stack, "Consumer", "arn:aws:lambda:eu-west-1:123456789012:function:consumer"
    )


def test_a_batch_over_ten_without_a_window_is_refused(stack: Stack) -> None:
    queue = _queue(stack, batch_window_seconds=0)
    with pytest.raises(ValueError, match=r"batching window; given: batch_size=11, batch_window_seconds=0.*fix:"):
        queue.feed(function=_function(stack), batch_size=11, max_concurrency=2)


def test_a_batch_of_ten_needs_no_window(stack: Stack) -> None:
    _queue(stack, batch_window_seconds=0).feed(function=_function(stack), batch_size=10, max_concurrency=2)
    Template.from_stack(stack).has_resource_properties("AWS::Lambda::EventSourceMapping", {"BatchSize": 10})


def test_messages_hide_for_six_timeouts_and_the_window(stack: Stack) -> None:
    _queue(stack, consumer_timeout_seconds=60, batch_window_seconds=5)
    Template.from_stack(stack).has_resource_properties("AWS::SQS::Queue", {"VisibilityTimeout": 365})


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("buffer_seconds", 59),
        ("buffer_mebibytes", 63),
        ("transform_buffer_megabytes", 3.5),
        ("transform_buffer_seconds", 901),
    ],
)
def test_a_buffer_outside_firehose_s_limits_is_refused_by_name(setting: str, value: float, stack: Stack) -> None:
    key = aws_kms.Key(stack, "Key")
    settings: dict[str, Any] = {
        "source": aws_kinesis.Stream(stack, "Source"),
        "destination": aws_s3.Bucket(stack, "Bucket", encryption_key=key),
        "transform": _function(stack),
        "buffer_seconds": 60,
        "buffer_mebibytes": 64,
        "transform_buffer_seconds": 10,
        "transform_buffer_megabytes": 1.0,
        "log_group_name": "/test",
        "log_retention_days": 7,
        "log_key": key,
        "freshness_seconds": 600,
        "alarm_topic": aws_sns.Topic(stack, "Alarms"),
    }
    with pytest.raises(ValueError, match=f"{setting} is out of Firehose's range; given: {value}; allowed: .*; fix:"):
        DeliveryStream(stack, "Delivery", **{**settings, setting: value})


def test_queues_that_redshift_would_not_take_are_refused() -> None:
    roles = tuple(f"role_{number:050}" for number in range(200))
    with pytest.raises(ValueError, match=r"too long a text; given: \d+ characters; allowed: 8000; fix:"):
        wlm_configuration([QueryQueue(name="many", roles=roles)], everybody=QueryQueue(name="everybody"))


def test_a_table_without_a_stream_cannot_be_followed(stack: Stack) -> None:
    key = aws_kms.Key(stack, "Key")
    table = ItemTable(stack, "Items", partition_key="a", sort_key="b", key=key, keep=True)
    with pytest.raises(RuntimeError, match="has no stream; fix: make it with tells_keys"):
        table.following()
