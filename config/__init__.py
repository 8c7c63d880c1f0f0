"""How each stage is set: frozen values and the few names; it must not import a construct or read the environment."""

from config.dev import DEV
from config.model import ConfigurationError, Stage
from config.prod import PROD
from config.stage import STAGE

STAGES: dict[str, Stage] = {stage.name: stage for stage in (DEV, STAGE, PROD)}


def stage_named(name: str) -> Stage:
    """The stage of that name.

    Raises:
        ConfigurationError: no such stage.
    """
    if name not in STAGES:
        raise ConfigurationError(
            what="unknown stage",
            given=name,
            allowed=", ".join(STAGES),
            fix="pass one of them, as in `-c stage=dev`",
        )
    return STAGES[name]
