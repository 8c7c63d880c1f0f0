"""What a request of CloudFormation asks to be published, read from the properties of its custom resource.

It must not touch a bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class PublicationError(ValueError):
    """A request that cannot be meant; the message says what, given, allowed and fix."""

    def __init__(self, *, what: str, given: object, allowed: str) -> None:
        super().__init__(f"{what}; given: {given!r}; allowed: {allowed}; fix: correct building_blocks/publisher.py.")


@dataclass(frozen=True, kw_only=True)
class File:
    """An asset that is copied as it is, once: what lies at a key is never changed."""

    name: str
    asset: str
    key: str


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A zip asset, and the prefix (with its slash) below which its files lie and nothing else."""

    asset: str
    prefix: str


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """The object that says which code new runs take, and the hash of the code that is deployed."""

    key: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Publication:
    """All that one custom resource stands for."""

    files: tuple[File, ...]
    folders: tuple[Folder, ...]
    pointer: Pointer | None


_OF_CLOUDFORMATION = {"ServiceToken", "ServiceTimeout"}
_OURS = ("Files", "Folders", "Pointer")


def read(properties: Mapping[str, Any]) -> Publication:
    """The publication that ``properties`` of a custom resource describe::

        {
            "Files": {"Script": {"Asset": "<key>", "Key": "jobs/<hash>/run_job.py"}},
            "Folders": {"Dags": {"Asset": "<key>", "Prefix": "airflow/dags/"}},
            "Pointer": {"Key": "jobs/current.json", "Hash": "<hash>"},
        }

    Raises:
        PublicationError: a property is unknown, missing, empty or no text, or there is nothing to publish.
    """
    unknown = sorted(set(properties) - _OF_CLOUDFORMATION - set(_OURS))
    if unknown or not set(properties) & set(_OURS):
        raise PublicationError(
            what="unknown properties" if unknown else "nothing to publish",
            given=unknown or sorted(properties),
            allowed=", ".join(_OURS),
        )
    files = _named(properties, "Files")
    folders = _named(properties, "Folders")
    pointer = properties.get("Pointer")
    return Publication(
        files=tuple(
            File(name=name, **_texts(f"Files.{name}", given, asset="Asset", key="Key")) for name, given in files.items()
        ),
        folders=tuple(
            Folder(**_prefixed(f"Folders.{name}", _texts(f"Folders.{name}", given, asset="Asset", prefix="Prefix")))
            for name, given in folders.items()
        ),
        pointer=None if pointer is None else Pointer(**_texts("Pointer", pointer, key="Key", hash="Hash")),
    )


def _named(properties: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = properties.get(kind, {})
    if not isinstance(found, dict):
        raise PublicationError(what=f"{kind} is no map", given=found, allowed="what is published, by name")
    return found


def _texts(where: str, given: Any, **fields: str) -> dict[str, str]:
    """The texts of ``given`` by the names of ``fields``, which map an argument to a property."""
    if not isinstance(given, dict) or set(given) != set(fields.values()):
        raise PublicationError(what=f"{where} is not complete", given=given, allowed=" and ".join(fields.values()))
    for name, value in given.items():
        if not isinstance(value, str) or not value:
            raise PublicationError(what=f"{where}.{name} is no text", given=value, allowed="a text that is not empty")
    return {argument: given[name] for argument, name in fields.items()}


def _prefixed(where: str, texts: dict[str, str]) -> dict[str, str]:
    """Refuse a prefix without its slash: all that it does not name is removed below it."""
    prefix = texts["prefix"]
    if not prefix.endswith("/") or prefix.startswith("/"):
        raise PublicationError(what=f"{where}.Prefix names no folder", given=prefix, allowed="a prefix as in folder/")
    return texts
