"""Put into the code bucket what a deployment brought, and move the pointer last; makes no client.

Every step can be repeated: CloudFormation's request comes again when the function dies, and a deployment that fails is
rolled back by a request with the properties of before.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lambdas.publish_code.publication import Folder, PublicationError, read


class Store(Protocol):
    """The two buckets: `CodeStore`, or a test's."""

    def asset(self, key: str) -> bytes:
        """An object of the asset bucket."""
        ...

    def put_once(self, key: str, body: bytes) -> str:
        """Put an object unless there is one; the version that is there then."""
        ...

    def put(self, key: str, body: bytes) -> None:
        """Put an object over what there is."""
        ...

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys of the objects below a prefix."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; their versions stay."""
        ...

    def replace(self, key: str, body: bytes) -> bool:
        """Put an object in the place of what it was when it was looked at; False when it holds ``body`` already."""
        ...


def publish(event: Mapping[str, Any], *, store: Store) -> dict[str, str]:
    """Do what a request of CloudFormation asks for; the attributes that the custom resource has then.

    `<Name>Version` is the version of each file. Nothing is removed with the resource: runs may use what it published,
    and the bucket's versions are the way back.

    Raises:
        PublicationError: the request's properties cannot be meant, or an asset is no zip.
    """
    if event["RequestType"] == "Delete":
        return {}
    wanted = read(event["ResourceProperties"])
    versions = {f"{one.name}Version": store.put_once(one.key, store.asset(one.asset)) for one in wanted.files}
    for folder in wanted.folders:
        _fill(folder, store)
    if wanted.pointer is not None and wanted.pointer.hash != _deployed_before(event):
        store.replace(wanted.pointer.key, json.dumps({"hash": wanted.pointer.hash}).encode())
    return versions


def _deployed_before(event: Mapping[str, Any]) -> str | None:
    """The hash of the deployment before this one: the pointer may have been moved back from it by hand since."""
    old = event.get("OldResourceProperties", {}).get("Pointer")
    return old.get("Hash") if isinstance(old, dict) else None


def _fill(folder: Folder, store: Store) -> None:
    """Put the files of a zip below their prefix, what is imported before what imports it, and remove all others."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(store.asset(folder.asset)))
    except zipfile.BadZipFile:
        raise PublicationError(
            what="a folder's asset is no zip", given=folder.asset, allowed="an asset made of a folder"
        ) from None
    files = {f"{folder.prefix}{one.filename}": archive.read(one) for one in archive.infolist() if not one.is_dir()}
    for key in sorted(files, key=lambda key: (-key.count("/"), key)):
        store.put(key, files[key])
    gone = [key for key in store.keys(folder.prefix) if key not in files]
    if gone:
        store.delete(gone)


def answer(event: Mapping[str, Any], *, status: str, data: Mapping[str, str], reason: str) -> dict[str, Any]:
    """What CloudFormation is told ("Custom resource response objects" page); it takes 4 KB."""
    return {
        "Status": status,
        "Reason": reason[:1_000],
        # One id for good: another one would make CloudFormation delete what the id before stands for.
        "PhysicalResourceId": event.get("PhysicalResourceId") or f"{event['LogicalResourceId']}-published",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": dict(data),
    }
