"""Datasets that arrive as files: where they land, in which format, and what of them may be shared.

Adding a dataset is one entry in DATASETS: its crawler, its tables and its permissions follow from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from contracts.model import Column

BATCH_PREFIX = "batch/"
"""Where batch files land in the raw bucket; `batch/<dataset>/` is one dataset."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


class Format(StrEnum):
    """How the files of a dataset are written; JSON is one object a line. JSON and CSV may be gzipped."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """A kind of file drop.

    The crawler infers what the files hold; `shared` are the columns of it that may be shared, the persons' ids among
    them (`person_id`) as keys. A column that is not declared here stays in the personal zone with all others until
    somebody declares that it holds nothing personal.
    """

    name: str
    owner: str
    description: str
    format: Format | None
    """None: each file's name tells (`.json`, `.ndjson`, `.csv`, `.parquet`, with or without `.gz`)."""
    by_folder: bool = False
    """Each folder below the prefix becomes a table of its own; nothing of it can be shared."""
    key: tuple[str, ...] = ()
    """Columns that tell its rows apart; empty: nothing is known of them."""
    shared: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a name that no prefix or table could have, and sharing of what is personal."""
        if self.by_folder and (self.shared or self.key):
            raise ValueError(
                f"dataset {self.name!r}: its folders hold anything, so that it has no key and shares nothing"
            )
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"dataset {self.name!r}: the name is lower snake case of at most 41 characters")
        bare = [column.name for column in self.shared if column.personal and not column.person_id]
        if bare:
            raise ValueError(f"dataset {self.name!r}: {bare} are personal and cannot be shared; take them out")

    @property
    def prefix(self) -> str:
        """Where its files land in the raw bucket."""
        return f"{BATCH_PREFIX}{self.name}/"

    @property
    def table_name(self) -> str:
        """Its table in the raw, the personal and, where something is shared, the transformed database.

        With `by_folder` what its tables' names begin with: `batch_uploads` is followed by `_<folder>`.
        """
        return f"batch_{self.name}"


_SHOW_ID = Column(path="show_id", type="string", description="The show.")
_CREATOR_ID = Column(path="creator_id", type="string", description="The creator.", personal=True, person_id=True)

SHOWS = Dataset(
    name="shows",
    owner="show catalog team",
    description="Export of all shows, as JSON lines.",
    format=Format.JSON,
    key=("show_id",),
    shared=(
        _SHOW_ID,
        Column(path="title", type="string", description="Title as listeners see it."),
        Column(path="status", type="string", description="Where the show is in its life."),
        Column(path="language", type="string", description="Spoken language as a BCP 47 tag."),
        Column(path="topics", type="array<string>", description="Topics, the main one first."),
        _CREATOR_ID,
    ),
)

CATALOG = Dataset(
    name="catalog",
    owner="editorial team",
    description="The editors' catalogue: which show is featured where, as a CSV file.",
    format=Format.CSV,
    key=("show_id",),
    shared=(
        _SHOW_ID,
        Column(path="category", type="string", description="Category of the catalogue."),
        Column(path="featured", type="boolean", description="Whether the editors feature it."),
        Column(path="editorial_note", type="string", description="What the editors say of the show."),
    ),
)

CREATORS = Dataset(
    name="creators",
    owner="creator team",
    description="Export of all creators, as Parquet.",
    format=Format.PARQUET,
    key=("creator_id",),
    shared=(
        _CREATOR_ID,
        Column(path="country", type="string", description="Country as an ISO 3166-1 alpha-2 code."),
        Column(path="joined_on", type="date", description="Day on which the creator signed up."),
        Column(path="verified", type="boolean", description="Whether the creator's identity was checked."),
    ),
)

USER_PROFILES = Dataset(
    name="user_profiles",
    owner="accounts team",
    description="Export of listeners' profiles, as a CSV file; nearly all of it is personal.",
    format=Format.CSV,
    key=("user_id",),
    shared=(
        Column(path="user_id", type="string", description="The listener.", personal=True, person_id=True),
        Column(path="plan", type="string", description="Plan that the listener is on."),
        Column(path="country", type="string", description="Country as an ISO 3166-1 alpha-2 code."),
    ),
)

UPLOADS = Dataset(
    name="uploads",
    owner="data platform",
    description="Files that nobody has declared yet: each folder is a table, personal until it is a dataset.",
    format=None,
    by_folder=True,
)

DATASETS: tuple[Dataset, ...] = (SHOWS, CATALOG, CREATORS, USER_PROFILES, UPLOADS)
"""The registry: all datasets."""

_BY_NAME = {dataset.name: dataset for dataset in DATASETS}


def by_name(name: str) -> Dataset | None:
    """The dataset called `name`, or None when none is declared."""
    return _BY_NAME.get(name)
