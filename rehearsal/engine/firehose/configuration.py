"""A delivery stream as its template declares it, with the limits of the service; moves no record."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.firehose.prefix import Prefix
from rehearsal.engine.resources import Declaration

MB = 1024 * 1024
# Amazon Data Firehose Developer Guide, "Amazon Data Firehose quota" and "Transform source data".
ACTIVE_PARTITIONS = 500
RECORDS_PER_AGGREGATE = 500
TRANSFORM_BUFFER_MB = (0.2, 3.0)


@dataclass(frozen=True, kw_only=True)
class Transform:
    """The Lambda processor. ``buffer_bytes`` and ``buffer_s`` are the hints; ``retries`` follow the first try."""

    function_arn: str
    buffer_bytes: int
    buffer_s: float
    retries: int
    role_arn: str


@dataclass(frozen=True, kw_only=True)
class DeliveryStream:
    """One delivery stream from a Kinesis stream to S3. Sizes in bytes, intervals in seconds."""

    name: str
    arn: str
    source_arn: str
    source_role_arn: str
    role_arn: str
    bucket: str
    prefix: Prefix
    error_prefix: Prefix
    extension: str
    compressed: bool
    buffer_bytes: int
    buffer_s: float
    partitioned: bool
    delimiter: bytes | None
    deaggregation: str
    append: bytes
    transform: Transform | None
    log_group: str
    log_stream: str


def read(declaration: Declaration, *, name: str, arn: str) -> DeliveryStream:
    """Read the properties of ``AWS::KinesisFirehose::DeliveryStream``.

    Raises:
        DeploymentFailed: the service would refuse them.
        Unsupported: the engine does not play them.
    """
    properties = declaration.properties
    if properties.get("DeliveryStreamType") != "KinesisStreamAsSource":
        raise _unplayed(declaration, f"DeliveryStreamType {properties.get('DeliveryStreamType')!r}")
    source = properties["KinesisStreamSourceConfiguration"]
    target = properties["ExtendedS3DestinationConfiguration"]
    compression = target.get("CompressionFormat", "UNCOMPRESSED")
    if compression not in ("GZIP", "UNCOMPRESSED"):
        raise _unplayed(declaration, f"CompressionFormat {compression!r}")
    partitioned = bool(target.get("DynamicPartitioningConfiguration", {}).get("Enabled", False))
    hints = target.get("BufferingHints", {})
    buffer_s = float(hints.get("IntervalInSeconds", 300))
    buffer_mb = int(hints.get("SizeInMBs", 5))
    if partitioned and (buffer_mb < 64 or buffer_s < 60):
        raise declaration.fail(
            f"BufferingHints given {buffer_mb} MB and {buffer_s:g} s; with dynamic partitioning allowed is at least "
            "64 MB and 60 s"
        )
    if partitioned and not target.get("ErrorOutputPrefix"):
        raise declaration.fail("ErrorOutputPrefix is missing; dynamic partitioning needs one")
    zone = target.get("CustomTimeZone", "UTC")
    prefix = Prefix(target.get("Prefix", ""), time_zone=zone)
    error_prefix = Prefix(target.get("ErrorOutputPrefix", ""), time_zone=zone)
    for label, one in (("Prefix", prefix), ("ErrorOutputPrefix", error_prefix)):
        if one.problem:
            raise declaration.fail(f"{label}: {one.problem}")
    if prefix.keys and not partitioned:
        raise declaration.fail("Prefix uses partitionKeyFromLambda, which needs DynamicPartitioningConfiguration")
    if prefix.has_expression and not target.get("ErrorOutputPrefix"):
        raise declaration.fail("Prefix holds an expression, so ErrorOutputPrefix must be given")
    if error_prefix.has_expression and not error_prefix.has_error_type:
        raise declaration.fail("ErrorOutputPrefix holds an expression, so it must hold !{firehose:error-output-type}")
    logging = target.get("CloudWatchLoggingOptions", {})
    logged = bool(logging.get("Enabled", False))
    processing = _processors(declaration, target, partitioned)
    return DeliveryStream(
        name=name,
        arn=arn,
        source_arn=source["KinesisStreamARN"],
        source_role_arn=source["RoleARN"],
        role_arn=target["RoleARN"],
        bucket=target["BucketARN"].split(":::")[1],
        prefix=prefix,
        error_prefix=error_prefix,
        extension=target.get("FileExtension", ".gz" if compression == "GZIP" else ""),
        compressed=compression == "GZIP",
        buffer_bytes=buffer_mb * MB,
        buffer_s=buffer_s,
        partitioned=partitioned,
        deaggregation=processing.get("deaggregation", ""),
        delimiter=processing.get("delimiter"),
        append=processing.get("append", b""),
        transform=processing.get("transform"),
        log_group=logging["LogGroupName"] if logged else "",
        log_stream=logging["LogStreamName"] if logged else "",
    )


def _unplayed(declaration: Declaration, what: str) -> Exception:
    return declaration.unsupported(f"{what} is not played", "Play it in rehearsal/engine/firehose/")


def _processors(declaration: Declaration, target: Mapping[str, Any], partitioned: bool) -> dict[str, Any]:
    configuration = target.get("ProcessingConfiguration", {})
    found: dict[str, Any] = {}
    if not configuration.get("Enabled", False):
        return found
    for processor in configuration.get("Processors", []):
        given = {one["ParameterName"]: one["ParameterValue"] for one in processor.get("Parameters", [])}
        kind = processor["Type"]
        if kind == "Lambda":
            found["transform"] = _transform(declaration, given, target["RoleARN"])
        elif kind == "RecordDeAggregation":
            if not partitioned:
                raise declaration.fail("RecordDeAggregation needs DynamicPartitioningConfiguration to be enabled")
            _take(declaration, given, {"SubRecordType", "Delimiter"}, kind)
            found["deaggregation"] = given["SubRecordType"]
            if given["SubRecordType"] == "DELIMITED":
                found["delimiter"] = base64.b64decode(given["Delimiter"])
        elif kind == "AppendDelimiterToRecord":
            _take(declaration, given, {"Delimiter"}, kind)
            found["append"] = given.get("Delimiter", "\\n").encode().decode("unicode_escape").encode()
        else:
            raise _unplayed(declaration, f"processor {kind!r}")
    return found


def _take(declaration: Declaration, given: Mapping[str, str], known: set[str], kind: str) -> None:
    unknown = sorted(given.keys() - known)
    if unknown:
        raise _unplayed(declaration, f"parameter {unknown[0]!r} of processor {kind}")


def _transform(declaration: Declaration, given: Mapping[str, str], role_arn: str) -> Transform:
    _take(
        declaration,
        given,
        {"LambdaArn", "BufferSizeInMBs", "BufferIntervalInSeconds", "NumberOfRetries", "RoleArn"},
        "Lambda",
    )
    size = float(given.get("BufferSizeInMBs", "1"))
    least, most = TRANSFORM_BUFFER_MB
    if not least <= size <= most:
        raise declaration.fail(
            f"BufferSizeInMBs of the Lambda processor given {size:g}, allowed is {least} to {most:g}"
        )
    interval = float(given.get("BufferIntervalInSeconds", "60"))
    if not 0 <= interval <= 900:
        raise declaration.fail(f"BufferIntervalInSeconds given {interval:g}, allowed is 0 to 900")
    return Transform(
        function_arn=given["LambdaArn"],
        buffer_bytes=int(size * MB),
        buffer_s=interval,
        retries=int(given.get("NumberOfRetries", "3")),
        role_arn=given.get("RoleArn", role_arn),
    )
