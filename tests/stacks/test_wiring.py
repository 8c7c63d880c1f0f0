"""What no judge notices: the settings between two resources without which records are lost or never move."""

from typing import Any

from config import STAGES
from tests.stacks.assembly import Assembly, Resource, as_list, flat


def _queue_mappings(assembly: Assembly) -> list[Resource]:
    """Mappings of queues; that of a table's stream is test_warehouse's."""
    mappings = assembly.resources("AWS::Lambda::EventSourceMapping")
    return [mapping for mapping in mappings if "StartingPosition" not in mapping.properties]


def test_a_batch_of_more_than_ten_messages_has_a_window(assembly: Assembly) -> None:
    mappings = assembly.resources("AWS::Lambda::EventSourceMapping")
    assert mappings
    for mapping in mappings:
        if mapping.properties["BatchSize"] > 10:
            assert mapping.properties.get("MaximumBatchingWindowInSeconds", 0) >= 1, mapping


def test_failed_messages_of_a_batch_come_back_alone(assembly: Assembly) -> None:
    for mapping in assembly.resources("AWS::Lambda::EventSourceMapping"):
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"], mapping


def test_a_message_stays_hidden_for_six_timeouts_of_its_function(assembly: Assembly) -> None:
    for mapping in _queue_mappings(assembly):
        queue = assembly.target(mapping.stack, mapping.properties["EventSourceArn"])
        function = assembly.target(mapping.stack, mapping.properties["FunctionName"])
        assert queue is not None
        assert function is not None
        window = mapping.properties["MaximumBatchingWindowInSeconds"]
        assert queue.properties["VisibilityTimeout"] >= 6 * function.properties["Timeout"] + window


def test_every_queue_that_is_consumed_has_a_dead_letter_queue_that_keeps_messages_longer(assembly: Assembly) -> None:
    for mapping in _queue_mappings(assembly):
        queue = assembly.target(mapping.stack, mapping.properties["EventSourceArn"])
        assert queue is not None
        dead_letters = assembly.target(queue.stack, queue.properties["RedrivePolicy"]["deadLetterTargetArn"])
        assert dead_letters is not None
        assert dead_letters.properties["MessageRetentionPeriod"] > queue.properties["MessageRetentionPeriod"]


def test_sns_may_send_to_the_queues_it_delivers_to_and_use_their_key(assembly: Assembly) -> None:
    subscriptions = [
        each for each in assembly.resources("AWS::SNS::Subscription") if each.properties["Protocol"] == "sqs"
    ]
    assert subscriptions
    for subscription in subscriptions:
        topic = subscription.properties["TopicArn"]
        for arn in (
            subscription.properties["Endpoint"],
            subscription.properties["RedrivePolicy"]["deadLetterTargetArn"],
        ):
            queue = assembly.target(subscription.stack, arn)
            assert queue is not None
            key = assembly.target(queue.stack, queue.properties["KmsMasterKeyId"])
            assert key is not None
            of_queue = [
                s
                for holder, s in assembly.statements()
                if holder.type == "AWS::SQS::QueuePolicy" and s["Resource"] == arn
            ]
            of_key = [s for holder, s in assembly.statements() if (holder.stack, holder.id) == (key.stack, key.id)]
            assert _lets_in(of_queue, service="sns.amazonaws.com", actions={"sqs:SendMessage"}, source=topic), queue
            assert _lets_in(
                of_key, service="sns.amazonaws.com", actions={"kms:Decrypt", "kms:GenerateDataKey"}, source=topic
            ), key


def _lets_in(statements: list[dict[str, Any]], *, service: str, actions: set[str], source: Any) -> bool:
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": service}
        and actions <= set(as_list(statement["Action"]))
        and statement["Condition"] == {"ArnEquals": {"aws:SourceArn": source}}
        for statement in statements
    )


def test_the_subscription_waits_for_the_queue_policy(assembly: Assembly) -> None:
    for subscription in assembly.resources("AWS::SNS::Subscription"):
        policies = subscription.body.get("DependsOn", [])
        assert any(
            assembly.templates[subscription.stack]["Resources"][id]["Type"] == "AWS::SQS::QueuePolicy"
            for id in policies
        ), subscription


def test_messages_arrive_in_their_sns_envelope(assembly: Assembly) -> None:
    for subscription in assembly.resources("AWS::SNS::Subscription"):
        assert subscription.properties.get("RawMessageDelivery", False) is False


