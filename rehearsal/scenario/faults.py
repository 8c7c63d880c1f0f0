"""The faults that a default rehearsal puts in, once each, and what the platform promises for them; mends nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rehearsal.engine.iam import CallRecord
from rehearsal.scenario.accounting import Account
from rehearsal.scenario.catalog_service import (
    ANSWER_GARBAGE,
    NO_ANSWER,
    SERVER_ERROR,
    CatalogService,
    too_many_requests,
)
from rehearsal.scenario.deployment import Deployed
from rehearsal.scenario.population import PopulationSettings
from rehearsal.scenario.population import faults as population_faults
from rehearsal.scenario.traffic import Change, Event, Ledger

OVERSIZE_RECORDS = 5
OVERSIZE_BYTES = 900_000
"""Records of back-slashes: flattening doubles them, so that a batch of them outgrows a 6 MB response."""
REFUSED_ENTRIES = 3
BAD_NEIGHBOUR = "fault: a bad line among good ones in one record"
BAD_IN_AGGREGATE = "fault: a bad line in an aggregate of the Kinesis Producer Library"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault as the report tells it: what went wrong, what became of it, whether that was the promise."""

    name: str
    said: str
    met: bool


def faulty_events(settings: PopulationSettings, *, at_s: float) -> list[Event]:
    """Events that go wrong on purpose, each with what is promised for it."""
    events = [
        Event(
            at_s=at_s,
            line=fault.line,
            type=fault.type if fault.event_id else f"fault: {fault.kind}",
            event_id=fault.event_id,
            expected=fault.expected,
        )
        for fault in population_faults(settings)
    ]
    for number in range(OVERSIZE_RECORDS):
        name = f"oversize-{settings.seed}-{number}"
        body = {
            "event_type": "activity_update",
            "event_id": name,
            "occurred_at": int(at_s * 1000),
            "activity": {"kind": "shared"},
            "filler": "\\" * (OVERSIZE_BYTES // 2),
        }
        line = json.dumps(body).encode()
        events.append(Event(at_s=at_s, line=line, type="activity_update", event_id=name, expected="landed"))
    return [
        *events,
        *_neighbours(settings, BAD_NEIGHBOUR, at_s=at_s),
        *_neighbours(settings, BAD_IN_AGGREGATE, at_s=at_s, aggregated=True),
    ]


def _neighbours(settings: PopulationSettings, record: str, *, at_s: float, aggregated: bool = False) -> list[Event]:
    """A bad line among good ones, all in one record of the stream."""
    good = []
    for number in range(2):
        name = f"{_neighbour(record)}{settings.seed}-{number}"
        body = {
            "event_type": "like",
            "event_id": name,
            "occurred_at": int(at_s * 1000),
            "show": {"id": "show-1009"},
            "like": {"count": 1},
        }
        good.append(Event(at_s=at_s, line=json.dumps(body).encode(), type="like", event_id=name, expected="landed"))
    line = b'{"event_type": "like", "event_id": "cut sho'
    bad = Event(at_s=at_s, line=line, type=record, event_id=None, expected="quarantined:not_json")
    return [replace(event, record=record, aggregated=aggregated) for event in (good[0], bad, good[1])]


def _neighbour(record: str) -> str:
    """What the ids of the good events of a record begin with."""
    return "aggregated-" if record == BAD_IN_AGGREGATE else "neighbour-"


def faulty_changes(catalog: CatalogService, changes: Sequence[Change]) -> list[Change]:
    """Show changes that go wrong on purpose; also scripts the catalog service to fail for some good ones."""
    at_s = changes[len(changes) // 2].at_s if changes else 0.0
    shows = list(dict.fromkeys(change.show_id for change in changes if change.show_id))
    if len(shows) >= 4:
        catalog.script(shows[0], SERVER_ERROR)
        catalog.script(shows[1], too_many_requests(retry_after="1"))
        catalog.script(shows[2], NO_ANSWER)
    bodies = [
        ("this is no JSON", None, "dead-lettered:not_json"),
        ('{"change": "updated"}', None, "dead-lettered:no_show_id"),
        ('{"show_id": "show-that-is-not", "version": 1}', "show-that-is-not", "dead-lettered:show_not_found"),
        ('{"show_id": "show-of-garbage"}', "show-of-garbage", "dead-lettered:answer_not_json"),
    ]
    catalog.script("show-of-garbage", ANSWER_GARBAGE)
    return [Change(at_s=at_s, body=body, show_id=show, expected=expected) for body, show, expected in bodies]


def refuse_entries(deployed: Deployed) -> None:
    """Let the stream refuse the next entries, whoever puts them."""
    deployed.engine.faults.refuse_stream_entries(deployed.stream_arn, REFUSED_ENTRIES)


def judged(
    account: Account, ledger: Ledger, settings: PopulationSettings, *, put_back: int, refused_by_ingest: int
) -> list[Fault]:
    """What became of each fault, from the account and from what was measured."""
    unexpected = " ".join(account.unexpected)
    missing = " ".join(account.missing)
    lines = {line.type: line for line in account.lines}
    again = sum(line.arrived_again for line in account.lines)
    found = []
    for fault in population_faults(settings):
        name = fault.event_id or f"fault: {fault.kind}"
        met = name not in unexpected and name not in missing
        found.append(Fault(name=f"event: {fault.kind}", said=fault.expected.replace(":", ", "), met=met))
    found.append(
        Fault(name="an event sent twice", said=f"{again} deliveries beyond the first, told by event id", met=again > 0)
    )
    oversize = [event for event in ledger.events if event.event_id and event.event_id.startswith("oversize-")]
    found.append(
        Fault(
            name=f"a batch whose answer outgrows 6 MB ({len(oversize)} records of {OVERSIZE_BYTES:,} bytes)",
            said=f"{put_back} records put back on the stream, then landed",
            met=put_back > 0 and "oversize-" not in missing,
        )
    )
    for record in (BAD_NEIGHBOUR, BAD_IN_AGGREGATE):
        names = (record, _neighbour(record))
        shared = [one for one in ledger.events if one.type == record or (one.event_id or "").startswith(names[1])]
        together = len(shared) == 3 and len({event.sequence_number for event in shared}) == 1
        found.append(
            Fault(
                name=record.removeprefix("fault: "),
                said="quarantined alone, not_json; its neighbours landed",
                met=together and not any(name in missing + unexpected for name in names),
            )
        )
    dead = lines["show changes"].dead_lettered if "show changes" in lines else {}
    for reason in ("not_json", "no_show_id", "show_not_found", "answer_not_json"):
        found.append(Fault(name=f"show change: {reason}", said="dead-lettered with its reason", met=reason in dead))
    found.append(
        Fault(
            name=f"the stream refuses {REFUSED_ENTRIES} entries",
            said=f"{refused_by_ingest} of the ingest function, {ledger.refused} of the apps: put again, alone",
            met=refused_by_ingest > 0 and refused_by_ingest + ledger.refused == REFUSED_ENTRIES,
        )
    )
    return found


def refusal_text(call: CallRecord) -> str:
    """A refused call as a sentence: who, what, on what, and why."""
    return f"{call.principal.arn.rsplit('/', 1)[-1]} may not {call.need.action} on {call.need.resource}: {call.reason}"
