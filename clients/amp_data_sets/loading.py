"""Versions of data sets, and their rows as PyArrow, Polars or pandas; keeps nothing between two calls."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import DamagedVersion, UnknownVersion
from .storage import Storage, storage

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

FORMAT = 1
"""The form of manifests that this client knows."""
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a data set. `manifest` is what it follows from: definition, moments, sources, code, files."""

    name: str
    version: str
    manifest: dict[str, Any]
    _storage: Storage = field(repr=False)

    @property
    def labels(self) -> list[str]:
        """The columns that tell what happened after `as_of`: never inputs of a model."""
        return list(self.manifest["definition"]["labels"])

    @property
    def columns(self) -> list[str]:
        """All columns, in order."""
        return [column["name"] for column in self.manifest["definition"]["columns"]]

    def to_arrow(self, *, split: str | None = None, time_split: str | None = None) -> pa.Table:
        """The rows of a split, of a time split, of both at once, or all.

        Every file that is read is held against the manifest first: its bytes by SHA-256, its rows, its columns.

        Raises:
            ValueError: there is no such split.
            DamagedVersion: a file is not what the manifest says.
        """
        for name, given in (("split", split), ("time_split", time_split)):
            if given is not None and given not in SPLITS:
                raise ValueError(f"{name}={given!r}; allowed: {', '.join(SPLITS)}, or None for all")
        files = [file for file in self.manifest["files"] if split in (None, file["split"])]
        tables = [self._read(file) for file in files]
        if not tables:
            raise UnknownVersion(
                f"{self.name} {self.version} has no rows of split {split}; it has {self.manifest['rows_by_split']}"
            )
        rows = pa.concat_tables(tables)
        return rows if time_split is None else rows.filter(pc.field("time_split") == time_split)

    def to_polars(self, *, split: str | None = None, time_split: str | None = None) -> pl.DataFrame:
        """As `to_arrow`, for Polars, which has to be installed."""
        import polars as pl

        found = pl.from_arrow(self.to_arrow(split=split, time_split=time_split))
        assert isinstance(found, pl.DataFrame)  # noqa: S101 - a table is a frame
        return found

    def to_pandas(self, *, split: str | None = None, time_split: str | None = None) -> pd.DataFrame:
        """As `to_arrow`, for pandas, which has to be installed."""
        return self.to_arrow(split=split, time_split=time_split).to_pandas()

    def _read(self, file: dict[str, Any]) -> pa.Table:
        path = f"{_folder(self.name)}{self.version}/{file['path']}"
        content = self._storage.read(path)
        found = hashlib.sha256(content).hexdigest()
        if found != file["sha256"]:
            raise DamagedVersion(f"{path}: its SHA-256 is {found}, the manifest says {file['sha256']}; fetch it again")
        rows = pq.read_table(io.BytesIO(content))
        if (rows.num_rows, rows.column_names) != (file["rows"], self.columns):
            raise DamagedVersion(
                f"{path}: {rows.num_rows} rows of {rows.column_names}, "
                f"the manifest says {file['rows']} of {self.columns}; fetch it again"
            )
        return rows


def versions(name: str, *, root: str | Path, s3: Any = None) -> list[str]:
    """The versions of a data set that are whole, the newest first.

    Args:
        name: such as `show_recommendation`.
        root: `s3://<transformed bucket>`, or a folder that holds a copy of its `data_sets/`.
        s3: a client of boto3 to use; by default one is made.
    """
    return [version.version for version in _all(name, storage(root, s3))]


def load(name: str, version: str = "latest", *, root: str | Path, s3: Any = None) -> Version:
    """A version of a data set: the one with this id, or the one that was made last.

    A training run that shall be repeated names the id. Arguments as of `versions`; no row is read yet.

    Raises:
        UnknownVersion: there is none.
        DamagedVersion: its manifest has a form that this client does not know.
    """
    files = storage(root, s3)
    if version != "latest":
        if not files.has(f"{_folder(name)}{version}/manifest.json"):
            raise UnknownVersion(f"{name} has no version {version!r} in {root}; allowed: latest, or one of versions()")
        return _version(name, version, files)
    found = _all(name, files)
    if not found:
        raise UnknownVersion(f"there is no data set {name!r} in {root}, or no version of it")
    return found[0]


def _all(name: str, files: Storage) -> list[Version]:
    """All whole versions, the newest first."""
    found = [
        _version(name, version, files)
        for version in files.names(_folder(name))
        if files.has(f"{_folder(name)}{version}/manifest.json")
    ]
    return sorted(found, key=lambda one: (one.manifest["created_at"], one.version), reverse=True)


def _version(name: str, version: str, files: Storage) -> Version:
    manifest = json.loads(files.read(f"{_folder(name)}{version}/manifest.json"))
    if manifest["format"] != FORMAT:
        raise DamagedVersion(
            f"{name} {version}: its manifest is of format {manifest['format']}; this client knows {FORMAT}; update it"
        )
    return Version(name=name, version=version, manifest=manifest, _storage=files)


def _folder(name: str) -> str:
    return f"data_sets/{name}/"
