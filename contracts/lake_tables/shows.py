"""Tables of shows and creators, made from what the show catalog told."""

from __future__ import annotations

from contracts.events.catalog import SHOW_CATALOG_ENTRY
from contracts.lake import LakeTable, Zone
from contracts.lake_tables.events import shared_columns
from contracts.model import Column

_ENTRY = tuple(column for column in shared_columns(SHOW_CATALOG_ENTRY) if column.name.startswith("show_"))
_OWNER = "show catalog team"

SHOW_HISTORY = LakeTable(
    name="show_history",
    version=1,
    owner=_OWNER,
    description="Every version of every show that the catalog told of: what changed, when, and whose show it was.",
    grain="one row for each version of a show that differs from the one before it",
    columns=(
        *_ENTRY,
        Column(path="valid_from", type="timestamp", description="When this version began: when the show was updated."),
        Column(path="valid_to", type="timestamp", description="When the next version began; null for the current one."),
        Column(
            path="changed_columns",
            type="array<string>",
            description="Columns that differ from the version before; null for the first.",
        ),
        Column(path="event_id", type="string", description="The catalog entry that told of it."),
    ),
    key=("show_id", "valid_from"),
    sort=("show_id", "valid_from"),
    freshness_hours=26,
)

SHOWS = LakeTable(
    name="shows",
    version=1,
    owner=_OWNER,
    description="Shows as they are now.",
    grain="one row for each show",
    columns=(
        *_ENTRY,
        Column(path="valid_from", type="timestamp", description="When the show became as it is."),
        Column(
            path="first_seen_at", type="timestamp", description="When the first version that the catalog told of began."
        ),
        Column(path="versions", type="bigint", description="How many versions the history holds."),
    ),
    key=("show_id",),
    sort=("show_id",),
    freshness_hours=26,
)

CREATORS = LakeTable(
    name="creators",
    version=1,
    owner=_OWNER,
    description="Creators by their key, with what their shows tell; names are in personal.creator_profiles.",
    grain="one row for each creator",
    columns=(
        Column(path="creator_key", type="string", description="Key of the creator."),
        Column(path="shows", type="bigint", description="Shows that are theirs now."),
        Column(path="live_shows", type="bigint", description="Of these, shows whose status is live."),
        Column(path="languages", type="array<string>", description="Languages of these shows, in order."),
        Column(path="topics", type="array<string>", description="Topics of these shows, in order."),
        Column(
            path="first_seen_at",
            type="timestamp",
            description="When the first version of a show that names the creator began.",
        ),
        Column(path="last_changed_at", type="timestamp", description="When one of these shows last changed."),
    ),
    key=("creator_key",),
    sort=("creator_key",),
    freshness_hours=26,
)

CREATOR_PROFILES = LakeTable(
    name="creator_profiles",
    version=1,
    owner=_OWNER,
    description="Who the creators are, as the catalog last told.",
    grain="one row for each creator",
    zone=Zone.PERSONAL,
    columns=(
        Column(path="creator_key", type="string", description="Key of the creator; joins transformed.creators."),
        Column(path="creator_id", type="string", description="The creator.", personal=True),
        Column(path="creator_name", type="string", description="The creator's public name.", personal=True),
        Column(path="changed_at", type="timestamp", description="When the catalog last told of it."),
    ),
    key=("creator_key",),
    sort=("creator_key",),
    freshness_hours=26,
)
