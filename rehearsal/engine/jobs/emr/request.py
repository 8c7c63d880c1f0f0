"""Reads what a StartJobRun request asks for: a template's values filled in, Spark's settings merged.

It must not start anything, nor look anything up but the template that it is given.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.engine.errors import RehearsalError
from rehearsal.engine.jobs.emr.model import JobTemplate
from rehearsal.engine.jobs.emr.validation import problems_of
from rehearsal.engine.jobs.executions import Program

# EMR on EKS guide, "Amazon EMR on EKS releases": those with Spark 3.5, as the rehearsal's, and Pod Identity.
_RELEASE = re.compile(r"emr-(?P<major>\d{1,2})\.(?P<minor>\d{1,2})\.\d-(latest|\d{8})")
_FIRST_PLAYED, _MAJOR_PLAYED = 3, "7"

ICEBERG = "local:///usr/share/aws/iceberg/lib/"
"""Where the release's image has Iceberg ("Using Apache Iceberg with Amazon EMR on EKS" page)."""

CLUSTER_ONLY = (
    "spark.decommission.",
    "spark.driver.cores",
    "spark.driver.memory",
    "spark.driver.memoryOverhead",
    "spark.dynamicAllocation.",
    "spark.executor.",
    "spark.executorEnv.",
    "spark.kubernetes.",
    "spark.storage.decommission.",
)
"""Settings that size, place or move pods, and those of executors: a run here is one process without executors."""

_DRIVER_ENVIRONMENT = "spark.kubernetes.driverEnv."
_POD_TEMPLATES = ("spark.kubernetes.driver.podTemplateFile", "spark.kubernetes.executor.podTemplateFile")
_DEFAULTS = "spark-defaults"
LEFT_OUT_CLASSIFICATIONS = ("emr-containers-defaults", "emr-job-submitter")
"""They shape the pod that calls spark-submit, which a rehearsal has not."""

_SIZES = frozenset({"--driver-cores", "--driver-memory", "--executor-cores", "--executor-memory", "--num-executors"})
_TEMPLATE_PARAMETER = re.compile(r"\$\{([.\-_#A-Za-z0-9]+)\}")
# A request says these itself even when it names a template.
_BESIDE_TEMPLATE = frozenset({"clientToken", "jobTemplateId", "jobTemplateParameters", "name", "tags"})


class BadRequest(RehearsalError):
    """EMR answers ``ValidationException``."""


class NotFound(RehearsalError):
    """EMR answers ``ResourceNotFoundException``."""


@dataclass(frozen=True, kw_only=True)
class LogPlaces:
    """Where a run's logs go; empty: not there. ``uri`` is an ``s3://`` address without a slash at its end."""

    uri: str = ""
    group: str = ""
    stream_prefix: str = ""


def filled(request: Mapping[str, Any], template: JobTemplate | None) -> dict[str, Any]:
    """The request with its template's values, parameters replaced by what it gives or by their defaults.

    Raises:
        BadRequest: a parameter is missing or unknown, or a value is given beside the template's.
    """
    if template is None:
        return {key: value for key, value in request.items() if key != "jobTemplateParameters"}
    beside = sorted({*request} - _BESIDE_TEMPLATE - {"virtualClusterId"})
    if beside:
        raise BadRequest(f"The rehearsal does not play {', '.join(beside)} of StartJobRun beside jobTemplateId")
    data = dict(template.data)
    known: Mapping[str, Mapping[str, Any]] = data.pop("parameterConfiguration", None) or {}
    given: Mapping[str, str] = request.get("jobTemplateParameters") or {}
    values = {name: one["defaultValue"] for name, one in known.items() if "defaultValue" in one} | dict(given)
    unknown, missing = sorted({*given} - {*known}), sorted({*known} - {*values})
    if unknown or missing:
        raise BadRequest(
            f"Parameters of job template {template.id}: missing {missing}, unknown {unknown}; it has {sorted(known)}"
        )
    tags = {**(data.pop("jobTags", None) or {}), **(request.get("tags") or {})}
    rest = {key: value for key, value in request.items() if key != "jobTemplateParameters"}
    return {**_replaced(data, values), **rest, "tags": tags}


