"""What the stage tells its DAGs: Airflow's configuration, section `amp`; asks AWS nothing."""

from __future__ import annotations

from airflow.configuration import conf

from orchestration.code_bucket import CodeBucket

SECTION = "amp"
ENGINES = ("emr", "glue")
STARTS = ("on", "events", "off")


class WrongSetting(ValueError):
    """An option of the section `amp` is missing or says what it cannot; the text says how to mend it."""


def setting(name: str, *, default: str | None = None) -> str:
    """An option of the section, or ``default`` when it is missing or empty.

    Raises:
        WrongSetting: it is missing or empty, and there is no default.
    """
    value = str(conf.get(SECTION, name, fallback="") or "").strip()
    if value:
        return value
    if default is None:
        raise WrongSetting(
            f"Airflow's option {SECTION}.{name} is missing; allowed: what the Orchestration stack gives; fix: deploy "
            f"that stack, or set AIRFLOW__{SECTION.upper()}__{name.upper()}"
        )
    return default


def number(name: str, *, default: int) -> int:
    """An option that is a whole number from 1.

    Raises:
        WrongSetting: it is none.
    """
    text = setting(name, default=str(default))
    if not text.isdigit() or int(text) < 1:
        raise WrongSetting(f"Airflow's option {SECTION}.{name} is {text!r}; allowed: a whole number from 1")
    return int(text)


def job_arguments() -> dict[str, str]:
    """Arguments of every job that the stage gives: `amp.max_days_late`, while history comes in over the stream.

    Raises:
        WrongSetting: it is no whole number from 1.
    """
    if not setting("max_days_late", default=" ").strip():
        return {}
    return {"--max-days-late": str(number("max_days_late", default=1))}


def engine() -> str:
    """What runs the stage's jobs: `emr` (EMR on EKS) or `glue`.

    Raises:
        WrongSetting: it is neither.
    """
    value = setting("engine")
    if value not in ENGINES:
        raise WrongSetting(f"Airflow's option {SECTION}.engine is {value!r}; allowed: {' or '.join(ENGINES)}")
    return value


def starts() -> str:
    """By what DAGs start beside a person (`amp.schedules`): `on` (the clock and messages), `events` or `off`.

    Raises:
        WrongSetting: it says something else.
    """
    value = setting("schedules", default="on")
    if value not in STARTS:
        raise WrongSetting(f"Airflow's option {SECTION}.schedules is {value!r}; allowed: {', '.join(STARTS)}")
    return value


def pairs(name: str) -> dict[str, str]:
    """An option that is written `name=value,name=value`.

    Raises:
        WrongSetting: it is missing, or written otherwise.
    """
    return read_pairs(setting(name), of=f"Airflow's option {SECTION}.{name}")


def read_pairs(text: str, *, of: str) -> dict[str, str]:
    """What `name=value,name=value` says; ``of`` is what holds the text, for the message.

    Raises:
        WrongSetting: it is written otherwise.
    """
    found = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not (name and equals and value):
            raise WrongSetting(f"{of} has the part {part!r}; allowed: name=value, with commas between")
        found[name] = value
    return found


def code_bucket() -> CodeBucket:
    """The stage's bucket of job code.

    Raises:
        WrongSetting: the option is missing.
    """
    return CodeBucket(name=setting("code_bucket"))
