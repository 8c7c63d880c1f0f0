"""Hold the tables against the raw zone: every event and every row of a batch file once, or refused with a reason.

Pure: takes what others read, gives the account; it reads no service and prints nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEvent:
    """A delivery in the raw zone: its type, its id, the UTC day on which it says it happened."""

    type: str
    event_id: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of the table of its type."""

    type: str
    event_id: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A row that a job refused: from which source (event type or dataset), file and why; an event by its id."""

    source: str
    reason: str
    file: str
    event_id: str | None = None
    whole_file: bool = False


@dataclass(slots=True, kw_only=True)
class DayLine:
    """The account of one type on one day: events = rows + refused + missing."""

    type: str
    day: str
    deliveries: int = 0
    events: int = 0
    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class FileLine:
    """The account of one batch file: promised rows (None: nobody promised) = rows + refused, or refused whole."""

    key: str
    promised: int | None
    rows: int
    refused: Counter[str] = field(default_factory=Counter)
    said: str = ""


@dataclass(slots=True, kw_only=True)
class TablesAccount:
    """The whole account of the lake's tables, and what contradicts it."""

    lines: list[DayLine]
    files: list[FileLine] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """Events of the raw zone that no table holds and no job refused."""
        return [f"{line.type} {name}" for line in self.lines for name in line.missing]

    @property
    def closes(self) -> bool:
        """Whether everything of the raw zone is in its table once, or refused."""
        return not (self.missing or self.unexpected)


def account_of_events(raw: Iterable[RawEvent], rows: Iterable[TableRow], refused: Iterable[Refused]) -> TablesAccount:
    """Account for every event of the raw zone, by type and by the day on which it happened.

    A delivery that came again is the same event when type, id and day are equal; the tables hold it once.
    """
    lines: dict[tuple[str, str], DayLine] = {}
    book = TablesAccount(lines=[])

    def line_of(event_type: str, day: str) -> DayLine:
        return lines.setdefault((event_type, day), DayLine(type=event_type, day=day))

    events: dict[tuple[str, str, str], int] = Counter()
    for event in raw:
        line_of(event.type, event.day).deliveries += 1
        events[event.type, event.event_id, event.day] += 1
    found: Counter[tuple[str, str, str]] = Counter((row.type, row.event_id, row.day) for row in rows)
    why: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in refused:
        if one.event_id is not None:
            why[one.source, one.event_id].add(one.reason)
    for event_type, event_id, day in events:
        line = line_of(event_type, day)
        line.events += 1
        times = found.pop((event_type, event_id, day), 0)
        if times > 1:
            book.unexpected.append(f"{event_type} {event_id} stands in its table {times} times")
        reasons = why.get((event_type, event_id), set())
        if times:
            line.rows += 1
            if reasons:
                book.unexpected.append(f"{event_type} {event_id} is in its table and was refused: {sorted(reasons)}")
        elif reasons:
            line.refused[sorted(reasons)[0]] += 1
        else:
            line.missing.append(event_id)
    book.unexpected += [f"a row that the raw zone does not hold: {name} {event_id}" for name, event_id, _ in found]
    book.lines = [lines[key] for key in sorted(lines)]
    return book


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedFile:
    """A file that was dropped: where, of which dataset, what is promised for it (see `drops.Drop`)."""

    key: str
    dataset: str
    rows: int | None
    refused: str = ""


def account_of_files(
    dropped: Sequence[DroppedFile], rows: Counter[str], refused: Iterable[Refused], unknown: set[str]
) -> tuple[list[FileLine], list[str]]:
    """Account for every batch file; gives the lines and what contradicts what was promised.

    Args:
        dropped: the files.
        rows: rows in the tables by the file that they are from.
        refused: rows and files that jobs refused.
        unknown: keys of files whose notice is a dead letter, because no dataset has such a prefix.
    """
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    whole: dict[str, str] = {}
    for one in refused:
        if one.whole_file:
            whole[one.file] = one.reason
        else:
            by_file[one.file][one.reason] += 1
    lines, unexpected = [], []
    left = Counter(rows)
    for file in dropped:
        found = left.pop(file.key, 0)
        line = FileLine(key=file.key, promised=file.rows, rows=found, refused=by_file[file.key])
        lines.append(line)
        if file.key in unknown:
            line.said = "no dataset has this prefix: a dead letter says so"
        elif file.key in whole:
            line.said = f"refused whole: {whole[file.key]}"
        if file.refused:
            if file.refused != whole.get(file.key, "unknown_prefix" if file.key in unknown else ""):
                unexpected.append(f"{file.key} was promised to be refused as {file.refused} and is not")
        elif file.rows is not None and file.rows != found + line.refused.total():
            unexpected.append(
                f"{file.key} holds {file.rows} rows; the table has {found}, refused are {line.refused.total()}"
            )
        elif not found and not line.refused and not line.said:
            unexpected.append(f"{file.key} is in no table and nobody says why")
    unexpected += [f"{count} rows are from {key}, which nobody dropped" for key, count in sorted(left.items())]
    return lines, unexpected
