"""Finds which packages a function's asset pins and where a local interpreter has the same; never installs any."""

from __future__ import annotations

import functools
import importlib.metadata
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from rehearsal.engine.errors import PackageMismatch

# What AWS's Python runtimes carry beside the standard library (AWS Lambda Developer Guide, "Runtime-included
# SDK versions" and "Working with layers for Python functions").
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")


@dataclass(frozen=True, kw_only=True)
class AssetPackages:
    """Import names that come from ``folder`` of the local environment instead of the asset."""

    local: tuple[str, ...]
    runtime: tuple[str, ...]
    folders: tuple[str, ...]


@functools.cache
def asset_packages(asset: Path) -> AssetPackages:
    """Look at the ``*.dist-info`` folders at the root of ``asset``.

    Pure Python wheels are imported from the asset as they are. A wheel with native code is built for Lambda's
    platform and does not load here: the same version must be installed locally, and is imported from there.

    Raises:
        PackageMismatch: a native wheel's version is not the one installed locally; names package, wanted, found.
    """
    native: list[str] = []
    folders = {
        str(Path(str(importlib.metadata.distribution(name).locate_file("")))) for name in ("boto3", "time-machine")
    }
    for info in sorted(asset.glob("*.dist-info")):
        metadata = HeaderParser().parsestr((info / "METADATA").read_text("utf-8"))
        wheel = HeaderParser().parsestr((info / "WHEEL").read_text("utf-8"))
        if wheel["Root-Is-Purelib"] == "true":
            continue
        name, wanted = metadata["Name"], metadata["Version"]
        try:
            local = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise _mismatch(asset, name, wanted, "none") from None
        if local.version != wanted:
            raise _mismatch(asset, name, wanted, local.version)
        folders.add(str(Path(str(local.locate_file("")))))
        native.extend(_import_names(asset, local))
    return AssetPackages(local=tuple(sorted(set(native))), runtime=RUNTIME_PACKAGES, folders=tuple(sorted(folders)))


def _mismatch(asset: Path, name: str, wanted: str, found: str) -> PackageMismatch:
    return PackageMismatch(
        f"Package {name}: the asset {asset.name} wants {wanted}, the local environment has {found}; "
        f"install {name}=={wanted} locally or build the asset again"
    )


def _import_names(asset: Path, local: importlib.metadata.Distribution) -> set[str]:
    """What the package is imported as: the asset need not hold its own list of files."""
    names = set()
    for file in local.files or ():
        first = file.parts[0]
        if (asset / first).is_dir() and not first.endswith((".dist-info", ".data")):
            names.add(first)
        elif len(file.parts) == 1 and first.endswith((".py", ".so", ".pyd")):
            names.add(first.split(".")[0])
    return names