def test_firehose_may_assume_the_role_of_each_of_its_steps(assembly: Assembly) -> None:
    firehose = assembly.one("AWS::KinesisFirehose::DeliveryStream")
    destination = firehose.properties["ExtendedS3DestinationConfiguration"]
    lambda_step = _parameters(destination, "Lambda")
    arns = (
        firehose.properties["KinesisStreamSourceConfiguration"]["RoleARN"],
        destination["RoleARN"],
        lambda_step["RoleArn"],
    )
    for arn in arns:
        role = assembly.target(firehose.stack, arn)
        assert role is not None
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "firehose.amazonaws.com"}
        assert trust["Action"] == "sts:AssumeRole"


def _parameters(destination: dict[str, Any], step: str) -> dict[str, Any]:
    (processor,) = (each for each in destination["ProcessingConfiguration"]["Processors"] if each["Type"] == step)
    return {each["ParameterName"]: each["ParameterValue"] for each in processor["Parameters"]}


def test_firehose_lands_by_zone_type_and_arrival_and_its_failures_apart(assembly: Assembly) -> None:
    destination = assembly.one("AWS::KinesisFirehose::DeliveryStream").properties["ExtendedS3DestinationConfiguration"]
    assert destination["Prefix"] == (
        "!{partitionKeyFromLambda:zone}/type=!{partitionKeyFromLambda:type}/arrival=!{partitionKeyFromLambda:arrival}/"
    )
    assert destination["ErrorOutputPrefix"] == (
        "firehose-errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd-HH}/"
    )
    assert destination["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert destination["CompressionFormat"] == "GZIP"
    assert destination["FileExtension"] == ".json.gz"


def test_firehose_splits_records_into_lines_before_the_function_sees_them(assembly: Assembly) -> None:
    destination = assembly.one("AWS::KinesisFirehose::DeliveryStream").properties["ExtendedS3DestinationConfiguration"]
    steps = [each["Type"] for each in destination["ProcessingConfiguration"]["Processors"]]
    assert steps == ["RecordDeAggregation", "Lambda"]
    assert _parameters(destination, "RecordDeAggregation") == {"SubRecordType": "DELIMITED", "Delimiter": "Cg=="}


def test_firehose_hands_the_function_no_more_than_its_answer_may_hold(assembly: Assembly) -> None:
    destination = assembly.one("AWS::KinesisFirehose::DeliveryStream").properties["ExtendedS3DestinationConfiguration"]
    parameters = _parameters(destination, "Lambda")
    assert 0.2 <= float(parameters["BufferSizeInMBs"]) <= 3
    function = assembly.target("EventStream", parameters["LambdaArn"])
    assert function is not None
    assert function.properties["Timeout"] <= 300


def test_firehose_delivers_every_minute(assembly: Assembly) -> None:
    destination = assembly.one("AWS::KinesisFirehose::DeliveryStream").properties["ExtendedS3DestinationConfiguration"]
    assert destination["BufferingHints"]["IntervalInSeconds"] == 60


def test_whoever_puts_on_the_stream_may_put_and_use_its_key(assembly: Assembly) -> None:
    stream = assembly.one("AWS::Kinesis::Stream")
    key = assembly.target(stream.stack, stream.properties["StreamEncryption"]["KeyId"])
    putters = set()
    for holder, statement in assembly.statements():
        actions = as_list(statement["Action"])
        if "kinesis:PutRecords" not in actions:
            continue
        assert _targets(assembly, holder.stack, statement) == [stream], holder
        assert any(
            "kms:GenerateDataKey" in as_list(other["Action"]) and _targets(assembly, holder.stack, other) == [key]
            for inner, other in assembly.statements()
            if (inner.stack, inner.id) == (holder.stack, holder.id)
        ), holder
        putters.add(f"{holder.stack}/{holder.type}")
    assert putters == {
        "EventStream/AWS::IAM::Role",
        "EventStream/AWS::IAM::ManagedPolicy",
        "ShowCatalog/AWS::IAM::Role",
    }


def _targets(assembly: Assembly, stack: str, statement: dict[str, Any]) -> list[Any]:
    return [assembly.target(stack, arn) for arn in as_list(statement["Resource"])]


def test_the_producer_policy_puts_and_nothing_else(assembly: Assembly) -> None:
    (policy,) = (each for each in assembly.resources("AWS::IAM::ManagedPolicy") if each.id.startswith("ProducerPolicy"))
    actions = {a for s in policy.properties["PolicyDocument"]["Statement"] for a in as_list(s["Action"])}
    assert actions == {"kinesis:PutRecord", "kinesis:PutRecords", "kms:GenerateDataKey"}


def test_the_reader_policy_reads_and_nothing_else(assembly: Assembly) -> None:
    (policy,) = (each for each in assembly.resources("AWS::IAM::ManagedPolicy") if each.id.startswith("ReaderPolicy"))
    actions = {a for s in policy.properties["PolicyDocument"]["Statement"] for a in as_list(s["Action"])}
    assert {"kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards", "kms:Decrypt"} <= actions
    assert not any("Put" in action or "Delete" in action or "*" in action for action in actions)


def test_the_raw_bucket_tells_of_batch_files_only_after_it_may(assembly: Assembly) -> None:
    (raw,) = (each for each in assembly.resources("AWS::S3::Bucket") if each.id.startswith("Raw"))
    notifications = raw.properties["NotificationConfiguration"]
    assert notifications["EventBridgeConfiguration"] == {"EventBridgeEnabled": True}
    topics = notifications["TopicConfigurations"]
    assert [each["Event"] for each in topics] == ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    for each in topics:
        assert each["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "batch/"}]
        topic = assembly.target(raw.stack, each["Topic"])
        assert topic is not None
    bucket_arn = f"arn:<AWS::Partition>:s3:::{flat(raw.properties['BucketName'])}"
    let_in = [
        (holder.type, holder.id)
        for holder, statement in assembly.statements()
        if statement.get("Principal") == {"Service": "s3.amazonaws.com"}
        and flat(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == bucket_arn
    ]
    assert sorted(type for type, _ in let_in) == ["AWS::KMS::Key", "AWS::SNS::TopicPolicy"]
    (policy,) = (id for type, id in let_in if type == "AWS::SNS::TopicPolicy")
    assert policy in raw.body["DependsOn"]


def test_every_alarm_tells_the_alarm_topic_what_it_means_and_what_to_open(assembly: Assembly) -> None:
    alarms = assembly.resources("AWS::CloudWatch::Alarm")
    assert alarms
    for alarm in alarms:
        (action,) = alarm.properties["AlarmActions"]
        topic = assembly.target(alarm.stack, action)
        assert topic is not None, alarm
        assert (topic.type, topic.stack) == ("AWS::SNS::Topic", "DataLake"), alarm
        assert topic.id.startswith("Alarms"), alarm
        meaning, _, runbook = alarm.properties["AlarmDescription"].partition(" Runbook: ")
        assert meaning.endswith("."), alarm
        assert runbook.startswith("docs/runbooks/"), alarm


def test_alarms_watch_everything_that_can_hold_records_up(assembly: Assembly) -> None:
    watched = set()
    for alarm in assembly.resources("AWS::CloudWatch::Alarm"):
        metrics = [each["MetricStat"]["Metric"] for each in alarm.properties.get("Metrics", []) if "MetricStat" in each]
        names = [each["MetricName"] for each in metrics] or [alarm.properties["MetricName"]]
        watched |= set(names)
    assert watched >= {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        "Errors",
        "Throttles",
        "GetRecords.IteratorAgeMilliseconds",
        "DeliveryToS3.DataFreshness",
        "DeliveryToS3.Success",
        "ExecuteProcessing.Success",
        "Quarantined",
        "Dropped",
        "Failed",
    }


def test_every_dead_letter_queue_and_every_function_is_watched(assembly: Assembly) -> None:
    watched = [
        assembly.target(alarm.stack, dimension["Value"])
        for alarm in assembly.resources("AWS::CloudWatch::Alarm")
        for dimension in alarm.properties.get("Dimensions", [])
    ]
    dead_letters = [
        assembly.target(queue.stack, queue.properties["RedrivePolicy"]["deadLetterTargetArn"])
        for queue in assembly.resources("AWS::SQS::Queue")
        if "RedrivePolicy" in queue.properties
    ]
    functions = assembly.functions()
    assert dead_letters
    assert functions
    for resource in (*dead_letters, *functions):
        assert resource in watched, resource


def test_the_catalog_url_can_be_set_without_another_template_and_only_to_a_safe_one(assembly: Assembly) -> None:
    import re

    parameter = assembly.templates["ShowCatalog"]["Parameters"]["CatalogApiBaseUrl"]
    assert parameter["Default"] in {stage.show_catalog.api_base_url for stage in STAGES.values()}
    pattern = re.compile(parameter["AllowedPattern"])
    assert pattern.search("https://catalog.amp.example")
    assert pattern.search("https://catalog.amp.example/api/v2")
    assert pattern.search("http://127.0.0.1:40123")
    assert not pattern.search("http://catalog.amp.example")
    assert not pattern.search("http://127.0.0.1.evil.example")
    assert not pattern.search("https://catalog.amp.example/")


def test_functions_write_json_logs_to_their_own_group_for_a_limited_time(assembly: Assembly) -> None:
    for function in assembly.resources("AWS::Lambda::Function"):
        logging = function.properties["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        group = assembly.target(function.stack, logging["LogGroup"])
        assert group is not None
        assert group.properties["RetentionInDays"] <= 400
