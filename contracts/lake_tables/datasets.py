"""The tables that batch files become: all of a dataset in the personal zone, what it shares in the other."""

from __future__ import annotations

from contracts.datasets import DATASETS, Dataset
from contracts.lake import LakeTable, Zone
from contracts.model import Column

SOURCE_COLUMNS: tuple[Column, ...] = (
    Column(path="source_file", type="string", description="Key of the file in the raw bucket."),
    Column(path="source_row", type="bigint", description="Number of the row in the file, from 0."),
    Column(path="file_changed_at", type="timestamp", description="When the file was last written."),
)
"""What every row of a batch table says of where it is from."""


def all_of(dataset: Dataset, *, folder: str | None = None) -> LakeTable:
    """The personal table with every column of the dataset's files; `folder` is that of a dataset by folder."""
    return LakeTable(
        name=dataset.table_name if folder is None else f"{dataset.table_name}_{folder}",
        version=1,
        owner=dataset.owner,
        description=dataset.description,
        grain="one row for each row of each file that lies below the dataset's prefix",
        zone=Zone.PERSONAL,
        columns=(*SOURCE_COLUMNS, *(column for column in dataset.shared if column.person_id)),
        key=("source_file", "source_row"),
        sort=("source_file", "source_row"),
        open=True,
        freshness_hours=26,
    )


def shared_of(dataset: Dataset) -> LakeTable | None:
    """The shared table with the columns that the dataset declares, or None when it declares none."""
    if not dataset.shared:
        return None
    columns = tuple(
        Column(path=column.key_name, type="string", description=f"Key of a person: {column.description}")
        if column.person_id
        else column
        for column in dataset.shared
    )
    return LakeTable(
        name=dataset.table_name,
        version=1,
        owner=dataset.owner,
        description=f"{dataset.description} Only what holds nothing personal.",
        grain="one row for each row of each file that lies below the dataset's prefix",
        columns=(*columns, *SOURCE_COLUMNS),
        key=("source_file", "source_row"),
        sort=("source_file", "source_row"),
        freshness_hours=26,
    )


DATASET_TABLES: tuple[LakeTable, ...] = tuple(
    table
    for dataset in DATASETS
    if not dataset.by_folder
    for table in (all_of(dataset), shared_of(dataset))
    if table is not None
)
"""The tables of all declared datasets but those by folder, whose tables are found as they come."""
