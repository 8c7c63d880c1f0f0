"""What is asked of EMR on EKS and of Glue for one submission, from what the stacks declare; calls nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.code_bucket import GLUE_ENTRY, PACKAGES, CodeBucket
from orchestration.submission import Submission

WINDOW_START, WINDOW_END, RUN_ID, ZONE = "WindowStart", "WindowEnd", "RunId", "Zone"
"""The parameters of a job template (stack EmrOnEks)."""

_PARAMETER = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_-]*)\}")


class WrongTemplate(ValueError):
    """A job template is not of the form that the EmrOnEks stack gives it."""


def of_template(
    template: Mapping[str, Any], submission: Submission, *, code: CodeBucket, zones: Sequence[str]
) -> dict[str, Any]:
    """The fields of EMR's StartJobRun that a job template decides, in the names of `EmrContainerOperator`.

    ``template`` is `jobTemplate.jobTemplateData` of DescribeJobTemplate. Its parameters are filled in, its code becomes
    the submission's, and further arguments are put behind its own.

    Raises:
        WrongTemplate: it has a parameter that is not known, or names no code of the bucket.
    """
    given = submission.given
    values = {
        WINDOW_START: given.pop("--window-start"),
        WINDOW_END: given.pop("--window-end"),
        RUN_ID: given.pop("--run-id"),
        ZONE: submission.zone(zones),
    }
    strange = sorted(set(template.get("parameterConfiguration", {})) - set(values))
    if strange:
        raise WrongTemplate(f"the job template has the parameters {strange}; allowed: {', '.join(values)}")
    driver = _filled(template["jobDriver"], values)
    submit = driver["sparkSubmitJobDriver"]
    for field in ("entryPoint", "sparkSubmitParameters"):
        submit[field] = _with_code(submit[field], submission.code, code)
    submit["entryPointArguments"] = [
        *submit.get("entryPointArguments", ()),
        *(text for pair in given.items() for text in pair),
    ]
    return {
        "execution_role_arn": template["executionRoleArn"],
        "release_label": template["releaseLabel"],
        "job_driver": driver,
        "configuration_overrides": _filled(template.get("configurationOverrides", {}), values),
        "tags": dict(template.get("jobTags", {})),
    }


def glue_arguments(submission: Submission, *, code: CodeBucket) -> dict[str, str]:
    """The arguments of Glue's StartJobRun; the code's two take the place of the job's own ("Job parameters" page)."""
    return {
        **submission.given,
        "--scriptLocation": code.url(submission.code, GLUE_ENTRY),
        "--extra-py-files": code.url(submission.code, PACKAGES),
    }


def paired(arguments: Sequence[str]) -> dict[str, str]:
    """The arguments of an entry point, which all are names with a value behind, by name."""
    return dict(zip(arguments[::2], arguments[1::2], strict=False))


def _filled(part: Any, values: Mapping[str, str]) -> Any:
    if isinstance(part, str):
        return _PARAMETER.sub(lambda match: _value(match[1], values), part)
    if isinstance(part, Mapping):
        return {name: _filled(inner, values) for name, inner in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(inner, values) for inner in part]
    return part


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise WrongTemplate(f"the job template has the parameter {name}; allowed: {', '.join(values)}")
    return values[name]


def _with_code(text: str, code: str, bucket: CodeBucket) -> str:
    changed, times = re.subn(rf"s3://{re.escape(bucket.name)}/jobs/[0-9a-f]+/", bucket.url(code, ""), text)
    if not times:
        raise WrongTemplate(
            f"the job template says {text!r}, which names no code in s3://{bucket.name}/jobs/; fix: deploy Code and "
            "EmrOnEks from one checkout"
        )
    return changed