def check(request: Mapping[str, Any]) -> None:
    """Refuse what EMR refuses of a filled request, and what the rehearsal does not play.

    Raises:
        BadRequest: something is missing, or is not played.
        NotFound: there is no such release.
    """
    missing = [key for key in ("executionRoleArn", "releaseLabel", "jobDriver") if request.get(key) is None]
    if missing:
        raise BadRequest(f"Without jobTemplateId a job run needs {', '.join(missing)}")
    wrong = problems_of("StartJobRun", request)
    if wrong:
        raise BadRequest("; ".join(wrong))
    found = _RELEASE.fullmatch(request["releaseLabel"])
    if found is None:
        raise NotFound(f"Release {request['releaseLabel']} doesn't exist.")
    if found["major"] != _MAJOR_PLAYED or int(found["minor"]) < _FIRST_PLAYED:
        raise BadRequest(
            f"The rehearsal does not play release {request['releaseLabel']}: it has Spark 3.5 and Pod Identity, as "
            f"emr-{_MAJOR_PLAYED}.{_FIRST_PLAYED}.0 and later have"
        )
    if len(request["jobDriver"]) != 1:
        raise BadRequest("Exactly one of sparkSubmitJobDriver and sparkSqlJobDriver is required")
    if "sparkSubmitJobDriver" not in request["jobDriver"]:
        raise BadRequest("The rehearsal does not play sparkSqlJobDriver")
    if request.get("retryPolicyConfiguration", {}).get("maxAttempts", 1) != 1:
        raise BadRequest("The rehearsal does not play retryPolicyConfiguration: whoever starts a run tries again")
    program(request)


def program(request: Mapping[str, Any]) -> Program:
    """What a filled request executes.

    What is in ``sparkSubmitParameters`` wins over the application configuration, as spark-submit has it ("Spark
    Configuration" page of Spark: flags win over spark-defaults.conf).

    Raises:
        BadRequest: it asks for something that is not played.
    """
    driver = request["jobDriver"]["sparkSubmitJobDriver"]
    script = driver["entryPoint"]
    if not script.startswith("s3://") or not script.endswith(".py"):
        raise BadRequest(f"The rehearsal does not play entryPoint {script!r}; it plays Python files at s3:// addresses")
    spark = dict(_application_configuration(request.get("configurationOverrides") or {}))
    python_files: list[str] = []
    iceberg = False
    for option, value in _options(driver.get("sparkSubmitParameters") or ""):
        if option == "--conf":
            name, _, setting = value.partition("=")
            spark[name.strip()] = setting.strip()
        elif option == "--py-files":
            python_files = [address for address in value.split(",") if address]
        elif option == "--jars" and all(address.startswith(ICEBERG) for address in value.split(",")):
            iceberg = True
        elif option not in _SIZES:
            raise BadRequest(f"The rehearsal does not play {option} {value} of sparkSubmitParameters")
    return Program(
        script=script,
        arguments=driver.get("entryPointArguments") or [],
        python_files=python_files or [one for one in spark.get("spark.submit.pyFiles", "").split(",") if one],
        spark={name: value for name, value in spark.items() if not name.startswith((*CLUSTER_ONLY, "spark.submit."))},
        iceberg=iceberg,
        environment={
            name.removeprefix(_DRIVER_ENVIRONMENT): value
            for name, value in spark.items()
            if name.startswith(_DRIVER_ENVIRONMENT)
        },
        read=[spark[name] for name in _POD_TEMPLATES if spark.get(name, "").startswith("s3://")],
    )


def log_places(request: Mapping[str, Any]) -> LogPlaces:
    """Where a filled request wants its logs."""
    monitoring = (request.get("configurationOverrides") or {}).get("monitoringConfiguration") or {}
    group = monitoring.get("cloudWatchMonitoringConfiguration") or {}
    return LogPlaces(
        uri=(monitoring.get("s3MonitoringConfiguration") or {}).get("logUri", "").rstrip("/"),
        group=group.get("logGroupName", ""),
        stream_prefix=group.get("logStreamNamePrefix", "").strip("/"),
    )


def argument_pairs(request: Mapping[str, Any]) -> dict[str, str]:
    """The arguments of the entry point by name, for a report; one that no value follows has an empty one."""
    arguments: Sequence[str] = request["jobDriver"]["sparkSubmitJobDriver"].get("entryPointArguments") or []
    following = [*arguments[1:], "--"]
    return {
        one: "" if after.startswith("--") else after
        for one, after in zip(arguments, following, strict=True)
        if one.startswith("--")
    }


def _replaced(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _replaced(inner, values) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, values) for inner in value]
    if isinstance(value, str):
        return _TEMPLATE_PARAMETER.sub(lambda found: values.get(found[1], found[0]), value)
    return value


def _application_configuration(overrides: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in overrides.get("applicationConfiguration") or []:
        if one["classification"] in LEFT_OUT_CLASSIFICATIONS:
            continue
        if one["classification"] != _DEFAULTS or one.get("configurations"):
            raise BadRequest(
                f"The rehearsal does not play classification {one['classification']!r} of applicationConfiguration; "
                f"it plays {_DEFAULTS} and leaves out {', '.join(LEFT_OUT_CLASSIFICATIONS)}"
            )
        yield from (one.get("properties") or {}).items()


def _options(text: str) -> Iterator[tuple[str, str]]:
    """The options of spark-submit, each of which has a value: ``--name value`` or ``--name=value``."""
    words = iter(shlex.split(text))
    for word in words:
        option, equals, value = word.partition("=")
        if not option.startswith("--"):
            raise BadRequest(f"sparkSubmitParameters: {word!r} belongs to no option")
        yield option, value if equals else next(words, "")
