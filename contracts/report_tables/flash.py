"""What the daily flash report is made of; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable
from contracts.report_tables.comparing import DAYS_COMPARED, compared

_OWNER = "data platform"
_MINUTES = "decimal(18,3)"
_SHOW = Column(path="show_id", type="string", description="The show.")
_TITLE = Column(path="title", type="string", description="Its title at the day's end; null where no catalog knew it.")
_CREATOR = Column(path="creator_key", type="string", description="Key of the creator whose show it was by then.")
_PLACE = Column(path="place", type="bigint", description="1 is the most minutes; then most listeners, then by name.")

FLASH_EVENTS = ReportTable(
    name="flash_events",
    version=1,
    owner=_OWNER,
    description="How many events of each type happened on the day, as the lake holds them.",
    grain="one row for each event type, also one without an event on the day",
    columns=(
        DAY,
        Column(path="event_type", type="string", description="The event type; its table has this name."),
        Column(path="events", type="bigint", description="Events that occurred on the day, each counted once."),
        Column(
            path="events_late",
            type="bigint",
            description="Of these, events that arrived more than an hour after they occurred.",
        ),
    ),
    key=("day", "event_type"),
)

FLASH_REPORT = ReportTable(
    name="flash_report",
    version=1,
    owner=_OWNER,
    description="The day in numbers, each against yesterday, the week before and the 28 days before.",
    grain="one row for the day",
    columns=(
        DAY,
        Column(path="events", type="bigint", description="Events of all types that occurred on the day."),
        DAYS_COMPARED,
        *compared("listeners", "Distinct listeners who heard anything."),
        *compared("new_users", "Accounts that were created."),
        *compared("sessions", "Listening sessions that started."),
        *compared("shows", "Shows of which anything was heard."),
        *compared("minutes_listened", "Time heard, in minutes.", type=_MINUTES),
        *compared("peak_concurrency", "Most listeners at one moment, over all shows."),
        *compared("peak_concurrency_of_a_show", "Most listeners of one show at one moment."),
        *compared("likes", "Taps of like events."),
        *compared("calls", "Calls that were requested."),
        *compared("chat_messages", "Chat messages."),
        *compared("follows_gained", "Follows minus unfollows of shows."),
        *compared("poll_votes", "Votes in polls."),
    ),
    key=("day",),
)

FLASH_TOP_SHOWS = ReportTable(
    name="flash_top_shows",
    version=1,
    owner=_OWNER,
    description="The shows of which most was heard on the day.",
    grain="one row for each of the 20 shows with most minutes",
    columns=(
        DAY,
        _PLACE,
        Column(path="place_yesterday", type="bigint", description="The day before; null where nothing was heard."),
        _SHOW,
        _TITLE,
        _CREATOR,
        Column(path="listeners", type="bigint", description="Distinct listeners."),
        Column(path="sessions", type="bigint", description="Listening sessions that started."),
        *compared("minutes_listened", "Time heard, in minutes.", type=_MINUTES),
        Column(path="minutes_listened_share", type="double", description="Share of the minutes of all shows."),
        Column(path="peak_concurrency", type="bigint", description="Most listeners at one moment."),
        Column(path="likes", type="bigint", description="Taps of like events."),
        Column(path="calls", type="bigint", description="Calls that were requested."),
        Column(path="chat_messages", type="bigint", description="Chat messages."),
        Column(path="follows_gained", type="bigint", description="Follows minus unfollows of the show."),
    ),
    key=("day", "place"),
)

FLASH_TOP_CREATORS = ReportTable(
    name="flash_top_creators",
    version=1,
    owner=_OWNER,
    description="The creators of whose shows most was heard on the day; a show is its creator's at the day's end.",
    grain="one row for each of the 20 creators with most minutes",
    columns=(
        DAY,
        _PLACE,
        Column(path="creator_key", type="string", description="Key of the creator."),
        Column(path="shows", type="bigint", description="Shows of which anything was heard."),
        Column(path="listeners", type="bigint", description="Distinct listeners over all of the creator's shows."),
        Column(path="sessions", type="bigint", description="Listening sessions that started."),
        *compared("minutes_listened", "Time heard, in minutes.", type=_MINUTES),
        Column(path="minutes_listened_share", type="double", description="Share of the minutes of all shows."),
        Column(
            path="peak_concurrency_of_a_show", type="bigint", description="Most listeners of one show at one moment."
        ),
        Column(path="likes", type="bigint", description="Taps of like events."),
        Column(path="calls", type="bigint", description="Calls that were requested."),
        Column(path="chat_messages", type="bigint", description="Chat messages."),
        Column(path="follows_gained", type="bigint", description="Follows minus unfollows of the creator's shows."),
    ),
    key=("day", "place"),
)


def _moved(path: str, what: str, *, type: str) -> tuple[Column, ...]:
    return (
        Column(path=path, type=type, description=f"{what} of the day."),
        Column(path=f"{path}_before", type=type, description=f"{what} of the day that it is compared with."),
        Column(path=f"{path}_change", type=type, description="By how much the show moved the sum of all shows."),
        Column(path=f"{path}_change_of_all", type=type, description="By how much the sum of all shows moved."),
        Column(
            path=f"{path}_change_share",
            type="double",
            description="Share of all movement, up and down: the show's change over the changes of all, without sign.",
        ),
    )


FLASH_MOVERS = ReportTable(
    name="flash_movers",
    version=1,
    owner=_OWNER,
    description="Which shows moved the day's minutes and listeners, against yesterday and the week before.",
    grain="one row for each comparison and show among the 20 that moved most, by minutes or by listeners",
    columns=(
        DAY,
        Column(path="compared_with", type="string", description="yesterday or week_before; none without data."),
        _SHOW,
        _TITLE,
        Column(path="place", type="bigint", description="1 moved the minutes most, up or down."),
        Column(path="place_by_listeners", type="bigint", description="1 moved the listeners most, up or down."),
        *_moved("minutes_listened", "Minutes", type=_MINUTES),
        *_moved("listeners", "Distinct listeners", type="bigint"),
    ),
    key=("day", "compared_with", "show_id"),
)


def _before(path: str, type: str, description: str) -> tuple[Column, ...]:
    return (
        Column(path=path, type=type, description=description),
        Column(path=f"{path}_before", type=type, description="Of the version before; null when it was added."),
    )


FLASH_CATALOG_CHANGES = ReportTable(
    name="flash_catalog_changes",
    version=1,
    owner=_OWNER,
    description="What changed in the show catalog on the day: shows added, changed and withdrawn.",
    grain="one row for each version of a show that began on the day",
    columns=(
        DAY,
        _SHOW,
        Column(path="changed_at", type="timestamp", description="When the version began."),
        Column(path="change", type="string", description="added, changed or withdrawn."),
        Column(
            path="changed_columns",
            type="string",
            description="Columns that differ from the version before, as a text with commas; null when it was added.",
        ),
        Column(path="version", type="bigint", description="The catalog's version of the show."),
        *_before("title", "string", "Title as listeners see it."),
        *_before("status", "string", "Where the show is in its life."),
        *_before("creator_key", "string", "Key of the creator."),
        *_before("schedule_starts_at", "timestamp", "When the next broadcast starts."),
    ),
    key=("day", "show_id", "changed_at"),
)

FLASH_TABLES = (
    FLASH_EVENTS,
    FLASH_REPORT,
    FLASH_TOP_SHOWS,
    FLASH_TOP_CREATORS,
    FLASH_MOVERS,
    FLASH_CATALOG_CHANGES,
)
