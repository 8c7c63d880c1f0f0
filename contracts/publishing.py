"""Published versions of the contracts, kept as files, and what may still change in them; publishes nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from contracts.event import Event

PUBLISHED = Path(__file__).parent / "published"
"""One folder for each event type, one file for each version: `published/<type>/v<version>.json`."""


def path_of(event: Event, *, root: Path = PUBLISHED) -> Path:
    """Where the event's current version is or will be published."""
    return root / event.type / f"v{event.version}.json"


def publish(event: Event, *, root: Path = PUBLISHED) -> bool:
    """Write the event's current version. Returns whether there was something to write.

    What was published is never changed: columns that are in the file stay as they are, and only optional ones are
    added to it, so that from then on they are held to what they are.
    """
    target = path_of(event, root=root)
    published: dict[str, object] = {}
    if target.exists():
        published = json.loads(target.read_text())["columns"]
    columns = dict(published)
    for column in event.sent:
        if column.path not in published and (not published or not column.required):
            columns[column.path] = {"type": column.type, "required": column.required, "personal": column.personal}
    if columns == published:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"type": event.type, "version": event.version, "columns": columns}, indent=2) + "\n")
    return True


def unpublished(event: Event, *, root: Path = PUBLISHED) -> list[str]:
    """Paths of the columns that the event declares and its published version does not hold yet."""
    target = path_of(event, root=root)
    published = json.loads(target.read_text())["columns"] if target.exists() else {}
    return [column.path for column in event.sent if column.path not in published]


def breaking_changes(event: Event, *, root: Path = PUBLISHED) -> list[str]:
    """What the event as declared now would break for producers and readers of any published version of it.

    Only an added optional column breaks nobody. Returns one sentence for each break, naming the published file.
    """
    breaks: list[str] = []
    now = {column.path: column for column in event.sent}
    for file in sorted((root / event.type).glob("v*.json")):
        published = json.loads(file.read_text())
        if published["version"] > event.version:
            breaks.append(f"{file.name}: version {published['version']} was published, {event.version} is declared")
        for path, then in published["columns"].items():
            column = now.get(path)
            if column is None:
                breaks.append(f"{file.name}: the column {path!r} was removed; keep it and stop filling it")
                continue
            if column.type != then["type"]:
                breaks.append(
                    f"{file.name}: the column {path!r} was {then['type']} and is {column.type}; add a new column"
                )
            if column.required != then["required"]:
                breaks.append(
                    f"{file.name}: the column {path!r} was {'required' if then['required'] else 'optional'} "
                    f"and no longer is; producers in the field go on as they are"
                )
            if then["personal"] and not column.personal:
                breaks.append(f"{file.name}: the column {path!r} was personal and still holds personal values")
        breaks += [
            f"{file.name}: the new column {path!r} is required, and events without it are on their way"
            for path, column in now.items()
            if path not in published["columns"] and column.required
        ]
    return breaks


def withdrawn(types: set[str], *, root: Path = PUBLISHED) -> list[str]:
    """Event types that were published and that no contract declares any more."""
    return sorted(folder.name for folder in root.iterdir() if folder.is_dir() and folder.name not in types)
