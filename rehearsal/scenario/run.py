"""One rehearsal from synth to findings: which input goes in, what is let happen, what is read back."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from contracts.datasets import DATASETS
from rehearsal.engine.clock import Clock
from rehearsal.engine.engine import Mutation
from rehearsal.engine.errors import NotSettled
from rehearsal.scenario import batch, diagnosis, drops, faults, investigation, reports, tables_findings, warehouse
from rehearsal.scenario.accounting import account
from rehearsal.scenario.assembly import ROOT, synthesize
from rehearsal.scenario.catalog_service import CatalogService
from rehearsal.scenario.deployment import Deployed, start
from rehearsal.scenario.drops import Drop
from rehearsal.scenario.lake import Lake
from rehearsal.scenario.orchestration import Orchestration, Step, day_of, left_out
from rehearsal.scenario.orchestration_findings import OrchestrationFindings
from rehearsal.scenario.population import Population, PopulationSettings
from rehearsal.scenario.report.findings import Findings, TablesFindings
from rehearsal.scenario.timeline import Timeline, generated, own
from rehearsal.scenario.traffic import Traffic

WORKSPACE = ROOT / ".cache" / "rehearsal"
CATALOG_TOKEN = "a-token-of-this-rehearsal"  # noqa: S105 - known to the catalog service on loopback alone
TICK_S = 5.0
MOST_HOURS = 20
"""Of the platform's time that a day's DAG runs cover, with what comes before and after the events."""
SETTLE_TIMEOUT_S = 300.0

Progress = Callable[[str, str], None]
"""Told the phase and how far it is."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to rehearse. With own `shows`, `events` or `files`, nothing is generated and no fault is put in.

    `now` is the end of the live window on the rehearsal's clock, `minutes` its length. `fast` leaves Spark and so the
    lake's tables out. `assembly` is a synthesized one to deploy; without, the stage's is written. `mutate` changes
    templates by part, for rehearsals that must fail. Without `warehouse`, and with own data, it is left
    out. Without `airflow`, or where none is installed, jobs are started one after the other on Glue. With `all_dags`
    every DAG runs, started by messages where one is in production.
    """

    stage: str
    now: datetime
    seed: int = 7
    count: int = 10_000
    minutes: int = 15
    shows: Path | None = None
    events: Path | None = None
    files: Path | None = None
    fast: bool = False
    warehouse: bool = True
    airflow: bool = True
    all_dags: bool = False
    with_faults: bool = True
    population: dict[str, int] = field(default_factory=dict)
    mutate: dict[str, Mutation] = field(default_factory=dict)
    assembly: Path | None = None
    workspace: Path = WORKSPACE

    @property
    def own_data(self) -> bool:
        """Whether a person's own files go in instead of the generated population."""
        return self.shows is not None or self.events is not None or self.files is not None

    @property
    def with_warehouse(self) -> bool:
        """Whether the warehouse is rehearsed: it shows nothing of a person's own data."""
        return self.warehouse and not self.own_data

    @property
    def with_airflow(self) -> bool:
        """Whether Airflow has the jobs run. None looks further back than on schedule, as days of live events need."""
        return self.airflow and not self.fast and self.minutes <= 60 * MOST_HOURS

    @property
    def settings(self) -> PopulationSettings:
        """The population's settings."""
        sizes = {"seed": self.seed, "live_events": self.count, "live_minutes": self.minutes, **self.population}
        return PopulationSettings(now=self.now, **sizes)


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A finished rehearsal: its findings, and the platform, which runs until `close`; `airflow_url` if it has one."""

    findings: Findings
    deployed: Deployed
    catalog: CatalogService
    lake: Lake
    airflow_url: str = ""

    def close(self) -> None:
        """End everything that runs."""
        self.lake.close()
        self.deployed.engine.close()
        self.catalog.stop()


class _Phases:
    """Real seconds by phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = time.perf_counter()

    def end(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self._begun
        self._begun = now


def rehearse(options: Options, *, progress: Progress) -> Rehearsed:
    """Rehearse the platform and find out what became of everything.

    Raises:
        InputError: an own file cannot be taken.
        SynthesisError: the platform's templates could not be written.
        RehearsalError: the templates could not be deployed.
    """
    phases = _Phases()
    settings = options.settings
    dropped = _drops(options)
    if options.own_data:
        live_s, span_s = settings.live_start_ms / 1000, options.minutes * 60.0
        timeline = own(shows=options.shows, events=options.events, begin_s=live_s, span_s=span_s)
    else:
        timeline = generated(settings)
    progress("synth", f"templates of stage {options.stage}")
    assembly = options.assembly or synthesize(options.stage, folder=options.workspace / "assembly" / options.stage)
    phases.end("synth")
    no_airflow = left_out() if options.with_airflow else ""
    orchestrated = options.with_airflow and not no_airflow
    progress("deploy", "into the played account")
    clock = Clock(start=_moment(timeline.begin_s - 60, settings))
    catalog = CatalogService(token=CATALOG_TOKEN)
    catalog.start()
    try:
        deployed = start(
            assembly,
            stage=options.stage,
            clock=clock,
            catalog=catalog,
            mutate=options.mutate,
            warehouse=options.with_warehouse,
            orchestration=orchestrated,
        )
    except BaseException:
        catalog.stop()
        raise
    try:
        # It takes as long to start as shows and events take to be sent.
        orchestration = (
            Orchestration(
                deployed, stage=options.stage, all_dags=options.all_dags, days_late=_days_late(options.settings)
            )
            if orchestrated
            else None
        )
        phases.end("deploy")
        return _run(options, deployed, catalog, timeline, dropped, orchestration or no_airflow, phases, progress)
    except BaseException:
        deployed.engine.close()
        catalog.stop()
        raise


def _run(
    options: Options,
    deployed: Deployed,
    catalog: CatalogService,
    timeline: Timeline,
    dropped: list[Drop],
    orchestration: Orchestration | str,
    phases: _Phases,
    progress: Progress,
) -> Rehearsed:
    """Send, drop, read back and account; `orchestration` is the Airflow that starts, or why there is none."""
    engine, settings = deployed.engine, options.settings
    changes, events = timeline.changes, timeline.events
    with_faults = options.with_faults and not options.own_data
    if with_faults:
        end_s = settings.live_end_ms / 1000
        changes = changes + faults.faulty_changes(catalog, changes)
        events = events + faults.faulty_events(settings, at_s=end_s - 1)
    traffic = Traffic(deployed, catalog)
    total = len(changes) + len(events)
    started_s = engine.clock.time()

    waiting_faults = [faults.refuse_entries] if with_faults else []

    def sent(count: int) -> None:
        if waiting_faults and traffic.ledger.messages:
            # Shows were announced in this step and apps put nothing before the next: the ingest function is refused.
            waiting_faults.pop()(deployed)
        progress("send", f"{count:,} of {total:,}, {engine.clock.now():%H:%M:%S} on the platform's clock")

    traffic.send(changes, events, tick_s=TICK_S, on_progress=sent)
    investigation.read_downstream(deployed)
    phases.end("send")
    stuck: list[str] = []

    def settle(phase: str = "settle") -> None:
        try:
            engine.settle(
                timeout_s=SETTLE_TIMEOUT_S,
                on_progress=lambda: progress(phase, f"{engine.clock.now():%H:%M:%S} on the platform's clock"),
            )
        except NotSettled as error:
            stuck.extend(f"not settled: {text}" for text in (error.stuck or (str(error),)))

    batch.drop(deployed, [one for one in dropped if not one.later])
    settle()
    batch.drop(deployed, [one for one in dropped if one.later])
    settle()
    phases.end("settle")
    progress("read", "the landed files back")
    lake = Lake(engine.client("s3"), deployed.raw_bucket, options.workspace / "lake")
    letters = investigation.dead_letters(deployed)
    ledger = traffic.ledger
    book = account(ledger.events, ledger.messages, lake.found(), letters, lake.given_up())
    put_back = int(investigation.metric(engine, "Dropped"))
    refused = int(investigation.metric(engine, "RefusedEntries"))
    met = faults.judged(book, ledger, settings, put_back=put_back, refused_by_ingest=refused) if with_faults else []
    phases.end("read")
    tables: TablesFindings | None = None
    reported: reports.ReportsFindings | None = None
    if not options.fast:
        window = batch.Window.around(_moment(timeline.begin_s, settings), engine.clock.now())
        if isinstance(orchestration, Orchestration):
            ran = orchestration.run(_day(window, options, dropped), progress=progress)
        else:
            ran = batch.run_jobs(deployed, window, arguments=_job_arguments(settings), progress=progress)
        phases.end("jobs")
        progress("tables", "read back by DuckDB")
        with contextlib.closing(tables_findings.read_tables(deployed)) as found:
            tables = tables_findings.find(deployed, lake, found, dropped, ran)
            phases.end("tables")
            if not options.own_data:
                progress("reports", "of the days that were sent")
                reported = reports.run(found, lake, days=_days(settings), as_of=engine.clock.now())
        phases.end("reports")
    warehoused = None
    if options.with_warehouse:
        warehoused = warehouse.rehearse(
            engine, stage=options.stage, settle=lambda: settle("warehouse"), progress=progress
        )
        phases.end("warehouse")
    not_catalogued = [] if tables else tables_findings.not_catalogued(deployed, dropped)
    findings = Findings(
        stage=options.stage,
        started=_moment(started_s, settings),
        settings=_described(options),
        account=book,
        flow=investigation.flow(deployed, catalog, ledger, book, lake),
        faults=[(fault.name, fault.said, fault.met) for fault in met],
        resources=investigation.resources(engine),
        roles=investigation.roles(deployed, explain=with_faults, without_jobs=options.fast),
        delays_s=lake.delays_s(),
        per_minute=lake.per_minute(),
        queries=investigation.queries(lake),
        phases=phases.seconds,
        virtual_s=engine.clock.time() - started_s,
        refusals=[
            *investigation.refusals(engine),
            *stuck,
            *not_catalogued,
            *(f"not taken: {text}" for text in ledger.not_taken),
        ],
        diagnosis=diagnosis.diagnose(deployed, ledger),
        notes=[
            *_files_notes(options),
            *(f"Too large for the stream, so not sent: {text}." for text in ledger.too_large),
        ],
        tables=tables,
        warehouse=warehoused,
        reports=reported,
        orchestration=_orchestrated(orchestration),
    )
    return Rehearsed(
        findings=findings,
        deployed=deployed,
        catalog=catalog,
        lake=lake,
        airflow_url=orchestration.airflow.api.base_url if isinstance(orchestration, Orchestration) else "",
    )


def _day(window: batch.Window, options: Options, dropped: Sequence[Drop]) -> list[Step]:
    """The DAG runs of this rehearsal; without a drop that is catalogued, no message comes."""
    catalogued = {drop.dataset for drop in dropped} & {dataset.name for dataset in DATASETS}
    return day_of(
        window,
        all_dags=options.all_dags,
        by_message=options.all_dags and bool(catalogued),
        days_late=_days_late(options.settings),
    )


def _orchestrated(orchestration: Orchestration | str) -> OrchestrationFindings | None:
    """What became of the DAG runs, or why there are none where there should be."""
    if isinstance(orchestration, Orchestration):
        return orchestration.findings()
    return OrchestrationFindings(environment="", left_out=orchestration) if orchestration else None


def _drops(options: Options) -> list[Drop]:
    """The batch files of this rehearsal.

    Raises:
        InputError: the folder of own files cannot be taken.
    """
    if options.own_data:
        return drops.own(options.files) if options.files else []
    population = Population(options.settings)
    return drops.generated(population) + (drops.faulty(population) if options.with_faults else [])


def _files_notes(options: Options) -> list[str]:
    """What a person's own files do not get, who would look for it in the report."""
    if options.files is None:
        return []
    notes = []
    if left_out := drops.skipped(options.files):
        notes.append(f"Files left out, whose names end in none of {', '.join(drops.SUFFIXES)}: {', '.join(left_out)}.")
    if options.fast:
        notes.append("Files were catalogued, and nothing looked into them: without Spark no job makes tables of them.")
    return notes


def _job_arguments(settings: PopulationSettings) -> dict[str, dict[str, str]]:
    """History is sent as old events, which jobs would take for those of a wrong clock."""
    days = _days_late(settings)
    return {job: {"--max-days-late": str(days)} for job in batch.ALL} if days else {}


def _days(settings: PopulationSettings) -> list[date]:
    """Each day of which events are sent."""
    first = _moment(settings.history_start_ms / 1000, settings).date()
    return [first + timedelta(days=number) for number in range((settings.now.date() - first).days + 1)]


def _days_late(settings: PopulationSettings) -> int:
    """How old events may be that are sent; 0 where none is older than jobs take by themselves."""
    return settings.history_days + 7 if settings.history_days else 0


def _described(options: Options) -> dict[str, object]:
    if options.own_data:
        files = {"shows": options.shows, "events": options.events, "files": options.files}
        return {name: path.name for name, path in files.items() if path is not None}
    return {"seed": options.seed, "app events": f"{options.count:,}", "minutes": options.minutes}


def _moment(at_s: float, settings: PopulationSettings) -> datetime:
    return datetime.fromtimestamp(at_s, tz=settings.now.tzinfo)


def totals(findings: Findings) -> Counter[str]:
    """What there was in all: sent, repeated, landed, again, quarantined, dead-lettered, given up, missing."""
    counts: Counter[str] = Counter()
    for line in findings.account.lines:
        counts["sent"] += line.sent
        counts["repeated"] += line.repeated
        counts["landed"] += line.landed
        counts["again"] += line.arrived_again
        counts["quarantined"] += line.quarantined.total()
        counts["dead-lettered"] += line.dead_lettered.total()
        counts["given up"] += line.given_up.total()
        counts["missing"] += len(line.missing)
    return counts
